/*
 * Holders for measuring. usage: mapper FILE BYTES MAPPINGS THREADS PRIVATE HOLDERS
 * One process (HOLDERS = 1) answers commands on stdin: `map` maps and touches every page; `gap FROM TO` (CLOCK_MONOTONIC,
 * nanoseconds) prints how long the time was in which a thread that only reads the clock did not run and in which FROM and TO lie,
 * 0 where there is none (the thread ran meanwhile, or does not run yet); `munmap` prints the time of its own munmap;
 * `copy` prints the time of a memcpy of the same size into fresh memory.
 * More: forks that many children, each with the same mappings, prints their pids, and waits.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

/* Times in which the watching thread did not run, the last ones. Nobody else writes here: a counter that is put back to zero
 * by another thread is put back too late where that thread, and not the watching one, was stopped before it came to do it. */
#define GAPS 4096
#define SHORTEST 20000
static struct { int64_t from, to; } gaps[GAPS];
static _Atomic unsigned ended;

static size_t bytes, mappings;
static char *base;
static int fd;
static int isPrivate;

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void *watch(void *arg)
{
	(void)arg;
	for (int64_t last = now();;) {
		int64_t t = now();
		if (t - last > SHORTEST) {
			gaps[ended % GAPS].from = last;
			gaps[ended % GAPS].to = t;
			ended++;
		}
		last = t;
	}
	return NULL;
}

static int64_t gapAround(int64_t from, int64_t to)
{
	unsigned last = ended;
	for (unsigned i = last > GAPS ? last - GAPS : 0; i < last; i++)
		if (gaps[i % GAPS].from <= from && gaps[i % GAPS].to >= to)
			return gaps[i % GAPS].to - gaps[i % GAPS].from;
	return 0;
}

static void *idle(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* Protections alternate so that the kernel keeps the mappings apart. */
static void map(void)
{
	size_t each = bytes / mappings;
	volatile char sum = 0;
	base = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	for (size_t i = 0; i < mappings; i++) {
		int prot = PROT_READ | (i % 2 || mappings == 1 ? PROT_WRITE : 0);
		if (mmap(base + i * each, each, prot, MAP_FIXED | (isPrivate ? MAP_PRIVATE : MAP_SHARED), fd, i * each) == MAP_FAILED)
			exit(3);
		for (size_t at = 0; at < each; at += 4096) {
			if (prot & PROT_WRITE)
				base[i * each + at] = 1;
			else
				sum += base[i * each + at];
		}
	}
}

int main(int argc, char **argv)
{
	char line[64];
	pthread_t t;
	if (argc < 7)
		return 2;
	bytes = strtoull(argv[2], NULL, 0);
	mappings = strtoull(argv[3], NULL, 0);
	isPrivate = atoi(argv[5]);
	fd = open(argv[1], O_RDWR | O_CREAT, 0644);
	if (fd < 0 || ftruncate(fd, bytes) != 0)
		return 4;
	setvbuf(stdout, NULL, _IOLBF, 0);
	map();
	if (atoi(argv[6]) > 1) {
		for (int i = 0; i < atoi(argv[6]); i++) {
			pid_t pid = fork();
			if (pid == 0) {
				prctl(PR_SET_PDEATHSIG, SIGKILL);
				munmap(base, bytes);
				map();
				if (write(1, "up\n", 3) != 3)
					return 5;
				idle(NULL);
			}
			printf("pid %d\n", pid);
		}
	} else {
		pthread_create(&t, NULL, watch, NULL);
		for (int i = 1; i < atoi(argv[4]); i++)
			pthread_create(&t, NULL, idle, NULL);
		printf("ready\n");
	}
	while (fgets(line, sizeof line, stdin)) {
		int64_t began;
		if (!strncmp(line, "map", 3)) {
			munmap(base, bytes);
			close(fd);
			fd = open(argv[1], O_RDWR);
			map();
			printf("mapped\n");
		} else if (!strncmp(line, "gap", 3)) {
			long long from = 0, to = 0;
			sscanf(line + 3, "%lld %lld", &from, &to);
			printf("%lld\n", (long long)gapAround(from, to));
		} else if (!strncmp(line, "munmap", 6)) {
			size_t each = bytes / mappings;
			began = now();
			for (size_t i = 0; i < mappings; i++)
				munmap(base + i * each, each);
			printf("%lld\n", (long long)(now() - began));
			base = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		} else if (!strncmp(line, "copy", 4)) {
			char *to = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			began = now();
			memcpy(to, base, bytes);
			printf("%lld\n", (long long)(now() - began));
			munmap(to, bytes);
		}
	}
	return 0;
}
