/*
 * mutable — see mutable.h.
 *
 * Adding: files of the app, then the manifest that names it, then the stage1's part, then the mark that all of it
 * was done; what fails takes the earlier ones back.  Removing goes the other way round.  A crash in between leaves
 * an app of state "unknown", which `app rm` removes.
 */
#include "stage0/mutable.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fsat.h"
#include "base/lock.h"
#include "base/log.h"
#include "stage0/prepmerge.h"
#include "stage1/contract.h"

bool pod_is_mutable(const struct pod *p, const struct pod_manifest *m)
{
	const char *v = pairs_get(&m->annotations, CONTRACT_MUTABLE);

	return v && strcmp(v, "true") == 0 &&
	       faccessat(p->fd, CONTRACT_FILE_LOCK, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A pod that is being changed. */
struct change {
	struct pod *pod;
	struct pod_manifest *manifest;
	struct stage1 stage1;
	int lock;
};

#define CHANGE_INIT                                                                                          \
	{                                                                                                    \
		.lock = FD_NONE                                                                              \
	}

static void change_done(struct change *c)
{
	pod_manifest_free(c->manifest);
	stage1_done(&c->stage1);
	fd_close(&c->lock);
}

static bool has_ended(const struct pod *p)
{
	return p->state == POD_EXITED || p->state == POD_EXITED_GARBAGE;
}

/* Open what every change needs; @locked: wait for the turn.  The manifest is read under the lock. */
static int change_open(struct pod *p, bool locked, struct change *c, struct err *e)
{
	int r;

	c->pod = p;
	if (p->state != POD_RUNNING && !has_ended(p))
		return err_set(e, ERR_STATE, EINVAL, "pod \"%s\" is not running: it is %s", p->uuid,
			       pod_state_name(p->state));
	c->manifest = pod_manifest_load(p, e);
	if (!c->manifest)
		return -e->code;
	if (!pod_is_mutable(p, c->manifest))
		return err_set(e, ERR_STATE, ENOTSUP,
			       "pod \"%s\" is not mutable: its apps were fixed when it was made (mutable "
			       "pods come from 'rkt app sandbox')",
			       p->uuid);
	if (locked) {
		/* read again what another change may have written meanwhile */
		c->lock = lock_file_at(p->fd, CONTRACT_FILE_LOCK, LOCK_EXCL, 1);
		if (c->lock < 0)
			return err_sys(e, -c->lock, "lock pod \"%s\"", p->uuid);
		pod_manifest_free(c->manifest);
		c->manifest = pod_manifest_load(p, e);
		if (!c->manifest)
			return -e->code;
	}
	r = pod_refresh(p, e);
	return r == 0 ? stage1_of_pod(p, &c->stage1, e) : r;
}

static int must_run(const struct pod *p, struct err *e)
{
	if (p->state != POD_RUNNING)
		return err_set(e, ERR_STATE, ESRCH, "pod \"%s\" is not running: it is %s", p->uuid,
			       pod_state_name(p->state));
	return pod_ready(p) ? 0
			    : err_set(e, ERR_STATE, EAGAIN,
				      "pod \"%s\" is not ready yet (see 'rkt status --wait-ready')", p->uuid);
}

static int must_have(const struct change *c, const char *app, struct err *e)
{
	if (pod_manifest_app(c->manifest, app))
		return 0;
	return err_set(e, ERR_INPUT, ENOENT, "pod \"%s\" has no app \"%s\"", c->pod->uuid, app);
}

static int write_manifest(const struct change *c, struct err *e)
{
	auto_json doc = pod_manifest_to_json(c->manifest);
	auto_free char *text = json_text(doc, JSON_LINE);
	int r = write_file_at(c->pod->fd, POD_FILE_MANIFEST, text, strlen(text), 0640, 0);

	return r < 0 ? err_sys(e, -r, "write the manifest of pod \"%s\"", c->pod->uuid) : 0;
}

/* ---- removing ---- */

/* The empty volumes that are this app's alone: of its mounts, and for its image's mount points. */
static int rm_volumes(const struct change *c, const struct runtime_app *a, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < a->mounts.n && r == 0; i++) {
		const struct volume *v = a->mounts.v[i].app_volume;
		auto_free char *path = v && v->kind == VOLUME_EMPTY
					       ? xasprintf(POD_DIR_VOLUMES "/%s", v->name)
					       : NULL;

		r = path ? rm_tree_at(c->pod->fd, path, e) : 0;
	}
	for (size_t i = 0; a->app && i < a->app->mount_points.n && r == 0; i++) {
		auto_free char *path = xasprintf(POD_DIR_VOLUMES "/%s-%s", a->name,
						 a->app->mount_points.v[i].name);

		if (!volumes_get(&c->manifest->volumes, path + sizeof(POD_DIR_VOLUMES)))
			r = rm_tree_at(c->pod->fd, path, e);
	}
	return r;
}

static int rm_files(const struct change *c, const char *app, struct err *e)
{
	static const char *const dirs[] = { POD_DIR_APPSINFO, POD_DIR_OVERLAY, CONTRACT_DIR_STAGE2,
					    CONTRACT_DIR_STATUS, CONTRACT_DIR_PIDS };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(dirs) && r == 0; i++) {
		auto_free char *path = xasprintf("%s/%s", dirs[i], app);

		r = rm_tree_at(c->pod->fd, path, e);
	}
	return r;
}

static void drop_app(struct pod_manifest *m, const char *name)
{
	size_t i = 0;

	while (i < m->napps && strcmp(m->apps[i].name, name) != 0)
		i++;
	if (i == m->napps)
		return;
	struct runtime_app gone = m->apps[i];
	memmove(&m->apps[i], &m->apps[i + 1], (m->napps - i - 1) * sizeof(gone));
	/* the last place owns what goes, so that one function frees it */
	m->apps[m->napps - 1] = gone;
	pod_manifest_drop_last(m);
}

int mutable_rm(struct pod *p, const char *app, bool debug, struct err *e)
{
	struct change c = CHANGE_INIT;
	int r = change_open(p, true, &c, e);

	if (r == 0)
		r = must_have(&c, app, e);
	if (r == 0 && p->state == POD_RUNNING)
		r = stage1_call_app(&c.stage1, p, STAGE1_APP_RM, app, debug, e);
	if (r == 0)
		r = rm_volumes(&c, pod_manifest_app(c.manifest, app), e);
	if (r == 0)
		r = rm_files(&c, app, e);
	if (r == 0) {
		drop_app(c.manifest, app);
		r = write_manifest(&c, e);
	}
	change_done(&c);
	return r;
}

/* ---- adding ---- */

static int merge_new(struct change *c, const struct pod_request *q, const struct store *s,
		     struct image_info *image, struct err *e)
{
	static const struct app_env no_env;
	int r = merge_load_image(q, s, q->apps[0].image_id, image, e);

	if (r < 0)
		return r;
	if (c->manifest->napps == POD_APPS_MAX)
		return err_set(e, ERR_INPUT, E2BIG, "pod \"%s\" has %d apps already", c->pod->uuid,
			       POD_APPS_MAX);
	struct runtime_app *a = pod_manifest_add_app(c->manifest);
	r = merge_app(&q->apps[0], image, &no_env, q, a, e);
	if (r < 0)
		return a->name ? err_ctx(e, "app \"%s\"", a->name) : err_ctx(e, "image %s", image->name);
	for (size_t i = 0; i + 1 < c->manifest->napps; i++) {
		if (strcmp(c->manifest->apps[i].name, a->name) == 0)
			return err_set(e, ERR_INPUT, EEXIST,
				       "pod \"%s\" has an app \"%s\" already; use another --name",
				       c->pod->uuid, a->name);
	}
	return check_mounts(c->manifest, e);
}

/* Files first: nothing names them yet. */
static int place_new(const struct change *c, const struct store *s, const char *app,
		     const struct image_info *image, struct err *e)
{
	struct placing j = { .store = s, .stage1 = &c->stage1, .pod = c->pod };

	/* the pod was made with overlays or with copies, and stays with it */
	j.overlay = faccessat(c->pod->fd, POD_DIR_OVERLAY, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	return place_app(&j, app, image, e);
}

static int mark_added(const struct change *c, const char *app, struct err *e)
{
	auto_free char *path = xasprintf(POD_DIR_APPSINFO "/%s/" POD_APP_ADDED, app);
	int r = write_file_at(c->pod->fd, path, "", 0, 0644, 0);

	return r < 0 ? err_sys(e, -r, "write %s", path) : 0;
}

/* The remains of one that could not be added; the error is that of the adding. */
static void take_back(struct change *c, const char *app, bool named)
{
	struct err e = ERR_INIT;
	int r;

	/* one that was killed half-way has left things inside the pod */
	if (named)
		(void)stage1_call_app(&c->stage1, c->pod, STAGE1_APP_RM, app, false, &e);
	err_clear(&e);
	r = rm_volumes(c, pod_manifest_app(c->manifest, app), &e);

	if (r == 0)
		r = rm_files(c, app, &e);
	if (r == 0 && named) {
		drop_app(c->manifest, app);
		r = write_manifest(c, &e);
	}
	if (r < 0)
		log_warn("remove the rest of app \"%s\": %s", app, e.text);
}

static int add(struct change *c, const struct pod_request *q, const struct store *s, bool debug,
	       char **ret_name, struct err *e)
{
	struct image_info image = { .id = "" };
	int r = merge_new(c, q, s, &image, e);

	if (r == 0) {
		auto_free char *name = xstrdup(c->manifest->apps[c->manifest->napps - 1].name);
		bool named = false;

		r = place_new(c, s, name, &image, e);
		if (r == 0)
			r = write_manifest(c, e);
		named = r == 0;
		if (r == 0)
			r = stage1_call_app(&c->stage1, c->pod, STAGE1_APP_ADD, name, debug, e);
		if (r == 0)
			r = mark_added(c, name, e);
		if (r < 0)
			take_back(c, name, named);
		else
			*ret_name = steal_ptr(&name);
	}
	image_info_done(&image);
	return r;
}

int mutable_add(struct pod *p, const struct pod_request *q, const struct store *s, bool debug,
		char **ret_name, struct err *e)
{
	struct change c = CHANGE_INIT;
	int r = change_open(p, true, &c, e);

	if (r == 0)
		r = must_run(p, e);
	if (r == 0)
		r = stage1_require_mutable(&c.stage1, e);
	if (r == 0)
		r = add(&c, q, s, debug, ret_name, e);
	change_done(&c);
	return r;
}

/* ---- starting and stopping ---- */

int mutable_start(struct pod *p, const char *app, bool debug, struct err *e)
{
	struct change c = CHANGE_INIT;
	int r = change_open(p, true, &c, e);

	if (r == 0)
		r = must_run(p, e);
	if (r == 0)
		r = must_have(&c, app, e);
	if (r == 0)
		r = stage1_call_app(&c.stage1, p, STAGE1_APP_START, app, debug, e);
	change_done(&c);
	return r;
}

int mutable_stop(struct pod *p, const char *app, bool debug, struct err *e)
{
	struct change c = CHANGE_INIT;
	int r = change_open(p, false, &c, e);

	if (r == 0)
		r = must_have(&c, app, e);
	if (r == 0 && has_ended(p))
		r = 1;
	if (r == 0)
		r = stage1_call_app(&c.stage1, p, STAGE1_APP_STOP, app, debug, e);
	change_done(&c);
	return r;
}
