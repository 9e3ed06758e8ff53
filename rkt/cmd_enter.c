/*
 * cmd_enter — `rkt enter`: a command in the namespaces and the confinement of a running app.
 */
#include "rkt/commands.h"

#include <fcntl.h>
#include <time.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fsat.h"
#include "base/log.h"
#include "base/strv.h"
#include "rkt/appverb.h"
#include "rkt/host.h"
#include "stage0/stage1.h"

#define PID_POLL_NS 50000000 /* between two looks for the pid of a pod that is starting */

struct enter_args {
	char *app;
};

/* A pod that has just been started has no pid yet: look until it has one or is gone. */
static int wait_init_pid(struct pod *p, pid_t *ret, struct err *e)
{
	int r;
	while ((r = pod_init_pid(p, ret, e)) == -ENOENT) {
		err_clear(e);
		r = pod_refresh(p, e);
		if (r < 0)
			return r;
		if (p->state != POD_RUNNING)
			return err_set(e, ERR_STATE, ESRCH, "pod \"%s\" ended before it was entered",
				       p->uuid);
		(void)nanosleep(&(struct timespec){ .tv_nsec = PID_POLL_NS }, NULL);
	}
	return r;
}

/* Does the image have @path?  Unknown counts as yes. */
static bool image_has(const struct host *h, const char *image_id, const char *path)
{
	struct err e = ERR_INIT;
	auto_close int root = store_tree_open(&h->store, image_id, &e);
	if (root < 0)
		return true;
	auto_close int fd = open_in_root(root, path, O_PATH, 0);
	return fd >= 0 || (fd != -ENOENT && fd != -ENOTDIR);
}

static void default_command(const struct host *h, const struct runtime_app *app, char ***argv)
{
	const char *shell = image_has(h, app->image_id, "/bin/bash") ? "/bin/bash" : "/bin/sh";
	log_info("no command specified, assuming \"%s\"", shell);
	strv_push(argv, shell);
}

static int enter_pod(const struct enter_args *a, struct host *h, struct pod *p, char ***argv, struct err *e)
{
	const char *app = NULL;
	struct stage1 s1 = { 0 };
	pid_t pid = 0;
	auto_pod_manifest m = appverb_running(p, a->app, &app, e);
	if (!m)
		return -e->code;
	if (!*argv)
		default_command(h, pod_manifest_app(m, app), argv);
	int r = wait_init_pid(p, &pid, e);
	if (r == 0)
		r = stage1_of_pod(p, &s1, e);
	if (r == 0)
		r = stage1_exec_enter(&s1, p, pid, app, *argv, e);
	stage1_done(&s1);
	return r;
}

static int enter_run(struct cli *c, struct err *e)
{
	auto_host h = { 0 };
	auto_pod p = POD_INIT;
	auto_strv argv = NULL;
	if (!c->rest)
		return cli_usage(c, e, "must provide the pod's UUID");
	/* "UUID -- COMMAND" is what people type who are used to other tools. */
	bool dashes = c->rest[1] && strcmp(c->rest[1], "--") == 0;
	strv_push_all(&argv, c->rest + 1 + dashes);
	int r = host_open(&c->g, HOST_STORE, &h, e);
	if (r == 0)
		r = pod_open_prefix(&h.data, c->rest[0], &p, e);
	return r < 0 ? r : enter_pod(c->args, &h, &p, &argv, e);
}

static const struct opt enter_opts[] = {
	{ .name = "app",
	  .kind = OPT_STR,
	  .arg = "NAME",
	  .offset = offsetof(struct enter_args, app),
	  .help = "name of the app to enter within the specified pod" },
	{ .kind = OPT_END },
};
static const struct opt *const enter_tables[] = { enter_opts, NULL };

const struct command cmd_enter = {
	.name = "enter",
	.args = "UUID [COMMAND [ARG ...]]",
	.summary = "Enter the namespaces of an app within a rkt pod",
	.description =
		"Runs COMMAND, or a shell, where and as the app runs: in its namespaces and control group,\n"
		"below its root, with its environment, and under the same confinement. Exits with the\n"
		"status of the command.",
	.tables = enter_tables,
	.args_size = sizeof(struct enter_args),
	.flags = COMMAND_ROOT | COMMAND_STOP,
	.complete = COMP_UUID_RUNNING,
	.run = enter_run,
};

/* The same under the name that goes with the other verbs of mutable pods. */
const struct command cmd_app_exec = {
	.group = "app",
	.name = "exec",
	.args = "UUID [COMMAND [ARG ...]]",
	.summary = "Run a command in a running app",
	.description =
		"Runs COMMAND, or a shell, where and as the app runs: in its namespaces and control group,\n"
		"below its root, with its environment, and under the same confinement. Exits with the\n"
		"status of the command.",
	.tables = enter_tables,
	.args_size = sizeof(struct enter_args),
	.flags = COMMAND_ROOT | COMMAND_STOP,
	.complete = COMP_UUID_RUNNING,
	.run = enter_run,
};
