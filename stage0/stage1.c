/*
 * stage1 — which stage1 a pod gets, and what is recorded about it in the pod.
 *
 * Our own flavors are directories beside the programs and run from there.  Everything else is an
 * image: it is imported like any other and runs from its tree in the store.  Neither place can be
 * written by a pod, which is why later calls (enter, stop, gc) go there and not to the pod's copy.
 */
#include "stage0/stage1.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/num.h"
#include "base/path.h"
#include "base/strv.h"
#include "schema/image.h"
#include "stage0/podfacts.h"
#include "stage0/ref.h"
#include "stage1/contract.h"

#define DEFAULT_FLAVOR "ns"
#define OUR_NAMESPACE  "coreos.com/rkt/stage1-"

/* What all the ways to find a stage1 need. */
struct place {
	const struct config *cfg;
	const struct store *store;
	const struct fetch_env *fe;
};

void stage1_done(struct stage1 *s)
{
	free(s->manifest);
	free(s->dir);
	free(s->tree_id);
	memset(s, 0, sizeof(*s));
}

/* Fill in what the manifest text says. */
static int read_annotations(struct stage1 *s, struct err *e)
{
	auto_image_manifest m = image_manifest_parse(s->manifest, strlen(s->manifest), e);
	const char *native, *record, *version;
	uint32_t v = 1;

	if (!m)
		return err_ctx(e, "manifest of stage1 %s", s->dir);
	native = pairs_get(&m->annotations, CONTRACT_NATIVE);
	record = pairs_get(&m->annotations, CONTRACT_GC_RECORD);
	version = pairs_get(&m->annotations, CONTRACT_VERSION);
	if (version && (parse_u32(version, &v) < 0 || v < 1))
		return err_set(e, ERR_INPUT, EINVAL,
			       "manifest of stage1 %s: interface version \"%s\" is not a number", s->dir,
			       version);
	if (v > CONTRACT_VERSION_MAX)
		return err_set(e, ERR_INPUT, EINVAL,
			       "stage1 %s needs interface version %u, this rkt knows 1 to %d", s->dir, v,
			       CONTRACT_VERSION_MAX);
	if (!pairs_get(&m->annotations, CONTRACT_RUN))
		return err_set(e, ERR_INPUT, EINVAL, "image %s is not a stage1: it lacks annotation %s",
			       s->dir, CONTRACT_RUN);
	s->native = native && strcmp(native, "true") == 0;
	s->gc_by_record = record && strcmp(record, "true") == 0;
	s->interface_version = (int)v;
	return 0;
}

/* ---- installed flavors ---- */

static int installed(const char *lib_dir, const char *flavor, struct stage1 *ret, struct err *e)
{
	auto_free char *dir = xasprintf("%s/stage1/%s", lib_dir, flavor);
	auto_free char *manifest = xasprintf("%s/manifest", dir);
	auto_buf b = BUF_INIT;
	int r = read_own_file_at(AT_FDCWD, manifest, IMAGE_MANIFEST_MAX, &b);

	if (r < 0)
		return err_sys(e, -r, "read the manifest of installed stage1 %s", manifest);
	ret->manifest = buf_steal(&b);
	ret->dir = steal_ptr(&dir);
	return read_annotations(ret, e);
}

/* "ns, fly" for messages. */
static char *installed_list(const char *lib_dir)
{
	auto_free char *path = xasprintf("%s/stage1", lib_dir);
	auto_closedir DIR *dir = opendir(path);
	auto_strv names = NULL;

	for (const struct dirent *de; dir && (de = readdir(dir));)
		if (de->d_name[0] != '.')
			strv_push(&names, de->d_name);
	if (!names)
		return xstrdup("none");
	strv_sort(names);
	return strv_join(names, ", ");
}

/* The flavor that a name could mean: "coreos.com/rkt/stage1-fly", "stage1-fly", "stage1-fly.aci". */
static char *flavor_in(const char *name)
{
	const char *base = name;
	size_t len;

	if (strncmp(name, OUR_NAMESPACE, sizeof(OUR_NAMESPACE) - 1) == 0)
		base = path_base(name);
	if (strchr(base, '/') || strncmp(base, "stage1-", 7) != 0)
		return NULL;
	base += 7;
	len = strlen(base);
	if (len > 4 && strcmp(base + len - 4, ".aci") == 0)
		len -= 4;
	return len ? xstrndup(base, len) : NULL;
}

/* The installed flavor of this name and version (NULL: any): 0; -ENOENT when there is none. */
static int installed_by_name(const char *lib_dir, const char *name, const char *version, struct stage1 *ret,
			     struct err *e)
{
	auto_free char *flavor = flavor_in(name);
	auto_image_manifest m = NULL;
	auto_free char *manifest = NULL;
	const char *have;
	int r;

	if (!flavor)
		return -ENOENT;
	manifest = xasprintf("%s/stage1/%s/manifest", lib_dir, flavor);
	if (access(manifest, F_OK) < 0)
		return -ENOENT;
	r = installed(lib_dir, flavor, ret, e);
	if (r < 0 || !version)
		return r;
	m = image_manifest_parse(ret->manifest, strlen(ret->manifest), e);
	have = m ? pairs_get(&m->labels, "version") : NULL;
	if (have && strcmp(have, version) == 0)
		return 0;
	stage1_done(ret);
	return -ENOENT;
}

/* ---- images ---- */

/* Is the file one of those installed with rkt?  They need no signature (cli.md section 7.4). */
static bool is_ours(const struct place *w, const char *path)
{
	auto_free char *dir = xasprintf("%s/stage1-images", w->fe->lib_dir);
	auto_free char *real_dir = realpath(dir, NULL), *real = realpath(path, NULL);

	return real_dir && real && path_below(real, real_dir);
}

/* Need no signature be known for the image? */
static bool accept_unsigned(const struct place *w, const struct image_info *i)
{
	return strv_has(w->fe->insecure, "image") ||
	       (i->origin && strncmp(i->origin, "file://", 7) == 0 && is_ours(w, i->origin + 7));
}

/* @id is in the store; its tree runs.  @trusted: it was just imported from where no signature is needed. */
static int from_store(const struct place *w, const char *id, bool trusted, struct stage1 *ret, struct err *e)
{
	struct image_info i = { .id = "" };
	int r = store_image_load(w->store, id, &i, e);

	if (r == 0)
		r = image_info_require_verified(&i, trusted || accept_unsigned(w, &i), e);
	if (r < 0) {
		image_info_done(&i);
		return r;
	}
	ret->manifest = steal_ptr(&i.manifest);
	image_info_done(&i);
	ret->dir = xasprintf("%s/%s/%s", w->fe->data_dir, DIR_TREE, id);
	ret->tree_id = xstrdup(id);
	if (!store_has_tree(w->store, id))
		return err_set(e, ERR_STATE, ENOENT,
			       "stage1 image %s is not extracted; fetch it again as root", id);
	return read_annotations(ret, e);
}

static int by_name(const struct place *w, const char *text, struct stage1 *ret, struct err *e)
{
	struct image_ref ref = { .kind = REF_NAME };
	char id[IMAGE_ID_LEN + 1];
	int r = image_ref_parse(text, REF_STORE_ONLY | REF_NO_HASH, &ref, e);

	if (r == 0 && ref.kind != REF_NAME)
		r = err_set(e, ERR_USAGE, EINVAL, "\"%s\" is not an image name", text);
	if (r < 0)
		return r;
	r = installed_by_name(w->fe->lib_dir, ref.name, pairs_get(&ref.labels, "version"), ret, e);
	if (r == -ENOENT) {
		r = store_resolve_name(w->store, ref.name, &ref.labels, id, e);
		if (r == 0) {
			r = from_store(w, id, false, ret, e);
		} else if (r == -ENOENT) {
			auto_free char *have = installed_list(w->fe->lib_dir);
			err_hint(e, "installed flavors: %s; other images are fetched by path or URL", have);
		}
	}
	image_ref_done(&ref);
	return r;
}

static int by_hash(const struct place *w, const char *text, struct stage1 *ret, struct err *e)
{
	char id[IMAGE_ID_LEN + 1];
	int r = store_resolve_id(w->store, text, id, e);

	return r < 0 ? r : from_store(w, id, false, ret, e);
}

/* Import what a path or URL leads to. */
static int by_ref(const struct place *w, const struct image_ref *ref, struct stage1 *ret, struct err *e)
{
	bool file = ref->kind == REF_FILE, trusted = file && is_ours(w, ref->path);
	auto_json reply = NULL;
	const char *id = NULL;
	json_t *image;

	if (!file) {
		struct url_info u = { .url = NULL };
		struct err ignored = ERR_INIT; /* not known yet: fetch */
		int known = store_url_load(w->store, ref->url, &u, &ignored);
		int r = -ENOENT;

		if (known == 0 && store_has_tree(w->store, u.image_id))
			r = from_store(w, u.image_id, false, ret, &ignored);
		url_info_done(&u);
		if (r == 0)
			return 0;
		stage1_done(ret);
	}
	image = json_pack("{s:s, s:s, s:s*, s:s}", "kind", file ? "file" : "http", "url", ref->url, "path",
			  ref->path, "text", ref->text);
	reply = fetch_call(
		w->fe, "fetch",
		json_pack("{s:o, s:s, s:b}", "image", image, "pullPolicy", "new", "trustUnsigned", trusted),
		e);
	if (!reply || json_get_str(reply, "", "id", true, &id, e) < 0)
		return -e->code;
	return from_store(w, id, trusted, ret, e);
}

static int by_location(const struct place *w, const char *text, struct stage1 *ret, struct err *e)
{
	struct image_ref ref = { .kind = REF_NAME };
	int r = image_ref_parse(text, REF_NO_HASH, &ref, e);

	if (r < 0)
		return r;
	if (ref.kind == REF_FILE || ref.kind == REF_HTTP)
		r = by_ref(w, &ref, ret, e);
	else
		r = err_set(e, ERR_USAGE, EINVAL, "\"%s\" is neither a path nor a URL of an image", text);
	image_ref_done(&ref);
	return r;
}

/* --stage1-path always means a path, also where the same text could be a name. */
static int by_path(const struct place *w, const char *text, struct stage1 *ret, struct err *e)
{
	auto_free char *abs = path_abs(text);

	if (!abs)
		return err_sys(e, errno, "resolve %s", text);
	return by_location(w, abs, ret, e);
}

static int from_dir(const struct place *w, const char *file, struct stage1 *ret, struct err *e)
{
	auto_free char *path = NULL;
	struct stat st;

	if (strchr(file, '/') || strcmp(file, "..") == 0)
		return err_set(e, ERR_USAGE, EINVAL, "\"%s\" is not a file name", file);
	if (!w->cfg->stage1_images) {
		int r = installed_by_name(w->fe->lib_dir, file, NULL, ret, e);
		if (r != -ENOENT)
			return r;
		path = xasprintf("%s/stage1-images/%s", w->fe->lib_dir, file);
	} else {
		path = path_join(w->cfg->stage1_images, file);
	}
	if (stat(path, &st) < 0)
		return err_sys(e, errno, "open %s", path);
	return by_location(w, path, ret, e);
}

static int by_config(const struct place *w, struct stage1 *ret, struct err *e)
{
	const struct config *c = w->cfg;
	const char *location = c->stage1_location;
	int r;

	if (c->stage1_name) {
		auto_free char *text = xasprintf("%s:%s", c->stage1_name, c->stage1_version);
		r = by_name(w, text, ret, e);
		if (r == 0 || !location || (e->code != ENOENT && e->code != EKEYREJECTED))
			return r;
		stage1_done(ret);
		err_clear(e);
	}
	if (!location)
		return installed(w->fe->lib_dir, DEFAULT_FLAVOR, ret, e);
	if (location[0] != '/' && !strstr(location, "://"))
		return err_set(
			e, ERR_INPUT, EINVAL,
			"default stage1 image location is either a relative path or a URL without scheme: %s",
			location);
	if (location[0] == '/' && access(location, F_OK) < 0) {
		auto_free char *beside = xasprintf("%s/stage1-images/%s", w->fe->lib_dir,
						   path_base(location));
		if (access(beside, F_OK) == 0)
			return by_location(w, beside, ret, e);
	}
	return by_location(w, location, ret, e);
}

int stage1_select(const struct stage1_choice *c, const struct config *cfg, const struct store *s,
		  const struct fetch_env *fe, struct stage1 *ret, struct err *e)
{
	const struct {
		const char *option, *value;
		int (*find)(const struct place *w, const char *value, struct stage1 *ret, struct err *e);
	} ways[] = {
		{ "--stage1-name", c->name, by_name },          { "--stage1-hash", c->hash, by_hash },
		{ "--stage1-url", c->url, by_location },        { "--stage1-path", c->path, by_path },
		{ "--stage1-from-dir", c->from_dir, from_dir },
	};
	const struct place w = { cfg, s, fe };
	struct stage1 found = { .manifest = NULL };
	const char *option = NULL;
	int r = 1;

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		if (!ways[i].value || !*ways[i].value)
			continue;
		option = ways[i].option;
		r = ways[i].find(&w, ways[i].value, &found, e);
		break;
	}
	if (!option)
		r = by_config(&w, &found, e);
	if (r < 0) {
		stage1_done(&found);
		return option ? err_ctx(e, "%s", option) : err_ctx(e, "default stage1");
	}
	*ret = found;
	return 0;
}

/* ---- the pod's record ---- */

/* The pod is still ours alone: plain files, no renames. */
static int new_file(const struct pod *p, const char *name, const char *text, const char *end)
{
	auto_close int fd = openat(p->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
	auto_free char *all = xasprintf("%s%s", text, end);

	return fd < 0 ? -errno : write_full(fd, all, strlen(all));
}

int stage1_install(const struct stage1 *s, const struct pod *p, struct err *e)
{
	static const char *const dirs[] = { "stage1", POD_STAGE1_ROOTFS };
	/* an installed flavor of ours has its manifest beside its programs, and both change together */
	bool installed = s->native && !s->tree_id;
	int r = 0;

	for (size_t i = 0; r == 0 && !installed && i < ARRAY_LEN(dirs); i++)
		if (mkdirat(p->fd, dirs[i], 0750) < 0 && errno != EEXIST)
			r = -errno;
	if (r == 0 && !installed)
		r = new_file(p, POD_STAGE1_MANIFEST, s->manifest, "");
	if (r == 0)
		r = s->native ? record_write_at(p->fd, POD_FILE_STAGE1_PATH, s->dir)
			      : new_file(p, POD_FILE_STAGE1_PATH, s->dir, "\n");
	if (r == 0 && s->tree_id)
		r = new_file(p, POD_FILE_STAGE1_TREE, s->tree_id, "\n");
	return r < 0 ? err_sys(e, -r, "record the stage1 of pod %s", p->uuid) : 0;
}

/* The copy in the pod, or the original of an installed flavor at @s->dir. */
static int read_manifest(const struct pod *p, struct stage1 *s)
{
	auto_buf b = BUF_INIT;
	int r = read_file_at(p->fd, POD_STAGE1_MANIFEST, IMAGE_MANIFEST_MAX, &b);

	if (r == -ENOENT && !s->tree_id) {
		auto_free char *path = xasprintf("%s/manifest", s->dir);

		r = read_own_file_at(AT_FDCWD, path, IMAGE_MANIFEST_MAX, &b);
	}
	if (r == 0)
		s->manifest = buf_steal(&b);
	return r;
}

int stage1_of_pod(const struct pod *p, struct stage1 *ret, struct err *e)
{
	struct stage1 s = { .manifest = NULL };
	char text[PATH_MAX];
	int r = pod_small_file(p, POD_FILE_STAGE1_TREE, text, sizeof(text));

	/* A tree moves with the data directory, an installed flavor stays where it was. */
	if (r == 0 && image_id_valid(text)) {
		s.tree_id = xstrdup(text);
		s.dir = xasprintf("%s/%s/%s", p->data->path, DIR_TREE, text);
	} else if ((r = pod_small_file(p, POD_FILE_STAGE1_PATH, text, sizeof(text))) == 0) {
		s.dir = xstrdup(text);
	}
	if (r == 0)
		r = read_manifest(p, &s);
	if (r < 0)
		r = err_sys(e, -r, "find the stage1 of pod %s", p->uuid);
	else
		r = read_annotations(&s, e);
	if (r < 0)
		stage1_done(&s);
	else
		*ret = s;
	return r;
}

int stage1_of_next_pod(const struct pod *p, struct stage1_memo *m, struct err *e)
{
	bool installed = faccessat(p->fd, POD_STAGE1_MANIFEST, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
			 errno == ENOENT;
	char dir[PATH_MAX];
	int r;

	if (installed && m->installed && pod_small_file(p, POD_FILE_STAGE1_PATH, dir, sizeof(dir)) == 0 &&
	    strcmp(dir, m->s.dir) == 0)
		return 0;
	stage1_memo_done(m);
	r = stage1_of_pod(p, &m->s, e);
	m->installed = r == 0 && installed && !m->s.tree_id;
	return r;
}

void stage1_memo_done(struct stage1_memo *m)
{
	stage1_done(&m->s);
	m->installed = false;
}
