/*
 * limitflags — limits and grants of single images beyond what rkt 1.30 had (podflags.h).
 *
 * Every option becomes the isolator of the same meaning, which is checked as one of a manifest is.
 */
#include "rkt/podflags.h"

#include "base/alloc.h"
#include "base/auto.h"
#include "base/num.h"
#include "base/strv.h"
#include "schema/device.h"
#include "schema/pathrule.h"

static struct isolators *list_of(void *args)
{
	return &((struct app_arg *)args)->req.isolators;
}

static int usage(struct err *e, const struct opt *o)
{
	err_ctx(e, "option --%s", o->name);
	e->cls = ERR_USAGE;
	return -e->code;
}

/* Takes @value. */
static int put(void *args, const struct opt *o, const char *name, enum isolator_kind kind, json_t *value,
	       struct err *e)
{
	isolators_drop(list_of(args), kind);
	return isolators_add(list_of(args), name, value, e) < 0 ? usage(e, o) : 0;
}

/* A copy of what is there of @kind, or @empty (taken). */
static json_t *so_far(void *args, enum isolator_kind kind, json_t *empty)
{
	const struct isolator *have = isolators_get(list_of(args), kind);

	if (!have)
		return empty;
	json_decref(empty);
	return json_deep_copy(have->value);
}

static const struct {
	const char *option, *isolator;
	enum isolator_kind kind;
} numbers[] = {
	{ "pids-limit", "rkt.io/pids-limit", ISO_PIDS_LIMIT },
	{ "cpu-weight", "rkt.io/cpu-weight", ISO_CPU_WEIGHT },
	{ "io-weight", "rkt.io/io-weight", ISO_IO_WEIGHT },
};

static int set_number(void *args, const struct opt *o, const char *value, struct err *e)
{
	size_t i = 0;
	int64_t n;
	if (parse_i64(value, &n) < 0)
		return err_set(e, ERR_USAGE, EINVAL, "option --%s: \"%s\" is not a number", o->name, value);
	while (strcmp(numbers[i].option, o->name) != 0)
		i++;
	return put(args, o, numbers[i].isolator, numbers[i].kind, json_integer(n), e);
}

static int add_rlimit(void *args, const struct opt *o, const char *value, struct err *e)
{
	const char *eq = strchr(value, '=');
	if (!eq || eq == value)
		return err_set(e, ERR_USAGE, EINVAL, "option --%s: \"%s\" is not NAME=SOFT[:HARD]", o->name,
			       value);
	auto_free char *name = xstrndup(value, (size_t)(eq - value));
	json_t *all = so_far(args, ISO_RLIMITS, json_object());
	json_object_set_new(all, name, json_string(eq + 1));
	return put(args, o, "rkt.io/rlimits", ISO_RLIMITS, all, e);
}

/* DEVICE:KEY=QUANTITY[,KEY=QUANTITY...]; names of devices may have colons. */
static int add_io_max(void *args, const struct opt *o, const char *value, struct err *e)
{
	const char *colon = strrchr(value, ':');
	if (!colon || colon == value)
		return err_set(e, ERR_USAGE, EINVAL, "option --%s: \"%s\" is not DEVICE:KEY=QUANTITY[,...]",
			       o->name, value);
	auto_free char *device = xstrndup(value, (size_t)(colon - value));
	auto_strv parts = strv_split(colon + 1, ',');
	auto_json limits = json_object();
	for (char **p = parts; *p; p++) {
		char *eq = strchr(*p, '=');
		if (!eq)
			return err_set(e, ERR_USAGE, EINVAL, "option --%s: \"%s\" is not KEY=QUANTITY",
				       o->name, *p);
		*eq = '\0';
		json_object_set_new(limits, *p, json_string(eq + 1));
	}
	json_t *all = so_far(args, ISO_IO_MAX, json_object());
	json_object_set(all, device, limits);
	return put(args, o, "rkt.io/io-max", ISO_IO_MAX, all, e);
}

static int set_nnp(void *args, const struct opt *o, const char *value, struct err *e)
{
	bool on;
	if (parse_bool(value, &on) < 0)
		return err_set(e, ERR_USAGE, EINVAL, "option --%s: \"%s\" is neither true nor false", o->name,
			       value);
	return put(args, o, "os/linux/no-new-privileges", ISO_NO_NEW_PRIVS, json_boolean(on), e);
}

static int add_device(void *args, const struct opt *o, const char *value, struct err *e)
{
	json_t *one = device_json_from_arg(value, e);
	if (!one)
		return usage(e, o);
	json_t *all = so_far(args, ISO_DEVICES, json_array());
	json_array_append_new(all, one);
	return put(args, o, "rkt.io/devices", ISO_DEVICES, all, e);
}

static int add_landlock(void *args, const struct opt *o, const char *value, struct err *e)
{
	json_t *one = pathrule_json_from_arg(value, e);
	if (!one)
		return usage(e, o);
	json_t *all = so_far(args, ISO_LANDLOCK, json_array());
	json_array_append_new(all, one);
	return put(args, o, "rkt.io/landlock", ISO_LANDLOCK, all, e);
}

/* clang-format off */
const struct opt podflags_limits[] = {
	{ .name = "cpu-weight", .kind = OPT_CALL, .arg = "NUMBER", .call = set_number, .flags = OPT_APP,
	  .help = "relative weight of the preceding image's processor time, 1 to 10000; 100 is ordinary" },
	{ .name = "device", .kind = OPT_CALL, .arg = "HOST[:TARGET][:rwm]", .call = add_device, .flags = OPT_APP,
	  .complete = COMP_FILE, .help = "device of the host for the preceding image, for reading, writing, mknod" },
	{ .name = "io-max", .kind = OPT_CALL, .arg = "DEVICE:KEY=QUANTITY[,...]", .call = add_io_max, .flags = OPT_APP,
	  .help = "limits of the preceding image on a disk; keys rbps, wbps (bytes), riops, wiops, a second" },
	{ .name = "io-weight", .kind = OPT_CALL, .arg = "NUMBER", .call = set_number, .flags = OPT_APP,
	  .help = "relative weight of the preceding image's disk time, 1 to 10000; 100 is ordinary" },
	{ .name = "landlock", .kind = OPT_CALL, .arg = "PATH[:rwx]", .call = add_landlock, .flags = OPT_APP,
	  .help = "path that the preceding image may read, write, execute; all that is not named is denied" },
	{ .name = "no-new-privileges", .kind = OPT_OPTVAL, .arg = "BOOL", .implied = "true", .call = set_nnp,
	  .flags = OPT_APP, .help = "whether setuid programs and file capabilities are without effect" },
	{ .name = "pids-limit", .kind = OPT_CALL, .arg = "NUMBER", .call = set_number, .flags = OPT_APP,
	  .help = "most processes and threads of the preceding image" },
	{ .name = "rlimit", .kind = OPT_CALL, .arg = "NAME=SOFT[:HARD]", .call = add_rlimit, .flags = OPT_APP,
	  .help = "resource limit of the preceding image's processes: nofile=1024:4096, core=0, stack=unlimited" },
	{ .kind = OPT_END },
};
/* clang-format on */
