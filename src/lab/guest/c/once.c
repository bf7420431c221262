/* One-shot helpers: exactly one system call that may hang or kill whoever makes it, answered as one JSON line. */
#include "guest.h"
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/swap.h>
#include <unistd.h>

#define FS_SHUTDOWN _IOR('X', 125, uint32_t)

static int with_fd(const char *path, int flags, int (*call)(int, const char *), const char *argument)
{
	int fd = open(path, flags);
	int failed = fd < 0 ? -1 : call(fd, argument);

	return failed ? (answer_errno(fd < 0 ? "open" : "call", errno), 1) : (answer_ok(), 0);
}

static int write_text(int fd, const char *text)
{
	ssize_t wrote = write(fd, text, strlen(text));

	if (wrote >= 0 && (size_t)wrote != strlen(text))
		errno = EIO;
	return wrote == (ssize_t)strlen(text) ? 0 : -1;
}

static int sync_it(int fd, const char *unused)
{
	(void)unused;
	return syncfs(fd);
}

static int shut_down(int fd, const char *flag)
{
	uint32_t how = (uint32_t)atoi(flag);

	return ioctl(fd, FS_SHUTDOWN, &how);
}

/* Reads a file to its end and counts the bytes: for maps and smaps, whose reading alone is the experiment. */
static int read_all(int fd, const char *unused)
{
	static char buffer[1 << 16];
	ssize_t got;

	(void)unused;
	while ((got = read(fd, buffer, sizeof(buffer))) > 0)
		;
	return (int)got;
}

/* pagemap PID ADDRESS SIZE FIRST-PFN END-PFN: entries present whose frame lies in the range. */
static int pagemap(char **argv)
{
	char path[64];
	size_t address = strtoul(argv[3], NULL, 0), size = strtoul(argv[4], NULL, 0);
	uint64_t first = strtoul(argv[5], NULL, 0), end = strtoul(argv[6], NULL, 0), entries[512];
	size_t present = 0, inside = 0;
	uint64_t frame = 0;

	snprintf(path, sizeof(path), "/proc/%s/pagemap", argv[2]);
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return answer_errno("open", errno), 1;
	for (size_t page = address / PAGE; page < (address + size) / PAGE;) {
		size_t want = (address + size) / PAGE - page;
		ssize_t got = pread(fd, entries, (want < 512 ? want : 512) * 8, (off_t)(page * 8));
		if (got <= 0)
			return answer_errno("read", got < 0 ? errno : EIO), 1;
		for (ssize_t i = 0; i < got / 8; i++) {
			uint64_t pfn = entries[i] & ((1ULL << 55) - 1);
			present += entries[i] >> 63;
			if ((entries[i] >> 63) && pfn >= first && pfn < end && inside++ == 0)
				frame = pfn;
		}
		page += (size_t)got / 8;
	}
	printf("{\"ok\":true,\"present\":%lu,\"inside\":%lu,\"first\":%lu}\n", (unsigned long)present, (unsigned long)inside, (unsigned long)frame);
	return 0;
}

/* hard-offline PID ADDRESS SIZE FIRST-PFN END-PFN: memory_failure() on every present device page, looking again after each write. */
static int hard_offline(char **argv)
{
	char path[64], text[32];
	size_t address = strtoul(argv[3], NULL, 0), size = strtoul(argv[4], NULL, 0), writes = 0, refused = 0;
	uint64_t first = strtoul(argv[5], NULL, 0), end = strtoul(argv[6], NULL, 0), entry;

	snprintf(path, sizeof(path), "/proc/%s/pagemap", argv[2]);
	int fd = open(path, O_RDONLY), offline = open("/sys/devices/system/memory/hard_offline_page", O_WRONLY);
	if (fd < 0 || offline < 0)
		return answer_errno("open", errno), 1;
	for (size_t page = address / PAGE; page < (address + size) / PAGE; page++) {
		if (pread(fd, &entry, 8, (off_t)(page * 8)) != 8)
			return answer_errno("read", errno), 1;
		uint64_t pfn = entry & ((1ULL << 55) - 1);
		if (!(entry >> 63) || pfn < first || pfn >= end)
			continue;
		snprintf(text, sizeof(text), "0x%lx", (unsigned long)(pfn * PAGE));
		writes++;
		refused += write(offline, text, strlen(text)) < 0;
	}
	printf("{\"ok\":true,\"writes\":%lu,\"refused\":%lu}\n", (unsigned long)writes, (unsigned long)refused);
	return 0;
}

static int plain(int failed)
{
	return failed ? (answer_errno("call", errno), 1) : (answer_ok(), 0);
}

int once(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 4 && strcmp(what, "write") == 0)
		return with_fd(argv[2], O_WRONLY, write_text, argv[3]);
	if (argc == 3 && strcmp(what, "syncfs") == 0)
		return with_fd(argv[2], O_RDONLY, sync_it, "");
	if (argc == 3 && strcmp(what, "read") == 0)
		return with_fd(argv[2], O_RDONLY, read_all, "");
	if (argc == 4 && strcmp(what, "shutdown") == 0)
		return with_fd(argv[2], O_RDONLY, shut_down, argv[3]);
	if (argc == 3 && strcmp(what, "umount") == 0)
		return plain(umount2(argv[2], 0));
	if (argc == 3 && strcmp(what, "umount-lazy") == 0)
		return plain(umount2(argv[2], MNT_DETACH));
	if (argc == 3 && strcmp(what, "remount-ro") == 0)
		return plain(mount(NULL, argv[2], NULL, MS_REMOUNT | MS_RDONLY, NULL));
	if (argc == 3 && strcmp(what, "marks") == 0)
		return count_marks(argv[2]);
	if (argc == 3 && strcmp(what, "zero") == 0)
		return zero_device(argv[2]);
	if (argc == 5 && strcmp(what, "inject-madvise") == 0)
		return inject_madvise(argv);
	if (argc == 3 && strcmp(what, "swapon") == 0)
		return plain(swapon(argv[2], 0));
	if (argc == 3 && strcmp(what, "swapoff") == 0)
		return plain(swapoff(argv[2]));
	if (argc == 6 && strcmp(what, "mount") == 0)
		return plain(mount(argv[2], argv[3], argv[4], strstr(argv[5], "ro,") == argv[5] ? MS_RDONLY : 0, strchr(argv[5], ',') ? strchr(argv[5], ',') + 1 : ""));
	if (argc == 7 && strcmp(what, "pagemap") == 0)
		return pagemap(argv);
	if (argc == 7 && strcmp(what, "hard-offline") == 0)
		return hard_offline(argv);
	fprintf(stderr, "unknown helper: %s\n", what);
	return 2;
}
