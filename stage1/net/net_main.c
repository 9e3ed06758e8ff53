/*
 * net — networks of pods, from the host's side: `net VERB [OPTIONS] ARG`, see README.md of this folder.
 *
 * The working directory is the pod's for add, del and reload, which take its UUID, and the data directory
 * for the others.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/strv.h"
#include "base/uuid.h"
#include "stage1/contract.h"
#include "stage1/net/job.h"
#include "stage1/net/plugin.h"

#define J(member) offsetof(struct net_job, member)
static const struct opt net_opts[] = {
	{ .name = "debug", .kind = OPT_BOOL, .offset = J(debug), .help = "verbose diagnostics" },
	{ .name = "local-config",
	  .kind = OPT_STR,
	  .arg = "DIR",
	  .offset = J(local_config),
	  .dflt = "/etc/rkt",
	  .help = "local configuration directory" },
	{ .name = "net", .kind = OPT_CSV, .arg = "NAME", .offset = J(net), .help = "networks to connect" },
	{ .kind = OPT_END },
};

static const struct verb {
	const char *name;
	bool pod; /* its argument is a UUID, the working directory that pod's */
	int (*run)(struct net_job *j, struct err *e);
} verbs[] = {
	{ "add", true, net_add },    { "del", true, net_del }, { "reload", true, net_reload },
	{ "list", false, net_list }, { "rm", false, net_rm },
};

/* What the caller gave as NET_FD_NETNS, if it is a network namespace at all. */
static void take_netns(struct net_pod *p)
{
	p->netns_fd = FD_NONE;
	if (ioctl(NET_FD_NETNS, NS_GET_NSTYPE) != CLONE_NEWNET || fd_set_cloexec(NET_FD_NETNS, true) < 0)
		return;
	p->netns_fd = NET_FD_NETNS;
	(void)snprintf(p->netns, sizeof(p->netns), "/proc/%d/fd/%d", (int)getpid(), NET_FD_NETNS);
}

static int take_pod(struct net_job *j, struct err *e)
{
	const char *uuid = j->rest && *j->rest ? *j->rest : "";

	if (!uuid_valid(uuid))
		return err_set(e, ERR_USAGE, EINVAL, "the argument must be the pod's UUID");
	memcpy(j->pod.uuid, uuid, UUID_LEN + 1);
	take_netns(&j->pod);
	j->pod.pod_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return j->pod.pod_fd < 0 ? err_sys(e, errno, "open the pod directory") : 0;
}

static int parse(struct net_job *j, int argc, char **argv, struct err *e)
{
	struct opt_set set = { net_opts, j };
	int index = 2;
	int r = opt_defaults(&set, 1, e);

	if (r == 0)
		r = opt_parse(&set, 1, argc, argv, &index, OPT_STOP_NEVER, &j->rest, e);
	if (r < 0)
		return r;
	const char *system = getenv(CONTRACT_SYSTEM_CONFIG);
	j->system_config = system && *system ? system : "/usr/lib/rkt";
	log_setup(log_get_prefix(), j->debug ? LOG_VERBOSE : LOG_NORMAL);
	j->pod.path = plugin_path();
	return 0;
}

static void job_done(struct net_job *j)
{
	opt_done(net_opts, j);
	strv_free(j->rest);
	strv_free(j->pod.path);
	fd_close(&j->lock_fd);
	fd_close(&j->pod.pod_fd);
	record_done(&j->rec);
	net_specs_done(&j->specs);
	net_confs_done(&j->confs);
	free(j->ports.v);
	proxy_free(j->proxy);
}

static int dispatch(int argc, char **argv, struct err *e)
{
	struct net_job j = { .lock_fd = FD_NONE, .pod = { .pod_fd = FD_NONE, .netns_fd = FD_NONE } };
	size_t i = 0;

	while (i < ARRAY_LEN(verbs) && (argc < 2 || strcmp(argv[1], verbs[i].name) != 0))
		i++;
	if (i == ARRAY_LEN(verbs))
		return err_set(e, ERR_USAGE, EINVAL, "unknown verb \"%s\"", argc < 2 ? "" : argv[1]);
	int r = parse(&j, argc, argv, e);
	if (r == 0 && verbs[i].pod)
		r = take_pod(&j, e);
	r = r == 0 ? verbs[i].run(&j, e) : r;
	job_done(&j);
	return r;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;

	(void)fd_ensure_std();
	(void)umask(022);
	(void)signal(SIGPIPE, SIG_IGN);
	log_setup("rkt: net", LOG_NORMAL);
	if (dispatch(argc, argv, &e) == 0)
		return 0;
	log_error("%s", e.text);
	return CONTRACT_EXIT_FAILURE;
}
