/*
 * Reads all of /proc/kpageflags and counts pages by kind, for bench/page-flags.ts. Prints the number of pages, then
 * `free slab reserved huge` counts.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

enum { WORDS = 32768 };

int main(void)
{
	static uint64_t words[WORDS];
	uint64_t pages = 0, free = 0, slab = 0, reserved = 0, huge = 0;
	int fd = open("/proc/kpageflags", O_RDONLY);
	ssize_t got;

	if (fd < 0) {
		perror("/proc/kpageflags");
		return 1;
	}
	while ((got = pread(fd, words, sizeof(words), (off_t)pages * 8)) > 0) {
		for (ssize_t i = 0; i < got / 8; i++) {
			uint64_t flags = words[i];

			if (flags & (1ull << 32))
				reserved++;
			else if (flags & (1ull << 10))
				free++;
			else if (flags & (1ull << 17))
				huge++;
			else if (flags & (1ull << 7))
				slab++;
		}
		pages += got / 8;
	}
	printf("%llu %llu %llu %llu %llu\n", (unsigned long long)pages, (unsigned long long)free, (unsigned long long)slab,
	       (unsigned long long)reserved, (unsigned long long)huge);
	return 0;
}
