/* opt: the grammar of cli.md section 2, defaults, suggestions and help. */
#include "tests/unit/suite.h"

#include "base/log.h"
#include "base/num.h"
#include "base/opt.h"
#include "base/strv.h"

struct args {
	bool debug, legend;
	char *dir, *net, *level;
	char **env, **csv;
	int64_t port, grace;
	int calls;
};

struct app {
	char *exec;
};

static const char *const levels[] = { "low", "high", NULL };

static int count_call(void *args, const struct opt *o, const char *value, struct err *e)
{
	struct args *a = args;

	if (strcmp(value, "bad") == 0)
		return err_set(e, ERR_USAGE, EINVAL, "--%s is bad", o->name);
	a->calls++;
	return 0;
}

#define AT(member) .offset = offsetof(struct args, member)

static const struct opt globals[] = {
	{ .name = "help", .kind = OPT_BOOL, .help = "show this", AT(debug) },
	{ .name = "debug", .kind = OPT_BOOL, .help = "say more", AT(debug) },
	{ .name = "dir",
	  .kind = OPT_STR,
	  .arg = "PATH",
	  .help = "data directory",
	  .dflt = "/var/lib/x",
	  AT(dir),
	  .flags = OPT_REQUIRE_ABS },
	{ .kind = OPT_END },
};

static const struct opt locals[] = {
	{ .name = "legend", .kind = OPT_BOOL, .dflt = "true", .help = "print a header", AT(legend) },
	{ .name = "net",
	  .kind = OPT_OPTVAL,
	  .arg = "NAMES",
	  .dflt = "default",
	  .implied = "all",
	  .help = "networks",
	  AT(net) },
	{ .name = "set-env", .kind = OPT_LIST, .arg = "NAME=VALUE", .help = "environment", AT(env) },
	{ .name = "options",
	  .kind = OPT_CSV,
	  .arg = "LIST",
	  .dflt = "none",
	  .choices = levels,
	  .help = "options",
	  AT(csv) },
	{ .name = "level", .kind = OPT_STR, .choices = levels, .help = "level", AT(level) },
	{ .name = "port", .kind = OPT_I64, .dflt = "80", .help = "port", AT(port) },
	{ .name = "grace-period", .kind = OPT_DURATION, .dflt = "30m", .help = "time", AT(grace) },
	{ .name = "call", .kind = OPT_CALL, .arg = "X", .help = "calls", .call = count_call },
	{ .name = "old-port",
	  .kind = OPT_I64,
	  .flags = OPT_DEPRECATED,
	  .instead = "port",
	  .help = "old",
	  AT(port) },
	{ .name = "secret", .kind = OPT_BOOL, .flags = OPT_HIDDEN, .help = "hidden", AT(debug) },
	{ .kind = OPT_END },
};

static const struct opt apps[] = {
	{ .name = "exec",
	  .kind = OPT_STR,
	  .flags = OPT_APP,
	  .help = "program",
	  .offset = offsetof(struct app, exec) },
	{ .kind = OPT_END },
};

/* State of one parse; @line is split at blanks, "_" stands for an empty token. */
struct run {
	struct args args;
	struct app app;
	char **argv, **rest;
	int index, r;
	struct err e;
};

static void run(struct run *x, const char *line, enum opt_stop stop)
{
	const struct opt_set sets[] = { { locals, &x->args }, { apps, NULL }, { globals, &x->args } };

	memset(x, 0, sizeof(*x));
	log_setup("test", LOG_QUIET);
	ck_assert_int_eq(opt_defaults(sets, 3, &x->e), 0);
	x->argv = *line ? strv_split(line, ' ') : NULL;
	for (char **p = x->argv; p && *p; p++) {
		if (strcmp(*p, "_") == 0)
			**p = '\0';
	}
	x->r = opt_parse(sets, 3, (int)strv_len(x->argv), x->argv, &x->index, stop, &x->rest, &x->e);
}

static void done(struct run *x)
{
	opt_done(locals, &x->args);
	opt_done(globals, &x->args);
	opt_done(apps, &x->app);
	strv_free(x->argv);
	strv_free(x->rest);
}

START_TEST(defaults)
{
	struct run x;

	run(&x, "", OPT_STOP_NEVER);
	ck_assert_int_eq(x.r, 0);
	ck_assert(!x.args.debug && x.args.legend);
	ck_assert_str_eq(x.args.dir, "/var/lib/x");
	ck_assert_str_eq(x.args.net, "default");
	ck_assert_ptr_null(x.args.csv);
	ck_assert_int_eq(x.args.port, 80);
	ck_assert_int_eq(x.args.grace, INT64_C(1800000000000));
	done(&x);
	ck_assert_ptr_null(x.args.dir);
}
END_TEST

START_TEST(values)
{
	struct run x;

	run(&x,
	    "--dir=/a --dir /b=c --debug --legend=F --port -5 --grace-period=1.5h --set-env=A=1 --set-env "
	    "B=--c "
	    "--options=low,high --options= --call x --level high --net pos1",
	    OPT_STOP_NEVER);
	ck_assert_msg(x.r == 0, "%s", x.e.text);
	ck_assert_str_eq(x.args.dir, "/b=c");
	ck_assert(x.args.debug && !x.args.legend);
	ck_assert_int_eq(x.args.port, -5);
	ck_assert_int_eq(x.args.grace, INT64_C(5400000000000));
	ck_assert_uint_eq(strv_len(x.args.env), 2);
	ck_assert_str_eq(x.args.env[1], "B=--c");
	ck_assert_uint_eq(strv_len(x.args.csv), 2);
	ck_assert_int_eq(x.args.calls, 1);
	ck_assert_str_eq(x.args.net, "all"); /* bare; the next token is no value */
	ck_assert_str_eq(x.rest[0], "pos1");
	done(&x);
	run(&x, "--net=a,b --net --net=_", OPT_STOP_NEVER);
	ck_assert_str_eq(x.args.net, "_");
	done(&x);
}
END_TEST

START_TEST(positionals_and_stops)
{
	struct run x;

	run(&x, "a --debug - _ b -- --dir -x", OPT_STOP_NEVER);
	ck_assert_int_eq(x.r, 0);
	auto_free char *all = strv_join(x.rest, "|");

	ck_assert_str_eq(all, "a|-||b|--dir|-x");
	ck_assert_int_eq(x.index, 8);
	done(&x);
	run(&x, "--debug img --dir", OPT_STOP_POSITIONAL);
	ck_assert_int_eq(x.r, 0);
	ck_assert_int_eq(x.index, 1);
	ck_assert_ptr_null(x.rest);
	done(&x);
	run(&x, "--debug -- --dir", OPT_STOP_POSITIONAL);
	ck_assert_int_eq(x.index, 2);
	ck_assert_ptr_null(x.rest);
	done(&x);
}
END_TEST

static const struct {
	const char *line, *text;
} errors[] = {
	{ "--debugg", "unknown option \"--debugg\"; did you mean --debug?" },
	{ "--leg=1", "unknown option \"--leg\"; did you mean --legend?" },
	{ "--nonsense=x", "unknown option \"--nonsense\"" },
	{ "--secre", "unknown option \"--secre\"" }, /* hidden ones are not suggested */
	{ "-debug", "unknown option \"-debug\" (options begin with two dashes); did you mean --debug?" },
	{ "-d", "unknown option \"-d\" (options begin with two dashes); did you mean --debug?" },
	{ "---", "unknown option \"---\"" },
	{ "---debug", "unknown option \"---debug\"; did you mean --debug?" },
	{ "--=x", "unknown option \"--\"" },
	{ "--dir", "option --dir needs a value: PATH" },
	{ "--level", "option --level needs a value" },
	{ "--dir=rel", "option --dir needs an absolute path, not \"rel\"" },
	{ "--dir=", "option --dir needs an absolute path, not \"\"" },
	{ "--debug=maybe", "option --debug: \"maybe\" is neither true nor false" },
	{ "--port=x", "option --port: \"x\" is not a number" },
	{ "--port=9223372036854775808", "option --port: \"9223372036854775808\" is out of range" },
	{ "--grace-period=30", "option --grace-period: \"30\" is not a time such as 30s or 1h30m" },
	{ "--grace-period=9999999h", "option --grace-period: \"9999999h\" is too long a time" },
	{ "--level=mid", "option --level: \"mid\" is none of: low, high" },
	{ "--options=low,mid", "option --options: \"mid\" is none of: low, high" },
	{ "--call=bad", "--call is bad" },
	{ "--exec /bin/x", "option --exec must follow an image" },
};

START_TEST(usage_errors)
{
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		struct run x;

		run(&x, errors[i].line, OPT_STOP_NEVER);
		ck_assert_int_lt(x.r, 0);
		ck_assert_int_eq(x.e.cls, ERR_USAGE);
		ck_assert_str_eq(x.e.text, errors[i].text);
		done(&x);
	}
}
END_TEST

START_TEST(failed_list_leaves_nothing_behind)
{
	struct run x;

	run(&x, "--options=low,mid", OPT_STOP_NEVER);
	ck_assert_ptr_null(x.args.csv);
	done(&x);
}
END_TEST

START_TEST(help_wins_and_is_passed)
{
	static const char *const asks[] = { "--help", "-h", "--help=true", "a --help b" };

	for (size_t i = 0; i < ARRAY_LEN(asks); i++) {
		struct run x;

		run(&x, asks[i], OPT_STOP_NEVER);
		ck_assert_int_eq(x.r, -ECANCELED);
		ck_assert_int_eq(x.index, i == 3 ? 2 : 1);
		done(&x);
	}
}
END_TEST

START_TEST(app_options_go_to_the_app)
{
	char *argv[] = { strdup("--exec=/bin/x"), strdup("--port"), strdup("9"), NULL };
	struct args args = { 0 };
	struct app app = { 0 };
	const struct opt_set sets[] = { { locals, &args }, { apps, NULL } };
	const struct opt *o = NULL;
	struct err e = ERR_INIT;
	int index = 0;

	ck_assert_int_eq(opt_parse_one(sets, 2, &app, 3, argv, &index, &o, &e), 0);
	ck_assert_str_eq(o->name, "exec");
	ck_assert_str_eq(app.exec, "/bin/x");
	ck_assert_int_eq(opt_parse_one(sets, 2, &app, 3, argv, &index, &o, &e), 0);
	ck_assert_str_eq(o->name, "port");
	ck_assert_int_eq(index, 3);
	ck_assert_int_eq(args.port, 9);
	opt_done(apps, &app);
	ck_assert_ptr_null(app.exec);
	for (size_t i = 0; i < 3; i++)
		free(argv[i]);
}
END_TEST

START_TEST(deprecated_ones_work)
{
	struct run x;

	run(&x, "--old-port=7", OPT_STOP_NEVER);
	ck_assert_int_eq(x.r, 0);
	ck_assert_int_eq(x.args.port, 7);
	done(&x);
}
END_TEST

START_TEST(bad_default_is_reported)
{
	static const struct opt table[] = { { .name = "n", .kind = OPT_I64, .dflt = "x", AT(port) },
					    { .kind = OPT_END } };
	struct args args = { 0 };
	const struct opt_set set = { table, &args };
	struct err e = ERR_INIT;

	ck_assert_int_eq(opt_defaults(&set, 1, &e), -EINVAL);
	ck_assert_ptr_eq(strstr(e.text, "default of --n: "), e.text);
}
END_TEST

START_TEST(help_rows)
{
	auto_buf out = BUF_INIT;
	static const struct opt none[] = { { .kind = OPT_END } };

	opt_help(globals, &out);
	ck_assert_str_eq(buf_str(&out), "\t-h, --help\t\tshow this\n"
					"\t--debug[=false]\t\tsay more\n"
					"\t--dir=\"/var/lib/x\"\tdata directory\n");
	buf_clear(&out);
	opt_help(locals, &out);
	ck_assert_str_eq(buf_str(&out), "\t--legend[=true]\t\tprint a header\n"
					"\t--net[=\"default\"]\tnetworks\n"
					"\t--set-env=NAME=VALUE\tenvironment\n"
					"\t--options=none\t\toptions\n"
					"\t--level\t\t\tlevel\n"
					"\t--port=80\t\tport\n"
					"\t--grace-period=30m0s\ttime\n"
					"\t--call=X\t\tcalls\n");
	buf_clear(&out);
	opt_help(none, &out);
	ck_assert_str_eq(buf_str(&out), "");
}
END_TEST

START_TEST(distance)
{
	ck_assert_uint_eq(opt_distance("", ""), 0);
	ck_assert_uint_eq(opt_distance("abc", ""), 3);
	ck_assert_uint_eq(opt_distance("", "ab"), 2);
	ck_assert_uint_eq(opt_distance("kitten", "sitting"), 3);
	ck_assert_uint_eq(opt_distance("run", "urn"), 2);
	ck_assert_uint_eq(opt_distance("list", "list"), 0);
}
END_TEST

int main(void)
{
	return SUITE_RUN("opt", defaults, values, positionals_and_stops, usage_errors,
			 failed_list_leaves_nothing_behind, help_wins_and_is_passed,
			 app_options_go_to_the_app, deprecated_ones_work, bad_default_is_reported, help_rows,
			 distance);
}
