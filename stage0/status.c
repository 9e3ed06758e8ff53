/*
 * status — everything that list and status show about a pod, taken at one moment.
 *
 * A pod that is being prepared or deleted shows what is there: a manifest that is not readable (yet,
 * or any more) is no error.
 */
#include "stage0/status.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fsat.h"
#include "base/when.h"
#include "schema/image.h"
#include "stage0/mutable.h"
#include "stage0/podfacts.h"
#include "stage0/summary.h"
#include "stage1/contract.h"

#define NET_INFO_MAX (1u << 20)

static bool after_run(enum pod_state s)
{
	return s == POD_EXITED || s == POD_EXITED_GARBAGE || s == POD_EXITED_DELETING || s == POD_GARBAGE ||
	       s == POD_DELETING;
}

static bool has_manifest(enum pod_state s)
{
	return s == POD_PREPARED || s == POD_RUNNING || s == POD_EXITED || s == POD_EXITED_GARBAGE ||
	       s == POD_EXITED_DELETING;
}

/* What the image is called: as the pod manifest says, or, when it was not written by us, the copy of the image's
 * own manifest. */
static char *image_title(const struct pod *p, const struct runtime_app *a)
{
	auto_free char *path = NULL;
	auto_buf b = BUF_INIT;
	auto_image_manifest m = NULL;
	struct err ignored = ERR_INIT; /* the caller shows a dash */
	char *title = summary_title(a);

	if (title)
		return title;
	path = xasprintf(POD_DIR_APPSINFO "/%s/manifest", a->name);
	if (read_file_at(p->fd, path, IMAGE_MANIFEST_MAX, &b) < 0)
		return NULL;
	m = image_manifest_parse(buf_str(&b), b.len, &ignored);
	return m ? image_manifest_title(m) : NULL;
}

static const char *app_state(enum pod_state s, bool has_exit)
{
	if (after_run(s) || (s == POD_RUNNING && has_exit))
		return "exited";
	if (s == POD_RUNNING)
		return "running";
	return s == POD_PREPARED ? "created" : "unknown";
}

static bool mtime_of(const struct pod *p, const char *path, struct timespec *ret)
{
	struct stat st;

	if (fstatat(p->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	*ret = st.st_mtim;
	return true;
}

/* An app of a mutable pod has times of its own: those of the files that its steps left. */
static void take_added(const struct pod *p, struct app_snapshot *a)
{
	auto_free char *added = xasprintf(POD_DIR_APPSINFO "/%s/" POD_APP_ADDED, a->name);
	auto_free char *pid = xasprintf(POD_DIR_APPSINFO "/%s/" CONTRACT_APP_PID, a->name);
	auto_free char *status = xasprintf(POD_DIR_APPSINFO "/%s/" CONTRACT_APP_STATUS, a->name);

	a->has_created = mtime_of(p, added, &a->created);
	a->has_started = mtime_of(p, pid, &a->started);
	a->has_finished = a->has_exit && mtime_of(p, status, &a->finished);
	if (after_run(p->state))
		a->state = "exited";
	else if (p->state != POD_RUNNING || !a->has_created)
		a->state = "unknown";
	else
		a->state = a->has_exit ? "exited" : a->has_started ? "running" : "created";
}

static void take_times(const struct pod_snapshot *s, struct app_snapshot *a)
{
	a->has_created = s->has_created;
	a->created = s->created;
	a->has_started = s->has_started;
	a->started = s->started;
	a->finished = s->finished;
	a->has_finished = s->finished.tv_sec && strcmp(a->state, "exited") == 0;
}

static void take_apps(const struct pod *p, struct pod_snapshot *s)
{
	bool ran = p->state != POD_PREPARED;

	s->napps = s->manifest->napps;
	s->apps = xcalloc(s->napps + 1, sizeof(*s->apps));
	for (size_t i = 0; i < s->napps; i++) {
		const struct runtime_app *from = &s->manifest->apps[i];
		struct app_snapshot *a = &s->apps[i];

		a->name = xstrdup(from->name);
		a->image_id = xstrdup(from->image_id);
		a->image_title = image_title(p, from);
		a->has_exit = ran && pod_app_status(p, from->name, &a->exit_code) == 0;
		a->state = app_state(p->state, a->has_exit);
		if (pod_is_mutable(p, s->manifest))
			take_added(p, a);
		else
			take_times(s, a);
	}
}

static void add_address(struct buf *line, const char *name, const char *family, const char *addr)
{
	buf_addf(line, "%s%s:%s=%.*s", line->len ? ", " : "", name, family, (int)strcspn(addr, "/"), addr);
}

/* "NAME:ip4=ADDR" as rkt 1.30 wrote it, from "ip"; the other addresses, which it did not know, from "ips". */
static void add_network(struct buf *line, const json_t *net)
{
	struct err ignored = ERR_INIT;
	const char *name = "", *ip = "";
	const json_t *other;
	size_t i;

	if (json_get_str(net, "", "netName", false, &name, &ignored) < 0 ||
	    json_get_str(net, "", "ip", false, &ip, &ignored) < 0)
		return;
	if (*ip)
		add_address(line, name, "ip4", ip);
	json_array_foreach(json_member(net, "ips"), i, other)
	{
		const char *text = json_string_value(other);
		size_t n = text ? strcspn(text, "/") : 0;

		if (n && !(strlen(ip) == n && strncmp(text, ip, n) == 0))
			add_address(line, name, strchr(text, ':') ? "ip6" : "ip4", text);
	}
}

/* The record of the networks, and its short form. */
static void take_networks(const struct pod *p, struct pod_snapshot *s)
{
	auto_buf text = BUF_INIT, line = BUF_INIT;
	struct err ignored = ERR_INIT; /* no record: the host's networks, or none */

	if ((p->state == POD_RUNNING || p->state == POD_EXITED) &&
	    read_file_at(p->fd, NET_INFO_FILE, NET_INFO_MAX, &text) == 0)
		s->net_info = json_parse(buf_str(&text), text.len, &ignored);
	for (size_t i = 0; i < json_array_size(s->net_info); i++)
		add_network(&line, json_array_get(s->net_info, i));
	s->networks = buf_steal(&line);
}

/* What the pod itself shows, without its apps. */
static struct pod_snapshot take_pod(const struct pod *p)
{
	struct pod_snapshot s = { .uuid = "" };

	memcpy(s.uuid, p->uuid, sizeof(s.uuid));
	s.state = p->state;
	take_networks(p, &s);
	if (s.state != POD_GONE) {
		s.has_created = (after_run(s.state) || s.state == POD_RUNNING || s.state == POD_PREPARED) &&
				pod_created(p, &s.created) == 0;
		s.has_started = (after_run(s.state) || s.state == POD_RUNNING) &&
				pod_started(p, &s.started) == 0;
	}
	return s;
}

void pod_snapshot_brief(const struct pod *p, struct pod_snapshot *ret)
{
	struct app_snapshot *apps = NULL;
	size_t n = 0;

	if (!has_manifest(p->state) || summary_read(p, &apps, &n) < 0) {
		pod_snapshot_take(p, ret);
		return;
	}
	*ret = take_pod(p);
	ret->apps = apps;
	ret->napps = n;
}

void pod_snapshot_take(const struct pod *p, struct pod_snapshot *ret)
{
	struct pod_snapshot s = take_pod(p);
	struct err ignored = ERR_INIT; /* see above */

	if (has_manifest(s.state))
		s.manifest = pod_manifest_load(p, &ignored);
	if (s.state == POD_EXITED_GARBAGE || s.state == POD_EXITED_DELETING)
		(void)pod_gc_marked(p, &s.finished); /* zero means unknown */
	if (s.manifest)
		take_apps(p, &s);
	*ret = s;
}

void pod_snapshot_restarts(const struct pod *p, struct pod_snapshot *s)
{
	for (size_t i = 0; i < s->napps; i++)
		s->apps[i].restarts = pod_app_restarts(p, s->apps[i].name);
}

void pod_snapshot_done(struct pod_snapshot *s)
{
	for (size_t i = 0; i < s->napps; i++) {
		free(s->apps[i].name);
		free(s->apps[i].image_id);
		free(s->apps[i].image_title);
	}
	free(s->apps);
	free(s->networks);
	json_decref(s->net_info);
	pod_manifest_free(s->manifest);
	memset(s, 0, sizeof(*s));
}

/* ---- JSON (cli.md section 13): '?' members are left out when empty ---- */

static void set_map(json_t *to, const char *key, const struct pairs *p)
{
	if (p->n)
		json_object_set_new(to, key, string_map_to_json(p));
}

static void set_time(json_t *to, const char *key, bool has, struct timespec t, int64_t unit)
{
	if (has)
		json_object_set_new(to, key, json_integer((json_int_t)(when_ns(t) / unit)));
}

static json_t *mounts_json(const struct pod_manifest *m, const struct runtime_app *a)
{
	json_t *arr = json_array();

	for (size_t i = 0; i < a->mounts.n; i++) {
		const struct mount *mnt = &a->mounts.v[i];
		const struct volume *v = mnt->app_volume ? mnt->app_volume
							 : volumes_get(&m->volumes, mnt->volume);

		json_array_append_new(arr,
				      json_pack("{s:s, s:s, s:s, s:b}", "name", mnt->volume, "container_path",
						mnt->path, "host_path", v && v->source ? v->source : "",
						"read_only", v && v->read_only == TRI_TRUE));
	}
	return arr;
}

json_t *app_snapshot_json(const struct pod_snapshot *s, size_t i)
{
	const struct app_snapshot *a = &s->apps[i];
	const struct runtime_app *r = &s->manifest->apps[i];
	json_t *obj = json_object();

	json_object_set_new(obj, "name", json_string(a->name));
	json_object_set_new(obj, "state", json_string(a->state));
	set_time(obj, "created_at", a->has_created, a->created, 1);
	set_time(obj, "started_at", a->has_started, a->started, 1);
	set_time(obj, "finished_at", a->has_finished, a->finished, 1);
	if (a->has_exit)
		json_object_set_new(obj, "exit_code", json_integer(a->exit_code));
	if (a->restarts)
		json_object_set_new(obj, "restarts", json_integer(a->restarts));
	json_object_set_new(obj, "image_id", json_string(a->image_id));
	if (r->mounts.n)
		json_object_set_new(obj, "mounts", mounts_json(s->manifest, r));
	if (r->app) {
		set_map(obj, "user_annotations", &r->app->user_annotations);
		set_map(obj, "user_labels", &r->app->user_labels);
	}
	return obj;
}

json_t *pod_snapshot_json(const struct pod_snapshot *s)
{
	json_t *obj = json_object(), *names, *apps;

	json_object_set_new(obj, "name", json_string(s->uuid));
	json_object_set_new(obj, "state", json_string(pod_state_name(s->state)));
	if (json_array_size(s->net_info))
		json_object_set(obj, "networks", s->net_info);
	if (s->napps) {
		names = json_array();
		apps = json_array();
		for (size_t i = 0; i < s->napps; i++) {
			json_array_append_new(names, json_string(s->apps[i].name));
			json_array_append_new(apps, app_snapshot_json(s, i));
		}
		json_object_set_new(obj, "app_names", names);
		json_object_set_new(obj, "apps", apps);
	}
	/* Seconds here, nanoseconds in the apps: as rkt 1.30 (cli.md section 17, number 28). */
	set_time(obj, "created_at", s->has_created, s->created, 1000000000);
	set_time(obj, "started_at", s->has_started, s->started, 1000000000);
	if (s->manifest) {
		set_map(obj, "user_annotations", &s->manifest->user_annotations);
		set_map(obj, "user_labels", &s->manifest->user_labels);
	}
	return obj;
}
