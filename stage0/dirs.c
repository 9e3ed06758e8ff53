/*
 * dirs — open or make the data directory.
 *
 * One table lists the directories and their permissions.  The tree is made once: a start that finds
 * the last directory present makes no further calls, so that `rkt run` pays for one.
 */
#include "stage0/dirs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fsat.h"
#include "base/num.h"
#include "base/path.h"
#include "base/strv.h"

#define GROUP_FILE_MAX (4u << 20) /* bytes */

static const struct {
	const char *name;
	mode_t mode;
} tree[] = {
	{ DIR_PODS, 0750 },
	{ DIR_EMBRYO, 0750 },
	{ DIR_PREPARE, 0750 },
	{ DIR_PREPARED, 0750 },
	{ DIR_RUN, 0750 },
	{ DIR_EXITED_GARBAGE, 0750 },
	{ DIR_GARBAGE, 0750 },
	{ DIR_CAS, 0750 },
	{ DIR_BLOB, 0750 },
	/* Set-user-ID files of images live below these: nobody but root may walk in (threats.md R32). */
	{ DIR_TREE, 0700 },
	{ DIR_REF, 0750 },
	{ DIR_IMAGE, 0750 },
	{ DIR_CAS_TMP, 0700 },
	{ DIR_LOCKS, 0750 },
	{ DIR_TMP, 0700 },
};

void datadir_done(struct datadir *d)
{
	fd_close(&d->fd);
	free(d->path);
	d->path = NULL;
}

/*
 * The gid of the local group "rkt", or -1; asked only while something is being made.  From the file and not
 * from getgrnam(3), which loads whatever NSS modules the machine has: rkt is static.
 */
static gid_t group_rkt(void)
{
	auto_buf text = BUF_INIT;
	uint32_t gid = 0;

	if (geteuid() != 0 || read_file_at(AT_FDCWD, "/etc/group", GROUP_FILE_MAX, &text) < 0)
		return (gid_t)-1;
	auto_strv lines = strv_split(buf_str(&text), '\n');
	for (char **l = lines; l && *l; l++) {
		auto_strv fields = strv_split(*l, ':');

		if (strv_len(fields) >= 3 && strcmp(fields[0], "rkt") == 0)
			return parse_u32(fields[2], &gid) < 0 ? (gid_t)-1 : gid;
	}
	return (gid_t)-1;
}

/* One directory of ours; existing ones keep what their owner made of them. */
static int make_dir(int dirfd, const char *name, mode_t mode, gid_t gid)
{
	if (mkdirat(dirfd, name, mode) < 0)
		return errno == EEXIST ? 0 : -errno;
	/* The set-group-ID bit hands the group down to what is made inside. */
	if (gid != (gid_t)-1 && (mode & 0070) &&
	    (fchownat(dirfd, name, (uid_t)-1, gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	     fchmodat(dirfd, name, mode | S_ISGID, 0) < 0))
		return -errno;
	return 0;
}

/* mkdir -p of the data directory itself: parents 0755, the last one 0750. */
static int make_top(const char *path, gid_t gid, struct err *e)
{
	auto_free char *p = path_clean(path);

	for (char *s = strchr(p + 1, '/'); s; s = strchr(s + 1, '/')) {
		*s = '\0';
		if (mkdir(p, 0755) < 0 && errno != EEXIST)
			return err_sys(e, errno, "create %s", p);
		*s = '/';
	}
	int r = make_dir(AT_FDCWD, p, 0750, gid);
	return r < 0 ? err_sys(e, -r, "create data directory %s", p) : 0;
}

/* They are made in this order, so the last one there means all.  What somebody removed of the others is made again by who
 * misses it (datadir_repair). */
static bool complete(int fd)
{
	return faccessat(fd, tree[ARRAY_LEN(tree) - 1].name, F_OK, 0) == 0;
}

static int make_tree(int fd, const char *path, gid_t gid, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(tree); i++) {
		int r = make_dir(fd, tree[i].name, tree[i].mode, gid);
		if (r < 0)
			return err_sys(e, -r, "create %s/%s", path, tree[i].name);
	}
	return 0;
}

/* What the open directory is really called; spares a call for each component of the path. */
static char *real_path_of(int fd)
{
	char link[64], real[PATH_MAX];

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, real, sizeof(real));
	return n > 0 && n < (ssize_t)sizeof(real) && real[0] == '/' ? xstrndup(real, (size_t)n) : NULL;
}

int datadir_open(const char *path, bool create, struct datadir *ret, struct err *e)
{
	auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT && create) {
		int r = make_top(path, group_rkt(), e);
		if (r < 0)
			return r;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		return err_sys(e, errno, "open data directory %s", path);
	if (create && !complete(fd)) {
		int r = make_tree(fd, path, group_rkt(), e);
		if (r < 0)
			return r;
	}
	char *real = real_path_of(fd);
	if (!real)
		real = realpath(path, NULL);
	if (!real)
		return err_sys(e, errno, "resolve data directory %s", path);
	ret->path = real;
	ret->fd = steal_fd(&fd);
	return 0;
}

int datadir_repair(const struct datadir *d, struct err *e)
{
	return make_tree(d->fd, d->path, group_rkt(), e);
}
