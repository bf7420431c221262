/* Reads and writes pages under a SIGBUS handler and counts what they held. */
#include "guest.h"
#include <pthread.h>
#include <sys/mman.h>
#include <fcntl.h>
#include <unistd.h>

struct counts {
	unsigned int zero, ones, unknown, sigbus, sigsegv, marks[256];
};

static void look_at(struct map *m, size_t page, struct counts *c)
{
	const volatile uint64_t *words = (const volatile uint64_t *)(m->at + page * PAGE);
	uint64_t first = words[0];
	uint64_t second = words[256];
	unsigned int mark = (first >> 24) & 0xff;

	if (first == second && (first & ~0xffffffffULL) == MARK && (first & 0xffffff) == ((m->offset / PAGE + page) & 0xffffff))
		c->marks[mark]++;
	else if (first == 0 && second == 0)
		c->zero++;
	else if (first == ~0ULL && second == ~0ULL)
		c->ones++;
	else
		c->unknown++;
}

static void one_page(struct map *m, size_t page, int write, struct counts *c)
{
	touching = 1;
	if (sigsetjmp(back, 1) == 0) {
		if (write) {
			mark_page(m, page);
			c->marks[my_mark]++;
		} else {
			look_at(m, page, c);
		}
	} else if (last_signal == SIGBUS) {
		c->sigbus++;
	} else {
		c->sigsegv++;
	}
	touching = 0;
}

int touch_guarded(unsigned char *at)
{
	int fine = 0;

	touching = 1;
	if (sigsetjmp(back, 1) == 0) {
		*(volatile uint64_t *)at = MARK;
		fine = 1;
	}
	touching = 0;
	return fine;
}

int map_quietly(const char *line)
{
	struct map *m = &maps[map_count];
	const char *path = value(line, "file", 0);
	int fd = path && map_count < MAX_MAPS ? open(path, O_RDWR) : -1;

	if (fd < 0)
		return 0;
	memset(m, 0, sizeof(*m));
	snprintf(m->name, sizeof(m->name), "%s", value(line, "name", 1) ? value(line, "name", 1) : "m");
	m->size = number(line, "size", PAGE);
	m->fd = -1;
	m->at = mmap(NULL, m->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (m->at == MAP_FAILED)
		return 0;
	map_count++;
	return 1;
}

void touch_command(const char *line, int write)
{
	struct map *m = map_named(value(line, "map", 0) ? value(line, "map", 0) : "m");
	static struct counts c;
	const char *comma = "";

	if (!m)
		return answer_errno("map", ENOENT);
	memset(&c, 0, sizeof(c));
	codes_seen = 0;
	for (size_t page = 0; page < m->size / PAGE; page++)
		one_page(m, page, write, &c);
	printf("{\"ok\":true,\"pages\":%lu,\"zero\":%u,\"ones\":%u,\"unknown\":%u,\"sigbus\":%u,\"sigsegv\":%u,\"marks\":{",
	       (unsigned long)(m->size / PAGE), c.zero, c.ones, c.unknown, c.sigbus, c.sigsegv);
	for (int i = 0; i < 256; i++)
		if (c.marks[i]) {
			printf("%s\"%d\":%u", comma, i, c.marks[i]);
			comma = ",";
		}
	comma = "";
	printf("},\"codes\":[");
	for (int i = 0; i < 31; i++)
		if (codes_seen & (1u << i)) {
			printf("%s%d", comma, i);
			comma = ",";
		}
	printf("]}\n");
}

static void *loop(void *unused)
{
	struct counts c;

	(void)unused;
	for (;; usleep(2000))
		for (int i = 0; i < map_count; i++)
			for (size_t page = 0; page < maps[i].size / PAGE; page++)
				one_page(&maps[i], page, 0, &c);
	return NULL;
}

void loop_command(const char *line)
{
	pthread_t thread;

	(void)line;
	if (pthread_create(&thread, NULL, loop, NULL) != 0)
		return answer_errno("loop", errno);
	answer_ok();
}
