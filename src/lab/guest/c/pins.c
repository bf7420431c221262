/* Ways to pin pages: a pipe (vmsplice), io_uring fixed buffers, an AF_XDP umem, an O_DIRECT read in flight. */
#include "guest.h"
#include <fcntl.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAX_PINS 8
#define AF_XDP_FAMILY 44
#define SOL_XDP_LEVEL 283
#define XDP_UMEM_REG_OPTION 4

struct pin {
	char name[32];
	char by[16];
	unsigned char *at;
	size_t size;
	int fd, other;
	pthread_t thread;
	ssize_t moved;
	unsigned char *sq, *cq;
	struct io_uring_sqe *sqes;
	struct io_uring_params params;
};

static struct pin pins[MAX_PINS];
static int pin_count;

static struct pin *pin_named(const char *name)
{
	for (int i = 0; i < pin_count; i++)
		if (strcmp(pins[i].name, name ? name : "p") == 0)
			return &pins[i];
	return NULL;
}

static int by_vmsplice(struct pin *p)
{
	int ends[2];
	struct iovec part = { p->at, p->size };

	if (pipe(ends) != 0)
		return -1;
	fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
	p->fd = ends[0];
	p->other = ends[1];
	return vmsplice(ends[1], &part, 1, SPLICE_F_NONBLOCK) == (ssize_t)p->size ? 0 : -1;
}

static int by_io_uring(struct pin *p)
{
	struct iovec part = { p->at, p->size };

	p->fd = (int)syscall(SYS_io_uring_setup, 4, &p->params);
	if (p->fd < 0)
		return -1;
	size_t sq = p->params.sq_off.array + p->params.sq_entries * sizeof(unsigned int);
	size_t cq = p->params.cq_off.cqes + p->params.cq_entries * sizeof(struct io_uring_cqe);

	p->sq = mmap(NULL, sq, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, p->fd, IORING_OFF_SQ_RING);
	p->cq = mmap(NULL, cq, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, p->fd, IORING_OFF_CQ_RING);
	p->sqes = mmap(NULL, p->params.sq_entries * sizeof(*p->sqes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, p->fd, IORING_OFF_SQES);
	if (p->sq == MAP_FAILED || p->cq == MAP_FAILED || (void *)p->sqes == MAP_FAILED)
		return -1;
	p->other = memfd_create("io", 0);
	return (int)syscall(SYS_io_uring_register, p->fd, IORING_REGISTER_BUFFERS, &part, 1);
}

/* Writes the first page of the fixed buffer to a memfd. Returns what the completion says. */
static int use_io_uring(struct pin *p)
{
	unsigned int *tail = (unsigned int *)(p->sq + p->params.sq_off.tail);
	unsigned int mask = *(unsigned int *)(p->sq + p->params.sq_off.ring_mask);
	unsigned int *array = (unsigned int *)(p->sq + p->params.sq_off.array);
	struct io_uring_sqe *sqe = &p->sqes[*tail & mask];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_WRITE_FIXED;
	sqe->fd = p->other;
	sqe->addr = (uintptr_t)p->at;
	sqe->len = PAGE;
	array[*tail & mask] = *tail & mask;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, p->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -errno;
	unsigned int *head = (unsigned int *)(p->cq + p->params.cq_off.head);
	struct io_uring_cqe *cqe = (struct io_uring_cqe *)(p->cq + p->params.cq_off.cqes) + (*head & (p->params.cq_entries - 1));
	int result = cqe->res;

	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return result;
}

static int by_af_xdp(struct pin *p)
{
	struct { uint64_t addr, len; uint32_t chunk, headroom; } umem = { (uintptr_t)p->at, p->size, PAGE, 0 };

	p->fd = socket(AF_XDP_FAMILY, SOCK_RAW, 0);
	return p->fd < 0 ? -1 : setsockopt(p->fd, SOL_XDP_LEVEL, XDP_UMEM_REG_OPTION, &umem, sizeof(umem));
}

static void *read_directly(void *argument)
{
	struct pin *p = argument;

	p->moved = pread(p->fd, p->at, p->size, 0);
	return NULL;
}

static int by_o_direct(struct pin *p, const char *disk)
{
	p->fd = disk ? open(disk, O_RDONLY | O_DIRECT) : -1;
	if (p->fd < 0)
		return -1;
	/* A first read empties what a throttled disk lets through at once; the second one stays in flight. */
	void *scratch = mmap(NULL, p->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (scratch != MAP_FAILED)
		(void)!pread(p->fd, scratch, PAGE, 0);
	if (pthread_create(&p->thread, NULL, read_directly, p) != 0)
		return -1;
	usleep(300000);
	return 0;
}

void pin_command(const char *line)
{
	struct pin *p = &pins[pin_count];
	struct map *m = map_named(value(line, "map", 0) ? value(line, "map", 0) : "m");
	int failed = -1;

	if (!m || pin_count == MAX_PINS)
		return answer_errno("pin", m ? ENOSPC : ENOENT);
	memset(p, 0, sizeof(*p));
	snprintf(p->name, sizeof(p->name), "%s", value(line, "name", 1) ? value(line, "name", 1) : "p");
	snprintf(p->by, sizeof(p->by), "%s", value(line, "by", 2) ? value(line, "by", 2) : "");
	p->at = m->at;
	p->size = number(line, "size", 65536) < m->size ? number(line, "size", 65536) : m->size;
	errno = EINVAL;
	if (strcmp(p->by, "vmsplice") == 0)
		failed = by_vmsplice(p);
	else if (strcmp(p->by, "io-uring") == 0)
		failed = by_io_uring(p);
	else if (strcmp(p->by, "af-xdp") == 0)
		failed = by_af_xdp(p);
	else if (strcmp(p->by, "o-direct-read") == 0)
		failed = by_o_direct(p, value(line, "disk", 3));
	if (failed)
		return answer_errno(p->by, errno);
	pin_count++;
	answer_ok();
}

void use_pin_command(const char *line)
{
	struct pin *p = pin_named(value(line, "pin", 0));
	static char buffer[65536];
	long result = -EOPNOTSUPP;

	if (!p)
		return answer_errno("pin", ENOENT);
	if (strcmp(p->by, "io-uring") == 0)
		result = use_io_uring(p);
	else if (strcmp(p->by, "vmsplice") == 0)
		result = read(p->fd, buffer, sizeof(buffer)) < 0 ? -errno : 0;
	if (result < 0)
		return answer_errno("use", (int)-result);
	answer_ok();
}

void drop_pin_command(const char *line)
{
	struct pin *p = pin_named(value(line, "pin", 0));

	if (!p)
		return answer_errno("pin", ENOENT);
	if (strcmp(p->by, "o-direct-read") == 0)
		pthread_join(p->thread, NULL);
	if (p->other > 0)
		close(p->other);
	close(p->fd);
	answer_ok();
}
