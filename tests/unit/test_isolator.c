/* isolator: every known name, its rules, and the rules of lists. */
#include "tests/unit/suite.h"

#include "base/strv.h"
#include "schema/device.h"
#include "schema/isolator.h"
#include "tests/unit/schemacheck.h"

/* One isolator NAME with VALUE; error NULL: accepted. */
static const struct {
	const char *name, *value, *error;
} single[] = {
	{ "resource/cpu", "{'limit':'250m'}", NULL },
	{ "resource/cpu", "{}", NULL },
	{ "resource/cpu", "{'default':false,'request':'1','limit':2}", NULL },
	{ "resource/cpu", "{'default':true,'limit':'1'}", ".i[0].value.default: must not be true" },
	{ "resource/cpu", "{'limit':'x'}", ".i[0].value.limit: 'x' is not a quantity" },
	{ "resource/cpu", "{'limit':true}", ".i[0].value.limit: quantity expected" },
	{ "resource/cpu", "'1'", ".i[0].value: object expected" },
	{ "resource/memory", "{'limit':'128Mi'}", NULL },
	{ "resource/memory", "{'limit':'-5M'}", "is negative" },
	{ "resource/memory", "{'limit':'10E'}", "is too large" },
	{ "resource/memory", "{'limit':-1}", "is negative" },
	{ "resource/memory", "{'limit':null}", NULL },
	{ "resource/block-bandwidth", "{'default':true,'limit':'2M'}", NULL },
	{ "resource/block-bandwidth", "{'limit':'2M'}", "default: must be true" },
	{ "resource/block-iops", "{'default':true,'request':'1','limit':'2'}", "request: not possible" },
	{ "resource/network-bandwidth", "{'default':true,'limit':'1G'}", NULL },
	{ "os/linux/capabilities-retain-set", "{'set':['CAP_KILL','CAP_BOGUS']}", NULL },
	{ "os/linux/capabilities-remove-set", "{'set':[]}", ".i[0].value.set: empty" },
	{ "os/linux/capabilities-remove-set", "{}", ".i[0].value.set: missing" },
	{ "os/linux/capabilities-remove-set", "{'set':[1]}", ".i[0].value.set[0]: string expected" },
	{ "os/linux/seccomp-retain-set", "{'set':['open'],'errno':'ENOSYS'}", NULL },
	{ "os/linux/seccomp-remove-set", "{'set':['@appc.io/empty'],'errno':''}", NULL },
	{ "os/linux/seccomp-remove-set", "{'set':['open'],'errno':'nosys'}",
	  "'nosys' is not the name of an errno" },
	{ "os/linux/seccomp-remove-set", "{'set':['']}", "'' is not a name" },
	{ "os/linux/no-new-privileges", "true", NULL },
	{ "os/linux/no-new-privileges", "'true'", ".i[0].value: true or false expected" },
	{ "os/linux/oom-score-adj", "-1000", NULL },
	{ "os/linux/oom-score-adj", "1001", "1001 is not between -1000 and 1000" },
	{ "os/linux/oom-score-adj", "1.0", "integer expected" },
	{ "os/linux/cpu-shares", "2", NULL },
	{ "os/linux/cpu-shares", "262144", NULL },
	{ "os/linux/cpu-shares", "1", "1 is not between 2 and 262144" },
	{ "os/linux/cpu-shares", "262145", "262145 is not between" },
	{ "os/linux/selinux-context", "{'user':'u','role':'r','type':'t','level':'s0:c1,c2'}", NULL },
	{ "os/linux/selinux-context", "{'user':'u:x','role':'r','type':'t','level':'s0'}", ".user: 'u:x'" },
	{ "os/linux/selinux-context", "{'user':'u','role':'r','type':'t'}", ".level: missing" },
	{ "os/linux/selinux-context", "{'user':'u','role':'','type':'t','level':'s0'}", ".role: ''" },
	{ "os/linux/apparmor-profile", "{'profile':'p'}", NULL },
	{ "os/linux/apparmor-profile", "{'profile':''}", ".profile: empty" },
	{ "os/unix/sysctl", "{'net.ipv4.ip_forward':'1'}", NULL },
	{ "os/unix/sysctl", "{'net.ipv4.ip_forward':1}", "'net.ipv4.ip_forward' has a value" },
	{ "os/unix/sysctl", "[]", "object expected" },
	{ "example.com/own", "[1,{'a':null}]", NULL },
	{ "rkt.io/pids-limit", "1", NULL },
	{ "rkt.io/pids-limit", "0", "0 is not between 1 and 4194304" },
	{ "rkt.io/pids-limit", "'7'", "integer expected" },
	{ "rkt.io/cpu-weight", "10000", NULL },
	{ "rkt.io/io-weight", "10001", "10001 is not between 1 and 10000" },
	{ "rkt.io/io-max", "{'/dev/sda':{'rbps':'1M','wiops':5}}", NULL },
	{ "rkt.io/io-max", "{}", "object of devices expected" },
	{ "rkt.io/io-max", "{'sda':{'rbps':'1'}}", "'sda' is not an absolute path" },
	{ "rkt.io/io-max", "{'/dev/sda':{}}", "object with rbps" },
	{ "rkt.io/io-max", "{'/dev/sda':{'bps':'1'}}", "'bps' is none of" },
	{ "rkt.io/io-max", "{'/dev/sda':{'rbps':0}}", "rbps: must be positive" },
	{ "rkt.io/io-max", "{'/dev/sda':{'rbps':null}}", "rbps: must be positive" },
	{ "rkt.io/rlimits", "{'nofile':'1024:2048','core':'0','stack':'unlimited'}", NULL },
	{ "rkt.io/rlimits", "{'nofile':5}", "'nofile' has a value that is not a string" },
	{ "rkt.io/rlimits", "{'files':'5'}", "resource limit 'files' is unknown" },
	{ "rkt.io/rlimits", "{'nofile':'6:5'}", "the soft limit is above the hard one" },
	{ "rkt.io/rlimits", "{'nofile':'5:'}", "is not SOFT[:HARD]" },
	{ "rkt.io/rlimits", "[]", "object of limits expected" },
	{ "rkt.io/landlock", "[{'path':'/bin','access':'rx'},{'path':'/','access':'w'}]", NULL },
	{ "rkt.io/landlock", "[]", "list of paths expected" },
	{ "rkt.io/landlock", "[{'path':'bin','access':'r'}]", "[0].path: 'bin' is not an absolute path" },
	{ "rkt.io/landlock", "[{'path':'/bin'}]", ".access: missing" },
	{ "rkt.io/landlock", "[{'path':'/bin','access':'rm'}]", ".access: 'rm'" },
	{ "rkt.io/devices", "[{'source':'/dev/fuse'}]", NULL },
	{ "rkt.io/devices", "[{'source':'/dev/kvm','target':'/dev/vm','access':'rw'}]", NULL },
	{ "rkt.io/devices", "[]", "list of devices expected" },
	{ "rkt.io/devices", "['/dev/fuse']", "[0]: object expected" },
	{ "rkt.io/devices", "[{'target':'/dev/x'}]", ".source: missing" },
	{ "rkt.io/devices", "[{'source':'/dev/../etc'}]", "'/dev/../etc' is not an absolute path" },
	{ "rkt.io/devices", "[{'source':'/dev/x','target':'x'}]", ".target: 'x'" },
	{ "rkt.io/devices", "[{'source':'/dev/x','access':'rr'}]", ".access: 'rr'" },
	{ "rkt.io/devices", "[{'source':'/dev/x','access':'m'}]", ".access: 'm'" },
};

START_TEST(values)
{
	for (size_t i = 0; i < ARRAY_LEN(single); i++) {
		auto_free char *text = xasprintf("[{'name':'%s','value':%s}]", single[i].name,
						 single[i].value);
		auto_json arr = doc(text);
		struct isolators l = { NULL, 0 };
		struct err e = ERR_INIT;
		int r = isolators_from_json(arr, ".i", true, &l, &e);

		ck_assert_msg((r == 0) == !single[i].error, "%s: %s", text, e.text);
		if (single[i].error)
			expect_error(&e, single[i].error);
		else
			expect_text(isolators_to_json(&l), text);
		isolators_done(&l);
	}
}
END_TEST

START_TEST(known_names_need_a_value_unknown_ones_do_not)
{
	auto_json known = doc("[{'name':'resource/cpu'}]");
	auto_json null = doc("[{'name':'resource/cpu','value':null}]");
	auto_json unknown = doc("[{'name':'example.com/x'}]");
	auto_json bad = doc("[{'name':'Example','value':1}]");
	struct isolators l = { NULL, 0 };
	struct err e = ERR_INIT;

	ck_assert_int_eq(isolators_from_json(known, ".i", false, &l, &e), -EINVAL);
	expect_error(&e, ".i[0].value: missing");
	ck_assert_int_eq(isolators_from_json(null, ".i", false, &l, &e), -EINVAL);
	ck_assert_int_eq(isolators_from_json(bad, ".i", false, &l, &e), -EINVAL);
	expect_error(&e, ".i[0].name: 'Example'");
	ck_assert_int_eq(isolators_from_json(unknown, ".i", true, &l, &e), 0);
	ck_assert_int_eq(l.v[0].kind, ISO_UNKNOWN);
	isolators_done(&l);
}
END_TEST

#define SECCOMP(k) "{'name':'os/linux/seccomp-" k "-set','value':{'set':['open']}}"
#define CPU(n)     "{'name':'resource/cpu','value':{'limit':'" n "'}}"
#define SHARES     "{'name':'os/linux/cpu-shares','value':5}"

START_TEST(set_rules_are_for_apps)
{
	static const struct {
		const char *list, *error;
	} rows[] = {
		{ "[" CPU("1") "," CPU("2") "]", NULL },
		{ "[" SHARES "," SHARES "]", "'os/linux/cpu-shares' may be given once only" },
		{ "[" SHARES ",{'name':'rkt.io/cpu-weight','value':5}]", "exclude each other" },
		{ "[" SECCOMP("retain") "," SECCOMP("retain") "]", "may be given once only" },
		{ "[" SECCOMP("retain") "," SECCOMP("remove") "]", "exclude each other" },
		{ "[" SECCOMP("remove") "," CPU("1") "," SECCOMP("retain") "]", "exclude each other" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json arr = doc(rows[i].list);
		struct isolators l = { NULL, 0 };
		struct err e = ERR_INIT;

		ck_assert_int_eq(isolators_from_json(arr, ".i", true, &l, &e) == 0, !rows[i].error);
		if (rows[i].error)
			expect_error(&e, rows[i].error);
		isolators_done(&l);
		ck_assert_int_eq(isolators_from_json(arr, ".i", false, &l, &e), 0);
		isolators_done(&l);
	}
}
END_TEST

START_TEST(the_options_text_of_a_device)
{
	static const struct {
		const char *arg, *source, *target; /* source NULL: refused */
		unsigned int access;
	} rows[] = {
		{ "/dev/fuse", "/dev/fuse", "/dev/fuse", 7 },
		{ "/dev/fuse:r", "/dev/fuse", "/dev/fuse", DEVICE_READ },
		{ "/dev/a:/dev/b", "/dev/a", "/dev/b", 7 },
		{ "/dev/a:/dev/b:wm", "/dev/a", "/dev/b", DEVICE_WRITE | DEVICE_MKNOD },
		{ "", NULL, NULL, 0 },
		{ "fuse", NULL, NULL, 0 },
		{ "/", NULL, NULL, 0 },
		{ "/dev/a:", NULL, NULL, 0 },
		{ "/dev/a:b", NULL, NULL, 0 },
		{ "/dev/a:/dev/b:rwx", NULL, NULL, 0 },
		{ "/dev/a:/dev/b:r:w", NULL, NULL, 0 },
		{ "/dev/a:/..", NULL, NULL, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = ERR_INIT;
		struct device d;
		auto_json o = device_json_from_arg(rows[i].arg, &e);

		ck_assert_msg(!o == !rows[i].source, "%s: %s", rows[i].arg, e.text);
		if (!o)
			continue;
		ck_assert_int_eq(device_from_json(o, "", &d, &e), 0);
		ck_assert_str_eq(d.source, rows[i].source);
		ck_assert_str_eq(d.target, rows[i].target);
		ck_assert_uint_eq(d.access, rows[i].access);
	}
}
END_TEST

START_TEST(one_list_replaces_another_kind_by_kind)
{
	auto_json image = doc("[" CPU("1") "," SHARES ",{'name':'rkt.io/pids-limit','value':5}]");
	auto_json flags = doc(
		"[{'name':'rkt.io/cpu-weight','value':7},{'name':'rkt.io/pids-limit','value':6}]");
	struct isolators to = { NULL, 0 }, from = { NULL, 0 };
	struct err e = ERR_INIT;

	ck_assert_int_eq(isolators_from_json(image, "", true, &to, &e), 0);
	ck_assert_int_eq(isolators_from_json(flags, "", true, &from, &e), 0);
	isolators_override(&to, &from);
	ck_assert_uint_eq(to.n, 3);
	ck_assert_int_eq(isolators_get(&to, ISO_PIDS_LIMIT)->limit, 6);
	ck_assert_int_eq(isolators_get(&to, ISO_CPU_WEIGHT)->limit, 7);
	ck_assert_int_eq(isolators_get(&to, ISO_CPU)->limit, 1000);
	ck_assert_ptr_null(isolators_get(&to, ISO_CPU_SHARES));
	ck_assert_uint_eq(from.n, 2);
	isolators_done(&to);
	isolators_done(&from);
}
END_TEST

START_TEST(limits_of_a_disk)
{
	auto_json limits = doc("{'rbps':'2Ki','riops':7}");

	ck_assert_int_eq(isolator_io_max(limits, "rbps"), 2048);
	ck_assert_int_eq(isolator_io_max(limits, "riops"), 7);
	ck_assert_int_eq(isolator_io_max(limits, "wbps"), -1);
}
END_TEST

START_TEST(numbers_are_decoded)
{
	auto_json arr = doc("[" CPU("1") ",{'name':'resource/cpu','value':{'limit':0.1,'request':1e3}}]");
	struct isolators l = { NULL, 0 }, copy;
	struct err e = ERR_INIT;
	const struct isolator *i;

	ck_assert_int_eq(isolators_from_json(arr, "", true, &l, &e), 0);
	i = isolators_get(&l, ISO_CPU);
	ck_assert_int_eq(i->limit, 100); /* the last one, and not 101 by way of floating point */
	ck_assert_int_eq(i->request, 1000000);
	ck_assert_int_eq(l.v[0].limit, 1000);
	ck_assert_int_eq(l.v[0].request, -1);
	ck_assert_ptr_null(isolators_get(&l, ISO_MEMORY));
	isolators_copy(&copy, &l);
	isolators_drop(&l, ISO_CPU);
	ck_assert_uint_eq(l.n, 0);
	ck_assert_uint_eq(copy.n, 2);
	isolators_done(&l);
	isolators_done(&copy);
}
END_TEST

START_TEST(adding_one)
{
	struct isolators l = { NULL, 0 };
	struct err e = ERR_INIT;

	ck_assert_int_eq(isolators_add(&l, "os/linux/seccomp-remove-set",
				       json_pack("{s:[s,s], s:s}", "set", "a", "b", "errno", "EPERM"), &e),
			 0);
	ck_assert_int_eq(isolators_add(&l, "os/linux/no-new-privileges", json_true(), &e), 0);
	ck_assert_int_eq(isolators_add(&l, "os/linux/cpu-shares", json_integer(1), &e), -ERANGE);
	ck_assert_int_eq(isolators_add(&l, "Bad", json_true(), &e), -EINVAL);
	ck_assert_uint_eq(l.n, 2);
	ck_assert_uint_eq(strv_len(l.v[0].set), 2);
	ck_assert_str_eq(l.v[0].err_name, "EPERM");
	ck_assert(l.v[1].flag);
	isolators_drop(&l, ISO_SECCOMP_REMOVE);
	ck_assert_uint_eq(l.n, 1);
	ck_assert_int_eq(l.v[0].kind, ISO_NO_NEW_PRIVS);
	isolators_done(&l);
}
END_TEST

int main(void)
{
	return SUITE_RUN("isolator", values, known_names_need_a_value_unknown_ones_do_not,
			 set_rules_are_for_apps, numbers_are_decoded, adding_one,
			 the_options_text_of_a_device, one_list_replaces_another_kind_by_kind,
			 limits_of_a_disk);
}
