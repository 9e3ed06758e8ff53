/* running — see running.h. */
#include "stage1/lib/running.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/num.h"
#include "base/proc.h"
#include "base/strv.h"
#include "stage1/contract.h"
#include "stage1/lib/appfact.h"

static int read_path(const char *path, struct buf *b)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_read_all(fd, 1u << 20, b);
}

static int open_pid(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

static int not_running(struct err *e, const char *what)
{
	return err_set(e, ERR_STATE, ESRCH, "%s is not running", what);
}

/* No process can be held without pidfd_open(2) (Linux 5.3): that is not the same as "it is not running". */
static int cannot_hold(int r, struct err *e)
{
	return err_sys(e, -r, "pidfd_open");
}

static bool missing(int r)
{
	return r == -ENOSYS || r == -EPERM;
}

struct recorded {
	pid_t pid;
	uint64_t start;
	char boot[37];
};

/* "PID START BOOT". */
static int read_record(int pod_fd, struct recorded *ret, struct err *e)
{
	auto_buf b = BUF_INIT;
	uint32_t pid = 0;
	int r = record_read_at(pod_fd, CONTRACT_FILE_PID_START, 256, &b);

	if (r < 0)
		return r == -ENOENT ? not_running(e, "the pod")
				    : err_sys(e, -r, "read %s", CONTRACT_FILE_PID_START);
	if (b.len && b.data[b.len - 1] == '\n')
		b.data[--b.len] = '\0';
	auto_strv f = strv_split(buf_str(&b), ' ');
	if (strv_len(f) != 3 || parse_u32(f[0], &pid) < 0 || pid < 2 || parse_u64(f[1], &ret->start) < 0 ||
	    strlen(f[2]) >= sizeof(ret->boot))
		return err_set(e, ERR_STATE, EINVAL, "%s is malformed", CONTRACT_FILE_PID_START);
	ret->pid = (pid_t)pid;
	memcpy(ret->boot, f[2], strlen(f[2]) + 1);
	return 0;
}

static bool is_it(const struct recorded *rec)
{
	unsigned long long now = 0;
	char boot[37];

	return proc_boot_id(boot) == 0 && strcmp(boot, rec->boot) == 0 &&
	       proc_start_time(rec->pid, &now) == 0 && now == rec->start;
}

/* Open first, compare afterwards, so that the comparison is of what we hold. */
int running_supervisor(int pod_fd, pid_t *ret_pid, struct err *e)
{
	struct recorded rec;
	int r = read_record(pod_fd, &rec, e);

	if (r < 0)
		return r;
	auto_close int fd = open_pid(rec.pid);
	if (missing(fd))
		return cannot_hold(fd, e);
	if (fd < 0 || !is_it(&rec))
		return not_running(e, "the pod's supervisor");
	*ret_pid = rec.pid;
	return steal_fd(&fd);
}

int running_kill(int pod_fd, int sig, struct err *e)
{
	struct recorded rec;
	int r = read_record(pod_fd, &rec, e);

	if (r < 0)
		return r;
	if (!is_it(&rec))
		return not_running(e, "the pod's supervisor");
	return kill(rec.pid, sig) < 0 ? err_sys(e, errno, "signal the pod") : 0;
}

static char **children(pid_t pid)
{
	auto_free char *path = xasprintf("/proc/%d/task/%d/children", pid, pid);
	auto_buf b = BUF_INIT;

	if (read_path(path, &b) < 0)
		return NULL;
	return strv_split(buf_str(&b), ' ');
}

int running_init(int pod_fd, pid_t *ret_pid, int *ret_pidfd, struct err *e)
{
	pid_t pid = 0;
	uint32_t child = 0;
	auto_close int sup = running_supervisor(pod_fd, &pid, e);

	if (sup < 0)
		return sup;
	auto_strv kids = children(pid);
	if (!kids || !kids[0] || parse_u32(kids[0], &child) < 0)
		return not_running(e, "the pod's first process");
	int fd = open_pid((pid_t)child);
	if (missing(fd))
		return cannot_hold(fd, e);
	if (fd < 0)
		return not_running(e, "the pod's first process");
	*ret_pid = (pid_t)child;
	*ret_pidfd = fd;
	return 0;
}

/* Last field of the NSpid line: the number in the innermost pid namespace. */
static int inner_pid(const char *host_pid, uint32_t *ret)
{
	auto_free char *path = xasprintf("/proc/%s/status", host_pid);
	auto_buf b = BUF_INIT;
	int r = read_path(path, &b);

	if (r < 0)
		return r;
	char *line = b.len ? strstr(b.data, "\nNSpid:") : NULL;
	if (!line)
		return -EINVAL;
	line++;
	line[strcspn(line, "\n")] = '\0';
	return parse_u32(strrchr(line, '\t') + 1, ret);
}

/* The root is found by number; that the number is still the process is asked afterwards. */
static int root_of(int pidfd, const char *host_pid)
{
	auto_free char *path = xasprintf("/proc/%s/root", host_pid);
	auto_close int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return -ESRCH;
	if (syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0) < 0)
		return -errno;
	return steal_fd(&root);
}

int running_root(pid_t pid, int pidfd)
{
	auto_free char *host_pid = xasprintf("%d", (int)pid);

	return root_of(pidfd, host_pid);
}

/* A status is written when the app has ended; its pid may be another's by now. */
static bool has_status(int pod_fd, const char *app)
{
	auto_free char *own = app_fact_ours(&app_fact_status, app);
	auto_free char *file = app_fact_classic(&app_fact_status, app);

	return faccessat(pod_fd, own, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
	       faccessat(pod_fd, file, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int running_app(int pod_fd, pid_t init, const char *app, int *ret_root, struct err *e)
{
	auto_free char *own = app_fact_ours(&app_fact_pid, app);
	auto_free char *file = app_fact_classic(&app_fact_pid, app);
	auto_free char *what = xasprintf("app \"%s\"", app);
	auto_buf b = BUF_INIT;
	uint32_t want = 0;
	int r = record_read_at(pod_fd, own, 32, &b);

	if (r == -ENOENT)
		r = read_file_at(pod_fd, file, 32, &b);
	if (r < 0 || has_status(pod_fd, app))
		return not_running(e, what);
	b.data[strcspn(b.data, "\n")] = '\0';
	if (parse_u32(b.data, &want) < 0)
		return err_set(e, ERR_STATE, EINVAL, "%s is malformed", file);
	auto_strv kids = children(init);
	for (char **k = kids; k && *k; k++) {
		uint32_t host = 0, inner = 0;

		if (!**k || parse_u32(*k, &host) < 0)
			continue;
		auto_close int fd = open_pid((pid_t)host);
		if (fd < 0 || inner_pid(*k, &inner) < 0 || inner != want)
			continue;
		*ret_root = root_of(fd, *k);
		if (missing(*ret_root))
			return err_sys(e, -*ret_root, "pidfd_send_signal");
		return *ret_root < 0 ? not_running(e, what) : steal_fd(&fd);
	}
	return not_running(e, what);
}
