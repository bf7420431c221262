/* The lab's program inside a guest: a holder that obeys one-line commands, and one-shot helpers. */
#ifndef UNSEAT_GUEST_H
#define UNSEAT_GUEST_H

#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 4096UL
#define PMD (2UL << 20)

struct map {
	char name[32];
	char path[256];
	unsigned char *at;
	size_t size;
	size_t offset;
	int fd;
};

#define MAX_MAPS 16
/* In the upper half of the two words of a marked page; the lower half says whose and which page. */
#define MARK 0x554e534500000000ULL

extern struct map maps[MAX_MAPS];
extern int map_count;
extern unsigned int my_mark;

/* Where a touch that raises a signal goes on; what it was, and the si_code values seen. */
extern __thread sigjmp_buf back;
extern __thread volatile sig_atomic_t touching;
extern volatile sig_atomic_t last_signal;
extern volatile unsigned int codes_seen;
/* How many BUS_MCEERR_AO have been taken. */
extern volatile unsigned int ao_taken;

/* Value of key= in a command line, or NULL. The result is valid until the next call with the same slot. */
const char *value(const char *line, const char *key, int slot);
size_t number(const char *line, const char *key, size_t otherwise);
int is(const char *line, const char *key, const char *wanted);

/* One JSON line for an errno: {"ok":false,"errno":"EBUSY"}. */
void answer_errno(const char *what, int error);
void answer_ok(void);

struct map *map_named(const char *name);
void map_command(const char *line);
void touch_command(const char *line, int write);
void loop_command(const char *line);
void mark_page(struct map *m, size_t page);
/* What stands at the start and in the middle of a page of a file that this process has written. */
uint64_t mark_of_page(size_t page);
void catch_sigbus(void);
/* One write to a page: 0 where it raised SIGBUS or SIGSEGV. */
int touch_guarded(unsigned char *at);
/* Maps a file that is there, as map_command, without an answer: 1 where that worked. */
int map_quietly(const char *line);
void set_mark(unsigned int mark);

void churn_command(const char *line);
void churned_command(const char *line);
void later_command(const char *line);
void latered_command(void);

void pin_command(const char *line);
void use_pin_command(const char *line);
void drop_pin_command(const char *line);

void open_command(const char *line);
void io_command(void);

int inject_madvise(char **argv);
int count_marks(const char *path);
int zero_device(const char *path);

int once(int argc, char **argv);

#endif
