/* Open files: written with write(2), page by page with the mark of the process, and tried again later. */
#include "guest.h"
#include <fcntl.h>
#include <unistd.h>

#define MAX_FILES 8

static struct { char name[256]; int fd, direct; } files[MAX_FILES];
static int file_count;
static uint64_t block[PAGE / sizeof(uint64_t)] __attribute__((aligned(PAGE)));

/* open path=P name=N write=BYTES fsync=0|1 direct=0|1 */
void open_command(const char *line)
{
	size_t left = number(line, "write", 0);
	int direct = is(line, "direct", "1");
	int fd = open(value(line, "path", 0) ? value(line, "path", 0) : "", O_RDWR | (direct ? O_DIRECT : O_CREAT), 0644);

	if (fd < 0 || file_count == MAX_FILES)
		return answer_errno("open", errno);
	for (size_t page = 0; left > 0; page++) {
		size_t part = left < PAGE ? left : PAGE;

		memset(block, 'w', PAGE);
		block[0] = block[256] = mark_of_page(page);
		if (write(fd, block, part) != (ssize_t)part)
			return answer_errno("write", errno);
		left -= part;
	}
	if (is(line, "fsync", "1") && fsync(fd) != 0)
		return answer_errno("fsync", errno);
	snprintf(files[file_count].name, sizeof(files[0].name), "%s", value(line, "name", 1) ? value(line, "name", 1) : value(line, "path", 0));
	files[file_count].direct = direct;
	files[file_count++].fd = fd;
	answer_ok();
}

static const char *said(ssize_t result)
{
	return result < 0 ? strerrorname_np(errno) : "ok";
}

/* Writes the first page of each again as it stands, reads it and fsyncs; of a device only the write is tried. */
void io_command(void)
{
	printf("{\"ok\":true,\"calls\":{");
	for (int i = 0; i < file_count; i++) {
		memset(block, 'x', PAGE);
		block[0] = block[256] = mark_of_page(0);
		printf("%s\"%s pwrite\":\"%s\"", i ? "," : "", files[i].name, said(pwrite(files[i].fd, block, PAGE, 0)));
		if (files[i].direct)
			continue;
		printf(",\"%s pread\":\"%s\"", files[i].name, said(pread(files[i].fd, block, PAGE, 0)));
		printf(",\"%s fsync\":\"%s\"", files[i].name, said(fsync(files[i].fd)));
	}
	printf("}}\n");
}
