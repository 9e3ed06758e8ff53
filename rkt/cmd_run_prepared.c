/*
 * cmd_run_prepared — `rkt run-prepared`: start a pod that `rkt prepare` made.
 */
#include "rkt/commands.h"

#include "base/auto.h"
#include "base/strv.h"
#include "rkt/podstart.h"
#include "rkt/uuidarg.h"
#include "stage0/userns.h"

static int open_prepared(struct cli *c, struct host *h, struct pod *p, struct err *e)
{
	auto_strv uuids = NULL;
	int r = uuid_args(c, NULL, false, &uuids, e);
	if (r == 0)
		r = host_open(&c->g, 0, h, e);
	if (r == 0)
		r = pod_open_prefix(&h->data, uuids[0], p, e);
	if (r == 0 && p->state != POD_PREPARED)
		r = err_set(e, ERR_STATE, EINVAL, "pod \"%s\" is not prepared: it is %s", p->uuid,
			    pod_state_name(p->state));
	return r;
}

static int run_prepared_run(struct cli *c, struct err *e)
{
	struct pod_args *a = c->args;
	auto_host h = { 0 };
	auto_pod p = POD_INIT;
	struct stage1 s1 = { 0 };
	int r = podflags_dns_mode(a, e);
	struct run_options o = podstart_options(c, a);
	if (r == 0)
		r = open_prepared(c, &h, &p, e);
	if (r == 0)
		r = podstart_check_interactive(&p, a->interactive, e);
	if (r == 0)
		r = podstart_check_ports(&p, a->net, e);
	if (r == 0)
		r = stage1_of_pod(&p, &s1, e);
	if (r == 0)
		r = userns_of_pod(&p, &o.private_users, e);
	if (r == 0)
		r = pod_to_run(&p, e);
	if (r == 0)
		r = dns_write(&a->dns, &p, e);
	if (r == 0)
		r = stage1_exec_run(&s1, &p, &o, e);
	stage1_done(&s1);
	return r;
}

static const struct opt *const run_prepared_tables[] = { podflags_runtime, podflags_dns, podflags_terminal,
							 NULL };

const struct command cmd_run_prepared = {
	.name = "run-prepared",
	.args = "UUID",
	.summary = "Run a prepared application pod in rkt",
	.description =
		"UUID, which may be abbreviated, is what 'rkt prepare' printed. The process becomes the\n"
		"pod's supervisor, as with 'rkt run'.",
	.tables = run_prepared_tables,
	.args_size = sizeof(struct pod_args),
	.flags = COMMAND_ROOT,
	.complete = COMP_UUID_PREPARED,
	.run = run_prepared_run,
	.done = pod_args_done,
};
