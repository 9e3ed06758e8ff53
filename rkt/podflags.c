/*
 * podflags — see podflags.h.  The options of single images are in appflags.c.
 */
#include "rkt/podflags.h"

#include <limits.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/path.h"
#include "base/strv.h"
#include "schema/netspec.h"

/* ---- values that need a look ---------------------------------------------------------------------- */

static int add_volume(void *args, const struct opt *o, const char *value, struct err *e)
{
	struct volumes *l = &((struct pod_args *)args)->volumes;
	struct volume v = { 0 };
	int r = volume_from_arg(value, &v, e);
	if (r < 0) {
		err_ctx(e, "option --%s", o->name);
		e->cls = ERR_USAGE;
		return r;
	}
	if (volumes_get(l, v.name)) {
		r = err_set(e, ERR_USAGE, EEXIST, "option --volume: volume \"%s\" is given twice", v.name);
		volume_done(&v);
		return r;
	}
	volumes_push_take(l, &v);
	return 0;
}

static int add_env(void *args, const struct opt *o, const char *value, struct err *e)
{
	char ***env = &((struct pod_args *)args)->set_env;
	const char *eq = strchr(value, '=');
	if (!eq || eq == value)
		return err_set(e, ERR_USAGE, EINVAL, "option --%s: \"%s\" is not NAME=VALUE", o->name, value);
	auto_free char *name = xstrndup(value, (size_t)(eq - value));
	if (!env_name_valid(name))
		return err_set(e, ERR_USAGE, EINVAL, "option --%s: \"%s\" is not a name of a variable",
			       o->name, name);
	if (env_get(*env, name))
		return err_set(e, ERR_USAGE, EEXIST, "option --%s: \"%s\" is given twice", o->name, name);
	strv_push(env, value);
	return 0;
}

static int add_net(void *args, const struct opt *o, const char *value, struct err *e)
{
	char ***net = &((struct pod_args *)args)->net;
	auto_strv specs = strv_split(value, ',');
	struct net_specs all;
	strv_push_all(net, specs);
	int r = net_specs_parse(*net, &all, e);
	if (r < 0)
		return err_ctx(e, "option --%s", o->name);
	net_specs_done(&all);
	return 0;
}

/* As hostname(7) has it, and "_", which many use; in /etc/hosts it must be one word.  Empty: the pod's own. */
static int set_hostname(void *args, const struct opt *o, const char *value, struct err *e)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
	char **name = &((struct pod_args *)args)->hostname;
	size_t n = strlen(value);

	if (n > HOST_NAME_MAX || strspn(value, good) != n || *value == '-' || *value == '.')
		return err_set(e, ERR_USAGE, EINVAL, "option --%s: \"%s\" is not a host name", o->name,
			       value);
	free(*name);
	*name = n ? xstrdup(value) : NULL;
	return 0;
}

static int add_sysctl(void *args, const struct opt *o, const char *value, struct err *e)
{
	struct isolators *l = &((struct pod_args *)args)->isolators;
	const struct isolator *have = isolators_get(l, ISO_SYSCTL);
	const char *eq = strchr(value, '=');
	if (!eq || eq == value || !eq[1])
		return err_set(e, ERR_USAGE, EINVAL, "option --%s: \"%s\" is not NAME=VALUE", o->name, value);
	auto_free char *name = xstrndup(value, (size_t)(eq - value));
	json_t *all = have ? json_deep_copy(have->value) : json_object();
	json_object_set_new(all, name, json_string(eq + 1));
	isolators_drop(l, ISO_SYSCTL);
	int r = isolators_add(l, "os/unix/sysctl", all, e);
	return r < 0 ? err_ctx(e, "option --%s", o->name) : 0;
}

static int take_port(void *args, const struct opt *o, int r, struct port_spec *s, struct err *e)
{
	if (r < 0)
		return err_ctx(e, "option --%s", o->name);
	port_specs_push_take(&((struct pod_args *)args)->ports, s);
	return 0;
}

static int add_port(void *args, const struct opt *o, const char *value, struct err *e)
{
	struct port_spec s;

	return take_port(args, o, port_spec_parse(value, &s, e), &s, e);
}

int podflags_add_full_port(void *args, const struct opt *o, const char *value, struct err *e)
{
	struct port_spec s;

	return take_port(args, o, port_spec_parse_full(value, &s, e), &s, e);
}

int podflags_check_net(char *const *net, struct err *e)
{
	struct net_specs specs;
	int r = net_specs_parse(net, &specs, e);
	if (r < 0)
		return r;
	if (specs.kind == NETS_NONE || specs.kind == NETS_HOST)
		r = err_set(e, ERR_INPUT, EINVAL, "no port can be published with --net=%s",
			    specs.kind == NETS_NONE ? "none" : "host");
	net_specs_done(&specs);
	return r;
}

static int set_stage1(void *args, const struct opt *o, const char *value, struct err *e)
{
	struct stage1_args *a = &((struct pod_args *)args)->stage1;
	if (a->option)
		return err_set(e, ERR_USAGE, EINVAL,
			       "option --%s: --%s is given already, and only one stage1 can be chosen",
			       o->name, a->option);
	if (!*value)
		return err_set(e, ERR_USAGE, EINVAL, "option --%s: an empty string chooses no stage1",
			       o->name);
	a->option = xstrdup(o->name);
	a->value = xstrdup(value);
	return 0;
}

struct stage1_choice stage1_args_choice(const struct stage1_args *a)
{
	struct stage1_choice c = { 0 };
	const struct {
		const char *option;
		const char **to;
	} map[] = { { "stage1-name", &c.name },
		    { "stage1-hash", &c.hash },
		    { "stage1-url", &c.url },
		    { "stage1-path", &c.path },
		    { "stage1-from-dir", &c.from_dir } };
	for (size_t i = 0; i < ARRAY_LEN(map); i++)
		if (a->option && strcmp(a->option, map[i].option) == 0)
			*map[i].to = a->value;
	return c;
}

/* ---- tables --------------------------------------------------------------------------------------- */

#define P(member) offsetof(struct pod_args, member)

static const char *const pull_choices[] = { "new", "update", "never", NULL };
static const char *const ipc_choices[] = { "auto", "private", "parent", NULL };

/* clang-format off */
const struct opt podflags_pull[] = {
	{ .name = "no-store", .kind = OPT_BOOL, .offset = P(pull.no_store), .flags = OPT_DEPRECATED,
	  .instead = "pull-policy=update", .help = "fetch images, ignoring the local store" },
	{ .name = "pull-policy", .kind = OPT_STR, .arg = "POLICY", .offset = P(pull.policy), .dflt = "new",
	  .choices = pull_choices, .complete = COMP_CHOICES,
	  .help = "when to pull an image: new, update or never" },
	{ .name = "store-only", .kind = OPT_BOOL, .offset = P(pull.store_only), .flags = OPT_DEPRECATED,
	  .instead = "pull-policy=never", .help = "use only images in the local store" },
	{ .kind = OPT_END },
};

const struct opt podflags_prepare[] = {
	{ .name = "inherit-env", .kind = OPT_BOOL, .offset = P(inherit_env),
	  .help = "inherit all environment variables not set by apps" },
	{ .name = "pod-manifest", .kind = OPT_STR, .arg = "FILE", .offset = P(pod_manifest), .complete = COMP_FILE,
	  .help = "the path to the pod manifest; excludes images and the options that shape one" },
	{ .name = "port", .kind = OPT_CALL, .arg = "NAME:[HOSTIP:]HOSTPORT[/PROTO]", .call = add_port,
	  .help = "publish a port: NAME is a port that exactly one app declares, or its number (80, 53/udp); HOSTIP, "
		  "[IPv6] in brackets, is every address when not given" },
	{ .name = "private-users", .kind = OPT_BOOL, .offset = P(private_users),
	  .help = "run the pod in a user namespace, with a range of ids of its own" },
	{ .name = "set-env", .kind = OPT_CALL, .arg = "NAME=VALUE", .call = add_env,
	  .help = "environment variable to set for all apps" },
	{ .name = "set-env-file", .kind = OPT_LIST, .arg = "FILE", .offset = P(set_env_files),
	  .complete = COMP_FILE, .help = "file with environment variables to set for all apps" },
	{ .kind = OPT_END },
};

const struct opt podflags_pod[] = {
	{ .name = "no-overlay", .kind = OPT_BOOL, .offset = P(no_overlay),
	  .help = "copy the images into the pod instead of using overlayfs" },
	{ .name = "sysctl", .kind = OPT_CALL, .arg = "NAME=VALUE", .call = add_sysctl,
	  .help = "kernel parameter of the pod's own network or ipc namespace: net.*, fs.mqueue.*, kernel.shmmax ..." },
	{ .name = "volume", .kind = OPT_CALL, .arg = "NAME,kind=KIND,...", .call = add_volume,
	  .help = "volumes to make available in the pod; of kind host: source, readOnly, recursive, propagation; "
		  "of kind empty: mode, uid, gid" },
	{ .kind = OPT_END },
};

const struct opt podflags_terminal[] = {
	{ .name = "interactive", .kind = OPT_BOOL, .offset = P(interactive),
	  .help = "connect the caller's terminal to the app; only one app is allowed" },
	{ .kind = OPT_END },
};

const struct opt podflags_stage1[] = {
	{ .name = "stage1-from-dir", .kind = OPT_CALL, .arg = "FILE", .call = set_stage1,
	  .help = "file name of an image in the directory of stage1 images" },
	{ .name = "stage1-hash", .kind = OPT_CALL, .arg = "ID", .call = set_stage1, .complete = COMP_IMAGE,
	  .help = "image id of the stage1 to use, from the local store" },
	{ .name = "stage1-name", .kind = OPT_CALL, .arg = "NAME", .call = set_stage1,
	  .help = "name of the stage1 to use: an installed flavor or an image in the local store" },
	{ .name = "stage1-path", .kind = OPT_CALL, .arg = "FILE", .call = set_stage1, .complete = COMP_FILE,
	  .help = "path of an image to use as stage1" },
	{ .name = "stage1-url", .kind = OPT_CALL, .arg = "URL", .call = set_stage1,
	  .help = "URL of an image to use as stage1" },
	{ .kind = OPT_END },
};

const struct opt podflags_runtime[] = {
	{ .name = "hostname", .kind = OPT_CALL, .arg = "NAME", .call = set_hostname,
	  .help = "the pod's host name; rkt-UUID when not given" },
	{ .name = "ipc", .kind = OPT_STR, .arg = "MODE", .offset = P(ipc), .choices = ipc_choices,
	  .complete = COMP_CHOICES, .help = "whose IPC namespace the pod has: auto, private or parent" },
	{ .name = "net", .kind = OPT_OPTVAL, .arg = "NAME[,NAME...]", .implied = "default", .call = add_net,
	  .help = "the pod's networks: default, default-restricted, names of configured ones with arguments "
		  "(NAME:KEY=VALUE;...), all, none or host" },
	{ .kind = OPT_END },
};
/* clang-format on */

/* ---- the struct as a whole ------------------------------------------------------------------------ */

int pull_policy_of(const struct pull_args *a, enum pull_policy *ret, struct err *e)
{
	if (a->store_only && a->no_store)
		return err_set(e, ERR_USAGE, EINVAL, "--store-only and --no-store exclude each other");
	if (a->store_only || strcmp(a->policy, "never") == 0)
		*ret = PULL_NEVER;
	else
		*ret = PULL_NEW;
	if (a->no_store || (!a->store_only && strcmp(a->policy, "update") == 0))
		*ret = PULL_UPDATE;
	return 0;
}

int pod_args_parse(struct cli *c, struct err *e)
{
	struct pod_args *a = c->args;
	struct opt_set sets[CLI_TABLES_MAX];
	size_t n = cli_opt_sets(c, sets);
	return appargs_parse(sets, n, c->argc, c->argv, 0, &a->apps, e);
}

/* Mounts must name a volume that some --volume made. */
static int check_mounts(const struct pod_args *a, const struct mounts *l, struct err *e)
{
	for (size_t i = 0; i < l->n; i++)
		if (!volumes_get(&a->volumes, l->v[i].volume))
			return err_set(e, ERR_INPUT, ENOENT,
				       "option --mount: dangling mount: no --volume is named \"%s\"",
				       l->v[i].volume);
	return 0;
}

int pod_args_check(struct cli *c, const struct pod_args *a, struct err *e)
{
	enum pull_policy policy;
	int r = a->ports.n ? podflags_check_net(a->net, e) : 0;
	if (r < 0)
		return err_ctx(e, "option --port");
	if (a->mutable_pod)
		return 0;
	r = pull_policy_of(&a->pull, &policy, e);
	if (r < 0)
		return r;
	if (a->pod_manifest &&
	    (a->apps.n || a->volumes.n || a->apps.pod.req.mounts.n || a->inherit_env || a->set_env ||
	     a->set_env_files || a->isolators.n || a->ports.n || policy != PULL_NEW))
		return err_set(e, ERR_INPUT, EINVAL,
			       "conflicting flags set with --pod-manifest (see --help)");
	r = check_mounts(a, &a->apps.pod.req.mounts, e);
	for (size_t i = 0; r == 0 && i < a->apps.n; i++)
		r = check_mounts(a, &a->apps.v[i].req.mounts, e);
	if (r < 0)
		return r;
	if (a->interactive && a->apps.n > 1)
		return err_set(e, ERR_INPUT, EINVAL,
			       "option --interactive: only one image can have the terminal");
	if (!a->apps.n && !a->pod_manifest)
		return cli_usage(c, e, "must provide at least one image or specify the pod manifest");
	return 0;
}

void pod_args_done(void *args)
{
	struct pod_args *a = args;
	free(a->stage1.option);
	free(a->stage1.value);
	app_args_done(&a->apps);
	volumes_done(&a->volumes);
	isolators_done(&a->isolators);
	port_specs_done(&a->ports);
	strv_free(a->set_env);
	dns_done(&a->dns);
	free(a->dns_mode);
	free(a->hostname);
	strv_free(a->net);
	strv_free(a->annotations);
	strv_free(a->user_annotations);
	strv_free(a->user_labels);
}
