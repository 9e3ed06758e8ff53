/*
 * cmd_image_build — `rkt image build`: a directory becomes an OCI image of one layer.
 */
#include "rkt/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/json.h"
#include "base/path.h"
#include "base/strv.h"
#include "oci/platform.h"
#include "oci/reference.h"
#include "rkt/host.h"
#include "rkt/outputarg.h"
#include "rkt/podflags.h"

static const char *const formats[] = { "oci-archive", "oci", "docker-archive", NULL };

struct image_build_args {
	char *name, *format, *arch;
	char *exec, *user, *group, *working_dir, *stop_signal;
	char **environment, **labels, **ports, **volumes;
};

static json_t *strings(char *const *v)
{
	json_t *arr = json_array();

	for (; v && *v; v++)
		json_array_append_new(arr, json_string(*v));
	return arr;
}

/* {"KEY": {}, …} */
static json_t *set_of(char *const *v)
{
	json_t *set = json_object();

	for (; v && *v; v++)
		json_object_set_new(set, *v, json_object());
	return set;
}

static json_t *labels_of(char *const *v)
{
	json_t *map = json_object();

	for (; v && *v; v++) {
		auto_free char *name = xstrndup(*v, strcspn(*v, "="));

		json_object_set_new(map, name, json_string(*v + strlen(name) + 1));
	}
	return map;
}

static void set_text(json_t *c, const char *key, const char *value)
{
	if (value && *value)
		json_object_set_new(c, key, json_string(value));
}

/* Takes @value. */
static void set_any(json_t *c, const char *key, json_t *value)
{
	if (json_array_size(value) || json_object_size(value))
		json_object_set(c, key, value);
	json_decref(value);
}

/* "config": what docker calls what the image runs; @command is what stands behind "--". */
static json_t *runs(const struct image_build_args *a, char *const *command)
{
	char *const entry[] = { a->exec, NULL };
	auto_free char *user = a->group && *a->group ? xasprintf("%s:%s", a->user ? a->user : "0", a->group)
						     : xstrdup(a->user);
	json_t *c = json_object();

	set_any(c, "Entrypoint", strings(entry));
	set_any(c, "Cmd", strings(command));
	set_any(c, "Env", strings(a->environment));
	set_any(c, "Labels", labels_of(a->labels));
	set_any(c, "ExposedPorts", set_of(a->ports));
	set_any(c, "Volumes", set_of(a->volumes));
	set_text(c, "User", user);
	set_text(c, "WorkingDir", a->working_dir);
	set_text(c, "StopSignal", a->stop_signal);
	return c;
}

static json_t *config_of(const struct image_build_args *a, char *const *command, struct err *e)
{
	struct oci_platform p = { 0 };

	if (oci_platform_make(a->arch, &p, e) < 0) {
		err_ctx(e, "option --arch");
		return NULL;
	}
	json_t *doc = json_pack("{s:s, s:s, s:o}", "architecture", p.architecture, "os", "linux", "config",
				runs(a, command));
	if (a->arch)
		set_text(doc, "variant", p.variant);
	oci_platform_done(&p);
	return doc;
}

/* NAME[:TAG] as docker spells it: the name as it stands, and the tag. */
static int name_of(const struct image_build_args *a, char **name, char **tag, struct err *e)
{
	auto_free char *text = xasprintf("docker:%s", a->name);
	struct oci_reference ref = { 0 };
	int r = oci_reference_parse(text, &ref, e);

	if (r == 0 && ref.digest)
		r = err_set(e, ERR_USAGE, EINVAL, "nobody knows the digest yet");
	if (r == 0) {
		const char *colon = strrchr(a->name, ':');

		*tag = xstrdup(ref.tag);
		*name = colon && !strchr(colon, '/') ? xstrndup(a->name, (size_t)(colon - a->name))
						     : xstrdup(a->name);
	}
	oci_reference_done(&ref);
	return r < 0 ? err_ctx(e, "option --name") : 0;
}

static int build(struct cli *c, char *const *command, struct err *e)
{
	const struct image_build_args *a = c->args;
	auto_free char *root = path_abs(c->rest[0]), *path = NULL, *name = NULL, *tag = NULL;
	const char *format;
	auto_host h = { 0 };

	if (!root)
		return err_sys(e, errno, "working directory");
	int r = output_arg(c->rest[1], a->format, formats, &format, &path, e);
	if (r == 0)
		r = name_of(a, &name, &tag, e);
	auto_json config = r < 0 ? NULL : config_of(a, command, e);
	r = config ? host_open(&c->g, HOST_CREATE | HOST_STORE, &h, e) : -e->code;
	if (r < 0)
		return r;
	auto_json reply = fetch_call(&h.fetch, "build",
				     json_pack("{s:s, s:O, s:s, s:s, s:s, s:s}", "root", root, "config",
					       config, "name", name, "version", tag, "format", format, "path",
					       path),
				     e);
	return reply ? 0 : err_ctx(e, "image \"%s\"", a->name);
}

static int image_build_run(struct cli *c, struct err *e)
{
	const struct image_build_args *a = c->args;
	bool listed = strv_has(c->argv, "--");

	if (strv_len(c->rest) < 2 || (!listed && strv_len(c->rest) > 2))
		return cli_usage(c, e, "must provide a directory and where to write the image");
	if (!a->name)
		return cli_usage(c, e, "must provide a name: --name=NAME[:TAG]");
	return build(c, c->rest + 2, e);
}

static void image_build_done(void *args)
{
	struct image_build_args *a = args;

	strv_free(a->environment);
	strv_free(a->labels);
}

#define F(member) offsetof(struct image_build_args, member)
/* clang-format off */
static const struct opt image_build_opts[] = {
	{ .name = "arch", .kind = OPT_STR, .arg = "NAME", .offset = F(arch),
	  .help = "architecture that the programs are for, this machine's if not given" },
	{ .name = "environment", .kind = OPT_CALL, .arg = "NAME=VALUE", .call = podflags_set_pair,
	  .offset = F(environment), .help = "a variable of the app's environment" },
	{ .name = "exec", .kind = OPT_STR, .arg = "PROGRAM", .offset = F(exec),
	  .help = "the program that the image runs" },
	{ .name = "format", .kind = OPT_STR, .arg = "FORMAT", .offset = F(format),
	  .choices = formats, .complete = COMP_CHOICES, .help = "oci-archive (if nothing is said), oci (a directory) or docker-archive" },
	{ .name = "group", .kind = OPT_STR, .arg = "GROUP", .offset = F(group),
	  .help = "group that the app runs as, a name or a number" },
	{ .name = "name", .kind = OPT_STR, .arg = "NAME[:TAG]", .offset = F(name),
	  .help = "what the image is called" },
	{ .name = "port", .kind = OPT_LIST, .arg = "PORT[/PROTOCOL]", .offset = F(ports),
	  .help = "a port that the app listens on" },
	{ .name = "stop-signal", .kind = OPT_STR, .arg = "SIGNAL", .offset = F(stop_signal),
	  .help = "the signal that asks the app to end" },
	{ .name = "user", .kind = OPT_STR, .arg = "USER", .offset = F(user),
	  .help = "user that the app runs as, a name or a number" },
	{ .name = "user-label", .kind = OPT_CALL, .arg = "NAME=VALUE", .call = podflags_set_pair,
	  .offset = F(labels), .help = "a label of the image" },
	{ .name = "volume", .kind = OPT_LIST, .arg = "PATH", .offset = F(volumes),
	  .help = "a directory that is a volume of each pod" },
	{ .name = "working-dir", .kind = OPT_STR, .arg = "PATH", .offset = F(working_dir), .flags = OPT_REQUIRE_ABS,
	  .help = "the app's working directory" },
	{ .kind = OPT_END },
};
/* clang-format on */
static const struct opt *const image_build_tables[] = { image_build_opts, NULL };

const struct command cmd_image_build = {
	.group = "image",
	.name = "build",
	.args = "DIR [FORMAT:]OUTPUT [-- ARG...]",
	.summary = "Make an OCI image of a directory",
	.description =
		"The directory becomes the root of an image of one layer, with owners, modes, times, links "
		"and\n"
		"extended attributes; what is behind \"--\" becomes its command. The same directory gives "
		"the\n"
		"same image every time. OUTPUT must not exist; FORMAT:OUTPUT is short for --format=FORMAT "
		"OUTPUT.\n"
		"To run it: 'rkt run oci-archive:OUTPUT'.",
	.tables = image_build_tables,
	.args_size = sizeof(struct image_build_args),
	.complete = COMP_DIR,
	.run = image_build_run,
	.done = image_build_done,
};
