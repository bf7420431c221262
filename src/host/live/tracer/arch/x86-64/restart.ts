/**
 * What becomes of a system call that was interrupted by the stop. The kernel decides that when a thread returns to user
 * mode without a handler (arch_do_signal_or_restart(), arch/x86/kernel/signal.c); a thread that returns through
 * rt_sigreturn skips that place, so the saved state must already say it.
 */
import type { Registers } from './registers.ts';
import { CALL_NUMBERS } from './calls.ts';

const ERESTARTSYS = -512;
const ERESTARTNOINTR = -513;
const ERESTARTNOHAND = -514;
const ERESTART_RESTARTBLOCK = -516;
const EINTR = -4n;

/** TIMER_ABSTIME of clock_nanosleep(2). */
const TIMER_ABSTIME = 1n;

/**
 * `exact`: the thread goes on as if nothing had happened. `longer`: a wait with a timeout starts again with its full
 * time. `interrupted`: the call returns EINTR, as after a handled signal, with the remaining time stored by the kernel.
 */
export type RestartEffect = 'exact' | 'longer' | 'interrupted';

/** True when the registers stand at the end of a system call that the kernel would restart. */
export function isInterruptedCall(regs: Registers): boolean {
  if (regs.signed('orig_rax') < 0) return false;
  const rax = regs.signed('rax');
  return rax === ERESTARTSYS || rax === ERESTARTNOINTR || rax === ERESTARTNOHAND || rax === ERESTART_RESTARTBLOCK;
}

/** Rewrites `regs`, the state that a thread will be given back, in place. */
export function settleInterruptedCall(regs: Registers): RestartEffect {
  if (!isInterruptedCall(regs)) return 'exact';
  if (regs.signed('rax') !== ERESTART_RESTARTBLOCK) {
    again(regs);
    return 'exact';
  }
  const effect = effectOfRestartBlock(regs);
  if (effect === 'interrupted') regs.set('rax', EINTR);
  else again(regs);
  return effect;
}

/** Back on the `syscall` instruction (two bytes), with the number that it was called with. */
function again(regs: Registers): void {
  regs.set('rax', regs.get('orig_rax'));
  regs.set('rip', regs.get('rip') - 2n);
}

/**
 * rt_sigreturn voids the kernel's restart block, and with it the moment at which the wait was to end. A wait whose
 * arguments carry that moment, or whose remaining time the kernel has already stored where the call reads it, can
 * simply be made again. Sources: kernel/time/hrtimer.c hrtimer_nanosleep(), fs/select.c poll(), kernel/futex/.
 */
function effectOfRestartBlock(regs: Registers): RestartEffect {
  const number = regs.signed('orig_rax');
  if (number === CALL_NUMBERS['nanosleep']) return sleepEffect(regs.get('rdi'), regs.get('rsi'));
  if (number === CALL_NUMBERS['clock_nanosleep']) {
    return (regs.get('rsi') & TIMER_ABSTIME) !== 0n ? 'exact' : sleepEffect(regs.get('rdx'), regs.get('r10'));
  }
  if (number === CALL_NUMBERS['poll']) return BigInt.asIntN(32, regs.get('rdx')) < 0n ? 'exact' : 'longer';
  // FUTEX_WAIT_BITSET, FUTEX_LOCK_PI and their like take the absolute end of the wait.
  if (number === CALL_NUMBERS['futex']) return (regs.get('rsi') & 0x7fn) === 0n ? 'longer' : 'exact';
  return 'interrupted';
}

function sleepEffect(request: bigint, remaining: bigint): RestartEffect {
  if (remaining === 0n) return 'longer';
  return remaining === request ? 'exact' : 'interrupted';
}
