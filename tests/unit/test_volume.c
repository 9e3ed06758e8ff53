/* volume: both spellings of volumes, mounts and mount points. */
#include "tests/unit/suite.h"

#include "schema/volume.h"
#include "tests/unit/schemacheck.h"

/* error NULL: accepted; printed as @out, or as @in when that is NULL. */
static const struct {
	const char *in, *out, *error;
} volumes[] = {
	{ "[]", NULL, NULL },
	{ "[{'name':'a','kind':'host','source':'/x'}]", NULL, NULL },
	{ "[{'name':'a','kind':'host','source':'/x','readOnly':false,'recursive':true}]", NULL, NULL },
	{ "[{'name':'a','kind':'empty'}]", "[{'name':'a','kind':'empty','mode':'0755','uid':0,'gid':0}]",
	  NULL },
	{ "[{'name':'a','kind':'empty','readOnly':true,'mode':'1777','uid':4294967294,'gid':7}]", NULL,
	  NULL },
	{ "[{'name':'a','kind':'empty','recursive':false,'mode':'0700','uid':0,'gid':0}]", NULL, NULL },
	{ "[{'name':'A','kind':'empty'}]", NULL, ".v[0].name: 'A' is not an AC name" },
	{ "[{'name':'a','kind':'tmpfs'}]", NULL, ".v[0].kind: 'tmpfs' is not a kind" },
	{ "[{'name':'a'}]", NULL, ".v[0].kind: missing" },
	{ "[{'name':'a','kind':'host'}]", NULL, ".v[0]: a volume of kind host needs a source" },
	{ "[{'name':'a','kind':'host','source':'x'}]", NULL, "'x' is not an absolute path" },
	{ "[{'name':'a','kind':'host','source':'/x','mode':'0755'}]", NULL, "kind host has no mode" },
	{ "[{'name':'a','kind':'host','source':'/x','uid':0}]", NULL, "kind host has no uid" },
	{ "[{'name':'a','kind':'host','source':'/x','gid':0}]", NULL, "kind host has no gid" },
	{ "[{'name':'a','kind':'empty','source':'/x'}]", NULL, "kind empty has no source" },
	{ "[{'name':'a','kind':'empty','mode':'xyz'}]", NULL, ".v[0].mode: 'xyz' is not an octal mode" },
	{ "[{'name':'a','kind':'empty','mode':'17777'}]", NULL, "is not an octal mode" },
	{ "[{'name':'a','kind':'empty','uid':4294967295}]", NULL, ".v[0].uid: 4294967295 is not between" },
	{ "[{'name':'a','kind':'empty','gid':-1}]", NULL, ".v[0].gid: -1 is not between" },
	{ "[{'name':'a','kind':'empty','readOnly':'true'}]", NULL, ".v[0].readOnly: true or false expected" },
	{ "[{'name':'a','kind':'empty'},{'name':'a','kind':'empty'}]", NULL, ".v: 'a' is given twice" },
};

START_TEST(volume_documents)
{
	for (size_t i = 0; i < ARRAY_LEN(volumes); i++) {
		auto_json arr = doc(volumes[i].in);
		struct volumes l = { NULL, 0 };
		struct err e = ERR_INIT;
		int r = volumes_from_json(arr, ".v", &l, &e);

		ck_assert_msg((r == 0) == !volumes[i].error, "%s: %s", volumes[i].in, e.text);
		if (volumes[i].error)
			expect_error(&e, volumes[i].error);
		else
			expect_text(volumes_to_json(&l), volumes[i].out ? volumes[i].out : volumes[i].in);
		volumes_done(&l);
	}
}
END_TEST

static const struct {
	const char *in, *error;
} mounts[] = {
	{ "[{'volume':'a','path':'/x'}]", NULL },
	{ "[{'volume':'a','path':'/x','appVolume':{'name':'b','kind':'host','source':'/y'}}]", NULL },
	{ "[{'volume':'a','path':''}]", ".m[0].path: '' is not an absolute path" },
	{ "[{'volume':'a','path':'x'}]", "'x' is not an absolute path" },
	{ "[{'volume':'a'}]", ".m[0].path: missing" },
	{ "[{'path':'/x'}]", ".m[0].volume: missing" },
	{ "[{'volume':'a','path':'/x','appVolume':{'name':'b'}}]", ".m[0].appVolume.kind: missing" },
	{ "[{'volume':'a','path':'/x'},{'volume':'B','path':'/x'}]", ".m[1].volume: 'B'" },
}, points[] = {
	{ "[{'name':'a','path':'/x'},{'name':'a','path':'/y','readOnly':true}]", NULL },
	{ "[{'name':'a','path':'/x'},{'name':'b','path':'//x/.'}]", ".p: '/x' is the path of two mount points" },
	{ "[{'name':'a','path':''}]", ".p[0].path: ''" },
	{ "[{'name':'a','path':'../x'}]", "'../x' is not an absolute path" },
	{ "[{'name':'a.b','path':'/x'}]", "'a.b' is not an AC name" },
	{ "[{'name':'a','path':'/x','readOnly':1}]", ".p[0].readOnly: true or false expected" },
};

START_TEST(mount_documents)
{
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		auto_json arr = doc(mounts[i].in);
		struct mounts l = { NULL, 0 };
		struct err e = ERR_INIT;

		ck_assert_int_eq(mounts_from_json(arr, ".m", &l, &e) == 0, !mounts[i].error);
		if (mounts[i].error)
			expect_error(&e, mounts[i].error);
		else
			expect_text(mounts_to_json(&l), mounts[i].in);
		mounts_done(&l);
	}
	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		auto_json arr = doc(points[i].in);
		struct mount_points l = { NULL, 0 };
		struct err e = ERR_INIT;

		ck_assert_int_eq(mount_points_from_json(arr, ".p", &l, &e) == 0, !points[i].error);
		if (points[i].error)
			expect_error(&e, points[i].error);
		else
			expect_text(mount_points_to_json(&l), points[i].in);
		mount_points_done(&l);
	}
}
END_TEST

static const struct {
	const char *arg, *out, *error;
} args[] = {
	{ "a,kind=host,source=/x", "{'name':'a','kind':'host','source':'/x'}", NULL },
	{ "a,source=/x=y%2c+&,kind=host", "{'name':'a','kind':'host','source':'/x=y%2c+&'}", NULL },
	{ "a,kind=host,source=/x,propagation=private",
	  "{'name':'a','kind':'host','source':'/x','propagation':'private'}", NULL },
	{ "a,kind=host,source=/x,propagation=slave", "{'name':'a','kind':'host','source':'/x'}", NULL },
	{ "a,kind=host,source=/x,propagation=shared", NULL, "is not a propagation" },
	{ "a,kind=empty,propagation=private", NULL, "has no propagation" },
	{ "a,kind=host,source=/x,readOnly=T,recursive=0",
	  "{'name':'a','kind':'host','source':'/x','readOnly':true,'recursive':false}", NULL },
	{ "a,kind=empty", "{'name':'a','kind':'empty','mode':'0755','uid':0,'gid':0}", NULL },
	{ "a,kind=empty,mode=700,uid=1,gid=2,readOnly=false",
	  "{'name':'a','kind':'empty','readOnly':false,'mode':'0700','uid':1,'gid':2}", NULL },
	{ "", NULL, "volume: '' is not an AC name" },
	{ "kind=host,source=/x", NULL, "'kind=host' is not an AC name" },
	{ "a", NULL, "volume 'a': kind is missing" },
	{ "a,", NULL, "'' has no value" },
	{ "a,kind", NULL, "'kind' has no value" },
	{ "a,kind=", NULL, "'' is not a kind" },
	{ "a,kind=host", NULL, "needs a source" },
	{ "a,kind=host,source=", NULL, "'' is not an absolute path" },
	{ "a,kind=host,source=x", NULL, "'x' is not an absolute path" },
	{ "a,kind=host,source=/x,source=/x", NULL, "'source' is given twice" },
	{ "a,kind=host,source=/x,mode=0755", NULL, "kind host has no mode" },
	{ "a,kind=empty,source=/x", NULL, "kind empty has no source" },
	{ "a,kind=host,source=/x,readonly=true", NULL, "'readonly=true' is not something a volume has" },
	{ "a,kind=host,source=/x,readOnly=yes", NULL, "'yes' is not true or false (readOnly)" },
	{ "a,kind=empty,mode=8", NULL, "'8' is not an octal mode" },
	{ "a,kind=empty,uid=-1", NULL, "'-1' is not a user id" },
	{ "a,kind=empty,uid=4294967295", NULL, "is not a user id" },
	{ "a,kind=empty,gid=1 ", NULL, "'1 ' is not a group id" },
	{ "a,kin=empty", NULL, "'kin=empty' is not something" },
};

START_TEST(volume_arguments)
{
	for (size_t i = 0; i < ARRAY_LEN(args); i++) {
		struct volume v;
		struct err e = ERR_INIT;
		int r = volume_from_arg(args[i].arg, &v, &e);

		ck_assert_msg((r == 0) == !args[i].error, "%s: %s", args[i].arg, e.text);
		if (args[i].error) {
			expect_error(&e, args[i].error);
		} else {
			struct volumes l = { NULL, 0 };
			auto_free char *out = xasprintf("[%s]", args[i].out);

			volumes_push_take(&l, &v);
			ck_assert_ptr_null(v.name);
			expect_text(volumes_to_json(&l), out);
			ck_assert_ptr_nonnull(volumes_get(&l, "a"));
			ck_assert_ptr_null(volumes_get(&l, "b"));
			volumes_done(&l);
		}
	}
}
END_TEST

static const struct {
	const char *arg, *target, *error;
} mount_args[] = {
	{ "volume=a,target=/x", "/x", NULL },
	{ "target=/x%20+y=z,volume=a", "/x%20+y=z", NULL },
	{ "volume=a", NULL, "'volume=a' is not complete" },
	{ "", NULL, "'' not understood" },
	{ "volume=a,target=/x,readOnly=true", NULL, "'readOnly=true' not understood" },
	{ "volume=a,target=/x,volume=b", NULL, "'volume=b' is given twice" },
	{ "volume=A,target=/x", NULL, "'A' is not an AC name" },
	{ "volume=a,target=x", NULL, "'x' is not an absolute path" },
	{ "volume=a,target=", NULL, "'' is not an absolute path" },
};

START_TEST(mount_arguments)
{
	for (size_t i = 0; i < ARRAY_LEN(mount_args); i++) {
		struct mounts l = { NULL, 0 };
		struct mount m;
		struct err e = ERR_INIT;

		ck_assert_int_eq(mount_from_arg(mount_args[i].arg, &m, &e) == 0, !mount_args[i].error);
		if (mount_args[i].error) {
			expect_error(&e, mount_args[i].error);
		} else {
			ck_assert_str_eq(m.volume, "a");
			ck_assert_str_eq(m.path, mount_args[i].target);
			mounts_push_take(&l, &m);
			mounts_done(&l);
		}
	}
}
END_TEST

int main(void)
{
	return SUITE_RUN("volume", volume_documents, mount_documents, volume_arguments, mount_arguments);
}
