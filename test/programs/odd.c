/*
 * Processes that cannot be detached, or not like others. usage: odd WHAT FILE
 * seccomp: a filter that allows everything; traced: a child traced by its parent (the parent prints the child's pid);
 * headless: its first thread has ended, another goes on; twins: two processes in one address space that has FILE mapped;
 * coroutine: stands on a small stack of its own making inside other data; chroot: its root is FILE's directory.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static void stay(void)
{
	char line[16];
	printf("%d\n", (int)getpid());
	while (fgets(line, sizeof line, stdin))
		printf("alive\n");
	_exit(0);
}

static int twin(void *arg)
{
	(void)arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == 1)
		_exit(0);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (open(argv[2], O_RDWR | O_CREAT, 0644) < 0)
		return 3;
	if (!strcmp(argv[1], "seccomp")) {
		struct sock_filter all[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
		struct sock_fprog program = { 1, all };
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
			return 4;
		stay();
	} else if (!strcmp(argv[1], "traced")) {
		pid_t pid = fork();
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			ptrace(PTRACE_TRACEME, 0, 0, 0);
			for (;;)
				pause();
		}
		usleep(50000);
		printf("%d\n", (int)pid);
		pause();
	} else if (!strcmp(argv[1], "headless")) {
		pthread_t t;
		pthread_create(&t, NULL, (void *(*)(void *))stay, NULL);
		pthread_exit(NULL);
	} else if (!strcmp(argv[1], "twins")) {
		static char stack[65536];
		if (ftruncate(3, 4096) != 0 || mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 3, 0) == MAP_FAILED)
			return 6;
		pid_t pid = clone(twin, stack + sizeof stack, CLONE_VM | SIGCHLD, NULL);
		if (pid < 0)
			return 7;
		printf("%d\n", (int)pid);
		stay();
	} else if (!strcmp(argv[1], "coroutine")) {
		static ucontext_t main_context, small;
		char *heap = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		getcontext(&small);
		small.uc_stack.ss_sp = heap + (1 << 19);
		small.uc_stack.ss_size = 1 << 15;
		small.uc_link = &main_context;
		makecontext(&small, stay, 0);
		swapcontext(&main_context, &small);
	} else if (!strcmp(argv[1], "chroot")) {
		*strrchr(argv[2], '/') = 0;
		if (chroot(argv[2]) != 0 || chdir("/") != 0)
			return 5;
		stay();
	}
	return 0;
}
