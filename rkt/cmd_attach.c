/*
 * cmd_attach — `rkt attach`: the streams of a running app, by its stage1's attach entrypoint.
 */
#include "rkt/commands.h"

#include <string.h>

#include "base/auto.h"
#include "base/strv.h"
#include "rkt/appverb.h"
#include "rkt/host.h"
#include "stage0/stage1.h"

struct attach_args {
	char *app, *mode;
};

static const char *const streams[] = { "stdin", "stdout", "stderr", NULL };
static const char *const ttys[] = { "tty", "tty-in", "tty-out", NULL };

/* Arguments of the entrypoint for one word of --mode; "tty" is both directions. */
static void add_word(const char *word, char ***argv)
{
	if (strcmp(word, "tty") == 0) {
		strv_push(argv, "--tty-in=true");
		strv_push(argv, "--tty-out=true");
	} else {
		strv_pushf(argv, "--%s=true", word);
	}
}

/* --mode: auto, list, or streams, or a terminal. */
static int parse_mode(const char *mode, char ***argv, struct err *e)
{
	bool any_stream = false, any_tty = false;

	if (!mode || !*mode || strcmp(mode, "auto") == 0) {
		strv_push(argv, "--action=auto-attach");
		return 0;
	}
	if (strcmp(mode, "list") == 0) {
		strv_push(argv, "--action=list");
		return 0;
	}
	strv_push(argv, "--action=custom-attach");
	auto_strv words = strv_split(mode, ',');
	for (char **w = words; *w; w++) {
		bool stream = strv_has((char *const *)streams, *w), tty = strv_has((char *const *)ttys, *w);

		if (!stream && !tty)
			return err_set(e, ERR_USAGE, EINVAL,
				       "option --mode: \"%s\" is not auto, list, stdin, stdout, stderr, tty, "
				       "tty-in or tty-out",
				       *w);
		any_stream |= stream;
		any_tty |= tty;
		add_word(*w, argv);
	}
	if (any_stream && any_tty)
		return err_set(e, ERR_USAGE, EINVAL,
			       "option --mode: \"%s\": streams and a terminal exclude each other", mode);
	return 0;
}

static int attach_pod(const struct cli *c, const struct pod *p, char *const *mode, struct err *e)
{
	const struct attach_args *a = c->args;
	struct stage1 s1 = { 0 };
	const char *app = NULL;

	auto_pod_manifest m = appverb_running(p, a->app, &app, e);
	if (!m)
		return -e->code;
	int r = stage1_of_pod(p, &s1, e);
	if (r == 0)
		r = stage1_exec_attach(&s1, p, app, c->g.debug, mode, e);
	stage1_done(&s1);
	return r;
}

static int attach_run(struct cli *c, struct err *e)
{
	const struct attach_args *a = c->args;
	auto_host h = { 0 };
	auto_pod p = POD_INIT;
	auto_strv mode = NULL;

	if (strv_len(c->rest) != 1)
		return cli_usage(c, e, "must provide the pod's UUID");
	int r = parse_mode(a->mode, &mode, e);
	if (r == 0)
		r = host_open(&c->g, 0, &h, e);
	if (r == 0)
		r = pod_open_prefix(&h.data, c->rest[0], &p, e);
	return r < 0 ? r : attach_pod(c, &p, mode, e);
}

#define A(member) offsetof(struct attach_args, member)
static const struct opt attach_opts[] = {
	{ .name = "app",
	  .kind = OPT_STR,
	  .arg = "NAME",
	  .offset = A(app),
	  .help = "name of the app to attach to" },
	{ .name = "mode",
	  .kind = OPT_STR,
	  .arg = "MODE",
	  .offset = A(mode),
	  .dflt = "auto",
	  .help = "auto: all streams of the app; list: say which there are; or some of stdin,stdout,stderr "
		  "or of tty-in,tty-out,tty" },
	{ .kind = OPT_END },
};
static const struct opt *const attach_tables[] = { attach_opts, NULL };

const struct command cmd_attach = {
	.name = "attach",
	.args = "UUID",
	.summary = "Attach to an app running within a rkt pod",
	.description =
		"Connects the caller's standard streams to those of an app that was started with\n"
		"--stdin, --stdout or --stderr set to stream or tty. The last 16 KiB that each stream\n"
		"said are shown first. Several may be attached at a time. It ends when the app\n"
		"ends; the app goes on when attach ends. In a terminal ^] three times detaches.",
	.tables = attach_tables,
	.args_size = sizeof(struct attach_args),
	.flags = COMMAND_ROOT,
	.complete = COMP_UUID_RUNNING,
	.run = attach_run,
};
