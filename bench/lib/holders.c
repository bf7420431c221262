/*
 * Holders of a file system, for bench/holders.ts: COUNT processes that each map files below DIR in MAPPINGS places.
 * The last 4 of every 80 hold it in other ways: an open file, a working directory, a root, a deleted file.
 *
 *     holders DIR COUNT MAPPINGS ON EVERY
 *
 * Of the mappings, ON are of files below DIR; the others are of a file beside DIR, on another file system. Only each
 * EVERY-th process holds anything below DIR; the others have all their mappings beside it.
 *
 * Prints one line `PID KIND` for each, then `ready`, and ends them all when its stdin closes.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { FILES = 16, PAGE = 4096 };

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int open_file(const char *dir, const char *prefix, int n)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s%d", dir, prefix, n);
	fd = open(path, O_RDWR | O_CREAT, 0644);
	if (fd < 0)
		fail(path);
	if (ftruncate(fd, 4 * PAGE) < 0)
		fail("ftruncate");
	return fd;
}

/* The same page again and again: the kernel merges only neighbours whose offsets follow each other. */
static void map_often(int fd, int mappings)
{
	for (int i = 0; i < mappings; i++) {
		char *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

		if (at == MAP_FAILED)
			fail("mmap");
		if (i == 0)
			*at = 1;
	}
	close(fd);
}

static void map_elsewhere(const char *dir, int mappings)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/..", dir);
	if (mappings > 0)
		map_often(open_file(path, "elsewhere", 0), mappings);
}

static void map_and_delete(const char *dir, int n, int on)
{
	char path[4096];

	map_often(open_file(dir, "gone", n), on);
	snprintf(path, sizeof(path), "%s/gone%d", dir, n);
	unlink(path);
}

static void hold(const char *dir, int n, int mappings, int on, int every)
{
	if (n % every != 0) {
		map_elsewhere(dir, mappings);
		return;
	}
	n /= every;
	map_elsewhere(dir, mappings - on);
	switch (n % 80) {
	case 76:
		open_file(dir, "f", n % FILES);
		break;
	case 77:
		if (chdir(dir) < 0)
			fail("chdir");
		break;
	case 78:
		/* Without CAP_SYS_CHROOT the process holds the directory as an open file. */
		if (chroot(dir) < 0 && open(dir, O_RDONLY) < 0)
			fail("chroot");
		break;
	case 79:
		map_and_delete(dir, n, on);
		break;
	default:
		map_often(open_file(dir, "f", n % FILES), on);
	}
}

static const char *kind(int n, int every)
{
	static const char *const kinds[] = { "file", "cwd", "root", "deleted" };

	if (n % every != 0)
		return "nothing";
	n /= every;
	return n % 80 < 76 ? "mapping" : kinds[n % 80 - 76];
}

int main(int argc, char **argv)
{
	int count, mappings, on, every, ready[2];
	char byte;

	if (argc != 6) {
		fprintf(stderr, "usage: %s DIR COUNT MAPPINGS ON EVERY\n", argv[0]);
		return 2;
	}
	count = atoi(argv[2]);
	mappings = atoi(argv[3]);
	on = atoi(argv[4]);
	every = atoi(argv[5]);
	if (pipe(ready) < 0)
		fail("pipe");
	for (int n = 0; n < count; n++) {
		pid_t pid = fork();

		if (pid < 0)
			fail("fork");
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(0);
			hold(argv[1], n, mappings, on, every);
			if (write(ready[1], "", 1) != 1)
				_exit(1);
			close(ready[0]);
			close(ready[1]);
			pause();
			_exit(0);
		}
		printf("%d %s\n", pid, kind(n, every));
	}
	for (int n = 0; n < count; n++)
		if (read(ready[0], &byte, 1) != 1)
			fail("a holder died");
	printf("ready\n");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}
