/**
 * A chain of signal frames. Each frame loads the registers of one system call; the call returns into the restorer,
 * which does rt_sigreturn on the next frame; the last frame is the thread's saved state. Once the thread stands on the
 * first frame it finishes alone, whatever happens to us.
 *
 * Layout: `struct rt_sigframe` (arch/x86/include/asm/sigframe.h): return address, `struct ucontext`, siginfo (never
 * read on the way back). rt_sigreturn takes the frame at rsp - 8, so the return address of a call is the first word of
 * the frame that follows it.
 */
import { RT_SIGRETURN } from './calls.ts';
import type { RegisterName, Registers } from './registers.ts';
import { USER_CS, USER_DS } from './registers.ts';

/** Code that stores the result of a call: `mov %rax, (%rbx)`, then some words off the stack, then `ret`. */
export interface StoreGadget {
  readonly address: number;
  /** Words that it takes off the stack before it returns. */
  readonly words: number;
}

/** Addresses of code in the process itself. */
export interface Gadgets {
  /** `syscall; ret`. */
  readonly call: number;
  /** `mov $15, %eax; syscall`, the restorer. */
  readonly restorer: number;
  /** Null where no such code is mapped: the chain is then watched call by call. */
  readonly store: StoreGadget | null;
}

export interface FrameCall {
  readonly number: number;
  readonly args: readonly bigint[];
}

export interface Chain {
  /** Lowest address; `bytes` go there in one write. */
  readonly address: number;
  readonly bytes: Buffer;
  /** What PTRACE_SETREGS is given to commit it. */
  readonly entry: Registers;
  /** Stack pointer inside the restorer of the last frame: what follows is the saved state. */
  readonly lastStack: number;
  /** Where results are stored, eight bytes each, in the order of the calls; null without a store gadget. */
  readonly results: number | null;
}

/** In a result slot until its call has returned. */
export const NO_RESULT = 0x7ab5_e175_0000_0001n;

export interface ChainInput {
  /** State to be given back, interrupted calls settled. */
  readonly saved: Registers;
  /** Signal mask to be given back, 8 bytes. */
  readonly mask: Buffer;
  /** Extended state in signal-frame form. */
  readonly state: Buffer;
  readonly calls: readonly FrameCall[];
  readonly gadgets: Gadgets;
  /** Everything is placed below this address. */
  readonly top: number;
}

const FRAME_BYTES = 312;
const UC = 8;
const UC_FLAGS = UC;
const UC_STACK_FLAGS = UC + 16 + 8;
const CONTEXT = UC + 40;
const SEGMENTS = CONTEXT + 18 * 8;
const FPSTATE = SEGMENTS + 8 + 4 * 8;
const MASK = UC + 296;

/** UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS (arch/x86/include/uapi/asm/ucontext.h). */
const FLAGS = 0x7n;
/** No such mode: do_sigaltstack() answers EINVAL, which sigreturn ignores, and the thread keeps the stack that it has. */
const INVALID_STACK_FLAGS = 0x7ffffff0;
/** Order in `struct sigcontext`. */
const CONTEXT_ORDER = [
  'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rdi', 'rsi', 'rbp', 'rbx', 'rdx', 'rax', 'rcx', 'rsp', 'rip', 'eflags',
] as const satisfies readonly RegisterName[];
type ContextName = (typeof CONTEXT_ORDER)[number];
const PLACES = Object.fromEntries(CONTEXT_ORDER.map((name, i) => [name, i])) as Record<ContextName, number>;
/** Order of the arguments of a system call. */
const ARGUMENT_ORDER: readonly ContextName[] = ['rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'];

/** Bytes needed on the stack for a chain. */
export const chainBytes = (calls: number, stateBytes: number): number => (calls + 1) * (FRAME_BYTES + 8 * 5) + stateBytes + calls * 8 + 192;

export function buildChain(input: ChainInput): Chain {
  const { store, restorer } = input.gadgets;
  const between = store === null ? 0 : 8 * (1 + store.words);
  const stride = FRAME_BYTES + between;
  const slots = input.top - 8 * input.calls.length;
  const stateAt = alignDown(slots - input.state.length, 64);
  const last = stateAt - FRAME_BYTES;
  const address = last - input.calls.length * stride;
  const bytes = Buffer.alloc(input.top - address);
  input.state.copy(bytes, stateAt - address);
  const saved = contextOf(input.saved);
  input.calls.forEach((call, i) => {
    const at = i * stride;
    writeFrame(bytes, at, saved, BLOCK_ALL, stateAt, restorer);
    callRegisters(input, call, address + at + stride - between, (name, value) => bytes.writeBigUInt64LE(value, at + CONTEXT + 8 * PLACES[name]));
    bytes.writeBigUInt64LE(NO_RESULT, slots - address + 8 * i);
    if (store === null) return;
    bytes.writeBigUInt64LE(BigInt(slots + 8 * i), at + CONTEXT + 8 * PLACES.rbx);
    bytes.writeBigUInt64LE(BigInt(store.address), at + stride - between);
  });
  writeFrame(bytes, last - address, saved, input.mask, stateAt, restorer);
  return { address, bytes, entry: entryRegisters(input, address), lastStack: last + 8, results: store === null ? null : slots };
}

/** All signals but the two that cannot be blocked. */
const BLOCK_ALL = Buffer.alloc(8, 0xff);

/** What differs from the saved state while the call is made. */
function callRegisters(input: ChainInput, call: FrameCall, returnTo: number, set: (name: ContextName, value: bigint) => void): void {
  set('rax', BigInt(call.number));
  call.args.forEach((value, i) => set(ARGUMENT_ORDER[i] ?? 'r9', BigInt.asUintN(64, value)));
  set('rip', BigInt(input.gadgets.call));
  set('rsp', BigInt(returnTo));
  set('eflags', 0x202n);
}

/** The registers as `struct sigcontext` has them: made once, and copied into each frame. */
function contextOf(regs: Registers): Buffer {
  const bytes = Buffer.alloc(8 * CONTEXT_ORDER.length);
  CONTEXT_ORDER.forEach((name, i) => bytes.writeBigUInt64LE(regs.get(name), 8 * i));
  return bytes;
}

/** The thread is put where the restorer has just loaded the number of rt_sigreturn and stands on `syscall`. */
function entryRegisters(input: ChainInput, firstFrame: number): Registers {
  const regs = input.saved.copy();
  regs.set('rax', BigInt(RT_SIGRETURN));
  regs.set('orig_rax', -1n);
  regs.set('rip', BigInt(input.gadgets.call));
  regs.set('rsp', BigInt(firstFrame + 8));
  regs.set('eflags', 0x202n);
  return regs;
}

function writeFrame(into: Buffer, at: number, context: Buffer, mask: Buffer, state: number, restorer: number): void {
  into.writeBigUInt64LE(BigInt(restorer), at);
  into.writeBigUInt64LE(FLAGS, at + UC_FLAGS);
  into.writeUInt32LE(INVALID_STACK_FLAGS, at + UC_STACK_FLAGS);
  context.copy(into, at + CONTEXT);
  into.writeUInt16LE(Number(USER_CS), at + SEGMENTS);
  into.writeUInt16LE(Number(USER_DS), at + SEGMENTS + 6);
  into.writeBigUInt64LE(BigInt(state), at + FPSTATE);
  mask.copy(into, at + MASK);
}

const alignDown = (value: number, unit: number): number => value - (value % unit);
