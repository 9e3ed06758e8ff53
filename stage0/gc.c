/*
 * gc — what moves pods towards their end, and deletes them.
 *
 * Every step lists one directory and opens one pod at a time.  Two gcs, or a gc and an rm, may meet
 * on one pod: whoever renames or locks it first does the work, and the other one says nothing.
 */
#include "stage0/gc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fsat.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/when.h"
#include "stage0/age.h"
#include "stage0/classic.h"
#include "stage0/mounts.h"
#include "stage0/stage1.h"
#include "stage0/sweep.h"
#include "stage1/contract.h"

#define CGROUPS_FILE_MAX (64u << 10) /* bytes */

/* What a pass knows beside its options. */
struct gc_pass {
	const struct gc_options *o;
	int64_t now_prepared, now_exited; /* for judging these */
	bool no_mounts;                   /* there was no mount below any pod when it began */
	struct stage1_memo stage1;
};

static void report(const struct gc_options *o, enum gc_event ev, const char *uuid, const struct err *e)
{
	if (o->report)
		o->report(o->arg, ev, uuid, e);
}

/* ---- one pod ---- */

/*
 * Is nothing left of what a gc entrypoint that works by record would remove (CONTRACT_GC_RECORD)?  The usual
 * case: the pod's first process has taken its cgroups with it.  Any doubt counts as no.
 */
static bool record_is_void(const struct pod *p)
{
	auto_buf text = BUF_INIT;
	int r = record_read_at(p->fd, CONTRACT_FILE_CGROUPS, CGROUPS_FILE_MAX, &text);

	if (faccessat(p->fd, CONTRACT_DIR_NET, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
		return false;
	if (r < 0)
		return r == -ENOENT;
	auto_strv lines = strv_split(buf_str(&text), '\n');
	for (char **l = lines; l && *l; l++) {
		if (**l && (**l != '/' || access(*l, F_OK) == 0 || errno != ENOENT))
			return false;
	}
	return true;
}

/* What stage1 acquired for the pod outside its directory: 1 when it was called.  A pod that never got a stage1 has
 * nothing. */
static int call_stage1(const struct pod *p, struct gc_pass *g, struct err *e)
{
	const struct stage1 *s = &g->stage1.s;
	int r = stage1_of_next_pod(p, &g->stage1, e);

	if (r == -ENOENT) {
		err_clear(e);
		return 0;
	}
	if (r == 0 && s->gc_by_record && record_is_void(p))
		return 0;
	if (r == 0 && !s->native)
		r = classic_remount(s, p, e);
	if (r == 0)
		r = stage1_call_gc(s, p, g->o->debug, g->o->local_config, e);
	return r < 0 ? r : 1;
}

static int unmount_and_delete(struct pod *p, struct err *e)
{
	int r = pod_unmount_all(p, e);

	return r < 0 ? err_ctx(e, "pod %s", p->uuid) : pod_delete(p, e);
}

/* @p is locked, in exited-garbage/ or garbage/. */
static int delete_pod(struct pod *p, struct gc_pass *g, struct err *e)
{
	int called = p->state == POD_EXITED_DELETING ? call_stage1(p, g, e) : 0;
	int r;

	/* The pod goes even if its stage1 cannot clean up: a missing or broken one would keep it for ever. */
	if (called < 0) {
		log_warn("pod %s: %s", p->uuid, e->text);
		err_clear(e);
	}
	if (!g->no_mounts || called)
		return unmount_and_delete(p, e);
	r = pod_delete(p, e);
	if (r != -EBUSY)
		return r;
	err_clear(e);
	return unmount_and_delete(p, e);
}

int gc_remove_pod(struct pod *p, bool debug, const char *local_config, struct err *e)
{
	const struct gc_options o = { .debug = debug, .local_config = local_config };
	struct gc_pass g = { .o = &o };
	int r = pod_refresh(p, e);

	if (r < 0)
		return r;
	if (p->state == POD_ABORTED_PREPARE || p->state == POD_PREPARED)
		r = pod_to_garbage(p, e);
	else if (p->state == POD_EXITED)
		r = pod_to_exited_garbage(p, e);
	else if (p->state == POD_GONE)
		r = err_set(e, ERR_STATE, ENOENT, "pod %s has gone", p->uuid);
	else if (p->state != POD_EXITED_GARBAGE && p->state != POD_GARBAGE)
		r = err_set(e, ERR_STATE, EBUSY, "pod %s is %s", p->uuid, pod_state_name(p->state));
	if (r == 0)
		r = pod_lock(p, e);
	if (r == 0)
		r = delete_pod(p, &g, e);
	stage1_memo_done(&g.stage1);
	return r;
}

/* ---- one pass ---- */

/* Somebody else has it, or has already done it. */
static bool somebody_elses(int r)
{
	return r == -ENOENT || r == -EBUSY;
}

/*
 * Rules and addresses on the host are not for the time of grace: networks of a pod that could not undo them itself go as soon as anybody sees
 * that it ended.  The rest of what the entrypoint does may be done now as well as later.
 */
static void undo_networks(struct pod *p, struct gc_pass *g)
{
	struct err e = ERR_INIT;
	int r;

	/* the lock goes with @p */
	if (faccessat(p->fd, CONTRACT_DIR_NET, F_OK, AT_SYMLINK_NOFOLLOW) < 0 || pod_lock(p, &e) < 0)
		return;
	r = call_stage1(p, g, &e);
	if (r < 0)
		log_warn("pod %s: %s", p->uuid, e.text);
}

static void mark_exited(struct pod *p, struct gc_pass *g, struct err *e)
{
	int r = p->state == POD_EXITED ? pod_to_exited_garbage(p, e) : -EBUSY;

	if (r == 0) {
		report(g->o, GC_MARKED, p->uuid, NULL);
		undo_networks(p, g);
	} else if (!somebody_elses(r)) {
		report(g->o, GC_FAILED, p->uuid, e);
	}
}

static void discard_aborted(struct pod *p, struct gc_pass *g, struct err *e)
{
	int r = p->state == POD_ABORTED_PREPARE ? pod_to_garbage(p, e) : -EBUSY;

	if (r == 0)
		report(g->o, GC_ABORTED, p->uuid, NULL);
	else if (!somebody_elses(r))
		report(g->o, GC_FAILED, p->uuid, e);
}

/* Has the directory been where it is for longer than @ns? */
static bool older_than(const struct pod *p, int64_t now, int64_t ns)
{
	struct timespec since;

	return pod_gc_marked(p, &since) == 0 && (ns == 0 || now - when_ns(since) >= ns);
}

static void expire_prepared(struct pod *p, struct gc_pass *g, struct err *e)
{
	int r = p->state == POD_PREPARED && older_than(p, g->now_prepared, g->o->expire_prepared_ns)
			? pod_to_garbage(p, e)
			: -EBUSY;

	if (r == 0)
		report(g->o, GC_EXPIRED, p->uuid, NULL);
	else if (!somebody_elses(r))
		report(g->o, GC_FAILED, p->uuid, e);
}

static void delete_locked(struct pod *p, struct gc_pass *g, struct err *e)
{
	int r = pod_lock(p, e);

	if (somebody_elses(r))
		return;
	if (r == 0) {
		report(g->o, GC_DELETING, p->uuid, NULL);
		r = delete_pod(p, g, e);
	}
	if (r < 0)
		report(g->o, GC_FAILED, p->uuid, e);
}

static void delete_exited(struct pod *p, struct gc_pass *g, struct err *e)
{
	if (p->state != POD_EXITED_GARBAGE)
		return;
	if (older_than(p, g->now_exited, g->o->grace_ns))
		delete_locked(p, g, e);
	else
		report(g->o, GC_IN_GRACE, p->uuid, NULL);
}

static void delete_garbage(struct pod *p, struct gc_pass *g, struct err *e)
{
	if (p->state == POD_GARBAGE)
		delete_locked(p, g, e);
}

typedef void visit_fn(struct pod *p, struct gc_pass *g, struct err *e);

static void visit_all(struct gc_pass *g, const struct datadir *d, const struct pod_places *all,
		      visit_fn *visit)
{
	for (size_t n = 0; n < all->n; n++) {
		auto_pod p = POD_INIT;
		struct err why = ERR_INIT;
		int r = pod_open_place(d, &all->v[n], &p, &why);

		if (r == 0)
			visit(&p, g, &why);
		else if (r != -ENOENT)
			report(g->o, GC_FAILED, all->v[n].uuid, &why);
	}
}

/* Read once and not for each pod: only a stage1 of rkt 1.30 mounts anything that the host sees. */
static bool no_mounts_below(const struct datadir *d)
{
	auto_free char *pods = xasprintf("%s/" DIR_PODS, d->path);
	auto_strv mounts = NULL;

	return mounts_below(pods, &mounts) == 0 && !mounts;
}

int gc_run(const struct datadir *d, const struct gc_options *o, struct err *e)
{
	static const struct {
		unsigned int dirs;
		bool deletes;
		visit_fn *visit;
	} passes[] = {
		{ PODS_RUN, false, mark_exited },         { PODS_PREPARE, false, discard_aborted },
		{ PODS_PREPARED, true, expire_prepared }, { PODS_EXITED_GARBAGE, true, delete_exited },
		{ PODS_GARBAGE, true, delete_garbage },
	};

	struct gc_pass g = { .o = o, .no_mounts = !o->mark_only && no_mounts_below(d) };
	int r = 0;

	/* before we change them ourselves */
	if (o->expire_prepared_ns && !o->mark_only)
		g.now_prepared = age_now_in(d->fd, DIR_PREPARED, "prepared pods");
	if (o->grace_ns && !o->mark_only)
		g.now_exited = age_now_in(d->fd, DIR_EXITED_GARBAGE, "exited pods");
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(passes); i++) {
		struct pod_places all = { NULL, 0, 0 };

		if (passes[i].deletes && o->mark_only)
			break;
		r = pods_scan(d, passes[i].dirs, &all, e);
		if (r < 0)
			break;
		visit_all(&g, d, &all, passes[i].visit);
		free(all.v);
	}
	stage1_memo_done(&g.stage1);
	return r < 0 || o->mark_only ? r : sweep(d, o->expire_prepared_ns, e);
}
