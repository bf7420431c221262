/* What is on a block device: pages that hold the mark of a process, counted by mark. */
#include "guest.h"
#include <fcntl.h>
#include <unistd.h>

#define CHUNK (1UL << 20)
static unsigned char chunk[CHUNK] __attribute__((aligned(PAGE)));

int count_marks(const char *path)
{
	static unsigned long counts[256];
	int fd = open(path, O_RDONLY | O_DIRECT);
	const char *comma = "";
	ssize_t got = 0;

	if (fd < 0)
		return answer_errno("open", errno), 1;
	while ((got = read(fd, chunk, CHUNK)) > 0)
		for (size_t at = 0; at + PAGE <= (size_t)got; at += PAGE) {
			const uint64_t *words = (const uint64_t *)(chunk + at);

			if ((words[0] & ~0xffffffffULL) == MARK && words[0] == words[256])
				counts[(words[0] >> 24) & 0xff]++;
		}
	if (got < 0)
		return answer_errno("read", errno), 1;
	printf("{\"ok\":true,\"marks\":{");
	for (int i = 0; i < 256; i++)
		if (counts[i]) {
			printf("%s\"%d\":%lu", comma, i, counts[i]);
			comma = ",";
		}
	printf("}}\n");
	return 0;
}

/* What earlier file systems left on it must not be counted. */
int zero_device(const char *path)
{
	int fd = open(path, O_WRONLY | O_DIRECT);

	if (fd < 0)
		return answer_errno("open", errno), 1;
	while (write(fd, chunk, CHUNK) > 0)
		;
	answer_ok();
	return 0;
}
