/*
 * cmd_app_sandbox — `rkt app sandbox`: an empty mutable pod; this process becomes its supervisor.
 */
#include "rkt/commands.h"

#include "rkt/podstart.h"

static int app_sandbox_run(struct cli *c, struct err *e)
{
	struct pod_args *a = c->args;
	if (c->rest)
		return cli_usage(c, e, "takes no images: add them with 'rkt app add'");
	a->mutable_pod = true;
	return podstart_run(c, a, e);
}

#define P(member) offsetof(struct pod_args, member)
/* clang-format off */
static const struct opt app_sandbox_opts[] = {
	{ .name = "annotation", .kind = OPT_CALL, .arg = "NAME=VALUE", .call = podflags_set_pair,
	  .offset = P(annotations), .help = "set the pod's annotations" },
	{ .name = "port", .kind = OPT_CALL, .arg = "NAME:PROTO:PODPORT:HOSTIP:HOSTPORT", .call = podflags_add_full_port,
	  .help = "publish a port of the pod, tcp or udp; HOSTIP, [IPv6] in brackets, may be empty: every address" },
	{ .name = "user-annotation", .kind = OPT_CALL, .arg = "NAME=VALUE", .call = podflags_set_pair,
	  .offset = P(user_annotations), .help = "set the pod's user annotations" },
	{ .name = "user-label", .kind = OPT_CALL, .arg = "NAME=VALUE", .call = podflags_set_pair,
	  .offset = P(user_labels), .help = "set the pod's user labels" },
	{ .name = "uuid-file-save", .kind = OPT_STR, .arg = "FILE", .offset = P(uuid_file_save),
	  .complete = COMP_FILE, .help = "write out the pod's UUID to this file as soon as the pod exists" },
	{ .kind = OPT_END },
};
/* clang-format on */
static const struct opt *const app_sandbox_tables[] = { app_sandbox_opts, podflags_pod, podflags_stage1,
							podflags_runtime, podflags_dns, NULL };

const struct command cmd_app_sandbox = {
	.group = "app",
	.name = "sandbox",
	.args = "",
	.summary = "Start an empty pod to which apps can be added",
	.description =
		"Starts a mutable pod without apps and becomes its supervisor: the pod lasts until 'rkt "
		"stop' or a\n"
		"signal ends it, and all its apps with it. Its exit status is 0 when it was stopped in "
		"order,\n"
		"whatever became of its apps. It is ready for apps when 'rkt status --wait-ready' returns.",
	.tables = app_sandbox_tables,
	.args_size = sizeof(struct pod_args),
	.flags = COMMAND_ROOT,
	.run = app_sandbox_run,
	.done = pod_args_done,
};
