/*
 * pod — the six directories and the moves between them.
 *
 * A pod's directory is found by trying the one where it was seen last, and then the six in the order in
 * which a pod travels: a pod that moves while we look moves ahead of us and is met later.  Every conclusion about the lock is checked
 * against the directory afterwards, because both can change between two calls.
 *
 * Nothing on the way to run/ is synced to disk: a pod does not outlive the machine that runs it, and
 * after a power cut an unlocked directory, however incomplete, is garbage by definition.  Only
 * `rkt prepare` promises that something stays, so only the move to prepared/ waits for the disk.
 */
#include "stage0/pod.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fsat.h"
#include "base/lock.h"
#include "base/strv.h"

enum { AT_EMBRYO, AT_PREPARE, AT_PREPARED, AT_RUN, AT_EXITED_GARBAGE, AT_GARBAGE, N_DIRS };

#define TRIES      16 /* a pod makes at most four moves; more tries than that mean a busy lock, not a race */
#define BIRTHS     1000 /* a gc that does nothing but delete embryos may win many times, not this many */
#define LOCK_TRIES 50
#define LOCK_PAUSE 2000000L /* nanoseconds between two of them */

/* Where, and what that means with and without the lock (internals.md section 1.2). */
static const struct {
	const char *dir;
	enum pod_state held, free;
	bool lock_matters;
	bool left_locked; /* who moves a pod from here to a better place has the lock, and gives it up there */
} place[N_DIRS] = {
	[AT_EMBRYO] = { DIR_EMBRYO, POD_EMBRYO, POD_EMBRYO, false, true },
	[AT_PREPARE] = { DIR_PREPARE, POD_PREPARING, POD_ABORTED_PREPARE, true, true },
	[AT_PREPARED] = { DIR_PREPARED, POD_PREPARED, POD_PREPARED, false, true },
	[AT_RUN] = { DIR_RUN, POD_RUNNING, POD_EXITED, true, false },
	[AT_EXITED_GARBAGE] = { DIR_EXITED_GARBAGE, POD_EXITED_DELETING, POD_EXITED_GARBAGE, true, false },
	[AT_GARBAGE] = { DIR_GARBAGE, POD_DELETING, POD_GARBAGE, true, false },
};

static const char *const state_names[] = {
	[POD_EMBRYO] = "embryo",
	[POD_PREPARING] = "preparing",
	[POD_ABORTED_PREPARE] = "aborted prepare",
	[POD_PREPARED] = "prepared",
	[POD_RUNNING] = "running",
	[POD_EXITED] = "exited",
	[POD_EXITED_GARBAGE] = "exited garbage",
	[POD_EXITED_DELETING] = "exited deleting",
	[POD_GARBAGE] = "garbage",
	[POD_DELETING] = "deleting",
	[POD_GONE] = "gone",
};

const char *pod_state_name(enum pod_state s)
{
	assert((size_t)s < ARRAY_LEN(state_names));
	return state_names[s];
}

struct where {
	char path[32 + UUID_LEN]; /* relative to the data directory */
};

static struct where where(int at, const char *uuid)
{
	struct where w;
	int n = snprintf(w.path, sizeof(w.path), "%s/%s", place[at].dir, uuid);

	assert(n > 0 && (size_t)n < sizeof(w.path));
	return w;
}

void pod_done(struct pod *p)
{
	fd_close(&p->fd); /* and with it the lock, unless a duplicate lives on */
	p->locked = false;
}

/* Is the open directory the one that has the pod's name at @at? */
static bool is_at(const struct pod *p, int at)
{
	struct where w = where(at, p->uuid);
	struct stat mine, named;

	return fstat(p->fd, &mine) == 0 && fstatat(p->data->fd, w.path, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       mine.st_dev == named.st_dev && mine.st_ino == named.st_ino;
}

/* Where the pod is now, -1 if nowhere.  Most have not moved since we looked last. */
static int find(struct pod *p)
{
	if (is_at(p, p->at))
		return p->at;
	for (int at = 0; at < N_DIRS; at++) {
		if (is_at(p, at)) {
			p->at = at;
			return at;
		}
	}
	return -1;
}

static int open_at(struct pod *p, int at)
{
	struct where w = where(at, p->uuid);

	p->fd = openat(p->data->fd, w.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (p->fd >= 0) {
		p->at = at;
		return at;
	}
	p->fd = FD_NONE;
	return -errno;
}

/* Open the directory where the pod is now, @first for a start; the place, or -errno (-ENOENT: nowhere). */
static int open_somewhere(struct pod *p, int first)
{
	int r = open_at(p, first);

	for (int at = 0; at < N_DIRS && r == -ENOENT; at++)
		r = open_at(p, at);
	return r;
}

/* The state of a pod that was just seen at @at; -EAGAIN when it has moved since. */
static int sample(struct pod *p, int at)
{
	int held = p->locked;

	if (!held && place[at].lock_matters) {
		held = lock_probe(p->fd);
		if (held < 0)
			return held;
		/* The creator moves first and unlocks afterwards, so "unlocked, and still here" is final.  From the
		 * other places a pod goes unlocked, and what it was when we opened it is as good an answer. */
		if (!held && place[at].left_locked && !is_at(p, at))
			return -EAGAIN;
	}
	p->state = held ? place[at].held : place[at].free;
	return 0;
}

int pod_open_place(const struct datadir *d, const struct pod_place *seen, struct pod *ret, struct err *e)
{
	auto_pod p = POD_INIT;
	int r = -EAGAIN;

	if (!uuid_valid(seen->uuid))
		return err_set(e, ERR_USAGE, EINVAL, "\"%s\" is not a UUID", seen->uuid);
	memcpy(p.uuid, seen->uuid, sizeof(p.uuid));
	p.data = d;
	for (int try = 0; r == -EAGAIN && try < TRIES; try++) {
		fd_close(&p.fd);
		r = open_somewhere(&p, seen->at);
		if (r == -ENOENT)
			return err_set(e, ERR_STATE, ENOENT, "no pod %s", p.uuid);
		if (r >= 0)
			r = sample(&p, r);
	}
	if (r < 0)
		return err_sys(e, -r, "open pod %s", p.uuid);
	*ret = p;
	p.fd = FD_NONE;
	return 0;
}

int pod_open(const struct datadir *d, const char *uuid, struct pod *ret, struct err *e)
{
	struct pod_place from = { .at = AT_EMBRYO };

	if (!uuid_valid(uuid))
		return err_set(e, ERR_USAGE, EINVAL, "\"%s\" is not a UUID", uuid);
	memcpy(from.uuid, uuid, sizeof(from.uuid));
	return pod_open_place(d, &from, ret, e);
}

int pod_refresh(struct pod *p, struct err *e)
{
	int r = -EAGAIN;

	if (p->state == POD_GONE)
		return 0;
	for (int try = 0; r == -EAGAIN && try < TRIES; try++) {
		int at = find(p);
		if (at < 0 &&
		    (at = find(p)) < 0) { /* twice: a move in mid-scan hides nothing from the second */
			pod_done(p);
			p->state = POD_GONE;
			return 0;
		}
		r = sample(p, at);
	}
	return r < 0 ? err_sys(e, -r, "look at pod %s", p->uuid) : 0;
}

/* ---- creation ---- */

/* A locked directory in embryo/, or -EAGAIN when gc took it for a dead one before we had the lock; if it was deleted before
 * that, moving it says so. */
static int make_embryo(struct pod *p)
{
	struct where w = where(AT_EMBRYO, p->uuid);

	if (mkdirat(p->data->fd, w.path, 0750) < 0) {
		struct err ignored = ERR_INIT;

		/* somebody removed the directories above it */
		if (errno == ENOENT)
			return datadir_repair(p->data, &ignored) < 0 ? -ENOENT : -EAGAIN;
		return errno == EEXIST ? -EAGAIN : -errno;
	}
	p->fd = openat(p->data->fd, w.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (p->fd < 0) {
		p->fd = FD_NONE;
		return errno == ENOENT ? -EAGAIN : -errno;
	}
	return lock_fd(p->fd, LOCK_EXCL, 1);
}

static int move(struct pod *p, int from, int to)
{
	struct where a = where(from, p->uuid), b = where(to, p->uuid);

	return renameat(p->data->fd, a.path, p->data->fd, b.path) < 0 ? -errno : 0;
}

/* -ENOENT: gc deleted it before we had the lock, or somebody removed the directory where it goes. */
static int leave_embryo(struct pod *p)
{
	struct err ignored = ERR_INIT;
	int r = move(p, AT_EMBRYO, AT_PREPARE);

	if (r == -ENOENT && datadir_repair(p->data, &ignored) == 0)
		r = move(p, AT_EMBRYO, AT_PREPARE);
	return r == -ENOENT ? -EAGAIN : r;
}

int pod_create(const struct datadir *d, struct pod *ret, struct err *e)
{
	int r = -EAGAIN;

	for (int try = 0; r == -EAGAIN && try < BIRTHS; try++) {
		auto_pod p = POD_INIT;

		p.data = d;
		r = uuid_new(p.uuid);
		if (r == 0)
			r = make_embryo(&p);
		if (r == 0)
			r = leave_embryo(&p);
		if (r == 0) {
			p.locked = true;
			p.state = POD_PREPARING;
			*ret = p;
			p.fd = FD_NONE;
		}
	}
	return r < 0 ? err_sys(e, -r, "create a pod below %s/%s", d->path, DIR_PODS) : 0;
}

/* ---- locks and moves ---- */

/* Take the lock of a pod that is at @at.  Whoever probes the state holds a shared lock for an
 * instant, so a refusal is believed only when it lasts; a pod that has left is -ENOENT at once. */
static int lock_at(struct pod *p, int at)
{
	const struct timespec pause = { 0, LOCK_PAUSE };

	if (p->locked)
		return is_at(p, at) ? 0 : -ENOENT;
	for (int try = 0; try < LOCK_TRIES; try++) {
		int r = lock_fd(p->fd, LOCK_EXCL, 0);
		if (r < 0 && r != -EWOULDBLOCK)
			return r;
		if (!is_at(p, at)) {
			if (r == 0)
				(void)unlock_fd(p->fd);
			return -ENOENT;
		}
		if (r == 0) {
			p->locked = true;
			return 0;
		}
		(void)nanosleep(&pause, NULL);
	}
	return -EBUSY;
}

int pod_lock(struct pod *p, struct err *e)
{
	int at = p->at;
	int r = p->fd >= 0 ? lock_at(p, at) : -ENOENT;

	/* It has moved since it was seen there. */
	if (r == -ENOENT && p->fd >= 0 && (at = find(p)) >= 0)
		r = lock_at(p, at);

	if (r == -EBUSY)
		return err_set(e, ERR_STATE, EBUSY, "pod %s is in use by another process", p->uuid);
	if (r == -ENOENT)
		return err_set(e, ERR_STATE, ENOENT, "pod %s has gone", p->uuid);
	if (r < 0)
		return err_sys(e, -r, "lock pod %s", p->uuid);
	p->state = place[at].held;
	return 0;
}

static int sync_dir(const struct pod *p, int at)
{
	auto_close int fd = openat(p->data->fd, place[at].dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fsync_dir(fd);
}

/* -EBUSY: what the caller wants is not for a pod in this state. */
static int wrong_state(const struct pod *p, struct err *e)
{
	return err_set(e, ERR_STATE, EBUSY, "pod %s is %s", p->uuid, pod_state_name(p->state));
}

int pod_to_prepared(struct pod *p, struct err *e)
{
	int r;

	assert(p->locked && p->state == POD_PREPARING);
	if (syncfs(p->fd) < 0)
		return err_sys(e, errno, "write pod %s to disk", p->uuid);
	r = move(p, AT_PREPARE, AT_PREPARED);
	if (r == 0) {
		p->state = POD_PREPARED;
		p->locked = false;
		r = unlock_fd(p->fd);
	}
	if (r == 0)
		r = sync_dir(p, AT_PREPARED);
	if (r == 0)
		r = sync_dir(p, AT_PREPARE);
	return r < 0 ? err_sys(e, -r, "move pod %s to %s", p->uuid, DIR_PREPARED) : 0;
}

int pod_to_run(struct pod *p, struct err *e)
{
	int from = p->state == POD_PREPARED ? AT_PREPARED : AT_PREPARE;
	int r;

	if (p->state == POD_RUNNING)
		return err_set(e, ERR_STATE, EBUSY, "pod %s is being run by another rkt", p->uuid);
	if (p->state != POD_PREPARED && (p->state != POD_PREPARING || !p->locked))
		return wrong_state(p, e);
	/* a pod that we hold since it was born cannot have moved; rename says so if somebody took it away */
	r = p->locked && p->state == POD_PREPARING ? 0 : lock_at(p, from);
	if (r == -EBUSY || (r == -ENOENT && find(p) == AT_RUN))
		return err_set(e, ERR_STATE, EBUSY, "pod %s is being run by another rkt", p->uuid);
	if (r == 0)
		r = move(p, from, AT_RUN);
	if (r == -ENOENT)
		return err_set(e, ERR_STATE, ENOENT, "pod %s was removed meanwhile", p->uuid);
	if (r < 0)
		return err_sys(e, -r, "move pod %s to %s", p->uuid, DIR_RUN);
	p->state = POD_RUNNING;
	return 0;
}

int pod_to_exited_garbage(struct pod *p, struct err *e)
{
	int r;

	if (p->state != POD_EXITED)
		return wrong_state(p, e);
	r = move(p, AT_RUN, AT_EXITED_GARBAGE);
	if (r == -ENOENT) /* another gc or rm was faster; what we want is done */
		return err_set(e, ERR_STATE, ENOENT, "pod %s was moved meanwhile", p->uuid);
	if (r < 0)
		return err_sys(e, -r, "move pod %s to %s", p->uuid, DIR_EXITED_GARBAGE);
	p->state = POD_EXITED_GARBAGE;
	return 0;
}

int pod_to_garbage(struct pod *p, struct err *e)
{
	int from = p->state == POD_PREPARED ? AT_PREPARED : AT_PREPARE;
	int r;

	if (p->state != POD_PREPARED && p->state != POD_ABORTED_PREPARE &&
	    !(p->state == POD_PREPARING && p->locked))
		return wrong_state(p, e);
	/* With the lock: a run-prepared may want the same pod. */
	r = lock_at(p, from);
	if (r == -EBUSY)
		return err_set(e, ERR_STATE, EBUSY, "pod %s is in use by another process", p->uuid);
	if (r == 0)
		r = move(p, from, AT_GARBAGE);
	if (r == -ENOENT)
		return err_set(e, ERR_STATE, ENOENT, "pod %s was moved meanwhile", p->uuid);
	if (r < 0)
		return err_sys(e, -r, "move pod %s to %s", p->uuid, DIR_GARBAGE);
	p->state = POD_DELETING;
	return 0;
}

/* What must be read to finish the deletion another time goes last. */
static const char *const delete_first[] = {
	POD_STAGE1_ROOTFS,
	POD_DIR_OVERLAY,
	POD_DIR_VOLUMES,
	POD_DIR_APPSINFO,
};

int pod_delete(struct pod *p, struct err *e)
{
	auto_close int parent = FD_NONE;
	int at, r;

	assert(p->locked && (p->state == POD_EXITED_DELETING || p->state == POD_DELETING));
	at = p->state == POD_DELETING ? AT_GARBAGE : AT_EXITED_GARBAGE;
	for (size_t i = 0; i < ARRAY_LEN(delete_first); i++) {
		r = rm_tree_at(p->fd, delete_first[i], e);
		if (r < 0)
			return err_ctx(e, "delete pod %s", p->uuid);
	}
	parent = openat(p->data->fd, place[at].dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return err_sys(e, errno, "open %s", place[at].dir);
	r = rm_tree_at(parent, p->uuid, e);
	if (r < 0)
		return err_ctx(e, "delete pod %s", p->uuid);
	pod_done(p);
	p->state = POD_GONE;
	return 0;
}
