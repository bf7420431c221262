/* One system call made by a stopped or running process that is not this one: madvise(MADV_DONTNEED) over a range, by ptrace. */
#include "guest.h"
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#define SYSCALL_INSTRUCTION 0x050fUL

static long stopped(pid_t pid)
{
	int status;

	return waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status) ? 0 : -1;
}

/* Runs one syscall instruction at the task's own place and puts everything back. orig_rax -1: the call it was in is not restarted for ours. */
static long call_in(pid_t pid, long nr, unsigned long a, unsigned long b, unsigned long c)
{
	struct user_regs_struct old, regs;
	long result = -EIO;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &old) != 0)
		return -errno;
	errno = 0;
	long text = ptrace(PTRACE_PEEKTEXT, pid, (void *)old.rip, NULL);
	if (errno != 0)
		return -errno;
	regs = old;
	regs.rax = (unsigned long)nr;
	regs.orig_rax = -1UL;
	regs.rdi = a;
	regs.rsi = b;
	regs.rdx = c;
	if (ptrace(PTRACE_POKETEXT, pid, (void *)old.rip, (void *)((text & ~0xffffL) | SYSCALL_INSTRUCTION)) != 0)
		return -errno;
	if (ptrace(PTRACE_SETREGS, pid, NULL, &regs) == 0 && ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == 0 && stopped(pid) == 0
	    && ptrace(PTRACE_GETREGS, pid, NULL, &regs) == 0)
		result = (long)regs.rax;
	ptrace(PTRACE_POKETEXT, pid, (void *)old.rip, (void *)text);
	ptrace(PTRACE_SETREGS, pid, NULL, &old);
	return result;
}

/* inject-madvise PID ADDRESS SIZE */
int inject_madvise(char **argv)
{
	pid_t pid = (pid_t)atoi(argv[2]);
	long result;

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) != 0 || ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) != 0 || stopped(pid) != 0)
		return answer_errno("ptrace", errno), 1;
	result = call_in(pid, SYS_madvise, strtoul(argv[3], NULL, 0), strtoul(argv[4], NULL, 0), MADV_DONTNEED);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	if (result < 0)
		return answer_errno("madvise", (int)-result), 1;
	answer_ok();
	return 0;
}
