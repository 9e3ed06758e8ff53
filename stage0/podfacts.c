/*
 * podfacts — what the files of a pod say.
 *
 * Everything below stage1/rootfs or overlay/ may have been made by a process inside the pod, so it
 * is reached without following any link.  Nothing is read through a mount: the status of a pod whose
 * mounts are gone (after a reboot) is that of the upper directory.
 */
#include "stage0/pod.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/num.h"
#include "base/proc.h"
#include "base/strv.h"
#include "stage0/podfacts.h"
#include "stage1/contract.h"

#define SMALL_MAX 4096 /* bytes: pid files, status files, ids */

struct pod_manifest *pod_manifest_load(const struct pod *p, struct err *e)
{
	auto_buf b = BUF_INIT;
	struct pod_manifest *m;
	int r = read_file_at(p->fd, POD_FILE_MANIFEST, POD_MANIFEST_MAX, &b);

	if (r < 0) {
		err_sys(e, -r, "read the manifest of pod %s", p->uuid);
		return NULL;
	}
	m = pod_manifest_parse(buf_str(&b), b.len, e);
	if (!m)
		err_ctx(e, "manifest of pod %s", p->uuid);
	return m;
}

static int stat_of(const struct pod *p, const char *name, struct stat *st)
{
	return fstatat(p->fd, name, st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int pod_created(const struct pod *p, struct timespec *ret)
{
	struct stat st;
	int r = stat_of(p, POD_FILE_CREATED, &st);

	if (r == 0)
		*ret = st.st_mtim;
	return r;
}

int pod_started(const struct pod *p, struct timespec *ret)
{
	struct stat st;
	int r = stat_of(p, CONTRACT_FILE_PID_START, &st);

	if (r == -ENOENT)
		r = stat_of(p, CONTRACT_FILE_PID, &st);
	if (r == -ENOENT)
		r = stat_of(p, CONTRACT_FILE_PPID, &st);
	if (r == 0)
		*ret = st.st_mtim;
	return r;
}

int pod_gc_marked(const struct pod *p, struct timespec *ret)
{
	struct stat st;

	if (fstat(p->fd, &st) < 0)
		return -errno;
	*ret = st.st_ctim;
	return 0;
}

/* First line of a small file, without the newline. */
static int read_line(const struct pod *p, const char *name, struct buf *b)
{
	int r = record_read_at(p->fd, name, SMALL_MAX, b);
	char *nl;

	if (r < 0)
		return r;
	nl = b->len ? strchr(b->data, '\n') : NULL;
	if (nl) {
		*nl = '\0';
		b->len = (size_t)(nl - b->data);
	}
	return 0;
}

static int read_pid(const struct pod *p, const char *name, pid_t *ret)
{
	auto_buf b = BUF_INIT;
	uint32_t v = 0;
	int r = read_line(p, name, &b);

	if (r < 0)
		return r;
	if (b.len == 0)
		return -ENOENT; /* created, not yet written */
	if (parse_u32(b.data, &v) < 0 || v == 0 || v > INT32_MAX)
		return -EINVAL;
	*ret = (pid_t)v;
	return 0;
}

/* "PID STARTTIME BOOTID" of the supervisor, as our flavors write it. */
struct start {
	pid_t pid;
	unsigned long long time;
	char boot[40];
};

static int read_start(const struct pod *p, struct start *ret)
{
	auto_buf b = BUF_INIT;
	long pid = 0;
	int r = read_line(p, CONTRACT_FILE_PID_START, &b);

	if (r < 0)
		return r;
	if (sscanf(buf_str(&b), "%ld %llu %39s", &pid, &ret->time, ret->boot) != 3 || pid <= 0 ||
	    pid > INT32_MAX)
		return -EINVAL;
	ret->pid = (pid_t)pid;
	return 0;
}

/* Is it still the process that the pod recorded? */
static int check_start(const struct start *s)
{
	unsigned long long now = 0;
	char boot_now[37];
	int r = proc_boot_id(boot_now);

	if (r < 0)
		return r;
	if (strcmp(s->boot, boot_now) != 0)
		return -ESRCH;
	r = proc_start_time(s->pid, &now);
	if (r < 0)
		return r;
	return s->time == now ? 0 : -ESRCH;
}

/*
 * The pod's first process (*direct) or its parent.  What our flavors record comes first and is checked if @check;
 * others are believed as long as the pod is locked, which is as much as 1.30 knew.
 */
static int recorded_pid(const struct pod *p, bool check, pid_t *ret, bool *direct)
{
	struct start s = { .boot = "" };
	int r = read_start(p, &s);

	*direct = false;
	if (r == 0) {
		*ret = s.pid;
		return check ? check_start(&s) : 0;
	}
	if (r != -ENOENT)
		return r;
	r = read_pid(p, CONTRACT_FILE_PID, ret);
	*direct = r == 0;
	return r == -ENOENT ? read_pid(p, CONTRACT_FILE_PPID, ret) : r;
}

int pod_pid(const struct pod *p, pid_t *ret)
{
	bool direct;

	return recorded_pid(p, false, ret, &direct);
}

static bool same_pid_namespace(pid_t a, pid_t b)
{
	char path[64], of[2][64] = { "", "" };
	const pid_t pids[] = { a, b };

	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pids[i]);
		if (readlink(path, of[i], sizeof(of[i]) - 1) < 0)
			return true; /* gone: not the one that is looked for */
	}
	return strcmp(of[0], of[1]) == 0;
}

/* The only child of @ppid; of several, for a supervisor has helpers as well, the one that is alone in another pid namespace.
 * -ENOENT none yet, -ESRCH no such process, -ENOTUNIQ undecided. */
static int only_child(pid_t ppid, pid_t *ret)
{
	char path[64];
	auto_buf b = BUF_INIT;
	pid_t found = 0;
	size_t n = 0, inside = 0;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)ppid, (int)ppid);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	int r = fd_read_all(fd, SMALL_MAX, &b);
	if (r < 0)
		return r;
	auto_strv kids = strv_split(buf_str(&b), ' ');
	for (char **k = kids; *k; k++)
		n += **k != '\0';
	for (char **k = kids; *k; k++) {
		uint32_t v = 0;

		if (!**k)
			continue;
		if (parse_u32(*k, &v) < 0 || v == 0 || v > INT32_MAX)
			return -EINVAL;
		if (n > 1 && same_pid_namespace(ppid, (pid_t)v))
			continue;
		found = (pid_t)v;
		inside++;
	}
	*ret = found;
	return n == 0 ? -ENOENT : inside == 1 ? 0 : -ENOTUNIQ;
}

int pod_init_pid(const struct pod *p, pid_t *ret, struct err *e)
{
	pid_t pid = 0;
	bool direct = false;
	int r = recorded_pid(p, true, &pid, &direct);

	if (r == 0 && !direct)
		r = only_child(pid, &pid);
	if (r == -ENOENT)
		return err_set(e, ERR_STATE, ENOENT, "pod %s has not started its first process yet", p->uuid);
	if (r == -ESRCH)
		return err_set(e, ERR_STATE, ESRCH, "the processes of pod %s have gone", p->uuid);
	if (r < 0)
		return err_sys(e, -r, "find the first process of pod %s", p->uuid);
	*ret = pid;
	return 0;
}

int pod_supervisor(const struct pod *p, pid_t *ret)
{
	pid_t pid = 0;
	bool direct;
	int r = recorded_pid(p, true, &pid, &direct);

	if (r == 0)
		*ret = pid;
	return r;
}

int pod_small_file(const struct pod *p, const char *name, char *ret, size_t room)
{
	auto_buf b = BUF_INIT;
	int r = read_line(p, name, &b);

	if (r < 0)
		return r;
	if (b.len >= room)
		return -EFBIG;
	memcpy(ret, buf_str(&b), b.len + 1);
	return 0;
}

int pod_rkt_dir(const struct pod *p)
{
	char id[SMALL_MAX], path[SMALL_MAX + 64];
	int fd;

	/* Classic stage1 with overlay: what was written through the mount is in the upper directory. */
	if (pod_small_file(p, POD_FILE_STAGE1_TREE, id, sizeof(id)) == 0 && id[0]) {
		(void)snprintf(path, sizeof(path), POD_DIR_OVERLAY "/%s/upper/rkt", id);
		fd = open_beneath(p->fd, path, O_PATH | O_DIRECTORY, 0);
		if (fd >= 0)
			return fd;
	}
	return open_beneath(p->fd, POD_STAGE1_ROOTFS "/rkt", O_PATH | O_DIRECTORY, 0);
}

/* "N\n" in the file @path below @dirfd. */
static int read_status(int dirfd, const char *path, int *ret)
{
	char text[32];
	auto_close int fd = open_beneath(dirfd, path, O_RDONLY | O_NONBLOCK, 0);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	int64_t v = 0;

	if (fd < 0 || n < 0)
		return fd < 0 ? fd : -errno;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	if (parse_i64(text, &v) < 0 || v < INT32_MIN || v > INT32_MAX)
		return -ENOENT; /* being written */
	*ret = (int)v;
	return 0;
}

/* A number that our flavors recorded. */
static int read_fact(const struct pod *p, const char *app, const char *name, int *ret)
{
	auto_free char *path = xasprintf(POD_DIR_APPSINFO "/%s/%s", app, name);
	auto_buf b = BUF_INIT;
	int64_t v = 0;
	int r = read_line(p, path, &b);

	if (r < 0)
		return r;
	if (parse_i64(buf_str(&b), &v) < 0 || v < INT32_MIN || v > INT32_MAX)
		return -EINVAL;
	*ret = (int)v;
	return 0;
}

/* First where our flavors record it; what is not there may have been left for or by somebody else. */
int pod_app_status(const struct pod *p, const char *app, int *ret)
{
	auto_free char *own = xasprintf(CONTRACT_DIR_STATUS "/%s", app);
	int r = read_fact(p, app, CONTRACT_APP_STATUS, ret);

	if (r == -ENOENT)
		r = read_status(p->fd, own, ret);
	if (r != -ENOENT)
		return r;
	auto_close int rkt = pod_rkt_dir(p);
	auto_free char *theirs = xasprintf("status/%s", app);
	return rkt < 0 ? -ENOENT : read_status(rkt, theirs, ret);
}

int pod_app_restarts(const struct pod *p, const char *app)
{
	auto_free char *path = xasprintf(CONTRACT_DIR_RESTARTS "/%s", app);
	int n = 0;

	return read_fact(p, app, CONTRACT_APP_RESTARTS, &n) < 0 && read_status(p->fd, path, &n) < 0 ? 0 : n;
}

bool pod_ready(const struct pod *p)
{
	char text[8];
	ssize_t n = readlinkat(p->fd, CONTRACT_LINK_READY, text, sizeof(text));

	if (n < 0) {
		auto_close int rkt = pod_rkt_dir(p);

		n = rkt < 0 ? -1 : readlinkat(rkt, "supervisor-status", text, sizeof(text));
	}
	return n == 5 && memcmp(text, "ready", 5) == 0;
}
