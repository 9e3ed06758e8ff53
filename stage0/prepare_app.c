/*
 * prepare_app — one app of the command line over what its image says (cli.md section 8).
 *
 * The steps are a table: each takes one group of options, in an order that does not matter.
 */
#include "stage0/prepmerge.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/num.h"
#include "base/path.h"
#include "base/strv.h"
#include "schema/ids.h"

struct ctx {
	const struct app_request *q;
	const struct image_info *image;
	const struct image_manifest *from;
	const struct app_env *env;
	const struct pod_request *pod;
	struct runtime_app *to;
	struct app *app; /* to->app */
};

/* The list in annotation @name of an image of docker's kind; NULL: none. */
static char **docker_list(const struct ctx *c, const char *name)
{
	const char *text = pairs_get(&c->from->annotations, name);
	struct err ignored = ERR_INIT;
	auto_json arr = text ? json_parse(text, strlen(text), &ignored) : NULL;
	char **v = NULL;

	for (size_t i = 0; i < json_array_size(arr); i++) {
		const char *s = json_string_value(json_array_get(arr, i));

		if (s)
			strv_push(&v, s);
	}
	return v;
}

/* As it came, that is: one that was converted to an ACI is an ACI (cli.md). */
static bool is_docker(const struct ctx *c)
{
	return c->image->nlayers > 0;
}

/* Arguments stand in for the command of an image of docker's kind, behind its entrypoint; of others they follow what it runs. */
static void drop_command(struct ctx *c)
{
	if (!strv_len(c->q->args) || !is_docker(c))
		return;
	strv_free(c->app->exec);
	c->app->exec = docker_list(c, "appc.io/docker/entrypoint");
}

static int take_exec(struct ctx *c, struct err *e)
{
	if (!c->q->exec)
		drop_command(c);
	if (c->q->exec) {
		strv_free(c->app->exec);
		c->app->exec = NULL;
		strv_push(&c->app->exec, c->q->exec);
	}
	if (strv_len(c->app->exec) == 0 && !(is_docker(c) && strv_len(c->q->args)))
		return err_set(e, ERR_INPUT, EINVAL,
			       "the image does not say what to run; use --exec=PROGRAM");
	strv_push_all(&c->app->exec, c->q->args);
	return 0;
}

static void set_text(char **to, const char *value)
{
	if (!value)
		return;
	free(*to);
	*to = xstrdup(value);
}

/*
 * "USER[:GROUP]", as docker users write it; no name has a colon, a path may.  To an image of docker's kind a user without a
 * group is one with the groups that its files know (stage1/lib/login.h), which the same word for both stands for.
 */
static int take_user(struct ctx *c, struct err *e)
{
	const char *text = c->q->user, *colon = text && *text != '/' ? strchr(text, ':') : NULL;
	auto_free char *user = colon ? xstrndup(text, (size_t)(colon - text)) : NULL;
	const char *group = c->q->group ? c->q->group : colon && colon[1] ? colon + 1 : NULL;

	if (colon && c->q->group)
		return err_set(e, ERR_USAGE, EINVAL, "--user=%.80s has a group, and so has --group=%.80s",
			       text, c->q->group);
	if (user)
		text = user;
	set_text(&c->app->user, text);
	set_text(&c->app->group, !group && is_docker(c) ? text : group);
	return 0;
}

static int take_identity(struct ctx *c, struct err *e)
{
	size_t n = strv_len(c->q->gids);

	if (take_user(c, e) < 0)
		return -e->code;
	if (!*c->app->user || !*c->app->group)
		return err_set(e, ERR_INPUT, EINVAL, "the name of the user or group is empty");
	if (!n)
		return 0;
	free(c->app->gids);
	c->app->gids = xcalloc(n, sizeof(c->app->gids[0]));
	c->app->ngids = 0;
	for (size_t i = 0; i < n; i++) {
		if (parse_id(c->q->gids[i], &c->app->gids[i]) < 0)
			return err_set(e, ERR_INPUT, EINVAL, "\"%.40s\" is not a group id", c->q->gids[i]);
		c->app->ngids++;
	}
	return 0;
}

static int take_places(struct ctx *c, struct err *e)
{
	if (c->q->working_dir && c->q->working_dir[0] != '/')
		return err_set(e, ERR_INPUT, EINVAL, "working directory \"%.200s\" is not an absolute path",
			       c->q->working_dir);
	set_text(&c->app->working_dir, c->q->working_dir);
	c->to->read_only_rootfs = c->q->read_only == TRI_TRUE;
	return 0;
}

/* ---- key=value options ---- */

int merge_pairs(struct pairs *to, char *const *from, const char *option, bool (*valid)(const char *),
		struct err *e)
{
	for (; from && *from; from++) {
		const char *eq = strchr(*from, '=');
		auto_free char *name = xstrndup(*from, eq ? (size_t)(eq - *from) : 0);

		if (!*name || (valid && !valid(name)))
			return err_set(e, ERR_INPUT, EINVAL,
				       "--%s: \"%.80s\" has no valid name before a \"=\"", option, *from);
		pairs_set(to, name, eq + 1);
	}
	return 0;
}

static int take_environment(struct ctx *c, struct err *e)
{
	struct pairs *env = &c->app->env;

	for (size_t i = 0; i < c->env->weaker.n; i++) {
		if (!pairs_get(env, c->env->weaker.v[i].name))
			pairs_set(env, c->env->weaker.v[i].name, c->env->weaker.v[i].value);
	}
	for (size_t i = 0; i < c->env->stronger.n; i++)
		pairs_set(env, c->env->stronger.v[i].name, c->env->stronger.v[i].value);
	return merge_pairs(env, c->q->environment, "environment", env_name_valid, e);
}

/* Annotations have rules about their values too, which the parser of manifests knows. */
static int take_annotations(struct ctx *c, struct err *e)
{
	struct pairs given = { NULL, 0 };
	auto_json arr = NULL;
	int r = merge_pairs(&given, c->q->annotations, "annotation", ac_identifier_valid, e);

	arr = pairs_to_json(&given);
	pairs_done(&given);
	return r < 0 ? r : annotations_from_json(arr, "--annotation", &c->to->annotations, e);
}

static int take_user_maps(struct ctx *c, struct err *e)
{
	int r = 0;

	if (c->q->user_annotations) {
		pairs_done(&c->app->user_annotations);
		r = merge_pairs(&c->app->user_annotations, c->q->user_annotations, "user-annotation", NULL,
				e);
	}
	if (r == 0 && c->q->user_labels) {
		pairs_done(&c->app->user_labels);
		r = merge_pairs(&c->app->user_labels, c->q->user_labels, "user-label", NULL, e);
	}
	return r;
}

/* ---- mounts ---- */

/* Among the first @n. */
static bool has_target(const struct mounts *l, size_t n, const char *clean)
{
	for (size_t i = 0; i < n; i++) {
		auto_free char *path = path_clean(l->v[i].path);

		if (strcmp(path, clean) == 0)
			return true;
	}
	return false;
}

/* A volume of this app alone; an empty one gets the app's name before its own, for all that the pod has lie in
 * one directory. */
static struct volume *own_volume(const char *app, const struct volume *from)
{
	struct volume *v = from ? xmalloc(sizeof(*v)) : NULL;

	if (!from)
		return NULL;
	*v = *from;
	v->name = v->kind == VOLUME_EMPTY ? xasprintf("%s-%s", app, from->name) : xstrdup(from->name);
	v->source = from->source ? xstrdup(from->source) : NULL;
	return v;
}

/* The app's own mounts first, then the pod's: an app may have something else at a target than the pod, but nobody two things. */
static int take_mounts(struct ctx *c, struct err *e)
{
	const struct mounts *from[] = { &c->q->mounts, &c->pod->mounts };

	for (size_t l = 0; l < ARRAY_LEN(from); l++) {
		for (size_t i = 0; i < from[l]->n; i++) {
			const struct mount *in = &from[l]->v[i];
			auto_free char *path = path_clean(in->path);

			if (has_target(from[l], i, path))
				return err_set(e, ERR_INPUT, EEXIST,
					       "--mount: two volumes are to be mounted at \"%s\"", path);
			if (has_target(&c->to->mounts, c->to->mounts.n, path))
				continue;
			struct mount m = { xstrdup(in->volume), steal_ptr(&path),
					   own_volume(c->to->name, in->app_volume) };

			mounts_push_take(&c->to->mounts, &m);
		}
	}
	return 0;
}

/* ---- isolators ---- */

static json_t *strings(char *const *v)
{
	json_t *arr = json_array();

	for (; v && *v; v++)
		json_array_append_new(arr, json_string(*v));
	return arr;
}

static int take_resources(struct ctx *c, struct err *e)
{
	struct isolators *l = &c->app->isolators;
	int r = 0;

	if (c->q->memory)
		r = isolators_add(l, "resource/memory",
				  json_pack("{s:s, s:s}", "request", c->q->memory, "limit", c->q->memory), e);
	if (r == 0 && c->q->cpu)
		r = isolators_add(l, "resource/cpu",
				  json_pack("{s:s, s:s}", "request", c->q->cpu, "limit", c->q->cpu), e);
	if (r == 0 && c->q->cpu_shares) {
		isolators_drop(l, ISO_CPU_SHARES);
		r = isolators_add(l, "os/linux/cpu-shares", json_integer(c->q->cpu_shares), e);
	}
	if (r == 0 && c->q->has_oom_score_adj) {
		isolators_drop(l, ISO_OOM_SCORE_ADJ);
		r = isolators_add(l, "os/linux/oom-score-adj", json_integer(c->q->oom_score_adj), e);
	}
	return r;
}

static int take_capabilities(struct ctx *c, struct err *e)
{
	struct isolators *l = &c->app->isolators;
	bool retain = c->q->caps_retain;

	if (c->q->caps_retain && c->q->caps_remove)
		return err_set(e, ERR_INPUT, EINVAL, "--caps-retain and --caps-remove exclude each other");
	if (!c->q->caps_retain && !c->q->caps_remove)
		return 0;
	isolators_drop(l, ISO_CAPS_RETAIN);
	isolators_drop(l, ISO_CAPS_REMOVE);
	return isolators_add(
		l, retain ? "os/linux/capabilities-retain-set" : "os/linux/capabilities-remove-set",
		json_pack("{s:o}", "set", strings(retain ? c->q->caps_retain : c->q->caps_remove)), e);
}

/* "mode=retain|remove[,errno=NAME],SYSCALL…", the parts in any order. */
static int take_seccomp(struct ctx *c, struct err *e)
{
	auto_strv parts = c->q->seccomp ? strv_split(c->q->seccomp, ',') : NULL;
	auto_json value = NULL;
	const char *mode = NULL;
	json_t *set;

	if (!parts)
		return 0;
	set = json_array();
	value = json_pack("{s:o}", "set", set);
	for (char **p = parts; *p; p++) {
		if (strncmp(*p, "mode=", 5) == 0)
			mode = *p + 5;
		else if (strncmp(*p, "errno=", 6) == 0)
			json_object_set_new(value, "errno", json_string(*p + 6));
		else if (!**p || strchr(*p, '='))
			return err_set(e, ERR_INPUT, EINVAL, "--seccomp: \"%.80s\" is not understood", *p);
		else
			json_array_append_new(set, json_string(*p));
	}
	if (!mode || (strcmp(mode, "retain") != 0 && strcmp(mode, "remove") != 0))
		return err_set(e, ERR_INPUT, EINVAL, "--seccomp: mode=retain or mode=remove expected");
	isolators_drop(&c->app->isolators, ISO_SECCOMP_RETAIN);
	isolators_drop(&c->app->isolators, ISO_SECCOMP_REMOVE);
	if (isolators_add(&c->app->isolators,
			  strcmp(mode, "retain") == 0 ? "os/linux/seccomp-retain-set"
						      : "os/linux/seccomp-remove-set",
			  steal_ptr(&value), e) < 0)
		return err_ctx(e, "--seccomp");
	return 0;
}

/* What the command line grants beyond the image.  A device of the host is the operator's to give: an image that
 * names one gets none without being told (threats.md R23). */
static int take_limits(struct ctx *c, struct err *e)
{
	if (c->q->cpu_shares && isolators_get(&c->q->isolators, ISO_CPU_WEIGHT))
		return err_set(e, ERR_INPUT, EINVAL, "--cpu-shares and --cpu-weight exclude each other");
	isolators_override(&c->app->isolators, &c->q->isolators);
	if (c->q->cpu_shares)
		isolators_drop(&c->app->isolators, ISO_CPU_WEIGHT);
	if (isolators_get(&c->q->isolators, ISO_DEVICES) || !isolators_get(&c->app->isolators, ISO_DEVICES))
		return 0;
	return err_set(e, ERR_INPUT, EPERM,
		       "isolator \"rkt.io/devices\": an image cannot choose devices of the host; grant them "
		       "with --device");
}

/* ---- all together ---- */

/* The image's app section, or a minimal one with our own ids for an image without. */
static struct app *base_app(const struct image_manifest *m, bool has_exec, struct err *e)
{
	struct app *a;

	if (m->app)
		return app_copy(m->app);
	if (!has_exec) {
		(void)err_set(e, ERR_INPUT, EINVAL, "the image has no app section; use --exec=PROGRAM");
		return NULL;
	}
	a = app_new();
	a->user = xasprintf("%u", (unsigned int)geteuid());
	a->group = xasprintf("%u", (unsigned int)getegid());
	return a;
}

static char *app_name(const struct app_request *q, const struct image_info *image, struct err *e)
{
	char *name;

	if (q->name)
		return xstrdup(q->name);
	name = ac_name_sanitize(path_base(image->name));
	if (!name)
		(void)err_set(e, ERR_INPUT, EINVAL, "no app name can be made of the image's; use --name");
	return name;
}

int merge_app(const struct app_request *q, const struct image_info *image, const struct app_env *env,
	      const struct pod_request *pod, struct runtime_app *to, struct err *e)
{
	static int (*const steps[])(struct ctx *, struct err *) = {
		take_exec,         take_identity,  take_places, take_environment,
		take_annotations,  take_user_maps, take_mounts, take_resources,
		take_capabilities, take_seccomp,   take_limits,
	};
	auto_image_manifest m = image_manifest_parse(image->manifest, strlen(image->manifest), e);
	struct ctx c = { q, image, m, env, pod, to, NULL };

	if (!m)
		return -e->code;
	to->name = app_name(q, image, e);
	if (!to->name)
		return -e->code;
	if (!ac_name_valid(to->name))
		return err_set(e, ERR_INPUT, EINVAL, "\"%.80s\" is not a valid name of an app", to->name);
	to->image_id = xstrdup(image->id);
	to->image_name = xstrdup(image->name);
	pairs_copy(&to->image_labels, &image->labels);
	to->app = c.app = base_app(m, q->exec != NULL, e);
	if (!c.app)
		return -e->code;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		int r = steps[i](&c, e);

		if (r < 0)
			return r;
	}
	return 0;
}
