/*
 * Holds a file in every way and watches its own state: registers, signal mask, alternate stack, interrupted calls.
 * usage: holder FILE THREADS. Commands on stdin, one answer each on stdout:
 *   map      (re)open FILE, map it shared and private, write every second private page, chdir to its directory
 *   check    counters; `errors` must be 0
 *   touch    reads the shared mapping: `value N` or `sigbus`
 *   private  `intact` when both the written and the untouched private pages read as before, else `changed at N`
 *   fd       pread and pwrite on the descriptor: errno of each
 *   cwd      working directory
 *   quit
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SIZE (1 << 20)
#define PAGE 4096

typedef double v4 __attribute__((vector_size(32)));

static atomic_long errors, rounds, signals_seen, early_wakes;
static char first_error[200];
static unsigned char *shared, *private;
static int fd = -1;
static sigjmp_buf on_bus;
static volatile sig_atomic_t expecting_bus;

static void wrong(const char *what)
{
	if (atomic_fetch_add(&errors, 1) == 0)
		snprintf(first_error, sizeof first_error, "%s (errno %d)", what, errno);
}

static void alarm_handler(int sig)
{
	(void)sig;
	atomic_fetch_add(&signals_seen, 1);
}

static void bus_handler(int sig)
{
	(void)sig;
	if (!expecting_bus)
		_exit(99);
	siglongjmp(on_bus, 1);
}

#include "holder-threads.h"

static void map_file(const char *path)
{
	char copy[4096];
	if (shared)
		munmap(shared, SIZE), munmap(private, SIZE);
	if (fd >= 0)
		close(fd);
	fd = open(path, O_RDWR | O_CREAT, 0644);
	if (fd < 0 || ftruncate(fd, SIZE) != 0)
		wrong("open");
	shared = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	for (int i = 0; i < SIZE; i += PAGE)
		shared[i] = 'f';
	private = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	for (int i = 0; i < SIZE; i += 2 * PAGE)
		private[i] = 'p';
	snprintf(copy, sizeof copy, "%s", path);
	if (chdir(dirname(copy)) != 0)
		wrong("chdir");
	printf("mapped %p %p\n", (void *)shared, (void *)private);
}

static void check_private(void)
{
	for (int i = 0; i < SIZE; i += PAGE)
		if (private[i] != (i % (2 * PAGE) == 0 ? 'p' : 'f') || private[i + 1] != 0) {
			printf("changed at %d\n", i);
			return;
		}
	printf("intact\n");
}

static void touch(void)
{
	expecting_bus = 1;
	if (sigsetjmp(on_bus, 1) == 0)
		printf("value %d\n", *(volatile unsigned char *)shared);
	else
		printf("sigbus\n");
	expecting_bus = 0;
}

static void use_fd(void)
{
	char c = 'x';
	int r = pread(fd, &c, 1, 0) < 0 ? errno : 0;
	int w = pwrite(fd, &c, 1, 0) < 0 ? errno : 0;
	printf("%s %s\n", r ? strerrorname_np(r) : "ok", w ? strerrorname_np(w) : "ok");
}

int main(int argc, char **argv)
{
	char line[64], dir[4096];
	pthread_t t;
	int threads = argc > 2 ? atoi(argv[2]) : 2;
	struct itimerval every = { { 0, 1000 }, { 0, 1000 } };
	if (argc < 2)
		return 2;
	char *path = realpath(argv[1], NULL);
	if (!path)
		path = argv[1];
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGBUS, bus_handler);
	struct sigaction sa = { .sa_handler = alarm_handler, .sa_flags = SA_ONSTACK | SA_RESTART };
	sigaction(SIGALRM, &sa, NULL);
	if (threads > 0) {
		void *(*blocking[])(void *) = { blocked_in_read, blocked_in_select, blocked_in_poll, sleeper, spawner };
		for (int i = 0; i < 5; i++)
			pthread_create(&t, NULL, blocking[i], NULL);
		for (long i = 0; i < threads; i++)
			pthread_create(&t, NULL, compute, (void *)i);
		setitimer(ITIMER_REAL, &every, NULL);
	}
	map_file(path);
	while (fgets(line, sizeof line, stdin)) {
		if (!strncmp(line, "map", 3))
			map_file(path);
		else if (!strncmp(line, "check", 5))
			printf("errors %ld rounds %ld signals %ld early %ld %s\n", errors, rounds, signals_seen, early_wakes, first_error);
		else if (!strncmp(line, "touch", 5))
			touch();
		else if (!strncmp(line, "private", 7))
			check_private();
		else if (!strncmp(line, "fd", 2))
			use_fd();
		else if (!strncmp(line, "cwd", 3))
			printf("%s\n", getcwd(dir, sizeof dir) ? dir : "none");
		else if (!strncmp(line, "quit", 4))
			return errors != 0;
	}
	return errors != 0;
}
