/*
 * appflags — the options of single images (cli.md section 8) for podflags.h.
 *
 * What can be checked without the image is checked here, so that a typing error is reported before
 * anything is fetched.  "The last one wins" unless the option accumulates.
 */
#include "rkt/podflags.h"

#include "base/alloc.h"
#include "base/auto.h"
#include "base/num.h"
#include "base/strv.h"
#include "schema/isolator.h"

#define MEMORY_MIN 4096 /* bytes: less is a typing error such as "16m", which is milli */

static int bad(struct err *e, const struct opt *o, const char *value, const char *what)
{
	return err_set(e, ERR_USAGE, EINVAL, "option --%s: \"%s\" is %s", o->name, value, what);
}

static int set_text(char **to, const char *value)
{
	free(*to);
	*to = xstrdup(value);
	return 0;
}

static int add_mount(void *args, const struct opt *o, const char *value, struct err *e)
{
	struct mount m = { 0 };
	int r = mount_from_arg(value, &m, e);
	if (r < 0) {
		err_ctx(e, "option --%s", o->name);
		e->cls = ERR_USAGE;
		return r;
	}
	mounts_push_take(&((struct app_arg *)args)->req.mounts, &m);
	return 0;
}

/* K=V; a later one of the same key replaces the earlier. */
int podflags_set_pair(void *args, const struct opt *o, const char *value, struct err *e)
{
	const char *eq = strchr(value, '=');
	if (!eq || eq == value)
		return bad(e, o, value, "not NAME=VALUE");
	auto_free char *name = xstrndup(value, (size_t)(eq - value));
	if (strcmp(o->name, "environment") == 0 && !env_name_valid(name))
		return bad(e, o, name, "not a name of a variable");
	if (strcmp(o->name, "annotation") == 0 && !ac_identifier_valid(name))
		return bad(e, o, name, "not an AC identifier");
	env_set((char ***)(void *)((char *)args + o->offset), name, eq + 1);
	return 0;
}

static int set_app_name(void *args, const struct opt *o, const char *value, struct err *e)
{
	if (!ac_name_valid(value))
		return bad(e, o, value, "not an AC name (lower-case letters, digits and single dashes)");
	return set_text(&((struct app_arg *)args)->req.name, value);
}

static int set_working_dir(void *args, const struct opt *o, const char *value, struct err *e)
{
	if (value[0] != '/')
		return bad(e, o, value, "not an absolute path");
	return set_text(&((struct app_arg *)args)->req.working_dir, value);
}

static int set_signature(void *args, const struct opt *o, const char *value, struct err *e)
{
	struct app_arg *a = args;
	if (a->signature)
		return bad(e, o, value, "the second signature of this image");
	return set_text(&a->signature, value);
}

/* An annotation of the app: stage1 looks at it, whoever wrote the pod manifest (internals.md section 5.12). */
static int set_stream(void *args, const struct opt *o, const char *value, struct err *e)
{
	static const char *const in[] = { "null", "stream", "tty", NULL };
	static const char *const out[] = { "log", "null", "stream", "tty", NULL };
	bool input = strcmp(o->name, "stdin") == 0;
	auto_free char *name = xasprintf("coreos.com/rkt/stage2/%s", o->name);

	if (!strv_has((char *const *)(input ? in : out), value))
		return bad(e, o, value, input ? "not null, stream or tty" : "not log, null, stream or tty");
	env_set(&((struct app_arg *)args)->req.annotations, name, value);
	return 0;
}

static int set_read_only(void *args, const struct opt *o, const char *value, struct err *e)
{
	bool b;
	if (parse_bool(value, &b) < 0)
		return bad(e, o, value, "neither true nor false");
	((struct app_arg *)args)->req.read_only = b ? TRI_TRUE : TRI_FALSE;
	return 0;
}

static int add_gids(void *args, const struct opt *o, const char *value, struct err *e)
{
	auto_strv parts = strv_split(value, ',');
	for (char **p = parts; *p; p++) {
		uint32_t gid;
		if (parse_id(*p, &gid) < 0)
			return bad(e, o, *p, "not a group id");
	}
	strv_push_all(&((struct app_arg *)args)->req.gids, parts);
	return 0;
}

static int set_exec(void *args, const struct opt *o, const char *value, struct err *e)
{
	if (!*value)
		return bad(e, o, value, "no path of a program");
	return set_text(&((struct app_arg *)args)->req.exec, value);
}

/* ---- isolators ------------------------------------------------------------------------------------ */

static int set_memory(void *args, const struct opt *o, const char *value, struct err *e)
{
	int64_t bytes;
	int r = quantity_parse(value, 1, &bytes, e);
	if (r < 0) {
		err_ctx(e, "option --%s", o->name);
		e->cls = ERR_USAGE;
		return r;
	}
	if (bytes < MEMORY_MIN)
		return bad(e, o, value, "less than 4096 bytes; megabytes are written M or Mi, m means milli");
	return set_text(&((struct app_arg *)args)->req.memory, value);
}

static int set_cpu(void *args, const struct opt *o, const char *value, struct err *e)
{
	int64_t milli;
	int r = quantity_parse(value, 1000, &milli, e);
	if (r < 0) {
		err_ctx(e, "option --%s", o->name);
		e->cls = ERR_USAGE;
		return r;
	}
	if (milli == 0)
		return bad(e, o, value, "no processor time at all");
	return set_text(&((struct app_arg *)args)->req.cpu, value);
}

static int parse_range(const struct opt *o, const char *value, int64_t min, int64_t max, int64_t *ret,
		       struct err *e)
{
	int64_t n;
	if (parse_i64(value, &n) < 0 || n < min || n > max)
		return err_set(e, ERR_USAGE, EINVAL, "option --%s: \"%s\" is not a number from %lld to %lld",
			       o->name, value, (long long)min, (long long)max);
	*ret = n;
	return 0;
}

static int set_cpu_shares(void *args, const struct opt *o, const char *value, struct err *e)
{
	return parse_range(o, value, 2, 262144, &((struct app_arg *)args)->req.cpu_shares, e);
}

static int set_oom(void *args, const struct opt *o, const char *value, struct err *e)
{
	struct app_request *q = &((struct app_arg *)args)->req;
	int r = parse_range(o, value, -1000, 1000, &q->oom_score_adj, e);
	q->has_oom_score_adj = q->has_oom_score_adj || r == 0;
	return r;
}

static int set_caps(void *args, const struct opt *o, const char *value, struct err *e)
{
	struct app_request *q = &((struct app_arg *)args)->req;
	char ***to = strstr(o->name, "retain") ? &q->caps_retain : &q->caps_remove;
	auto_strv parts = strv_split(value, ',');
	for (char **p = parts; *p; p++)
		if (!**p)
			return bad(e, o, value, "a list with an empty name");
	strv_free(*to);
	*to = steal_ptr(&parts);
	return 0;
}

/* The mode and the errno say what the whole list means: each at most once. */
static int set_seccomp(void *args, const struct opt *o, const char *value, struct err *e)
{
	auto_strv parts = strv_split(value, ',');
	bool mode = false, error = false, names = false, twice = false;
	for (char **p = parts; *p; p++) {
		const char *eq = strchr(*p, '=');
		if (!**p)
			return bad(e, o, value, "a list with an empty part");
		bool is_mode = strcmp(*p, "mode=retain") == 0 || strcmp(*p, "mode=remove") == 0;
		bool is_error = strncmp(*p, "errno=", 6) == 0 && eq[1];
		if (eq && !is_mode && !is_error)
			return bad(e, o, *p,
				   "neither mode=retain, mode=remove, errno=NAME nor a system call");
		twice |= (mode && is_mode) || (error && is_error);
		mode |= is_mode;
		error |= is_error;
		names |= !eq;
	}
	if (twice)
		return bad(e, o, value, "a list with two modes or two errnos");
	if (!mode || !names)
		return bad(e, o, value,
			   mode ? "without a system call" : "without mode=retain or mode=remove");
	return set_text(&((struct app_arg *)args)->req.seccomp, value);
}

/* ---- tables --------------------------------------------------------------------------------------- */

#define A(member) offsetof(struct app_arg, member)

/* clang-format off */
const struct opt podflags_signature[] = {
	{ .name = "signature", .kind = OPT_CALL, .arg = "FILE", .call = set_signature, .flags = OPT_APP,
	  .complete = COMP_FILE, .help = "local signature file to use in validating the preceding image" },
	{ .kind = OPT_END },
};

const struct opt podflags_app[] = {
	{ .name = "annotation", .kind = OPT_CALL, .arg = "NAME=VALUE", .call = podflags_set_pair, .flags = OPT_APP,
	  .offset = A(req.annotations), .help = "set the app's annotations" },
	{ .name = "environment", .kind = OPT_CALL, .arg = "NAME=VALUE", .call = podflags_set_pair, .flags = OPT_APP,
	  .offset = A(req.environment), .help = "set the app's environment variables" },
	{ .name = "exec", .kind = OPT_CALL, .arg = "PROGRAM", .call = set_exec, .flags = OPT_APP,
	  .help = "override the exec command for the preceding image" },
	{ .name = "group", .kind = OPT_STR, .arg = "GROUP", .offset = A(req.group), .flags = OPT_APP,
	  .help = "group override for the preceding image: a name, a number, or a path in the image" },
	{ .name = "mount", .kind = OPT_CALL, .arg = "volume=NAME,target=PATH", .call = add_mount, .flags = OPT_APP,
	  .help = "mount point binding a volume to a path within an app; before all images: within all of them" },
	{ .name = "name", .kind = OPT_CALL, .arg = "NAME", .call = set_app_name, .flags = OPT_APP,
	  .help = "set the name of the app" },
	{ .name = "readonly-rootfs", .kind = OPT_CALL, .arg = "BOOL", .call = set_read_only, .flags = OPT_APP,
	  .help = "set if the root file system of the app is read-only" },
	{ .name = "stderr", .kind = OPT_CALL, .arg = "MODE", .call = set_stream, .flags = OPT_APP,
	  .help = "standard error of the app: log (the default), null, or stream or tty for 'rkt attach'" },
	{ .name = "stdin", .kind = OPT_CALL, .arg = "MODE", .call = set_stream, .flags = OPT_APP,
	  .help = "standard input of the app: null (the default), or stream or tty for 'rkt attach'" },
	{ .name = "stdout", .kind = OPT_CALL, .arg = "MODE", .call = set_stream, .flags = OPT_APP,
	  .help = "standard output of the app: log (the default), null, or stream or tty for 'rkt attach'" },
	{ .name = "supplementary-gids", .kind = OPT_CALL, .arg = "GID[,GID...]", .call = add_gids, .flags = OPT_APP,
	  .help = "supplementary group ids override for the preceding image" },
	{ .name = "user", .kind = OPT_STR, .arg = "USER[:GROUP]", .offset = A(req.user), .flags = OPT_APP,
	  .help = "user, and group, override for the preceding image: names, numbers, or a path in the image" },
	{ .name = "user-annotation", .kind = OPT_CALL, .arg = "NAME=VALUE", .call = podflags_set_pair, .flags = OPT_APP,
	  .offset = A(req.user_annotations), .help = "set the app's user annotations" },
	{ .name = "user-label", .kind = OPT_CALL, .arg = "NAME=VALUE", .call = podflags_set_pair, .flags = OPT_APP,
	  .offset = A(req.user_labels), .help = "set the app's user labels" },
	{ .name = "working-dir", .kind = OPT_CALL, .arg = "PATH", .call = set_working_dir, .flags = OPT_APP,
	  .help = "override the working directory of the preceding image" },
	{ .kind = OPT_END },
};

const struct opt podflags_isolators[] = {
	{ .name = "cap-remove", .kind = OPT_CALL, .arg = "CAP[,CAP...]", .call = set_caps,
	  .flags = OPT_APP | OPT_DEPRECATED, .instead = "caps-remove" },
	{ .name = "cap-retain", .kind = OPT_CALL, .arg = "CAP[,CAP...]", .call = set_caps,
	  .flags = OPT_APP | OPT_DEPRECATED, .instead = "caps-retain" },
	{ .name = "caps-remove", .kind = OPT_CALL, .arg = "CAP[,CAP...]", .call = set_caps, .flags = OPT_APP,
	  .help = "capabilities to remove from the default set of the preceding image" },
	{ .name = "caps-retain", .kind = OPT_CALL, .arg = "CAP[,CAP...]", .call = set_caps, .flags = OPT_APP,
	  .help = "capabilities to retain in the preceding image, and no others" },
	{ .name = "cpu", .kind = OPT_CALL, .arg = "QUANTITY", .call = set_cpu, .flags = OPT_APP,
	  .help = "cpu limit for the preceding image: 500m is half of one processor" },
	{ .name = "cpu-shares", .kind = OPT_CALL, .arg = "NUMBER", .call = set_cpu_shares, .flags = OPT_APP,
	  .help = "relative weight of the preceding image's processor time, 2 to 262144" },
	{ .name = "memory", .kind = OPT_CALL, .arg = "QUANTITY", .call = set_memory, .flags = OPT_APP,
	  .help = "memory limit for the preceding image: 50M, 128Mi" },
	{ .name = "oom-score-adj", .kind = OPT_CALL, .arg = "NUMBER", .call = set_oom, .flags = OPT_APP,
	  .help = "oom score adjustment of the preceding image, -1000 to 1000" },
	{ .name = "seccomp", .kind = OPT_CALL, .arg = "mode=MODE[,errno=ERRNO],SYSCALL[,...]", .call = set_seccomp,
	  .flags = OPT_APP, .help = "system call filter of the preceding image; mode is retain or remove" },
	{ .kind = OPT_END },
};
/* clang-format on */
