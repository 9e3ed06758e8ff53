/* oci/reference, oci/digest: every form, and what is none. */
#include "tests/unit/suite.h"

#include "base/alloc.h"
#include "oci/digest.h"
#include "oci/reference.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HUB   "registry-1.docker.io"

/* @text means @canonical, or is refused with a message that has @canonical in it. */
static const struct {
	const char *text;
	bool good;
	const char *canonical;
} rows[] = {
	{ "docker://busybox", true, "docker://" HUB "/library/busybox:latest" },
	{ "docker:busybox", true, "docker://" HUB "/library/busybox:latest" },
	{ "docker:///redis", true, "docker://" HUB "/library/redis:latest" },
	{ "docker://docker.io/redis:6", true, "docker://" HUB "/library/redis:6" },
	{ "docker://index.docker.io/a/b", true, "docker://" HUB "/a/b:latest" },
	{ "docker://a/b", true, "docker://" HUB "/a/b:latest" },
	{ "docker://localhost/x", true, "docker://localhost/x:latest" },
	{ "docker://localhost:5000/a/b/c:v1", true, "docker://localhost:5000/a/b/c:v1" },
	{ "docker://localhost:5000", true, "docker://" HUB "/library/localhost:5000" },
	{ "docker://[::1]:5000/x", true, "docker://[::1]:5000/x:latest" },
	{ "docker://r.example.com/a__b/c-d.e--f", true, "docker://r.example.com/a__b/c-d.e--f:latest" },
	{ "docker://x@sha256:" HEX64, true, "docker://" HUB "/library/x@sha256:" HEX64 },
	{ "docker://x:1@sha512:" HEX64 HEX64, true, "docker://" HUB "/library/x:1@sha512:" HEX64 HEX64 },
	{ "oci:dir", true, "oci:dir" },
	{ "oci:/a/b:example.com/x:1.0", true, "oci:/a/b:example.com/x:1.0" },
	{ "oci-archive:x.tar:v1", true, "oci-archive:x.tar:v1" },
	{ "docker-archive:./x.tar", true, "docker-archive:./x.tar" },

	{ "busybox", false, "no scheme" },
	{ "ocidir:x", false, "no scheme" },
	{ "docker://", false, "a repository has" },
	{ "docker://A/b:x", true, "docker://A/b:x" },
	{ "docker://Ab:x", false, "a repository has" },
	{ "docker://a..b", false, "a repository has" },
	{ "docker://a___b", false, "a repository has" },
	{ "docker://a/../b", false, "a repository has" },
	{ "docker://r.example.com/", false, "a repository has" },
	{ "docker://r.example.com/a//b", false, "a repository has" },
	{ "docker://r.example.com/-a", false, "a repository has" },
	{ "docker://r.example.com:0/a", false, "HOST:PORT" },
	{ "docker://r.example.com:65536/a", false, "HOST:PORT" },
	{ "docker://r.example.com:5x/a", false, "HOST:PORT" },
	{ "docker://user@r.example.com/a", false, "a digest is" },
	{ "docker://[::1/a", false, "HOST:PORT" },
	{ "docker://-r.example.com/a", false, "HOST:PORT" },
	{ "docker://a:", false, "a tag has" },
	{ "docker://a:.x", false, "a tag has" },
	{ "docker://a:x y", false, "a tag has" },
	{ "docker://" HEX64, false, "like an image id" },
	{ "docker://a@sha256:../../x", false, "a digest is" },
	{ "docker://a@sha1:0123456789abcdef0123456789abcdef01234567", false, "a digest is" },
	{ "oci:", false, "a path is missing" },
	{ "oci::x", false, "a path is missing" },
	{ "oci:x:", false, "nothing stands behind" },
	{ "oci:x:a\nb", false, "the name of an image has" },
};

static void refused(const char *text, const char *why)
{
	struct oci_reference r;
	struct err e = ERR_INIT;

	ck_assert_int_eq(oci_reference_parse(text, &r, &e), -EINVAL);
	ck_assert_msg(strstr(e.text, why) != NULL, "%s: %s", text, e.text);
	ck_assert_ptr_null(r.path);
	ck_assert_ptr_null(r.host);
}

static void means(const char *text, const char *canonical)
{
	struct oci_reference r;
	struct err e = ERR_INIT;

	ck_assert_msg(oci_reference_parse(text, &r, &e) == 0, "%s: %s", text, e.text);
	auto_free char *got = oci_reference_text(&r);

	ck_assert_str_eq(got, canonical);
	oci_reference_done(&r);
}

START_TEST(spellings)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!rows[i].good) {
			refused(rows[i].text, rows[i].canonical);
			continue;
		}
		means(rows[i].text, rows[i].canonical);
		means(rows[i].canonical, rows[i].canonical);
	}
}
END_TEST

START_TEST(lengths)
{
	struct oci_reference r;
	struct err e = ERR_INIT;
	auto_free char *name = xcalloc(1, 301), *text = NULL, *tag = NULL;

	memset(name, 'a', 300);
	text = xasprintf("docker://%s", name);
	ck_assert_int_eq(oci_reference_parse(text, &r, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "longer than 255 bytes"));
	name[129] = '\0';
	tag = xasprintf("docker://a:%s", name);
	ck_assert_int_eq(oci_reference_parse(tag, &r, &e), -EINVAL);
	tag[strlen(tag) - 1] = '\0';
	OK(oci_reference_parse(tag, &r, &e));
	oci_reference_done(&r);
}
END_TEST

/* threats.md T40: refused before any path is made of them. */
START_TEST(digests)
{
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "not a digest" },
		{ "sha256:", "not as many" },
		{ "sha256:../../x", "not as many" },
		{ "sha256:" HEX64 "0", "not as many" },
		{ "sha256:" HEX64 "/", "not as many" },
		{ "sha512:" HEX64, "not as many" },
		{ "sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", "not as many" },
		{ "SHA256:" HEX64, "not a digest" },
		{ "sha1:0123456789abcdef0123456789abcdef01234567", "not a digest" },
		{ "blake3:" HEX64, "not a digest" },
		{ HEX64, "not a digest" },
	};
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert(!oci_digest_valid(bad[i].text));
		ck_assert_int_eq(oci_digest_check(bad[i].text, ".x", &e), -EINVAL);
		ck_assert_msg(strstr(e.text, bad[i].why) != NULL, "%s: %s", bad[i].text, e.text);
	}
	OK(oci_digest_check("sha512:" HEX64 HEX64, ".x", &e));
	ck_assert_str_eq(oci_digest_algo("sha512:" HEX64 HEX64), "sha512");
	ck_assert_str_eq(oci_digest_hex("sha256:" HEX64), HEX64);
}
END_TEST

int main(void)
{
	return SUITE_RUN("oci_reference", spellings, lengths, digests);
}
