/* appcall — see appcall.h. */
#include "stage1/lib/appcall.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "base/opt.h"
#include "base/strv.h"
#include "base/uuid.h"
#include "stage1/contract.h"
#include "stage1/lib/running.h"
#include "stage2/launch.h"

#define ROW(member, nm, ar, hl)                                                                              \
	{                                                                                                    \
		.name = nm, .kind = OPT_STR, .offset = offsetof(struct app_entry, member), .arg = ar,        \
		.help = hl                                                                                   \
	}

static const struct opt entry_opts[] = {
	ROW(debug, "debug", "BOOL", "verbose diagnostics"),
	ROW(uuid, "uuid", "UUID", "the pod"),
	ROW(app, "app", "NAME", "the app"),
	{ .kind = OPT_END },
};

static int check_args(const struct app_entry *a, bool *debug, struct err *e)
{
	char uuid[UUID_LEN + 1];

	if (!a->app || !*a->app)
		return err_set(e, ERR_USAGE, EINVAL, "--app is missing");
	if (a->uuid && uuid_parse(a->uuid, uuid) < 0)
		return err_set(e, ERR_USAGE, EINVAL, "--uuid=%s: not a UUID", a->uuid);
	if (a->debug && parse_bool(a->debug, debug) < 0)
		return err_set(e, ERR_USAGE, EINVAL, "--debug=%s: neither true nor false", a->debug);
	return 0;
}

static int run_entry(struct app_entry *a, int argc, char **argv, const char *prefix,
		     int (*work)(struct app_entry *a, struct err *e), struct err *e)
{
	struct opt_set set = { entry_opts, a };
	auto_strv rest = NULL;
	bool debug = false;
	int index = 1;
	int r = opt_parse(&set, 1, argc, argv, &index, OPT_STOP_NEVER, &rest, e);

	if (r == 0)
		r = check_args(a, &debug, e);
	if (r < 0)
		return r;
	log_setup(prefix, debug ? LOG_VERBOSE : LOG_NORMAL);
	a->pod_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return a->pod_fd < 0 ? err_sys(e, errno, "open the pod directory") : work(a, e);
}

int app_entry_main(int argc, char **argv, const char *name, int (*work)(struct app_entry *a, struct err *e))
{
	struct err e = ERR_INIT;
	struct app_entry a = { .pod_fd = FD_NONE };
	auto_free char *prefix = xasprintf("rkt: %s", name);

	(void)fd_ensure_std();
	(void)umask(022);
	log_setup(prefix, LOG_NORMAL);
	(void)prctl(PR_SET_DUMPABLE, 0);
	int r = run_entry(&a, argc, argv, prefix, work, &e);
	if (r < 0)
		log_error("%s", e.text);
	fd_close(&a.pod_fd);
	opt_done(entry_opts, &a);
	return r < 0 ? CONTRACT_EXIT_FAILURE : r;
}

/* ---- the supervisor ---- */

static int connect_supervisor(struct err *e)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = CONTRACT_FILE_SOCKET };
	auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(e, errno, "socket");
	if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0)
		return steal_fd(&fd);
	if (errno == ENOENT)
		return err_set(e, ERR_STATE, ENOTSUP, "the pod takes no requests");
	return errno == ECONNREFUSED ? err_set(e, ERR_STATE, ESRCH, "the pod is not running")
				     : err_sys(e, errno, "connect to the pod's supervisor");
}

static int told_failure(const struct app_entry *a, struct plan_msg *m, struct err *e)
{
	int code = m->code ? m->code : EIO;

	m->text[sizeof(m->text) - 1] = '\0';
	if (!m->value)
		err_set(e, ERR_STATE, code, "%s", m->text[0] ? m->text : strerror(code));
	else if (m->code && m->text[0])
		err_set(e, ERR_STATE, code, "%s: %s: %s", launch_step_name(m->value), m->text,
			strerror(code));
	else
		err_set(e, ERR_STATE, code, "%s: %s", launch_step_name(m->value),
			m->code ? strerror(code) : m->text);
	return err_ctx(e, "app \"%s\"", a->app);
}

int app_request(const struct app_entry *a, const struct app_call *call, int with, struct plan_msg *ret,
		struct err *e)
{
	struct app_call c = *call;
	struct plan_msg m = { .type = 0 };
	auto_close int fd = FD_NONE;

	if (strlen(a->app) >= sizeof(c.name))
		return err_set(e, ERR_INPUT, ENAMETOOLONG, "the app's name is too long");
	memcpy(c.name, a->app, strlen(a->app));
	fd = connect_supervisor(e);
	if (fd < 0)
		return fd;
	int r = fd_send(fd, &c, sizeof(c), &with, with >= 0 ? 1 : 0);
	ssize_t n = r == 0 ? fd_recv(fd, &m, sizeof(m), NULL, NULL) : r;
	if (n != (ssize_t)sizeof(m))
		return err_set(e, ERR_STATE, ESRCH, "the pod ended meanwhile");
	if (ret)
		*ret = m;
	return m.type == MSG_FAILED ? told_failure(a, &m, e) : 0;
}

/* ---- init's mounts ---- */

int init_place_open(int pod_fd, struct init_place *ret, struct err *e)
{
	pid_t pid = 0;

	*ret = (struct init_place){ FD_NONE, FD_NONE };
	int r = running_init(pod_fd, &pid, &ret->pidfd, e);
	if (r < 0)
		return r;
	ret->root = running_root(pid, ret->pidfd);
	return ret->root < 0 ? err_set(e, ERR_STATE, ESRCH, "the pod's first process has gone") : 0;
}

int init_place_enter(const struct init_place *p, int more, struct err *e)
{
	if (syscall(SYS_setns, p->pidfd, CLONE_NEWNS | more) < 0)
		return err_sys(e, errno, "join the pod's mount namespace");
	return fchdir(p->root) < 0 ? err_sys(e, errno, "enter the pod's root") : 0;
}

void init_place_done(struct init_place *p)
{
	fd_close(&p->pidfd);
	fd_close(&p->root);
}
