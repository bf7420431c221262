/* `hold MARK [default]`: obeys commands from stdin, one a line, answered one JSON line each. Everything else is a one-shot helper. */
#include "guest.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_CHILDREN 16

static struct { pid_t pid; FILE *to, *from; } children[MAX_CHILDREN];
static int child_count;

const char *value(const char *line, const char *key, int slot)
{
	static __thread char slots[4][256];
	size_t length = strlen(key);

	for (const char *word = line; word; word = strchr(word, ' ') ? strchr(word, ' ') + 1 : NULL)
		if (strncmp(word, key, length) == 0 && word[length] == '=') {
			snprintf(slots[slot], sizeof(slots[slot]), "%.*s", (int)strcspn(word + length + 1, " \n"), word + length + 1);
			return slots[slot];
		}
	return NULL;
}

size_t number(const char *line, const char *key, size_t otherwise)
{
	const char *text = value(line, key, 3);

	return text ? strtoul(text, NULL, 0) : otherwise;
}

int is(const char *line, const char *key, const char *wanted)
{
	const char *text = value(line, key, 3);

	return text && strcmp(text, wanted) == 0;
}

void answer_errno(const char *what, int error)
{
	printf("{\"ok\":false,\"what\":\"%s\",\"errno\":\"%s\"}\n", what, strerrorname_np(error) ? strerrorname_np(error) : "EUNKNOWN");
}

void answer_ok(void)
{
	printf("{\"ok\":true}\n");
}

static void fork_command(void)
{
	int down[2], up[2];

	if (child_count == MAX_CHILDREN || pipe(down) != 0 || pipe(up) != 0)
		return answer_errno("fork", errno);
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(down[0], 0);
		dup2(up[1], 1);
		close(down[1]);
		close(up[0]);
		child_count = 0;
		clearerr(stdin);
		return;
	}
	close(down[0]);
	close(up[1]);
	children[child_count].pid = pid;
	children[child_count].to = fdopen(down[1], "w");
	children[child_count].from = fdopen(up[0], "r");
	child_count++;
	printf("{\"ok\":true,\"pid\":%d}\n", (int)pid);
}

/* child N COMMAND: handed on, and its answer handed back. */
static void child_command(const char *line)
{
	char *rest, answer[8192];
	long n = strtol(line, &rest, 10);

	if (n < 0 || n >= child_count)
		return answer_errno("child", ECHILD);
	fprintf(children[n].to, "%s\n", rest + strspn(rest, " "));
	fflush(children[n].to);
	if (!fgets(answer, sizeof(answer), children[n].from))
		return answer_errno("child", EPIPE);
	fputs(answer, stdout);
}

static void obey(char *line)
{
	line[strcspn(line, "\n")] = 0;
	char *rest = strchr(line, ' ') ? strchr(line, ' ') + 1 : line + strlen(line);
	size_t length = strcspn(line, " ");
#define COMMAND(word) (length == sizeof(word) - 1 && memcmp(line, word, length) == 0)
	if (COMMAND("map")) map_command(rest);
	else if (COMMAND("read")) touch_command(rest, 0);
	else if (COMMAND("write")) touch_command(rest, 1);
	else if (COMMAND("loop")) loop_command(rest);
	else if (COMMAND("churn")) churn_command(rest);
	else if (COMMAND("churned")) churned_command(rest);
	else if (COMMAND("later")) later_command(rest);
	else if (COMMAND("latered")) latered_command();
	else if (COMMAND("pin")) pin_command(rest);
	else if (COMMAND("use")) use_pin_command(rest);
	else if (COMMAND("drop")) drop_pin_command(rest);
	else if (COMMAND("open")) open_command(rest);
	else if (COMMAND("io")) io_command();
	else if (COMMAND("fork")) fork_command();
	else if (COMMAND("child")) child_command(rest);
	else if (COMMAND("cwd")) chdir(rest) ? answer_errno("chdir", errno) : answer_ok();
	else if (COMMAND("mce")) prctl(PR_MCE_KILL, PR_MCE_KILL_SET, strcmp(rest, "late") == 0 ? PR_MCE_KILL_LATE : PR_MCE_KILL_EARLY, 0, 0) ? answer_errno("prctl", errno) : answer_ok();
	else if (COMMAND("signals")) printf("{\"ok\":true,\"ao\":%u}\n", ao_taken);
	else if (COMMAND("exit")) { answer_ok(); fflush(stdout); exit(0); }
	else answer_errno("command", EINVAL);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static char line[1024];

	if (argc < 3 || strcmp(argv[1], "hold") != 0)
		return once(argc, argv);
	set_mark((unsigned int)atoi(argv[2]));
	if (argc < 4)
		catch_sigbus();
	/* Unbuffered input: a forked child must not inherit lines that the parent has read ahead. */
	setvbuf(stdin, NULL, _IONBF, 0);
	for (;;) {
		if (fgets(line, sizeof(line), stdin))
			obey(line);
		else if (!feof(stdin) && errno == EINTR)
			clearerr(stdin);
		else
			return feof(stdin) ? 0 : 3;
	}
}
