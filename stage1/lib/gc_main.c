/*
 * gc — the gc entrypoint of every flavor: `gc [--debug] [--local-config DIR] UUID`, cwd = pod directory.
 *
 * Mounts died with the pod's mount namespace and stage2/init removed the cgroups; what a pod can leave
 * is a cgroup whose init was killed together with the supervisor.  Idempotent.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/strv.h"
#include "base/uuid.h"
#include "stage1/contract.h"
#include "stage1/lib/cgroup.h"
#include "stage1/lib/netcall.h"

struct gc_args {
	bool debug;
	char *local_config;
};

static const struct opt gc_opts[] = {
	{ .name = "debug",
	  .kind = OPT_BOOL,
	  .offset = offsetof(struct gc_args, debug),
	  .help = "verbose diagnostics" },
	{ .name = "local-config",
	  .kind = OPT_STR,
	  .offset = offsetof(struct gc_args, local_config),
	  .arg = "DIR",
	  .help = "local configuration directory" },
	{ .kind = OPT_END },
};

static int gc(int argc, char **argv, struct err *e)
{
	struct gc_args a = { false, NULL };
	struct opt_set set = { gc_opts, &a };
	auto_strv rest = NULL;
	int index = 1;
	int r = opt_parse(&set, 1, argc, argv, &index, OPT_STOP_NEVER, &rest, e);

	if (r < 0)
		return r;
	auto_close int pod_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (pod_fd < 0)
		return err_sys(e, errno, "open the pod directory");
	if (strv_len(rest) != 1 || !uuid_valid(*rest))
		return err_set(e, ERR_USAGE, EINVAL, "the last argument must be the pod's UUID");
	r = cgroups_destroy(pod_fd, e);
	if (r == 0)
		r = netcall_undo(pod_fd, *rest, a.local_config, e);
	free(a.local_config);
	return r;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;

	log_setup("rkt: gc", LOG_NORMAL);
	if (gc(argc, argv, &e) == 0)
		return 0;
	log_error("%s", e.text);
	return CONTRACT_EXIT_FAILURE;
}
