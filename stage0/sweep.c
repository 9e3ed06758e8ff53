/*
 * sweep — delete what its dead makers left.
 *
 * Whoever makes a file or directory in one of these places locks it and then looks whether it is
 * still there; so what can be locked has no living maker, or one who will notice.
 */
#include "stage0/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/fsat.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/uuid.h"
#include "base/when.h"
#include "stage0/age.h"
#include "stage0/partial.h"

static bool is_pod(const char *name)
{
	return uuid_valid(name);
}

static bool is_any(const char *name)
{
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static const struct {
	const char *dir;
	bool (*ours)(const char *name);
} places[] = {
	{ DIR_EMBRYO, is_pod },
	{ DIR_CAS_TMP, is_any },
	{ DIR_TMP, is_any },
	{ DIR_LOCKS, is_any },
};

/* An interrupted transfer that somebody may want to continue. */
static bool wanted(const char *name, int fd, int64_t before)
{
	struct stat st;

	return partial_is(name) && fstat(fd, &st) == 0 && when_ns(st.st_mtim) > before;
}

static void sweep_one(int dirfd, const char *dir, const char *name, int64_t before)
{
	auto_close int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct err e = ERR_INIT;

	/* Links, sockets and the like have no lock; nothing of ours is one. */
	if (fd < 0 && errno != ELOOP && errno != ENXIO)
		return;
	if (fd >= 0 && (lock_fd(fd, LOCK_EXCL, 0) < 0 || wanted(name, fd, before)))
		return;
	if (rm_tree_at(dirfd, name, &e) < 0)
		log_debug("sweep %s/%s: %s", dir, name, e.text);
}

static int sweep_dir(const struct datadir *d, size_t place, int64_t keep_ns)
{
	auto_close int fd = openat(d->fd, places[place].dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_close int copy = FD_NONE;
	auto_closedir DIR *dir = NULL;
	int64_t before = INT64_MAX;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir)
		return -errno;
	(void)steal_fd(&copy);
	if (keep_ns && strcmp(places[place].dir, DIR_CAS_TMP) == 0)
		before = age_now_in(d->fd, DIR_CAS_TMP, "transfers") - keep_ns;
	for (const struct dirent *de; (de = readdir(dir));)
		if (places[place].ours(de->d_name))
			sweep_one(fd, places[place].dir, de->d_name, before);
	return 0;
}

int sweep(const struct datadir *d, int64_t keep_partial_ns, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		int r = sweep_dir(d, i, keep_partial_ns);
		if (r < 0)
			return err_sys(e, -r, "sweep %s/%s", d->path, places[i].dir);
	}
	return 0;
}
