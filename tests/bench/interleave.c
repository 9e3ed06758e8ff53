/*
 * interleave — times commands against each other, fairly: they take turns.
 *
 * interleave [-n ROUNDS] [-w WARMUPS] [-p PAUSE_MS] [-o DIR] NAME COMMAND [ARG...] [--- NAME COMMAND [ARG...]]...
 *
 * Each round runs every command once, in an order that rotates, with stdin, stdout and stderr on
 * /dev/null, by fork, execvp and wait4.  Between two runs it sleeps (-p, 25 ms): the kernel takes a network
 * namespace apart after its last process has gone, and without the pause one contestant would wait for
 * what the one before it has left.  A COMMAND that begins with "@FILE" is run in the mount namespace FILE.  Prints a table: name, median, minimum and 90th percentile of
 * wall time in milliseconds, and the peak resident set of the largest process that was waited for.
 * With -o every sample goes to DIR/NAME in nanoseconds.  Exit 1 if a command did not exit with 0.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { CONTESTANTS_MAX = 16 };

static long pause_ms = 25;

struct contestant {
	const char *name;
	char **argv;
	int mount_ns; /* or -1 */
	int64_t *ns;
	long rss_kib;
	int failures;
};

static int64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void die(const char *what, int err)
{
	fprintf(stderr, "interleave: %s: %s\n", what, strerror(err));
	exit(1);
}

static void child(const struct contestant *c, int quiet)
{
	if (c->mount_ns >= 0 && (setns(c->mount_ns, CLONE_NEWNS) < 0 || chdir("/") < 0))
		_exit(126);
	for (int fd = 0; fd < 3; fd++) {
		if (dup2(quiet, fd) < 0)
			_exit(126);
	}
	execvp(c->argv[0], c->argv);
	_exit(127);
}

/* Wall time of one run in nanoseconds. */
static int64_t run_once(struct contestant *c, int quiet)
{
	struct rusage use;
	int status = 0;
	struct timespec rest = { .tv_nsec = pause_ms * 1000000L };

	(void)nanosleep(&rest, NULL);
	int64_t began = now_ns();
	pid_t pid = fork();

	if (pid < 0)
		die("fork", errno);
	if (pid == 0)
		child(c, quiet);
	while (wait4(pid, &status, 0, &use) < 0) {
		if (errno != EINTR)
			die("wait4", errno);
	}
	int64_t took = now_ns() - began;

	if (use.ru_maxrss > c->rss_kib)
		c->rss_kib = use.ru_maxrss;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		c->failures++;
	return took;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void report(struct contestant *c, size_t rounds, const char *dir)
{
	if (dir) {
		char path[4096];
		(void)snprintf(path, sizeof(path), "%s/%s", dir, c->name);
		FILE *f = fopen(path, "we");
		if (!f)
			die(path, errno);
		for (size_t i = 0; i < rounds; i++)
			fprintf(f, "%" PRId64 "\n", c->ns[i]);
		(void)fclose(f);
	}
	qsort(c->ns, rounds, sizeof(*c->ns), by_value);
	printf("%-22s %9.3f %9.3f %9.3f %10ld %5d\n", c->name, (double)c->ns[rounds / 2] / 1e6,
	       (double)c->ns[0] / 1e6, (double)c->ns[rounds * 9 / 10] / 1e6, c->rss_kib, c->failures);
}

static size_t split(int argc, char **argv, struct contestant *list)
{
	size_t n = 0;

	for (int i = 0; i + 1 < argc && n < CONTESTANTS_MAX; n++) {
		list[n].name = argv[i];
		list[n].argv = argv + i + 1;
		list[n].mount_ns = -1;
		if (list[n].argv[0][0] == '@') {
			list[n].mount_ns = open(list[n].argv[0] + 1, O_RDONLY | O_CLOEXEC);
			if (list[n].mount_ns < 0)
				die(list[n].argv[0], errno);
			list[n].argv++;
		}
		while (i < argc && strcmp(argv[i], "---") != 0)
			i++;
		if (i < argc)
			argv[i++] = NULL;
	}
	return n;
}

int main(int argc, char **argv)
{
	struct contestant list[CONTESTANTS_MAX] = { 0 };
	int quiet;
	size_t rounds = 50, warmups = 3, n;
	const char *dir = NULL;
	int opt, bad = 0;

	while ((opt = getopt(argc, argv, "+n:w:o:p:")) != -1) {
		if (opt == 'n')
			rounds = strtoul(optarg, NULL, 10);
		else if (opt == 'w')
			warmups = strtoul(optarg, NULL, 10);
		else if (opt == 'p')
			pause_ms = strtol(optarg, NULL, 10) % 1000;
		else if (opt == 'o')
			dir = optarg;
		else
			return 2;
	}
	n = split(argc - optind, argv + optind, list);
	if (n == 0 || rounds == 0)
		die("usage", EINVAL);
	quiet = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (quiet < 0)
		die("/dev/null", errno);
	for (size_t k = 0; k < n; k++)
		list[k].ns = calloc(rounds, sizeof(int64_t));
	for (size_t i = 0; i < warmups + rounds; i++) {
		for (size_t k = 0; k < n; k++) {
			struct contestant *c = &list[(i + k) % n];
			int64_t took = run_once(c, quiet);
			if (i >= warmups && c->ns)
				c->ns[i - warmups] = took;
		}
	}
	printf("%-22s %9s %9s %9s %10s %5s\n", "", "median ms", "min ms", "p90 ms", "peak KiB", "bad");
	for (size_t k = 0; k < n; k++) {
		report(&list[k], rounds, dir);
		bad |= list[k].failures;
	}
	return bad ? 1 : 0;
}
