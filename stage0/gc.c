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

#include "base/auto.h"
#include "base/buf.h"
#include "base/fsat.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/when.h"
#include "stage0/classic.h"
#include "stage0/stage1.h"
#include "stage0/sweep.h"
#include "stage1/contract.h"

#define CGROUPS_FILE_MAX (64u << 10) /* bytes */

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
	int r = read_file_at(p->fd, CONTRACT_FILE_CGROUPS, CGROUPS_FILE_MAX, &text);

	if (faccessat(p->fd, NET_INFO_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT)
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

/* What stage1 acquired for the pod outside its directory.  A pod that never got a stage1 has nothing. */
static int call_stage1(const struct pod *p, bool debug, const char *local_config, struct err *e)
{
	struct stage1 s = { .manifest = NULL };
	int r = stage1_of_pod(p, &s, e);

	if (r == -ENOENT) {
		err_clear(e);
		return 0;
	}
	if (r == 0 && s.gc_by_record && record_is_void(p)) {
		stage1_done(&s);
		return 0;
	}
	if (r == 0 && !s.native)
		r = classic_remount(&s, p, e);
	if (r == 0)
		r = stage1_call_gc(&s, p, debug, local_config, e);
	stage1_done(&s);
	return r;
}

/* @p is locked, in exited-garbage/ or garbage/. */
static int delete_pod(struct pod *p, bool debug, const char *local_config, struct err *e)
{
	int r;

	/* The pod goes even if its stage1 cannot clean up: a missing or broken one would keep it for ever. */
	if (p->state == POD_EXITED_DELETING && call_stage1(p, debug, local_config, e) < 0) {
		log_warn("pod %s: %s", p->uuid, e->text);
		err_clear(e);
	}
	r = pod_unmount_all(p, e);
	return r < 0 ? err_ctx(e, "pod %s", p->uuid) : pod_delete(p, e);
}

int gc_remove_pod(struct pod *p, bool debug, const char *local_config, struct err *e)
{
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
	return r < 0 ? r : delete_pod(p, debug, local_config, e);
}

/* ---- one pass ---- */

/* Somebody else has it, or has already done it. */
static bool somebody_elses(int r)
{
	return r == -ENOENT || r == -EBUSY;
}

static void mark_exited(struct pod *p, const struct gc_options *o, struct err *e)
{
	int r = p->state == POD_EXITED ? pod_to_exited_garbage(p, e) : -EBUSY;

	if (r == 0)
		report(o, GC_MARKED, p->uuid, NULL);
	else if (!somebody_elses(r))
		report(o, GC_FAILED, p->uuid, e);
}

static void discard_aborted(struct pod *p, const struct gc_options *o, struct err *e)
{
	int r = p->state == POD_ABORTED_PREPARE ? pod_to_garbage(p, e) : -EBUSY;

	if (r == 0)
		report(o, GC_ABORTED, p->uuid, NULL);
	else if (!somebody_elses(r))
		report(o, GC_FAILED, p->uuid, e);
}

/* Has the directory been where it is for longer than @ns? */
static bool older_than(const struct pod *p, int64_t ns)
{
	struct timespec since;

	return pod_gc_marked(p, &since) == 0 && when_ns(when_now()) - when_ns(since) >= ns;
}

static void expire_prepared(struct pod *p, const struct gc_options *o, struct err *e)
{
	int r = p->state == POD_PREPARED && older_than(p, o->expire_prepared_ns) ? pod_to_garbage(p, e)
										 : -EBUSY;

	if (r == 0)
		report(o, GC_EXPIRED, p->uuid, NULL);
	else if (!somebody_elses(r))
		report(o, GC_FAILED, p->uuid, e);
}

static void delete_locked(struct pod *p, const struct gc_options *o, struct err *e)
{
	int r = pod_lock(p, e);

	if (somebody_elses(r))
		return;
	if (r == 0) {
		report(o, GC_DELETING, p->uuid, NULL);
		r = delete_pod(p, o->debug, o->local_config, e);
	}
	if (r < 0)
		report(o, GC_FAILED, p->uuid, e);
}

static void delete_exited(struct pod *p, const struct gc_options *o, struct err *e)
{
	if (p->state != POD_EXITED_GARBAGE)
		return;
	if (older_than(p, o->grace_ns))
		delete_locked(p, o, e);
	else
		report(o, GC_IN_GRACE, p->uuid, NULL);
}

static void delete_garbage(struct pod *p, const struct gc_options *o, struct err *e)
{
	if (p->state == POD_GARBAGE)
		delete_locked(p, o, e);
}

int gc_run(const struct datadir *d, const struct gc_options *o, struct err *e)
{
	static const struct {
		unsigned int dirs;
		bool deletes;
		void (*visit)(struct pod *p, const struct gc_options *o, struct err *e);
	} passes[] = {
		{ PODS_RUN, false, mark_exited },         { PODS_PREPARE, false, discard_aborted },
		{ PODS_PREPARED, true, expire_prepared }, { PODS_EXITED_GARBAGE, true, delete_exited },
		{ PODS_GARBAGE, true, delete_garbage },
	};

	for (size_t i = 0; i < ARRAY_LEN(passes); i++) {
		struct pod_places all = { NULL, 0, 0 };
		int r;

		if (passes[i].deletes && o->mark_only)
			return 0;
		r = pods_scan(d, passes[i].dirs, &all, e);
		if (r < 0)
			return r;
		for (size_t n = 0; n < all.n; n++) {
			auto_pod p = POD_INIT;
			struct err why = ERR_INIT;

			r = pod_open_place(d, &all.v[n], &p, &why);
			if (r == 0)
				passes[i].visit(&p, o, &why);
			else if (r != -ENOENT)
				report(o, GC_FAILED, all.v[n].uuid, &why);
		}
		free(all.v);
	}
	return o->mark_only ? 0 : sweep(d, o->expire_prepared_ns, e);
}
