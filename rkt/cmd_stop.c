/*
 * cmd_stop — `rkt stop`: ask running pods to end, by their stage1's stop entrypoint.
 */
#include "rkt/commands.h"

#include "base/auto.h"
#include "rkt/host.h"
#include "rkt/output.h"
#include "rkt/uuidarg.h"
#include "stage0/stage1.h"

struct stop_args {
	bool force;
	char *uuid_file;
};

static bool is_finished(enum pod_state s)
{
	return s == POD_EXITED || s == POD_EXITED_GARBAGE || s == POD_EXITED_DELETING || s == POD_GARBAGE ||
	       s == POD_DELETING || s == POD_ABORTED_PREPARE || s == POD_GONE;
}

static int stop_pod(const struct cli *c, const struct host *h, const char *uuid, struct err *e)
{
	const struct stop_args *a = c->args;
	auto_pod p = POD_INIT;
	struct stage1 s1 = { 0 };
	int r = pod_open_prefix(&h->data, uuid, &p, e);
	if (r < 0)
		return r;
	if (is_finished(p.state))
		return output_line(e, "pod \"%s\" is already stopped", p.uuid);
	if (p.state != POD_RUNNING)
		return err_set(e, ERR_STATE, EINVAL, "pod \"%s\" is not running: it is %s", p.uuid,
			       pod_state_name(p.state));
	r = stage1_of_pod(&p, &s1, e);
	if (r == 0)
		r = stage1_call_stop(&s1, &p, a->force, e);
	stage1_done(&s1);
	if (r < 0)
		return err_ctx(e, "stop pod \"%s\"", p.uuid);
	return output_line(e, "\"%s\"", p.uuid);
}

static int stop_run(struct cli *c, struct err *e)
{
	const struct stop_args *a = c->args;

	return uuid_args_each(c, a->uuid_file, stop_pod, e);
}

#define S(member) offsetof(struct stop_args, member)
static const struct opt stop_opts[] = {
	{ .name = "force",
	  .kind = OPT_BOOL,
	  .offset = S(force),
	  .help = "forced stopping: kill, do not ask" },
	{ .name = "uuid-file",
	  .kind = OPT_STR,
	  .arg = "FILE",
	  .offset = S(uuid_file),
	  .complete = COMP_FILE,
	  .help = "read the pod's UUID from a file instead of the arguments" },
	{ .kind = OPT_END },
};
static const struct opt *const stop_tables[] = { stop_opts, NULL };

const struct command cmd_stop = {
	.name = "stop",
	.args = "UUID ...",
	.summary = "Stop a pod",
	.description = "Starts the orderly end of running pods and returns without waiting for it: see\n"
		       "'rkt status --wait'. A pod that ended already is no error.",
	.tables = stop_tables,
	.args_size = sizeof(struct stop_args),
	.complete = COMP_UUID_RUNNING,
	.run = stop_run,
};
