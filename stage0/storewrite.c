/*
 * storewrite — publishing and removing.  Everything is made in cas/tmp and appears by one rename
 * after its data is on disk; what is removed disappears by one rename into cas/tmp.
 *
 * Whatever is in cas/tmp is locked by its maker.  gc deletes what it can lock, so a maker who has
 * just got the lock looks whether its file or directory still has its name, and starts over if not.
 */
#include "stage0/storedoc.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/lock.h"
#include "base/uuid.h"

#define TRIES 1000 /* a gc in a loop may often take what is not locked yet, but not this often */

static bool still_named(const struct store *s, int fd, const char *name)
{
	struct stat mine, now;

	return fstat(fd, &mine) == 0 && fstatat(s->tmp_fd, name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
	       mine.st_dev == now.st_dev && mine.st_ino == now.st_ino;
}

int store_lock(const struct store *s, const char *kind, const char *key, int wait, struct err *e)
{
	auto_free char *prefix = xasprintf(DIR_LOCKS "/%s,", kind);
	auto_free char *name = store_escape(prefix, key);
	int fd = lock_file_at(s->data_fd, name, LOCK_EXCL, wait);

	/* the directory tree is made once and not looked at again: somebody may have taken a part away */
	if (fd == -ENOENT && mkdirat(s->data_fd, DIR_LOCKS, 0750) == 0)
		fd = lock_file_at(s->data_fd, name, LOCK_EXCL, wait);

	if (fd == -EWOULDBLOCK)
		return err_set(e, ERR_STATE, EWOULDBLOCK, "another rkt works on %s", key);
	return fd < 0 ? err_sys(e, -fd, "lock %s", name) : fd;
}

/* Something new in cas/tmp, locked; @make returns its fd.  *name heap. */
static int make_tmp(const struct store *s, const char *prefix, int (*make)(int dirfd, const char *name),
		    char **name, struct err *e)
{
	for (int try = 0; try < TRIES; try++) {
		char uuid[UUID_LEN + 1];
		auto_free char *n = NULL;
		auto_close int fd = FD_NONE;
		int r = uuid_new(uuid);

		if (r < 0)
			return err_sys(e, -r, "make a name");
		n = xasprintf("%s%s", prefix, uuid);
		fd = make(s->tmp_fd, n);
		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			return err_sys(e, -fd, "create %s/%s", DIR_CAS_TMP, n);
		r = lock_fd(fd, LOCK_EXCL, 1);
		if (r < 0)
			return err_sys(e, -r, "lock %s/%s", DIR_CAS_TMP, n);
		if (still_named(s, fd, n)) {
			*name = steal_ptr(&n);
			return steal_fd(&fd);
		}
	}
	return err_set(e, ERR_SYS, EAGAIN, "create a file in %s: deleted again and again", DIR_CAS_TMP);
}

static int make_dir(int dirfd, const char *name)
{
	int fd;

	if (mkdirat(dirfd, name, 0700) < 0)
		return errno == ENOENT ? -EIO : -errno; /* cas/tmp itself has gone: trying again is no use */
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int make_file(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);

	return fd < 0 ? -errno : fd;
}

int store_tmp_dir(const struct store *s, char **name, struct err *e)
{
	return make_tmp(s, "dir-", make_dir, name, e);
}

static int sync_at(const struct store *s, const char *dir)
{
	auto_close int fd = openat(s->cas_fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fsync_dir(fd);
}

int store_write(const struct store *s, const char *dir, const char *name, const void *data, size_t len,
		struct err *e)
{
	auto_free char *tmp = NULL;
	auto_close int fd = make_tmp(s, "doc-", make_file, &tmp, e);
	int r;

	if (fd < 0)
		return fd;
	r = write_full(fd, data, len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && renameat(s->tmp_fd, tmp, s->cas_fd, name) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlinkat(s->tmp_fd, tmp, 0);
		return err_sys(e, -r, "write %s/%s", DIR_CAS, name);
	}
	r = sync_at(s, dir);
	return r < 0 ? err_sys(e, -r, "write %s/%s to disk", DIR_CAS, dir) : 0;
}

/* ---- publishing ---- */

int store_sync(const struct store *s, struct err *e)
{
	return syncfs(s->tmp_fd) < 0 ? err_sys(e, errno, "write %s to disk", DIR_CAS) : 0;
}

int store_publish_tree(const struct store *s, const char *tmp_dir, const char *id, struct err *e)
{
	auto_free char *from = xasprintf("%s/rootfs", tmp_dir), *dir = xasprintf("tree/%s", id);
	auto_free char *to = xasprintf("%s/rootfs", dir);
	int r = -EAGAIN, had;

	assert(image_id_valid(id));
	/* Around again if somebody removed the image between the two calls. */
	for (int try = 0; r == -EAGAIN && try < TRIES; try++) {
		if (mkdirat(s->cas_fd, dir, 0700) < 0 && errno != EEXIST)
			r = -errno;
		else if (renameat2(s->tmp_fd, from, s->cas_fd, to, RENAME_NOREPLACE) == 0)
			r = 0;
		else if (errno == EEXIST)
			r = 1;
		else
			r = errno == ENOENT && !store_has_tree(s, id) &&
					    faccessat(s->tmp_fd, from, F_OK, 0) == 0
				    ? -EAGAIN
				    : -errno;
	}
	had = r == 1;
	if (r >= 0)
		r = sync_at(s, dir);
	if (r == 0)
		r = sync_at(s, "tree");
	return r < 0 ? err_sys(e, -r, "publish the tree of image %s", id) : had;
}

int store_publish_blob(const struct store *s, int dirfd, const char *name, const char *algo, const char *hex,
		       struct err *e)
{
	auto_free char *all = xasprintf("blob/%s", algo), *dir = xasprintf("%s/%.2s", all, hex);
	auto_free char *to = xasprintf("%s/%s", dir, hex);
	auto_close int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (fd < 0)
		return err_sys(e, errno, "open the downloaded %s", name);
	r = fchmod(fd, 0640) < 0 || fsync(fd) < 0 ? -errno : mkdir_p_at(s->cas_fd, dir, 0750);
	if (r == 0 && renameat(dirfd, name, s->cas_fd, to) < 0)
		r = -errno;
	/* those above may be new as well, by us or by somebody who has not come so far yet */
	const char *const levels[] = { dir, all, "blob" };
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(levels); i++)
		r = sync_at(s, levels[i]);
	return r < 0 ? err_sys(e, -r, "publish blob %s-%s", algo, hex) : 0;
}

static int remove_blob(const struct store *s, const struct image_info *i, struct err *e)
{
	auto_free char *path = xasprintf("blob/%s/%.2s/%s", i->blob_algo, i->blob_digest, i->blob_digest);

	if (unlinkat(s->cas_fd, path, 0) < 0 && errno != ENOENT)
		return err_sys(e, errno, "remove %s/%s", DIR_CAS, path);
	return 0;
}

int store_publish_image(const struct store *s, const struct image_info *i, struct err *e)
{
	struct image_info old = { .id = "" };
	struct err ignored = ERR_INIT; /* no older document, or one that we are about to repair */
	bool had_old = store_image_load(s, i->id, &old, &ignored) == 0;
	auto_free char *name = xasprintf("image/%s", i->id), *text = NULL;
	auto_json doc = image_info_to_json(i);
	int r;

	text = json_text(doc, JSON_LINE);
	r = store_write(s, "image", name, text, strlen(text), e);
	if (r == 0)
		r = store_ref_add(s, i->name, i->id, e);
	/* The same image compressed differently: one blob an image is enough. */
	if (r == 0 && had_old && strcmp(old.blob_digest, i->blob_digest) != 0)
		r = remove_blob(s, &old, e);
	image_info_done(&old);
	return r;
}

/* ---- removal ---- */

/* Out of the way by one rename, then piece by piece. */
int store_remove_tree(const struct store *s, const char *id, struct err *e)
{
	auto_free char *dir = xasprintf("tree/%s", id), *tmp = NULL;
	auto_close int fd = FD_NONE;
	int r;

	if (faccessat(s->cas_fd, dir, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
		return 0;
	fd = make_tmp(s, "dir-", make_dir, &tmp, e);
	if (fd < 0)
		return fd;
	if (renameat(s->cas_fd, dir, fd, "tree") < 0 && errno != ENOENT)
		r = err_sys(e, errno, "remove %s/%s", DIR_CAS, dir);
	else
		r = rm_tree_at(s->tmp_fd, tmp, e);
	return r;
}

int store_unpublish_image(const struct store *s, const struct image_info *i, struct err *e)
{
	auto_free char *doc = xasprintf("image/%s", i->id);
	int r = store_urls_remove(s, i->id, e);

	if (r == 0)
		r = store_ref_remove(s, i->name, i->id, e);
	if (r == 0 && unlinkat(s->cas_fd, doc, 0) < 0 && errno != ENOENT)
		r = err_sys(e, errno, "remove %s/%s", DIR_CAS, doc);
	if (r == 0 && !i->nlayers) /* else layersgc.h */
		r = remove_blob(s, i, e);
	return r < 0 ? err_ctx(e, "remove image %s", i->id) : 0;
}
