/*
 * keystore — how the lists are built.
 *
 * One routine reads one directory of key files into the ring; the order of the calls is the whole
 * policy.  A name is looked up component by component from prefix.d downwards, so a key below
 * example.com/fo can never speak for example.com/foo.  Whatever is found where a key belongs but is
 * not one is an error and not skipped: it may be the misspelt mask of a key somebody lost.
 */
#include "stage0/keystore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/path.h"
#include "base/strv.h"
#include "schema/ids.h"

#define KEY_FILE_MAX (1u << 20) /* bytes */

static const struct {
	size_t digits;
	const char *root_dir, *prefix_dir;
} kinds[] = {
	[KEY_OPENPGP] = { 40, "trustedkeys/root.d", "trustedkeys/prefix.d" },
	[KEY_PEM] = { 64, "trustedkeys/pem-root.d", "trustedkeys/pem-prefix.d" },
};

struct loading {
	enum key_kind kind;
	struct keyring *ring;
	bool per_scope; /* the same key may appear once a scope */
};

static void key_done(struct trusted_key *k)
{
	free(k->scope);
	free(k->armored);
}

void keyring_done(struct keyring *k)
{
	for (size_t i = 0; i < k->n; i++)
		key_done(&k->v[i]);
	free(k->v);
	*k = (struct keyring){ NULL, 0 };
}

bool keystore_fingerprint_valid(enum key_kind kind, const char *s)
{
	return strlen(s) == kinds[kind].digits && strspn(s, "0123456789abcdef") == kinds[kind].digits;
}

/* Forget entries of that fingerprint (of that scope, when scopes are kept apart). */
static void ring_drop(struct loading *l, const char *fingerprint, const char *scope)
{
	struct keyring *r = l->ring;
	size_t out = 0;

	for (size_t i = 0; i < r->n; i++) {
		bool same = strcmp(r->v[i].fingerprint, fingerprint) == 0 &&
			    (!l->per_scope || strcmp(r->v[i].scope, scope) == 0);
		if (same)
			key_done(&r->v[i]);
		else
			r->v[out++] = r->v[i];
	}
	r->n = out;
}

static void ring_put(struct loading *l, const char *fingerprint, const char *scope, struct buf *content)
{
	struct keyring *r = l->ring;

	ring_drop(l, fingerprint, scope);
	if (content->len == 0)
		return;
	r->v = xreallocarray(r->v, r->n + 1, sizeof(*r->v));
	struct trusted_key *k = &r->v[r->n++];
	(void)snprintf(k->fingerprint, sizeof(k->fingerprint), "%s", fingerprint);
	k->scope = xstrdup(scope);
	k->len = content->len;
	k->armored = buf_steal(content);
}

/* One entry of a directory of keys; a sub-directory goes to @subdirs when that is wanted. */
static int load_entry(struct loading *l, int dirfd, const char *name, const char *scope, char ***subdirs,
		      struct err *e)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0
				       : err_sys(e, errno, "look at trusted key \"%s\" (%s)", name, scope);
	if (S_ISDIR(st.st_mode)) {
		if (subdirs)
			strv_push(subdirs, name);
		return 0;
	}
	if (!keystore_fingerprint_valid(l->kind, name))
		return err_set(
			e, ERR_TRUST, EINVAL,
			"trusted key file \"%s\" (%s): its name is not a fingerprint of %zu lower-case "
			"hex digits",
			name, scope, kinds[l->kind].digits);

	auto_close int fd = openat(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno, "open trusted key \"%s\" (%s)", name, scope);
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "look at trusted key \"%s\" (%s)", name, scope);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_TRUST, EINVAL, "trusted key \"%s\" (%s) is not a regular file", name,
			       scope);
	auto_buf b = BUF_INIT;
	int r = fd_read_all(fd, KEY_FILE_MAX, &b);
	if (r < 0)
		return err_sys(e, -r, "read trusted key \"%s\" (%s)", name, scope);
	ring_put(l, name, scope, &b);
	return 0;
}

/* All keys directly in the directory @dirfd. */
static int load_dir(struct loading *l, int dirfd, const char *scope, char ***subdirs, struct err *e)
{
	int copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy < 0)
		return err_sys(e, errno, "open trusted keys (%s)", scope);
	auto_closedir DIR *d = fdopendir(copy);
	if (!d) {
		fd_close(&copy);
		return err_sys(e, ENOMEM, "open trusted keys (%s)", scope);
	}

	auto_strv names = NULL;
	errno = 0;
	for (struct dirent *de; (de = readdir(d)); errno = 0) {
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			strv_push(&names, de->d_name);
	}
	if (errno)
		return err_sys(e, errno, "list trusted keys (%s)", scope);
	strv_sort(names);
	for (char **n = names; n && *n; n++) {
		int r = load_entry(l, dirfd, *n, scope, subdirs, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Open @path below @base; FD_NONE in *ret when it does not exist. */
static int open_key_dir(int base, const char *path, int *ret, struct err *e)
{
	int fd = openat(base, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	*ret = FD_NONE;
	if (fd < 0 && errno != ENOENT && errno != ENAMETOOLONG)
		return err_sys(e, errno, "open directory of trusted keys \"%s\"", path);
	if (fd >= 0)
		*ret = fd;
	return 0;
}

/* The keys of every leading part of @name, shortest first. */
static int load_chain(struct loading *l, int top, const char *name, struct err *e)
{
	auto_strv parts = strv_split(name, '/');
	auto_buf scope = BUF_INIT;
	auto_close int at = FD_NONE;

	buf_adds(&scope, "prefix ");
	for (char **p = parts; *p; p++) {
		int next;
		int r = open_key_dir(at >= 0 ? at : top, *p, &next, e);
		if (r < 0)
			return r;
		fd_close(&at);
		if (next < 0)
			return 0;
		at = next;
		buf_addf(&scope, "%s%s", p == parts ? "" : "/", *p);
		r = load_dir(l, at, buf_str(&scope), NULL, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The keys of every prefix there is; @todo is a list of work, so depth costs no stack. */
static int load_all(struct loading *l, int top, struct err *e)
{
	auto_strv todo = NULL;
	int r = load_dir(l, top, "the directory of prefixes itself", &todo, e);

	for (size_t i = 0; r >= 0 && i < strv_len(todo); i++) {
		auto_free char *dir = xstrdup(todo[i]);
		auto_close int fd = FD_NONE;
		r = open_key_dir(top, dir, &fd, e);
		if (r < 0 || fd < 0)
			continue;
		auto_free char *scope = xasprintf("prefix %s", dir);
		auto_strv subdirs = NULL;
		r = load_dir(l, fd, scope, &subdirs, e);
		for (char **s = subdirs; r >= 0 && s && *s; s++)
			strv_pushf(&todo, "%s/%s", dir, *s);
	}
	return r;
}

static int load_place(struct loading *l, const char *config_dir, bool prefixes, const char *name,
		      struct err *e)
{
	if (!config_dir)
		return 0;
	auto_free char *path = path_join(config_dir,
					 prefixes ? kinds[l->kind].prefix_dir : kinds[l->kind].root_dir);
	auto_close int fd = FD_NONE;
	int r = open_key_dir(AT_FDCWD, path, &fd, e);
	if (r < 0 || fd < 0)
		return r;
	if (!prefixes)
		r = load_dir(l, fd, "root", NULL, e);
	else
		r = name ? load_chain(l, fd, name, e) : load_all(l, fd, e);
	return r < 0 ? err_ctx(e, "%s", path) : 0;
}

int keystore_load(enum key_kind kind, const char *system_dir, const char *local_dir, const char *name,
		  struct keyring *ret, struct err *e)
{
	struct keyring ring = { NULL, 0 };
	struct loading l = { kind, &ring, name == NULL };
	const char *const dirs[] = { system_dir, local_dir };

	if (name && !ac_identifier_valid(name))
		return err_set(e, ERR_INPUT, EINVAL, "invalid image name \"%s\"", name);
	for (int prefixes = 0; prefixes < 2; prefixes++) {
		for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
			int r = load_place(&l, dirs[i], prefixes, name, e);
			if (r < 0) {
				keyring_done(&ring);
				return r;
			}
		}
	}
	*ret = ring;
	return 0;
}

int keystore_add(enum key_kind kind, const char *local_dir, const char *prefix, const char *fingerprint,
		 const char *armored, char **ret_path, struct err *e)
{
	if (prefix && !ac_identifier_valid(prefix))
		return err_set(e, ERR_INPUT, EINVAL, "invalid prefix \"%s\"", prefix);
	if (!keystore_fingerprint_valid(kind, fingerprint))
		return err_set(e, ERR_INPUT, EINVAL,
			       "\"%s\" is not a fingerprint of %zu lower-case hex digits", fingerprint,
			       kinds[kind].digits);
	/* An empty file would say the opposite: it masks. */
	if (!*armored)
		return err_set(e, ERR_INPUT, EINVAL, "key %s is empty", fingerprint);

	auto_free char *abs = path_abs(local_dir);
	if (!abs)
		return err_sys(e, errno, "find the working directory");
	auto_free char *top = path_join(abs, prefix ? kinds[kind].prefix_dir : kinds[kind].root_dir);
	auto_free char *dir = prefix ? path_join(top, prefix) : xstrdup(top);
	auto_close int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, errno, "open /");
	int r = mkdir_p_at(root, dir + 1, 0755);
	if (r < 0)
		return err_sys(e, -r, "create \"%s\"", dir);
	auto_close int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno, "open \"%s\"", dir);
	r = write_file_at(fd, fingerprint, armored, strlen(armored), 0644, FS_SYNC);
	if (r < 0)
		return err_sys(e, -r, "write \"%s/%s\"", dir, fingerprint);
	if (ret_path)
		*ret_path = xasprintf("%s/%s", dir, fingerprint);
	return 0;
}
