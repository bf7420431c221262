/*
 * Threads with descriptors and directories of their own. usage: apart FILE
 * One thread has FILE open in a table of its own (CLONE_FILES unshared), at a number that is /dev/zero in the first thread's
 * table; one has its working directory beside FILE (CLONE_FS); one has both, and a mapping. The first thread has nothing
 * of it. Commands on stdin, one answer each: `fd`: what pread() says in each thread; `cwd`: the directory of each;
 * `map`: the first byte of the mapping, or sigbus.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define THREADS 4

static const char *path, *directory;
static int fds[THREADS];
static char said[THREADS][200], directories[THREADS][200];
static int wakes[THREADS][2];
static pthread_barrier_t answered;
static volatile char *mapped;
static sigjmp_buf on_bus;

static void bus(int sig)
{
	(void)sig;
	siglongjmp(on_bus, 1);
}

static void look(int me)
{
	char c;
	ssize_t got = pread(fds[me], &c, 1, 0);
	snprintf(said[me], sizeof said[me], "%s", fds[me] < 0 ? "none" : got == 1 ? "ok" : got == 0 ? "empty" : strerrorname_np(errno));
	if (getcwd(directories[me], sizeof directories[me]) == NULL)
		strcpy(directories[me], "?");
}

static void take(int me, int files, int places)
{
	if ((files && unshare(CLONE_FILES) != 0) || (places && unshare(CLONE_FS) != 0))
		exit(9);
	fds[me] = -1;
	if (files && (fds[me] = open(path, O_RDWR | O_CREAT | (me == 3 ? O_CLOEXEC : 0), 0644)) < 0)
		exit(10);
	if (places && chdir(directory) != 0)
		exit(11);
	if (me == 3) {
		ftruncate(fds[me], 4096);
		mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fds[me], 0);
		mapped[0] = 'x';
	}
}

static void *thread(void *arg)
{
	int me = (int)(long)arg;
	char c;
	take(me, me != 2, me != 1);
	pthread_barrier_wait(&answered);
	/* Blocked in a system call whenever nobody asks. */
	while (read(wakes[me][0], &c, 1) == 1) {
		look(me);
		pthread_barrier_wait(&answered);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	char line[64], copy[4096];
	if (argc < 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGBUS, bus);
	path = argv[1];
	strcpy(copy, path);
	directory = dirname(copy);
	pthread_barrier_init(&answered, NULL, THREADS);
	for (long i = 1; i < THREADS; i++)
		if (pipe(wakes[i]) != 0)
			return 3;
	for (long i = 1; i < THREADS; i++) {
		pthread_t t;
		pthread_create(&t, NULL, thread, (void *)i);
	}
	pthread_barrier_wait(&answered);
	fds[0] = open("/dev/zero", O_RDONLY);
	if (fds[0] != fds[1])
		return 4;
	printf("ready\n");
	while (fgets(line, sizeof line, stdin)) {
		for (int i = 1; i < THREADS; i++)
			if (write(wakes[i][1], "", 1) != 1)
				return 5;
		look(0);
		pthread_barrier_wait(&answered);
		if (!strncmp(line, "fd", 2))
			printf("%s %s %s %s\n", said[0], said[1], said[2], said[3]);
		else if (!strncmp(line, "cwd", 3))
			printf("%s %s %s %s\n", directories[0], directories[1], directories[2], directories[3]);
		else if (sigsetjmp(on_bus, 1))
			printf("sigbus\n");
		else
			printf("%c\n", mapped[0]);
	}
	return 0;
}
