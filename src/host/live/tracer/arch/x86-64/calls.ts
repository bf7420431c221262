/** System call numbers of x86-64 (arch/x86/entry/syscalls/syscall_64.tbl), for the calls that may be injected or restarted. */
export const CALL_NUMBERS: Readonly<Record<string, number>> = {
  read: 0, write: 1, open: 2, close: 3, poll: 7, lseek: 8, mmap: 9, mprotect: 10, munmap: 11, rt_sigprocmask: 14, mremap: 25, madvise: 28,
  dup2: 33, nanosleep: 35, getpid: 39, socket: 41, ftruncate: 77, chdir: 80, fchdir: 81, prctl: 157, chroot: 161, gettid: 186, futex: 202,
  restart_syscall: 219, clock_nanosleep: 230, openat: 257, ppoll: 271, dup3: 292, process_vm_readv: 310, memfd_create: 319,
};

/** Number of rt_sigreturn, which ends every frame. */
export const RT_SIGRETURN = 15;
