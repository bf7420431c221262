/** The C program of a reproducer: maps, marks every page, and reads, writes or ends on a word from stdin. */
export const HOLDER_C = `/* holder PATH|anonymous:NODE SIZE shared|private 2M|4K SPLICE-BYTES; then "read", "write", "drop", "exit" on stdin. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static sigjmp_buf back;

static void fault(int signal)
{
	siglongjmp(back, signal);
}

int main(int argc, char **argv)
{
	size_t size = argc > 5 ? strtoul(argv[2], NULL, 0) : 0, splice = argc > 5 ? strtoul(argv[5], NULL, 0) : 0;
	int anonymous = argc > 5 && strncmp(argv[1], "anonymous:", 10) == 0, ends[2] = { -1, -1 };
	char word[16];

	if (argc < 6)
		return 2;
	signal(SIGBUS, fault);
	signal(SIGSEGV, fault);
	int fd = anonymous ? -1 : open(argv[1], O_RDWR | O_CREAT, 0644);
	if (fd >= 0)
		(void)!fallocate(fd, 0, 0, size);
	char *room = mmap(NULL, size + (4 << 20), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *at = (char *)(((uintptr_t)room + (2 << 20) - 1) & ~((2UL << 20) - 1)) + (strcmp(argv[4], "4K") == 0 ? 4096 : 0);
	at = mmap(at, size, PROT_READ | PROT_WRITE, MAP_FIXED | (strcmp(argv[3], "shared") == 0 && !anonymous ? MAP_SHARED : MAP_PRIVATE) | (anonymous ? MAP_ANONYMOUS : 0), fd, 0);
	if (at == MAP_FAILED)
		return perror("mmap"), 1;
	if (anonymous && atoi(argv[1] + 10) >= 0) {
		unsigned long mask = 1UL << atoi(argv[1] + 10);
		syscall(SYS_mbind, at, size, 2, &mask, 64UL, 0);
	}
	for (size_t i = 0; i < size; i += 4096)
		*(volatile uint64_t *)(at + i) = 0x6d61726b00000000ULL | i;
	if (fd >= 0)
		close(fd);
	if (splice && pipe(ends) == 0) {
		struct iovec part = { at, splice };
		fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
		vmsplice(ends[1], &part, 1, 0);
	}
	printf("%d: %zu bytes mapped at %p\\n", getpid(), size, (void *)at);
	fflush(stdout);
	while (scanf("%15s", word) == 1 && strcmp(word, "exit") != 0) {
		volatile size_t own = 0, zero = 0, other = 0, killed = 0;
		if (strcmp(word, "drop") == 0) {
			close(ends[0]);
			close(ends[1]);
			continue;
		}
		for (volatile size_t i = 0; i < size; i += 4096) {
			if (sigsetjmp(back, 1)) {
				killed++;
				continue;
			}
			volatile uint64_t *page = (volatile uint64_t *)(at + i);
			if (strcmp(word, "write") == 0)
				*page = 0x6d61726b00000000ULL | i;
			if (*page == (0x6d61726b00000000ULL | i))
				own++;
			else if (*page == 0)
				zero++;
			else
				other++;
		}
		printf("%d: %s: %zu pages own, %zu zero, %zu other, %zu signals\\n", getpid(), word, own, zero, other, killed);
		fflush(stdout);
	}
	return 0;
}
`;
