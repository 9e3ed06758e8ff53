/* ref: what each spelling of an image means, in a directory of its own. */
#include "tests/unit/suite.h"

#include "base/alloc.h"
#include "stage0/ref.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* @value: id, URL or name; "CWD" stands for the scratch directory. */
static const struct {
	const char *text;
	unsigned int flags;
	int kind; /* -1: refused, @value is a part of the message */
	const char *value;
} rows[] = {
	{ "sha512-ab", 0, REF_HASH, "sha512-ab" },
	{ "sha512-" HEX64 HEX64, 0, REF_HASH, "sha512-" HEX64 },
	{ "sha512-a", 0, -1, "image ID too short" },
	{ "sha512-xyz", 0, -1, "is not an image ID" },
	{ "sha512-ab-c", 0, REF_NAME, "sha512-ab-c" },
	{ "sha512-ab", REF_NO_HASH, REF_NAME, "sha512-ab" },
	{ "sha512-ab", REF_STORE_ONLY, REF_HASH, "sha512-ab" },

	{ "/x/y.aci", 0, REF_FILE, "file:///x/y.aci" },
	{ "/x/../y.aci", 0, REF_FILE, "file:///y.aci" },
	{ "/x/y", 0, -1, "must end in .aci" },
	{ "/x/a b%?#.aci", 0, REF_FILE, "file:///x/a%20b%25%3F%23.aci" },
	{ "x.aci", 0, REF_FILE, "file://CWD/x.aci" },
	{ "./x", 0, -1, "must end in .aci" },
	{ "./x.aci", 0, REF_FILE, "file://CWD/x.aci" },
	{ "sub/../x.aci", 0, REF_FILE, "file://CWD/x.aci" },
	{ "there", 0, -1, "must end in .aci" }, /* an existing file shadows the name */
	{ "there:1.aci", 0, REF_FILE, "file://CWD/there:1.aci" },
	{ "folder", 0, REF_NAME, "folder" },
	{ "x.aci", REF_STORE_ONLY, REF_NAME, "x.aci" },
	{ "there", REF_STORE_ONLY, REF_NAME, "there" },

	{ "file:///x/y.aci", 0, REF_FILE, "file:///x/y.aci" },
	{ "file://localhost/x/y.aci?q", 0, REF_FILE, "file:///x/y.aci" },
	{ "file:///x/a%20b.aci", 0, REF_FILE, "file:///x/a%20b.aci" },
	{ "file://host/x.aci", 0, -1, "file:// and an absolute path expected" },
	{ "file://x.aci", 0, -1, "file:// and an absolute path expected" },
	{ "file:///x%00.aci", 0, -1, "malformed %" },
	{ "file:///x%2.aci", 0, -1, "malformed %" },
	{ "file:///x.aci%", 0, -1, "malformed %" },
	{ "file:///x", 0, -1, "must end in .aci" },

	{ "http://a/x.aci", 0, REF_HTTP, "http://a/x.aci" },
	{ "https://a:1/x.aci?y=/z", 0, REF_HTTP, "https://a:1/x.aci?y=/z" },
	{ "https://a/x.aci#f", 0, REF_HTTP, "https://a/x.aci" },
	{ "https://a/x?y=.aci", 0, -1, "must end in .aci" },
	{ "https://a.aci", 0, -1, "must end in .aci" },
	{ "https:///x.aci", 0, -1, "malformed URL" },
	{ "https://a/x y.aci", 0, -1, "malformed URL" },
	{ "https://user:secret@a/x.aci", 0, -1, "auth.d" },
	{ "docker://busybox", 0, REF_OCI, "docker://registry-1.docker.io/library/busybox:latest" },
	{ "docker:busybox", 0, REF_OCI, "docker://registry-1.docker.io/library/busybox:latest" },
	{ "docker://h:5000/a/b:1,arch=arm64", 0, REF_OCI, "docker://h:5000/a/b:1,arch=arm64" },
	{ "docker://h:5000/a/b,arch=", 0, -1, "the architecture after the comma is empty" },
	{ "docker://h:5000/A", 0, -1, "lower-case" },
	{ "docker://", 0, -1, "docker://" },
	{ "oci:/dir:ref", 0, REF_OCI, "oci:/dir:ref" },
	{ "oci-archive:/a/../b.tar", 0, REF_OCI, "oci-archive:/b.tar" },
	{ "ftp://a/x.aci", 0, -1, "unknown scheme" },

	{ "cimd:appc:v=0:example.com/a?version=1&x=a%20b", 0, REF_NAME, "example.com/a" },
	{ "cimd:aci-archive:v=0:https%3A%2F%2Fa%2Fx.aci", 0, REF_HTTP, "https://a/x.aci" },
	{ "cimd:aci-archive:v=0:cimd%3Aappc", 0, -1, "not a cimd URI" },
	{ "cimd:docker:v=0:h%3A1%2Fx", 0, REF_OCI, "docker://h:1/x:latest" },
	{ "cimd:docker:v=1:x", 0, -1, "not a cimd URI" },
	{ "cimd:appc:v=1:x", 0, -1, "not a cimd URI" },
	{ "cimd:", 0, -1, "not a cimd URI" },

	{ "redis:3.2", 0, REF_NAME, "redis" },
	{ "example.com/a:1,os=linux,x=", 0, REF_NAME, "example.com/a" },
	{ "a,x=b:c", 0, -1, "one colon" },
	{ "a:b:c", 0, -1, "one colon" },
	{ "a:", 0, -1, "version after the colon is empty" },
	{ "a:1,version=2", 0, -1, "version is given twice" },
	{ "a,x=1,x=1", 0, -1, "a label is given twice" },
	{ "a,x", 0, -1, "LABEL=VALUE expected" },
	{ "a,", 0, -1, "LABEL=VALUE expected" },
	{ "a,name=b", 0, -1, "cannot be a label" },
	{ "a,X=b", 0, -1, "label is not an AC identifier" },
	{ "a,os=freebsd", 0, -1, "os must be linux" },
	{ "a,arch=arm64", 0, -1, "bad arch \"arm64\"" },
	{ "a,os=freebsd", REF_STORE_ONLY, REF_NAME, "a" },
	{ "Redis", 0, -1, "not an image name" },
	{ "a/../../b", 0, -1, "must end in .aci" } /* "./" makes it a path */,
	{ ":1", 0, -1, "not an image name" },
	{ "", 0, -1, "the name is empty" },
	{ "a\x1b[2Jb", 0, -1, "a\\x1b[2Jb" },
};

START_TEST(spellings)
{
	char *path;
	int fd = suite_make_dir(&path);

	ck_assert_int_eq(fchdir(fd), 0);
	ck_assert_int_eq(write_file_at(fd, "there", "", 0, 0644, 0), 0);
	ck_assert_int_eq(write_file_at(fd, "there:1.aci", "", 0, 0644, 0), 0);
	ck_assert_int_eq(mkdir_p_at(fd, "folder", 0755), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct image_ref ref = { .kind = REF_NAME };
		struct err e = ERR_INIT;
		int r = image_ref_parse(rows[i].text, rows[i].flags, &ref, &e);
		const char *got, *cwd = strstr(rows[i].value, "CWD");
		auto_free char *want = cwd ? xasprintf("file://%s%s", path, cwd + 3) : xstrdup(rows[i].value);

		ck_assert_msg((r < 0) == (rows[i].kind < 0), "%s: %s", rows[i].text, e.text);
		if (r < 0) {
			ck_assert_msg(strstr(e.text, want) != NULL, "%s: %s", rows[i].text, e.text);
			ck_assert_ptr_null(strstr(e.text, "secret"));
			continue;
		}
		ck_assert_msg((int)ref.kind == rows[i].kind, "%s: kind %d", rows[i].text, (int)ref.kind);
		got = ref.kind == REF_HASH ? ref.id : ref.kind == REF_NAME ? ref.name : ref.url;
		ck_assert_str_eq(got, want);
		image_ref_done(&ref);
	}
	suite_drop_dir(fd, path);
}
END_TEST

START_TEST(labels_of_names)
{
	struct image_ref ref;
	struct err e = ERR_INIT;

	ck_assert_int_eq(image_ref_parse("a:1.0,x=y=z", 0, &ref, &e), 0);
	ck_assert_str_eq(pairs_get(&ref.labels, "version"), "1.0");
	ck_assert_str_eq(pairs_get(&ref.labels, "x"), "y=z");
	ck_assert_str_eq(pairs_get(&ref.labels, "os"), "linux");
	ck_assert_str_eq(pairs_get(&ref.labels, "arch"), host_arch());
	image_ref_done(&ref);
	ck_assert_int_eq(image_ref_parse("a,arch=s390x", 0, &ref, &e), 0);
	ck_assert_str_eq(pairs_get(&ref.labels, "arch"), "s390x");
	image_ref_done(&ref);
	ck_assert_int_eq(image_ref_parse("a", REF_STORE_ONLY, &ref, &e), 0);
	ck_assert_uint_eq(ref.labels.n, 0);
	image_ref_done(&ref);
	ck_assert_int_eq(image_ref_parse("cimd:appc:v=0:a?version=1&x=a%20b", 0, &ref, &e), 0);
	ck_assert_str_eq(pairs_get(&ref.labels, "x"), "a b");
	ck_assert_str_eq(pairs_get(&ref.labels, "version"), "1");
	image_ref_done(&ref);
}
END_TEST

START_TEST(very_long_text)
{
	struct image_ref ref;
	struct err e = ERR_INIT;
	auto_free char *text = xcalloc(100001, 1);

	memset(text, 'a', 100000);
	ck_assert_int_eq(image_ref_parse(text, 0, &ref, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "longer than 4096 bytes"));
}
END_TEST

int main(void)
{
	return SUITE_RUN("ref", spellings, labels_of_names, very_long_text);
}
