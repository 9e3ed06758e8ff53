/*
 * app — the app section of manifests (schema/app.h).
 */
#include "schema/app.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/strv.h"
#include "schema/check.h"
#include "schema/ids.h"

#define ID_MAX   (UINT32_MAX - 1) /* (gid_t)-1 means "no change" to the kernel */
#define PORT_END 65536

static void port_done(struct port *p)
{
	free(p->name);
	free(p->protocol);
}

void port_free(struct port *p)
{
	if (p)
		port_done(p);
	free(p);
}

static void ports_done(struct ports *l)
{
	for (size_t i = 0; i < l->n; i++)
		port_done(&l->v[i]);
	free(l->v);
	*l = (struct ports){ NULL, 0 };
}

struct app *app_new(void)
{
	return xcalloc(1, sizeof(struct app));
}

void app_free(struct app *a)
{
	if (!a)
		return;
	strv_free(a->exec);
	free(a->user);
	free(a->group);
	free(a->gids);
	strv_free(a->pre_start);
	strv_free(a->post_stop);
	free(a->working_dir);
	pairs_done(&a->env);
	mount_points_done(&a->mount_points);
	ports_done(&a->ports);
	isolators_done(&a->isolators);
	pairs_done(&a->user_annotations);
	pairs_done(&a->user_labels);
	free(a);
}

static void app_freep(struct app **a)
{
	app_free(*a);
}

static void mount_points_copy(struct mount_points *to, const struct mount_points *from)
{
	*to = (struct mount_points){ xcalloc(from->n + 1, sizeof(from->v[0])), from->n };
	for (size_t i = 0; i < from->n; i++) {
		const struct mount_point *p = &from->v[i];

		to->v[i] = (struct mount_point){ xstrdup(p->name), xstrdup(p->path), p->read_only };
	}
}

static void ports_copy(struct ports *to, const struct ports *from)
{
	*to = (struct ports){ xcalloc(from->n + 1, sizeof(from->v[0])), from->n };
	for (size_t i = 0; i < from->n; i++) {
		to->v[i] = from->v[i];
		to->v[i].name = xstrdup(from->v[i].name);
		to->v[i].protocol = xstrdup(from->v[i].protocol);
	}
}

struct app *app_copy(const struct app *a)
{
	struct app *c = app_new();

	c->exec = strv_copy(a->exec);
	c->user = xstrdup(a->user);
	c->group = xstrdup(a->group);
	c->gids = a->ngids ? xmemdup(a->gids, a->ngids * sizeof(a->gids[0])) : NULL;
	c->ngids = a->ngids;
	c->pre_start = strv_copy(a->pre_start);
	c->post_stop = strv_copy(a->post_stop);
	c->working_dir = xstrdup(a->working_dir);
	pairs_copy(&c->env, &a->env);
	mount_points_copy(&c->mount_points, &a->mount_points);
	ports_copy(&c->ports, &a->ports);
	isolators_copy(&c->isolators, &a->isolators);
	pairs_copy(&c->user_annotations, &a->user_annotations);
	pairs_copy(&c->user_labels, &a->user_labels);
	return c;
}

/* ---- reading: one row a member ---- */

static bool not_empty(const char *s)
{
	return *s != 0;
}

static int read_exec(const json_t *o, const char *where, struct app *a, struct err *e)
{
	return json_get_strv(o, where, "exec", false, &a->exec, e);
}

static int read_identity(const json_t *o, const char *where, struct app *a, struct err *e)
{
	const char *user = NULL, *group = NULL;
	int r = need_valid(o, where, "user", not_empty, "is not a user", &user, e);

	if (r == 0)
		r = need_valid(o, where, "group", not_empty, "is not a group", &group, e);
	if (r < 0)
		return r;
	a->user = xstrdup(user);
	a->group = xstrdup(group);
	return 0;
}

static int read_gids(const json_t *o, const char *where, struct app *a, struct err *e)
{
	json_t *arr = NULL, *item;
	size_t i;
	int r = json_get_arr(o, where, "supplementaryGIDs", false, &arr, e);

	if (r < 0 || !arr)
		return r;
	a->gids = xcalloc(json_array_size(arr) + 1, sizeof(a->gids[0]));
	json_array_foreach(arr, i, item)
	{
		json_int_t v = json_integer_value(item);

		if (!json_is_integer(item) || v < 0 || v > ID_MAX)
			return err_set(e, ERR_INPUT, EINVAL, "%s.supplementaryGIDs[%zu]: group id expected",
				       where, i);
		a->gids[a->ngids++] = (uint32_t)v;
	}
	return 0;
}

static int read_handler(const json_t *o, const char *where, struct app *a, struct err *e)
{
	const char *name = NULL;
	char at[WHERE_MAX];
	char ***slot;
	int r = json_get_str(o, where, "name", true, &name, e);

	if (r < 0)
		return r;
	if (strcmp(name, "pre-start") == 0)
		slot = &a->pre_start;
	else if (strcmp(name, "post-stop") == 0)
		slot = &a->post_stop;
	else
		return bad_value(e, where_key(at, where, "name"), name,
				 "is not an event (pre-start, post-stop)");
	if (*slot)
		return bad_value(e, where_key(at, where, "name"), name, "is given twice");
	r = json_get_strv(o, where, "exec", true, slot, e);
	if (r == 0 && !*slot)
		return err_set(e, ERR_INPUT, EINVAL, "%s.exec: empty", where);
	return r;
}

static int read_handlers(const json_t *o, const char *where, struct app *a, struct err *e)
{
	json_t *arr = NULL;
	char list_at[WHERE_MAX];
	int r = json_get_arr(o, where, "eventHandlers", false, &arr, e);

	(void)where_key(list_at, where, "eventHandlers");
	for (size_t i = 0; r == 0 && i < json_array_size(arr); i++) {
		char at[WHERE_MAX];
		const json_t *handler = need_object(arr, list_at, i, e);

		r = handler ? read_handler(handler, where_index(at, list_at, i), a, e) : -e->code;
	}
	return r;
}

static int read_working_dir(const json_t *o, const char *where, struct app *a, struct err *e)
{
	const char *dir = "";
	char at[WHERE_MAX];
	int r = json_get_str(o, where, "workingDirectory", false, &dir, e);

	if (r < 0 || !*dir)
		return r;
	if (*dir != '/')
		return bad_value(e, where_key(at, where, "workingDirectory"), dir, "is not an absolute path");
	a->working_dir = xstrdup(dir);
	return 0;
}

int port_from_json(const json_t *o, const char *where, struct port *ret, struct err *e)
{
	const char *name = NULL, *protocol = "tcp";
	int64_t port = 0, count = 1;
	bool socket = false;
	int r = need_valid(o, where, "name", ac_name_valid, RULE_NAME, &name, e);

	if (r == 0)
		r = json_get_str(o, where, "protocol", false, &protocol, e);
	if (r == 0)
		r = json_get_int(o, where, "port", true, 1, PORT_END - 1, &port, e);
	if (r == 0)
		r = json_get_int(o, where, "count", false, 0, PORT_END, &count, e);
	if (r == 0)
		r = json_get_bool(o, where, "socketActivated", false, &socket, e);
	if (r < 0)
		return r;
	if (port + count > PORT_END)
		return err_set(e, ERR_INPUT, ERANGE, "%s: ports %d to %d end above 65535", where, (int)port,
			       (int)(port + count - 1));
	*ret = (struct port){ xstrdup(name), xstrdup(*protocol ? protocol : "tcp"), (uint32_t)port,
			      count ? (uint32_t)count : 1, socket };
	return 0;
}

static int read_ports(const json_t *o, const char *where, struct app *a, struct err *e)
{
	json_t *arr = NULL;
	char list_at[WHERE_MAX];
	int r = json_get_arr(o, where, "ports", false, &arr, e);
	size_t n = json_array_size(arr);

	if (n)
		a->ports.v = xcalloc(n, sizeof(a->ports.v[0]));
	(void)where_key(list_at, where, "ports");
	for (size_t i = 0; r == 0 && i < n; i++) {
		char at[WHERE_MAX];
		const json_t *port = need_object(arr, list_at, i, e);

		r = port ? port_from_json(port, where_index(at, list_at, i), &a->ports.v[i], e) : -e->code;
		if (r == 0)
			a->ports.n++;
	}
	return r;
}

static int read_environment(const json_t *o, const char *where, struct app *a, struct err *e)
{
	json_t *arr = NULL;
	char at[WHERE_MAX];
	int r = json_get_arr(o, where, "environment", false, &arr, e);

	return r < 0 || !arr ? r
			     : environment_from_json(arr, where_key(at, where, "environment"), &a->env, e);
}

static int read_mount_points(const json_t *o, const char *where, struct app *a, struct err *e)
{
	json_t *arr = NULL;
	char at[WHERE_MAX];
	int r = json_get_arr(o, where, "mountPoints", false, &arr, e);

	return r < 0 || !arr ? r
			     : mount_points_from_json(arr, where_key(at, where, "mountPoints"),
						      &a->mount_points, e);
}

static int read_isolators(const json_t *o, const char *where, struct app *a, struct err *e)
{
	json_t *arr = NULL;
	char at[WHERE_MAX];
	int r = json_get_arr(o, where, "isolators", false, &arr, e);

	return r < 0 || !arr
		       ? r
		       : isolators_from_json(arr, where_key(at, where, "isolators"), true, &a->isolators, e);
}

static int read_user_maps(const json_t *o, const char *where, struct app *a, struct err *e)
{
	return user_maps_from_json(o, where, &a->user_annotations, &a->user_labels, e);
}

struct app *app_from_json(const json_t *obj, const char *where, struct err *e)
{
	static int (*const members[])(const json_t *, const char *, struct app *, struct err *) = {
		read_exec,        read_identity,     read_gids,  read_handlers,  read_working_dir,
		read_environment, read_mount_points, read_ports, read_isolators, read_user_maps,
	};
	__attribute__((cleanup(app_freep))) struct app *a = app_new();

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		if (members[i](obj, where, a, e) < 0)
			return NULL;
	}
	return steal_ptr(&a);
}

/* ---- writing, in the order of the specification ---- */

static json_t *strv_to_json(char *const *v)
{
	json_t *arr = json_array();

	for (size_t i = 0; v && v[i]; i++)
		json_array_append_new(arr, json_string(v[i]));
	return arr;
}

static json_t *handlers_to_json(const struct app *a)
{
	json_t *arr = json_array();

	if (a->pre_start)
		json_array_append_new(arr, json_pack("{s:s, s:o}", "name", "pre-start", "exec",
						     strv_to_json(a->pre_start)));
	if (a->post_stop)
		json_array_append_new(arr, json_pack("{s:s, s:o}", "name", "post-stop", "exec",
						     strv_to_json(a->post_stop)));
	return arr;
}

json_t *port_to_json(const struct port *p)
{
	return json_pack("{s:s, s:s, s:I, s:I, s:b}", "name", p->name, "protocol", p->protocol, "port",
			 (json_int_t)p->port, "count", (json_int_t)p->count, "socketActivated",
			 (int)p->socket_activated);
}

static json_t *ports_to_json(const struct ports *l)
{
	json_t *arr = json_array();

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(arr, port_to_json(&l->v[i]));
	return arr;
}

static json_t *gids_to_json(const struct app *a)
{
	json_t *arr = json_array();

	for (size_t i = 0; i < a->ngids; i++)
		json_array_append_new(arr, json_integer(a->gids[i]));
	return arr;
}

json_t *app_to_json(const struct app *a)
{
	json_t *o = json_object();

	json_object_set_new(o, "exec", strv_to_json(a->exec));
	set_unless_empty(o, "eventHandlers", handlers_to_json(a));
	json_object_set_new(o, "user", json_string(a->user ? a->user : ""));
	json_object_set_new(o, "group", json_string(a->group ? a->group : ""));
	set_unless_empty(o, "supplementaryGIDs", gids_to_json(a));
	if (a->working_dir)
		json_object_set_new(o, "workingDirectory", json_string(a->working_dir));
	set_unless_empty(o, "environment", pairs_to_json(&a->env));
	set_unless_empty(o, "mountPoints", mount_points_to_json(&a->mount_points));
	set_unless_empty(o, "ports", ports_to_json(&a->ports));
	set_unless_empty(o, "isolators", isolators_to_json(&a->isolators));
	set_unless_empty(o, "userAnnotations", string_map_to_json(&a->user_annotations));
	set_unless_empty(o, "userLabels", string_map_to_json(&a->user_labels));
	return o;
}
