/**
 * The extended FPU state, from the form in which ptrace gives it (NT_X86_XSTATE) to the form in which a signal frame
 * carries it. Both are the uncompacted XSAVE layout; a signal frame has a magic word before and one behind it.
 * Sources: arch/x86/include/uapi/asm/sigcontext.h (_fpx_sw_bytes), arch/x86/kernel/fpu/signal.c check_xstate_in_sigframe().
 */
const MAGIC1 = 0x46505853;
const MAGIC2 = 0x46505845;
/** Offset of the software-reserved bytes in the legacy area; ptrace stores the feature mask (XCR0) there. */
const SW_RESERVED = 464;
/** Offset of XSTATE_BV, the features that are not in their initial state. */
const XSTATE_BV = 512;
/** XTILECFG and XTILEDATA (AMX): permitted per process, so that other processes have a smaller frame. */
const AMX = 0x3n << 17n;
/** Bytes of the state before the AMX parts (all processors with AMX have this layout). */
const SIZE_WITHOUT_AMX = 2696;

export interface FrameState {
  /** The area as it goes on the stack, magic words included; its address must be a multiple of 64. */
  readonly bytes: Buffer;
}

/** Returns null where the bytes are no XSAVE area. */
export function toFrameState(fromPtrace: Buffer): FrameState | null {
  if (fromPtrace.length < 576) return null;
  const supported = fromPtrace.readBigUInt64LE(SW_RESERVED);
  const used = fromPtrace.readBigUInt64LE(XSTATE_BV);
  const withoutAmx = (supported & AMX) !== 0n && (used & AMX) === 0n;
  const size = withoutAmx ? Math.min(SIZE_WITHOUT_AMX, fromPtrace.length) : fromPtrace.length;
  const bytes = Buffer.alloc(size + 4);
  fromPtrace.copy(bytes, 0, 0, size);
  bytes.fill(0, SW_RESERVED, 512);
  bytes.writeUInt32LE(MAGIC1, SW_RESERVED);
  bytes.writeUInt32LE(size + 4, SW_RESERVED + 4);
  bytes.writeBigUInt64LE(withoutAmx ? supported & ~AMX : supported, SW_RESERVED + 8);
  bytes.writeUInt32LE(size, SW_RESERVED + 16);
  bytes.writeUInt32LE(MAGIC2, size);
  return { bytes };
}
