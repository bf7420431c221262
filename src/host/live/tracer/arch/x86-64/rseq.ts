/**
 * Restartable sequences. The kernel moves a thread that it interrupts inside one to the abort handler when it returns to
 * user mode (kernel/rseq.c, rseq_ip_fixup()); the state that we hand back in a frame has to have that done already.
 */
import type { Memory } from '../../proc.ts';
import { PTRACE, SysError, ptraceBuffer } from '../../sys.ts';
import type { Registers } from './registers.ts';

/** Offset of `rseq_cs` in `struct rseq`, and the size of `struct rseq_cs` (include/uapi/linux/rseq.h). */
const RSEQ_CS = 8;
const SECTION_BYTES = 32;

export function leaveCriticalSection(tid: number, saved: Registers, memory: Memory): void {
  const config = Buffer.alloc(24);
  try {
    ptraceBuffer(PTRACE.getRseq, tid, 24, config);
  } catch (error) {
    if (error instanceof SysError) return;
    throw error;
  }
  const area = Number(config.readBigUInt64LE(0));
  const pointer = Buffer.alloc(8);
  if (area === 0 || memory.read(area + RSEQ_CS, pointer) !== 8) return;
  const section = Number(pointer.readBigUInt64LE(0));
  const bytes = Buffer.alloc(SECTION_BYTES);
  if (section === 0 || memory.read(section, bytes) !== SECTION_BYTES) return;
  const abort = abortAddress(bytes, saved.get('rip'));
  if (abort !== null) saved.set('rip', abort);
}

/** Where a thread at `rip` goes on; null where it is outside of the section. `bytes`: a `struct rseq_cs`. */
export function abortAddress(bytes: Buffer, rip: bigint): bigint | null {
  const start = bytes.readBigUInt64LE(8);
  const length = bytes.readBigUInt64LE(16);
  return rip >= start && rip - start < length ? bytes.readBigUInt64LE(24) : null;
}
