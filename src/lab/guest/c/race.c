/* What races with a removal: a thread that opens, maps, writes and unmaps without end, and one that opens at a given moment. */
#include "guest.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

static struct {
	char path[256];
	size_t size;
	pthread_t thread;
	atomic_int stop, gone;
	atomic_ulong rounds, refused, sigbus, stale;
} churn;

static struct {
	char line[1024];
	useconds_t after;
	pthread_t thread;
	atomic_int ended, mapped;
} later;

static void churn_once(void)
{
	int fd = open(churn.path, O_RDWR);
	unsigned char *at = fd < 0 ? MAP_FAILED : mmap(NULL, churn.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED) {
		churn.refused++;
		usleep(500);
	} else {
		for (size_t page = 0; page < churn.size / PAGE; page++) {
			/* Known before the touch: what is reached after the device went was reached through a stale entry. */
			int gone = churn.gone;
			if (!touch_guarded(at + page * PAGE))
				churn.sigbus++;
			else if (gone)
				churn.stale++;
		}
		munmap(at, churn.size);
		churn.rounds++;
	}
	if (fd >= 0)
		close(fd);
}

static void *churn_thread(void *unused)
{
	(void)unused;
	/* Rests as long as it takes the removal to get its share of two emulated CPUs. */
	for (; !churn.stop; usleep(2000))
		churn_once();
	return NULL;
}

/* churn file=PATH size=BYTES: the file is made first, so that the loop never creates one where the mount is gone. */
void churn_command(const char *line)
{
	snprintf(churn.path, sizeof(churn.path), "%s", value(line, "file", 0) ? value(line, "file", 0) : "");
	churn.size = number(line, "size", 1UL << 20);
	int fd = open(churn.path, O_RDWR | O_CREAT, 0644);
	if (fd < 0 || fallocate(fd, 0, 0, (off_t)churn.size) != 0)
		return answer_errno("churn", errno);
	close(fd);
	if (pthread_create(&churn.thread, NULL, churn_thread, NULL) != 0)
		return answer_errno("churn", errno);
	answer_ok();
}

/* churned gone=1: from now on the device is known to be gone. churned stop=1: the thread ends. */
void churned_command(const char *line)
{
	if (is(line, "gone", "1"))
		churn.gone = 1;
	if (is(line, "stop", "1")) {
		churn.stop = 1;
		pthread_join(churn.thread, NULL);
	}
	printf("{\"ok\":true,\"rounds\":%lu,\"refused\":%lu,\"sigbus\":%lu,\"stale\":%lu}\n", churn.rounds, churn.refused, churn.sigbus, churn.stale);
}

static void *later_thread(void *unused)
{
	(void)unused;
	usleep(later.after);
	later.mapped = map_quietly(later.line);
	later.ended = 1;
	return NULL;
}

/* later us=MICROSECONDS name=.. file=.. size=..: maps an existing file when that time has passed. */
void later_command(const char *line)
{
	snprintf(later.line, sizeof(later.line), "%s", line);
	later.after = (useconds_t)number(line, "us", 0);
	if (pthread_create(&later.thread, NULL, later_thread, NULL) != 0)
		return answer_errno("later", errno);
	answer_ok();
}

void latered_command(void)
{
	printf("{\"ok\":true,\"ended\":%d,\"mapped\":%d}\n", (int)later.ended, (int)later.mapped);
}
