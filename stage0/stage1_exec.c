/*
 * stage1_exec — the calls across the contract: run and enter replace this process, gc and stop are
 * waited for (internals.md sections 2.2 to 2.4).
 */
#include "stage0/stage1.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/close_range.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/num.h"
#include "base/log.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/strv.h"
#include "schema/image.h"
#include "stage0/classic.h"
#include "stage0/entrypoint.h"
#include "stage1/contract.h"

/* Interface versions in which options appeared. */
enum { V_HOSTNAME = 2, V_INSECURE = 3, V_DNS = 4, V_MUTABLE = 5, V_GC_CONFIG = 5, V_IPC = 6 };

int stage1_entrypoint(const struct stage1 *s, const char *annotation, const char *root, char **ret,
		      struct err *e)
{
	auto_image_manifest m = image_manifest_parse(s->manifest, strlen(s->manifest), e);
	const char *value;

	if (!m)
		return err_ctx(e, "manifest of stage1 %s", s->dir);
	value = pairs_get(&m->annotations, annotation);
	if (!value || !*value)
		return err_set(e, ERR_STATE, ENOSYS, "stage1 %s does not implement %s", s->dir,
			       path_base(annotation));
	if (path_has_dotdot(value))
		return err_set(e, ERR_INPUT, EINVAL, "stage1 %s: entrypoint \"%s\" leaves its root", s->dir,
			       value);
	*ret = xasprintf("%s%s%s", root, value[0] == '/' ? "" : "/", value);
	return 0;
}

int stage1_safe_entrypoint(const struct stage1 *s, const char *annotation, char **ret, struct err *e)
{
	auto_free char *root = xasprintf("%s/rootfs", s->dir);

	return stage1_entrypoint(s, annotation, root, ret, e);
}

/* ---- run ---- */

static bool known(const struct stage1 *s, int since, const char *option)
{
	if (s->interface_version >= since)
		return true;
	log_warn("stage1 %s has interface version %d and does not know %s (version %d): ignored", s->dir,
		 s->interface_version, option, since);
	return false;
}

static int run_args(const struct stage1 *s, const struct run_options *o, char ***argv, struct err *e)
{
	auto_free char *net = o->net ? strv_join(o->net, ",") : xstrdup("default");

	if (o->debug)
		strv_push(argv, "--debug");
	strv_pushf(argv, "--net=%s", net);
	if (o->interactive)
		strv_push(argv, "--interactive");
	if (o->local_config)
		strv_pushf(argv, "--local-config=%s", o->local_config);
	if (o->private_users)
		strv_pushf(argv, "--private-users=%s", o->private_users);
	if (o->hostname && known(s, V_HOSTNAME, "--hostname"))
		strv_pushf(argv, "--hostname=%s", o->hostname);
	/* Below version 3 there was nothing to switch off. */
	if (o->insecure_caps && s->interface_version >= V_INSECURE)
		strv_push(argv, "--disable-capabilities-restriction");
	if (o->insecure_paths && s->interface_version >= V_INSECURE)
		strv_push(argv, "--disable-paths");
	if (o->insecure_seccomp && s->interface_version >= V_INSECURE)
		strv_push(argv, "--disable-seccomp");
	if (o->dns_mode && known(s, V_DNS, "--dns and --hosts-entry"))
		strv_pushf(argv, "--dns-conf-mode=%s", o->dns_mode);
	if (o->mutable_pod && s->interface_version < V_MUTABLE)
		return err_set(e, ERR_STATE, ENOTSUP, "stage1 %s has interface version %d: no mutable pods",
			       s->dir, s->interface_version);
	if (o->mutable_pod)
		strv_push(argv, "--mutable");
	if (o->ipc && known(s, V_IPC, "--ipc"))
		strv_pushf(argv, "--ipc=%s", o->ipc);
	return 0;
}

/* Messages of ours begin with "rkt: VERB: ", and those of stage1 shall, too. */
static int set_verb(void)
{
	static const char ours[] = "rkt: ";
	const char *prefix = log_get_prefix();
	size_t n = strlen(ours);

	return strncmp(prefix, ours, n) == 0 ? setenv(CONTRACT_VERB, prefix + n, 1) : unsetenv(CONTRACT_VERB);
}

/* The lock travels by this descriptor; everything else of ours closes on exec. */
static int run_environment(const struct pod *p, const struct run_options *o, struct err *e)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", p->fd);
	if (setenv(CONTRACT_LOCK_FD, number, 1) < 0 || setenv(CONTRACT_SELINUX_CONTEXT, "", 1) < 0 ||
	    setenv(CONTRACT_SELINUX_MOUNT_CONTEXT, "", 1) < 0 ||
	    setenv(CONTRACT_FRESH, o->fresh ? "1" : "", 1) < 0 || set_verb() < 0 ||
	    (o->system_config && setenv(CONTRACT_SYSTEM_CONFIG, o->system_config, 1) < 0))
		return err_sys(e, errno, "set the environment of stage1");
	return 0;
}

/* The contract: descriptors 0 to 2, the lock, and sockets that a service manager handed to us by name of our
 * pid (sd_listen_fds(3)).  Whatever else the caller left open ends here. */
static int close_inherited(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint32_t p = 0, n = 0;

	if (!pid || !fds || parse_u32(pid, &p) < 0 || (pid_t)p != getpid() || parse_u32(fds, &n) < 0 ||
	    n > 1024)
		n = 0;
	if (syscall(SYS_close_range, 3 + n, ~0u, CLOSE_RANGE_CLOEXEC) == 0)
		return 0;
	/* before Linux 5.11: one by one */
	for (int fd = 3 + (int)n; fd < 4096; fd++)
		(void)fd_set_cloexec(fd, true);
	return 0;
}

int stage1_exec_run(const struct stage1 *s, struct pod *p, const struct run_options *o, struct err *e)
{
	auto_free char *root = s->native ? xasprintf("%s/rootfs", s->dir)
					 : xasprintf("%s/" DIR_RUN "/%s/" POD_STAGE1_ROOTFS, p->data->path,
						     p->uuid);
	auto_free char *path = NULL;
	auto_strv argv = NULL;
	int r = stage1_entrypoint(s, CONTRACT_RUN, root, &path, e);

	if (r == 0) {
		strv_push(&argv, path);
		r = run_args(s, o, &argv, e);
	}
	if (r == 0 && !s->native)
		r = classic_setup(s, p, e);
	if (r == 0)
		r = run_environment(p, o, e);
	if (r < 0)
		return r;
	strv_push(&argv, p->uuid);
	if (fchdir(p->fd) < 0)
		return err_sys(e, errno, "enter the directory of pod %s", p->uuid);
	r = close_inherited();
	if (r == 0)
		r = fd_set_cloexec(p->fd, false);
	if (r < 0)
		return err_sys(e, -r, "hand over the lock of pod %s", p->uuid);
	(void)execv(path, argv);
	r = err_sys(e, errno, "start stage1 %s", path);
	(void)fd_set_cloexec(p->fd, true);
	return r;
}

/* ---- enter ---- */

int stage1_exec_enter(const struct stage1 *s, const struct pod *p, pid_t init_pid, const char *app,
		      char *const *argv, struct err *e)
{
	auto_free char *path = NULL;
	auto_strv full = NULL;
	int r = stage1_safe_entrypoint(s, CONTRACT_ENTER, &path, e);

	if (r < 0)
		return r;
	strv_push(&full, path);
	strv_pushf(&full, "--pid=%d", (int)init_pid);
	if (app)
		strv_pushf(&full, "--appname=%s", app);
	strv_push(&full, "--");
	strv_push_all(&full, argv);
	if (fchdir(p->fd) < 0)
		return err_sys(e, errno, "enter the directory of pod %s", p->uuid);
	if (set_verb() < 0)
		return err_sys(e, errno, "set the environment of stage1");
	(void)execv(path, full);
	return err_sys(e, errno, "start stage1 %s", path);
}

/* ---- gc and stop ---- */

/* @quiet: its standard output is of no interest to ours. */
static int call(const struct stage1 *s, const struct pod *p, const char *annotation, char *const *args,
		bool quiet, struct err *e)
{
	static const struct proc_fd no_stdout[] = { { FD_NONE, 1 } };
	auto_free char *path = NULL;
	auto_strv argv = NULL;
	struct proc child;
	int status = 0;
	int r = stage1_safe_entrypoint(s, annotation, &path, e);

	if (r < 0)
		return r;
	strv_push(&argv, path);
	strv_push_all(&argv, args);
	strv_push(&argv, p->uuid);
	r = proc_spawn(&(struct spawn){ .path = path,
					.argv = argv,
					.env = environ,
					.fds = no_stdout,
					.nfds = quiet ? 1 : 0,
					.cwd_fd = p->fd },
		       &child, e);
	if (r == 0)
		r = proc_wait(&child, -1, &status, e);
	if (r < 0)
		return err_ctx(e, "stage1 %s", path);
	if (status)
		return err_set(e, ERR_STATE, EIO, "stage1 %s ended with status %d", path, status);
	return 0;
}

int stage1_call_gc(const struct stage1 *s, const struct pod *p, bool debug, const char *local_config,
		   struct err *e)
{
	auto_strv args = NULL;

	if (debug)
		strv_push(&args, "--debug");
	if (local_config && s->interface_version >= V_GC_CONFIG) {
		strv_push(&args, "--local-config");
		strv_push(&args, local_config);
	}
	return call(s, p, CONTRACT_GC, args, true, e);
}

int stage1_call_stop(const struct stage1 *s, const struct pod *p, bool force, struct err *e)
{
	auto_strv args = NULL;

	if (force)
		strv_push(&args, "--force");
	return call(s, p, CONTRACT_STOP, args, false, e);
}
