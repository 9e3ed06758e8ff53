/*
 * launch_main — the program "launch": starts one more process in a running app, for enter.
 *
 *	launch --plan-fd=N --app=I --err-fd=N --procs-fds=A,B --proc-fd=N [--tty] -- CMD [ARG]...
 *
 * The caller (stage1's enter) has joined the app's namespaces and root and forked.  Everything that
 * makes the app what it is comes from the plan that the app itself was started from; the caller adds
 * the command, its standard descriptors and the variable TERM, nothing else.
 *
 * Exit status 254 when the command could not be executed; the reason goes to --err-fd as a struct
 * launch_failure.  A wrong argument or plan is told on standard error, with the same status.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "stage2/launch.h"
#include "stage2/plan.h"
#include "stage2/sys.h"

#define EXIT_USAGE 254

struct args {
	int plan_fd, app, err_fd, proc_fd;
	int procs[16];
	int tty;
};

static _Noreturn void die(const char *what)
{
	say("launch", what);
	_exit(EXIT_USAGE);
}

/* Digits up to @end into *ret; the rest of the text, NULL if there are none or too many. */
static const char *number(const char *s, int *ret)
{
	int v = 0, digits = 0;

	for (; *s >= '0' && *s <= '9' && digits < 9; s++, digits++)
		v = v * 10 + (*s - '0');
	*ret = v;
	return digits ? s : NULL;
}

static bool one_number(const char *s, int *ret)
{
	s = number(s, ret);
	return s && *s == '\0';
}

/* "3,4"; the empty list is allowed. */
static bool number_list(const char *s, int v[16])
{
	for (size_t n = 0; *s; n++) {
		s = n < 16 ? number(s, &v[n]) : NULL;
		if (!s || (*s != ',' && *s != '\0') || (*s == ',' && s[1] == '\0'))
			return false;
		if (n + 1 < 16)
			v[n + 1] = -1;
		s += *s == ',';
	}
	return true;
}

static bool parse_one(struct args *a, const char *arg)
{
	const struct {
		const char *name;
		int *into;
	} numbers[] = {
		{ "--plan-fd=", &a->plan_fd },
		{ "--app=", &a->app },
		{ "--err-fd=", &a->err_fd },
		{ "--proc-fd=", &a->proc_fd },
	};
	const char list[] = "--procs-fds=";

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		size_t n = strlen(numbers[i].name);

		if (strncmp(arg, numbers[i].name, n) == 0)
			return one_number(arg + n, numbers[i].into);
	}
	if (strncmp(arg, list, sizeof(list) - 1) == 0)
		return number_list(arg + sizeof(list) - 1, a->procs);
	if (strcmp(arg, "--tty") != 0)
		return false;
	a->tty = 1;
	return true;
}

/* Index of CMD in argv. */
static int parse(struct args *a, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			if (a->plan_fd < 0 || a->app < 0 || a->err_fd < 0 || a->proc_fd < 0)
				die("--plan-fd, --app, --err-fd and --proc-fd are needed");
			if (i + 1 >= argc)
				die("no command after --");
			return i + 1;
		}
		if (!parse_one(a, argv[i]))
			die(argv[i]);
	}
	die("no -- before the command");
}

static const void *map_plan(const struct args *a)
{
	struct stat st;
	const void *plan;

	if (fstat(a->plan_fd, &st) < 0 || st.st_size <= 0 || st.st_size > (off_t)PLAN_SIZE_MAX)
		die("the plan cannot be read");
	plan = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, a->plan_fd, 0);
	if (plan == MAP_FAILED || plan_check(plan, (size_t)st.st_size) < 0)
		die("the plan is damaged");
	if ((uint32_t)a->app >= plan_head(plan)->napps)
		die("the plan has no such app");
	return plan;
}

/* The app's environment, with the caller's TERM ("TERM=...", NULL if unset) in the place of its own. */
static void make_env(const struct plan_app *app, const void *plan, const char *term, const char **env)
{
	uint32_t n = 0;

	(void)launch_vec(plan, &app->env, env, PLAN_ARGS_MAX + 1);
	if (!term)
		return;
	while (env[n] && strncmp(env[n], "TERM=", 5) != 0)
		n++;
	if (!env[n])
		env[n + 1] = NULL;
	env[n] = term;
}

int main(int argc, char **argv, char **envp)
{
	static const char *env[PLAN_ARGS_MAX + 2];
	struct args a = { .plan_fd = -1, .app = -1, .err_fd = -1, .proc_fd = -1, .procs = { -1 } };
	struct launch l = { .flags = LAUNCH_JOINED | LAUNCH_SHELL_PATH, .stdio = { 0, 1, 2 } };
	const char *term = NULL;
	int cmd = parse(&a, argc, argv);

	while (*envp && !term) {
		term = strncmp(*envp, "TERM=", 5) == 0 ? *envp : NULL;
		envp++;
	}
	l.plan = map_plan(&a);
	l.app = (uint32_t)a.app;
	make_env(plan_app(l.plan, l.app), l.plan, term, env);
	l.argv = (const char *const *)(void *)(argv + cmd);
	l.env = env;
	l.tty = a.tty;
	(void)memcpy(l.cgroup_procs, a.procs, sizeof(l.cgroup_procs));
	l.proc_fd = a.proc_fd;
	l.err_fd = a.err_fd;
	launch_reset_signals(a.proc_fd, &l.inherited);
	if (fcntl(a.err_fd, F_SETFD, FD_CLOEXEC) < 0)
		die("--err-fd is not open");
	launch_exec(&l);
}
