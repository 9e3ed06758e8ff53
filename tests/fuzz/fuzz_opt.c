/*
 * Any argv (NUL-separated) through an option table with a row of every kind: never a crash or a leak,
 * errors have a text, and a parse that need not stop early uses all of argv.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/strv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct args {
	bool flag;
	char *text, *net;
	char **list, **csv;
	int64_t number, time;
};

static int any_value(void *args, const struct opt *o, const char *value, struct err *e)
{
	(void)args;
	return *value ? 0 : err_set(e, ERR_USAGE, EINVAL, "--%s is empty", o->name);
}

static const char *const few[] = { "a", "b", NULL };

#define AT(member) .offset = offsetof(struct args, member)

static const struct opt table[] = {
	{ .name = "flag", .kind = OPT_BOOL, .dflt = "true", AT(flag) },
	{ .name = "text", .kind = OPT_STR, .dflt = "/x", .flags = OPT_REQUIRE_ABS, AT(text) },
	{ .name = "net", .kind = OPT_OPTVAL, .implied = "default", AT(net) },
	{ .name = "list", .kind = OPT_LIST, AT(list) },
	{ .name = "csv", .kind = OPT_CSV, .choices = few, AT(csv) },
	{ .name = "number", .kind = OPT_I64, .flags = OPT_DEPRECATED, .instead = "time", AT(number) },
	{ .name = "time", .kind = OPT_DURATION, .dflt = "30m", AT(time) },
	{ .name = "call", .kind = OPT_CALL, .call = any_value },
	{ .name = "app", .kind = OPT_STR, .flags = OPT_APP, AT(text) },
	{ .kind = OPT_END },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct args args = { 0 };
	const struct opt_set set = { table, &args };
	struct err e = ERR_INIT;
	auto_strv argv = NULL;
	auto_strv rest = NULL;
	int argc, index = 0, r;

	if (size > 4096)
		return 0;
	log_setup("fuzz", LOG_QUIET);
	for (size_t i = 0; i < size; i++) {
		strv_push_take(&argv, xstrndup((const char *)data + i, size - i));
		i += strlen(argv[strv_len(argv) - 1]);
	}
	argc = (int)strv_len(argv);
	if (opt_defaults(&set, 1, &e) < 0)
		abort();
	r = opt_parse(&set, 1, argc, argv, &index, size % 2 ? OPT_STOP_NEVER : OPT_STOP_POSITIONAL, &rest,
		      &e);
	if (index < 0 || index > argc || (r < 0 && e.text[0] == '\0') || (int)strv_len(rest) > argc)
		abort();
	if (r == 0 && size % 2 && index != argc)
		abort();
	opt_done(table, &args);
	return 0;
}
