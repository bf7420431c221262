/* Maps files, devices and anonymous memory, marks their pages, and reads them under a SIGBUS handler. */
#include "guest.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 0x03
#endif
#ifndef MAP_SYNC
#define MAP_SYNC 0x80000
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif
#define MPOL_DEFAULT 0
#define MPOL_BIND 2

struct map maps[MAX_MAPS];
int map_count;
unsigned int my_mark;
__thread sigjmp_buf back;
__thread volatile sig_atomic_t touching;
volatile sig_atomic_t last_signal;
volatile unsigned int codes_seen;
volatile unsigned int ao_taken;

void set_mark(unsigned int mark)
{
	my_mark = mark;
}

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)context;
	if (signal == SIGBUS && info->si_code >= 0 && info->si_code < 31)
		codes_seen |= 1u << info->si_code;
	if (signal == SIGBUS && info->si_code == 5)
		ao_taken++;
	last_signal = signal;
	/* BUS_MCEERR_AO comes at any time and asks for nothing. */
	if (touching && !(signal == SIGBUS && info->si_code == 5))
		siglongjmp(back, 1);
	if (!touching && signal == SIGSEGV)
		_exit(139);
}

void catch_sigbus(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART };

	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
}

struct map *map_named(const char *name)
{
	for (int i = 0; i < map_count; i++)
		if (strcmp(maps[i].name, name) == 0)
			return &maps[i];
	return NULL;
}

/* An address congruent to the offset modulo 2 MiB, or off by one page where only PTE entries shall map. */
static void *place(size_t size, size_t offset, int off_by_page)
{
	unsigned char *room = mmap(NULL, size + 2 * PMD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uintptr_t at;

	if (room == MAP_FAILED)
		return NULL;
	at = ((uintptr_t)room + PMD - 1) & ~(PMD - 1);
	munmap(room, size + 2 * PMD);
	return (void *)(at + (offset & (PMD - 1)) + (off_by_page ? PAGE : 0));
}

uint64_t mark_of_page(size_t page)
{
	return MARK | ((uint64_t)(my_mark & 0xff) << 24) | (page & 0xffffff);
}

static uint64_t mark_of(const struct map *m, size_t page)
{
	return mark_of_page(m->offset / PAGE + page);
}

void mark_page(struct map *m, size_t page)
{
	volatile uint64_t *words = (volatile uint64_t *)(m->at + page * PAGE);

	words[0] = mark_of(m, page);
	words[256] = mark_of(m, page);
}

static void first_touch(struct map *m, const char *line)
{
	volatile unsigned char seen = 0;

	for (size_t page = 0; page < m->size / PAGE; page++) {
		if (is(line, "touch", "write") || (is(line, "touch", "write-every-other") && page % 2 == 0))
			mark_page(m, page);
		else if (!is(line, "touch", "none"))
			seen ^= m->at[page * PAGE];
	}
}

static int open_file(struct map *m, const char *line, int writable)
{
	if (m->path[0] == 0)
		return -1;
	if (is(line, "device", "1"))
		return open(m->path, writable ? O_RDWR : O_RDONLY);
	int fd = open(m->path, writable ? O_RDWR | O_CREAT : O_RDONLY, 0644);
	off_t end = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);

	if (fd >= 0 && writable && end < (off_t)(m->offset + m->size) && fallocate(fd, 0, 0, (off_t)(m->offset + m->size)) != 0) {
		close(fd);
		return -2;
	}
	return fd;
}

void map_command(const char *line)
{
	struct map *m = &maps[map_count];
	const char *path = value(line, "file", 0);
	int anonymous = path == NULL;
	int prot = is(line, "prot", "r") ? PROT_READ : PROT_READ | PROT_WRITE;
	int flags = is(line, "share", "private") ? MAP_PRIVATE : MAP_SHARED;

	if (map_count == MAX_MAPS)
		return answer_errno("maps", ENOSPC);
	memset(m, 0, sizeof(*m));
	snprintf(m->name, sizeof(m->name), "%s", value(line, "name", 1) ? value(line, "name", 1) : "m");
	snprintf(m->path, sizeof(m->path), "%s", anonymous ? "" : path);
	m->size = number(line, "size", PAGE);
	m->offset = number(line, "offset", 0);
	m->fd = open_file(m, line, prot & PROT_WRITE || !is(line, "share", "shared"));
	if (!anonymous && m->fd < 0)
		return answer_errno("open", errno);
	if (anonymous)
		flags |= MAP_ANONYMOUS | (is(line, "hugetlb", "1") ? MAP_HUGETLB : 0);
	else if (is(line, "sync", "1"))
		flags = MAP_SHARED_VALIDATE | MAP_SYNC;
	void *at = is(line, "hugetlb", "1") ? NULL : place(m->size, m->offset, is(line, "align", "4K"));

	m->at = mmap(at, m->size, prot, flags | (at ? MAP_FIXED : 0), m->fd, (off_t)m->offset);
	if (m->at == MAP_FAILED)
		return answer_errno("mmap", errno);
	int on_node = number(line, "node", 64) < 64;
	unsigned long mask = 1UL << (number(line, "node", 0) & 63);

	/* The page tables follow the policy of the process: where the node has kernel memory, they are kernel pages on it. */
	if (on_node && (syscall(SYS_mbind, m->at, m->size, MPOL_BIND, &mask, 64UL, 0) != 0 || syscall(SYS_set_mempolicy, MPOL_BIND, &mask, 64UL) != 0))
		return answer_errno("mbind", errno);
	if (is(line, "nohuge", "1"))
		madvise(m->at, m->size, MADV_NOHUGEPAGE);
	if (is(line, "locked", "1") && mlock(m->at, m->size) != 0)
		return answer_errno("mlock", errno);
	touching = 1;
	if (sigsetjmp(back, 1) != 0) {
		touching = 0;
		return answer_errno("touch", EFAULT);
	}
	first_touch(m, line);
	touching = 0;
	if (is(line, "swapped", "1") && madvise(m->at, m->size, MADV_PAGEOUT) != 0)
		return answer_errno("madvise", errno);
	if (on_node)
		syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0UL);
	if (is(line, "unlink", "1"))
		unlink(m->path);
	if (m->fd >= 0 && (is(line, "unlink", "1") || !is(line, "keep", "1"))) {
		close(m->fd);
		m->fd = -1;
	}
	map_count++;
	printf("{\"ok\":true,\"address\":%lu,\"size\":%lu}\n", (unsigned long)m->at, (unsigned long)m->size);
}
