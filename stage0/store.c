/*
 * store — opening and looking things up.  Readers take no lock: every file they see was renamed into
 * place when it was complete, and what a list of ids names may have been removed since, which is the
 * same as never having been listed.
 */
#include "stage0/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/strv.h"
#include "base/when.h"
#include "stage0/storedoc.h"

struct name {
	char path[128]; /* relative to cas/ */
};

static struct name name_of(const char *dir, const char *id)
{
	struct name n;

	(void)snprintf(n.path, sizeof(n.path), "%s/%s", dir, id);
	return n;
}

int store_open_to_read(const struct datadir *d, struct store *ret, struct err *e)
{
	int cas = openat(d->fd, DIR_CAS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (cas < 0)
		return err_sys(e, errno, "open image store %s/%s", d->path, DIR_CAS);
	*ret = (struct store){ .cas_fd = cas, .tmp_fd = FD_NONE, .data_fd = d->fd };
	return 0;
}

int store_open(const struct datadir *d, struct store *ret, struct err *e)
{
	int r = store_open_to_read(d, ret, e);

	if (r < 0)
		return r;
	ret->tmp_fd = openat(d->fd, DIR_CAS_TMP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->tmp_fd >= 0)
		return 0;
	ret->tmp_fd = FD_NONE;
	/* Readers who are not root cannot open it and do not need it. */
	if (errno == EACCES)
		return 0;
	err_sys(e, errno, "open image store %s/%s", d->path, DIR_CAS_TMP);
	store_done(ret);
	return -e->code;
}

void store_done(struct store *s)
{
	fd_close(&s->cas_fd);
	fd_close(&s->tmp_fd);
	s->data_fd = FD_NONE;
}

/* ---- ids ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The ids among the names in a directory, sorted. */
static int list_ids(const struct store *s, const char *name, char ***ret, struct err *e)
{
	auto_close int fd = openat(s->cas_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_closedir DIR *dir = NULL;
	char **v = xcalloc(1, sizeof(*v));
	size_t n = 0, room = 1;

	if (fd >= 0)
		dir = fdopendir(fd);
	if (!dir) {
		free(v);
		return err_sys(e, errno, "read %s/%s", DIR_CAS, name);
	}
	(void)steal_fd(&fd);
	for (const struct dirent *de; (de = readdir(dir));) {
		if (!image_id_valid(de->d_name))
			continue;
		if (n + 1 >= room) {
			room = room * 2 + 16;
			v = xreallocarray(v, room, sizeof(*v));
		}
		v[n++] = xstrdup(de->d_name);
		v[n] = NULL;
	}
	qsort(v, n, sizeof(*v), by_text);
	*ret = v;
	return 0;
}

int store_list(const struct store *s, char ***ret, struct err *e)
{
	return list_ids(s, "image", ret, e);
}

int store_list_trees(const struct store *s, char ***ret, struct err *e)
{
	return list_ids(s, "tree", ret, e);
}

int store_list_paths(const struct store *s, const char *path, char ***ret, struct err *e)
{
	auto_close int fd = openat(s->cas_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_closedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir)
		return errno == ENOENT || errno == ENOTDIR ? 0
							   : err_sys(e, errno, "read %s/%s", DIR_CAS, path);
	(void)steal_fd(&fd);
	for (const struct dirent *de; (de = readdir(dir));) {
		if (de->d_name[0] != '.')
			strv_pushf(ret, "%s/%s", path, de->d_name);
	}
	return 0;
}

static bool have_image(const struct store *s, const char *id)
{
	struct name n = name_of("image", id);

	return faccessat(s->cas_fd, n.path, F_OK, 0) == 0;
}

int store_resolve_id(const struct store *s, const char *id_or_prefix, char ret[IMAGE_ID_LEN + 1],
		     struct err *e)
{
	auto_free char *prefix = image_id_prefix(id_or_prefix, e);
	const char *found = NULL;
	auto_strv all = NULL;
	size_t len;
	int r;

	if (!prefix)
		return -e->code;
	len = strlen(prefix);
	if (len == IMAGE_ID_LEN && image_id_valid(prefix) && have_image(s, prefix)) {
		memcpy(ret, prefix, IMAGE_ID_LEN + 1);
		return 0;
	}
	r = store_list(s, &all, e);
	if (r < 0)
		return r;
	for (char **id = all; *id; id++) {
		if (strncmp(*id, prefix, len) != 0)
			continue;
		if (found)
			return err_set(e, ERR_USAGE, ENOTUNIQ, "ambiguous image ID \"%s\"", id_or_prefix);
		found = *id;
	}
	if (!found)
		return err_set(e, ERR_INPUT, ENOENT, "no image IDs found for \"%s\"", id_or_prefix);
	memcpy(ret, found, IMAGE_ID_LEN + 1);
	return 0;
}

int store_image_load(const struct store *s, const char *id, struct image_info *ret, struct err *e)
{
	struct name n = name_of("image", id);
	auto_buf b = BUF_INIT;
	auto_json doc = NULL;
	int r = image_id_valid(id) ? read_own_file_at(s->cas_fd, n.path, STORE_DOC_MAX, &b) : -ENOENT;

	if (r == -ENOENT)
		return err_set(e, ERR_INPUT, ENOENT, "no image %s in the store", id);
	if (r < 0)
		return err_sys(e, -r, "read image %s", id);
	doc = json_parse(buf_str(&b), b.len, e);
	r = doc ? image_info_from_json(doc, ret, e) : -e->code;
	if (r < 0)
		return err_ctx(e, "image document %s", n.path);
	if (strcmp(ret->id, id) != 0) {
		image_info_done(ret);
		return err_set(e, ERR_INPUT, EINVAL, "image document %s is about another image", n.path);
	}
	return 0;
}

int image_info_require_verified(const struct image_info *i, bool accept_unsigned, struct err *e)
{
	if (accept_unsigned || i->nverified)
		return 0;
	err_set(e, ERR_TRUST, EKEYREJECTED, "image \"%s\" (%.19s) was imported without verification", i->name,
		i->id);
	return err_hint(e, "fetch it again with its signature (rkt trust, rkt fetch), or accept it with "
			   "--insecure-options=image");
}

/* ---- names ---- */

static bool labels_match(const struct pairs *have, const struct pairs *want)
{
	for (size_t i = 0; want && i < want->n; i++) {
		const char *v = pairs_get(have, want->v[i].name);
		if (!v || strcmp(v, want->v[i].value) != 0)
			return false;
	}
	return true;
}

/* Without a version asked for: images marked latest first; then the newest import. */
static bool better(const struct image_info *a, const struct image_info *than, bool prefer_latest)
{
	if (prefer_latest && a->latest != than->latest)
		return a->latest;
	return a->import_time > than->import_time;
}

int store_resolve_name(const struct store *s, const char *name, const struct pairs *labels,
		       char ret[IMAGE_ID_LEN + 1], struct err *e)
{
	auto_free char *file = store_escape("ref/name,", name);
	bool prefer_latest = !labels || !pairs_get(labels, "version");
	struct image_info best = { .id = "" };
	auto_buf b = BUF_INIT;
	auto_strv ids = NULL;
	int r = read_file_at(s->cas_fd, file, STORE_REF_MAX, &b);

	if (r < 0 && r != -ENOENT)
		return err_sys(e, -r, "read the images of name %s", name);
	ids = strv_split(buf_str(&b), '\n');
	for (char **id = ids; *id; id++) {
		struct image_info i = { .id = "" };
		struct err ignored = ERR_INIT; /* removed since, or unreadable: not a candidate */

		if (!image_id_valid(*id) || store_image_load(s, *id, &i, &ignored) < 0)
			continue;
		/* NOLINTNEXTLINE: a document that was loaded has a name */
		if (strcmp(i.name, name) == 0 && labels_match(&i.labels, labels) &&
		    (!best.id[0] || better(&i, &best, prefer_latest))) {
			struct image_info swap = best;
			best = i;
			i = swap;
		}
		image_info_done(&i);
	}
	if (!best.id[0])
		return err_set(e, ERR_INPUT, ENOENT, "no image named \"%s\"%s in the store", name,
			       labels && labels->n ? " with these labels" : "");
	memcpy(ret, best.id, sizeof(best.id));
	image_info_done(&best);
	return 0;
}

/* ---- files of an image ---- */

bool store_has_tree(const struct store *s, const char *id)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "tree/%s/rootfs", id);
	return image_id_valid(id) && faccessat(s->cas_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int store_tree_open(const struct store *s, const char *id, struct err *e)
{
	char path[128];
	int fd;

	if (!image_id_valid(id))
		return err_set(e, ERR_INPUT, EINVAL, "\"%s\" is not an image ID", id);
	(void)snprintf(path, sizeof(path), "tree/%s/rootfs", id);
	fd = openat(s->cas_fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, errno, "open the tree of image %s", id) : fd;
}

int store_tree_stat(const struct store *s, const char *id, struct stat *ret, struct err *e)
{
	char path[128];

	if (!image_id_valid(id))
		return err_set(e, ERR_INPUT, EINVAL, "\"%s\" is not an image ID", id);
	(void)snprintf(path, sizeof(path), "tree/%s/rootfs", id);
	if (fstatat(s->cas_fd, path, ret, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, errno, "open the tree of image %s", id);
	return S_ISDIR(ret->st_mode) ? 0 : err_sys(e, ENOTDIR, "open the tree of image %s", id);
}

int store_blob_open(const struct store *s, const struct image_info *i, struct err *e)
{
	auto_free char *path = xasprintf("blob/%s/%.2s/%s", i->blob_algo, i->blob_digest, i->blob_digest);
	int fd = open_beneath(s->cas_fd, path, O_RDONLY, 0);

	return fd < 0 ? err_sys(e, -fd, "open the blob of image %s", i->id) : fd;
}

int store_last_used(const struct store *s, const char *id, int64_t *ret_ns)
{
	struct name n = name_of("image", id);
	struct stat st;

	if (fstatat(s->cas_fd, n.path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	*ret_ns = when_ns(st.st_mtim);
	return 0;
}

int store_touch(const struct store *s, const char *id)
{
	struct name n = name_of("image", id);

	return utimensat(s->cas_fd, n.path, NULL, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT ? -ENOENT : 0;
}
