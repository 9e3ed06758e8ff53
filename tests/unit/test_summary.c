/* summary: what is written comes back, and nothing else is taken for one. */
#include "tests/unit/datafix.h"

#include "stage0/summary.h"

#define ID "sha512-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct pod_manifest *manifest_of(const char *apps)
{
	char text[2048];
	struct err e = ERR_INIT;
	struct pod_manifest *m;

	(void)snprintf(text, sizeof(text),
		       "{\"acVersion\":\"0.8.11\",\"acKind\":\"PodManifest\",\"apps\":[%s],\"volumes\":null,"
		       "\"isolators\":null,\"annotations\":null,\"ports\":[]}",
		       apps);
	m = pod_manifest_parse(text, strlen(text), &e);
	ck_assert_msg(m != NULL, "%s", e.text);
	return m;
}

#define APP(name, more) "{\"name\":\"" name "\",\"image\":{" more "\"id\":\"" ID "\"}}"
#define NAMED(version)                                                                                       \
	"\"name\":\"example.com/a\",\"labels\":[{\"name\":\"version\",\"value\":\"" version "\"}],"

/* How many apps come back from a pod with this manifest; *ret freed by the caller. */
static size_t round_trip(const char *apps, struct pod_snapshot *ret)
{
	struct pod_manifest *m = manifest_of(apps);
	auto_pod p = POD_INIT;
	struct err e = ERR_INIT;

	OK(pod_create(&fx.d, &p, &e));
	OK(summary_write(&p, m, &e));
	pod_manifest_free(m);
	*ret = (struct pod_snapshot){ .uuid = "" };
	if (summary_read(&p, &ret->apps, &ret->napps) < 0)
		ck_assert(!ret->apps);
	return ret->napps;
}

START_TEST(it_comes_back)
{
	struct pod_snapshot s;

	ck_assert_uint_eq(round_trip(APP("one", NAMED("1.0")) "," APP("two", NAMED("")), &s), 2);
	ck_assert_str_eq(s.apps[0].name, "one");
	ck_assert_str_eq(s.apps[0].image_title, "example.com/a:1.0");
	ck_assert_str_eq(s.apps[0].image_id, "sha512-0123456789ab");
	ck_assert_str_eq(s.apps[1].name, "two");
	ck_assert_str_eq(s.apps[1].image_title, "example.com/a");
	pod_snapshot_done(&s);
}
END_TEST

START_TEST(what_does_not_fit_is_left_to_the_manifest)
{
	static const char *const unfit[] = {
		"",
		APP("one", ""),
		APP("one", "\"name\":\"example.com/a\","),
		APP("one", NAMED("1 0")),
		APP("one", NAMED("1\\u001b[0m")),
		APP("one", NAMED("\\u00e9")),
		APP("one", NAMED("1.0")) "," APP("two", ""),
	};
	struct pod_snapshot s;

	for (size_t i = 0; i < ARRAY_LEN(unfit); i++)
		ck_assert_uint_eq(round_trip(unfit[i], &s), 0);
}
END_TEST

START_TEST(nothing_else_is_one)
{
	static const char *const odd[] = {
		"1",
		"2 one t sha512-0123456789ab",
		"1one t sha512-0123456789ab",
		"1 one t sha512-0123456789a",
		"1 one t sha256-0123456789ab",
		"1 One t sha512-0123456789ab",
		"1 one  sha512-0123456789ab",
		"1 one t sha512-0123456789ab ",
		"1 one t sha512-0123456789ab two",
		"1 one t sha512-0123456789ab two t",
		"1 one t\\x sha512-0123456789ab",
	};
	auto_pod p = POD_INIT;
	struct app_snapshot *apps = NULL;
	size_t n = 0;
	struct err e = ERR_INIT;

	OK(pod_create(&fx.d, &p, &e));
	ck_assert_int_eq(summary_read(&p, &apps, &n), -ENOENT);
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		ck_assert_int_eq(symlinkat(odd[i], p.fd, POD_LINK_SUMMARY), 0);
		ck_assert_msg(summary_read(&p, &apps, &n) == -EINVAL, "%s", odd[i]);
		ck_assert_int_eq(unlinkat(p.fd, POD_LINK_SUMMARY, 0), 0);
	}
}
END_TEST

int main(void)
{
	return SUITE_RUN_BETWEEN("summary", datafix_before, datafix_after, it_comes_back,
				 what_does_not_fit_is_left_to_the_manifest, nothing_else_is_one);
}
