/* sigpayload: what a signature may say, and of which images it then speaks (threats.md T43, T44). */
#include "tests/unit/suite.h"

#include "base/alloc.h"
#include "stage0/sigpayload.h"
#include "tests/unit/schemacheck.h"

#define A       "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B       "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define C       "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"
#define SIMPLE  "atomic container signature"
#define COSIGN  "cosign container image signature"
#define TYPE(t) "'type':'" t "'"
#define IMAGE   "'image':{'docker-manifest-digest':'" A "'}"
#define WHO(r)  "'identity':{'docker-reference':'" r "'}"

#define PAYLOAD(t, d, r)                                                                                     \
	"{'critical':{" TYPE(t) ",'image':{'docker-manifest-digest':'" d "'}," WHO(r) "},'optional':null}"

static int parse(enum sigpayload_kind kind, const char *text, struct sigpayload *p, struct err *e)
{
	auto_free char *s = quoted(text);

	return sigpayload_parse(kind, s, strlen(s), p, e);
}

static const struct {
	const char *text, *why;
} bad[] = {
	{ "", "line 1" },
	{ "[]", "object expected" },
	{ "{}", "critical" },
	{ "{'critical':null}", "critical" },
	{ "{'critical':{" TYPE(SIMPLE) "," IMAGE "}}", "identity" },
	{ "{'critical':{" TYPE(SIMPLE) "," WHO("a/b") "}}", "image" },
	{ "{'critical':{" IMAGE "," WHO("a/b") "}}", "type" },
	{ PAYLOAD(COSIGN, A, "a/b:v1"), ".critical.type" },
	{ PAYLOAD("", A, "a/b:v1"), ".critical.type" },
	{ PAYLOAD(SIMPLE, "sha1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a/b:v1"),
	  "docker-manifest-digest" },
	{ PAYLOAD(SIMPLE, "", "a/b:v1"), "docker-manifest-digest" },
	{ PAYLOAD(SIMPLE, A, ""), "docker-reference: empty" },
	{ PAYLOAD(SIMPLE, A, "a/b:v1") "{}", "line 1" },
	{ PAYLOAD(SIMPLE, A, "a/b:v1") PAYLOAD(SIMPLE, A, "a/b:v1"), "line 1" },
	{ "{'critical':{" TYPE(SIMPLE) "," IMAGE "," WHO("a/b:v1") ",'expires':1}}",
	  "expires: unknown member" },
	{ "{'critical':{" TYPE(SIMPLE) "," IMAGE "," WHO("a/b:v1") "},'Critical':{}}",
	  "Critical: unknown member" },
	{ "{'CRITICAL':{" TYPE(SIMPLE) "," IMAGE "," WHO("a/b:v1") "}}", "CRITICAL: unknown member" },
	{ "{'critical':{" TYPE(SIMPLE) "," IMAGE "," WHO("a/b:v1") "," IMAGE "}}", "duplicate" },
	{ "{'critical':{" TYPE(SIMPLE) ",'image':{'docker-manifest-digest':'" A
				       "','x':1}," WHO("a/b:v1") "}}",
	  "x: unknown member" },
	{ "{'critical':{" TYPE(SIMPLE) "," IMAGE "," WHO("a/b:v1") "},'optional':[]}", "optional" },
	{ "{'critical':{'type':['" SIMPLE "']," IMAGE "," WHO("a/b:v1") "}}", "type" },
};

START_TEST(payloads_that_are_none)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct sigpayload p = { NULL, NULL };
		struct err e = ERR_INIT;

		ck_assert_msg(parse(SIGPAYLOAD_SIMPLE, bad[i].text, &p, &e) == -EINVAL, "%s", bad[i].text);
		ck_assert_msg(strstr(e.text, bad[i].why) != NULL, "%s: %s", bad[i].text, e.text);
		ck_assert_int_eq(e.cls, ERR_TRUST);
		ck_assert_ptr_null(p.digest);
	}
}
END_TEST

START_TEST(every_cut_is_refused)
{
	auto_free char *s = quoted(PAYLOAD(SIMPLE, A, "a/b:v1"));
	auto_free char *huge = xcalloc(SIGPAYLOAD_MAX + 2, 1);
	struct sigpayload p = { NULL, NULL };
	struct err e = ERR_INIT;

	for (size_t n = 0; n < strlen(s); n++)
		ck_assert_int_eq(sigpayload_parse(SIGPAYLOAD_SIMPLE, s, n, &p, &e), -EINVAL);
	memset(huge, ' ', SIGPAYLOAD_MAX + 1);
	memcpy(huge, s, strlen(s));
	ck_assert_int_eq(sigpayload_parse(SIGPAYLOAD_SIMPLE, huge, SIGPAYLOAD_MAX + 1, &p, &e), -EINVAL);
	OK(sigpayload_parse(SIGPAYLOAD_SIMPLE, huge, SIGPAYLOAD_MAX, &p, &e));
	sigpayload_done(&p);
}
END_TEST

/* Does a payload of that digest and reference count for the image A (index) and B (manifest), asked for as @asked? */
static bool matches(enum sigpayload_kind kind, const char *digest, const char *reference, const char *asked)
{
	const char *const digests[2] = { A, B };
	struct sigpayload p = { xstrdup(digest), xstrdup(reference) };
	struct oci_reference ref;
	struct err e = ERR_INIT;

	OK(oci_reference_parse(asked, &ref, &e));
	int r = sigpayload_match(&p, kind, &ref, digests, &e);
	ck_assert(r == 0 || (r == -EBADMSG && e.cls == ERR_TRUST));
	oci_reference_done(&ref);
	sigpayload_done(&p);
	return r == 0;
}

static const struct {
	const char *digest, *reference, *asked;
	bool simple, cosign;
} cases[] = {
	{ A, "r.example.com/a/b:v1", "docker://r.example.com/a/b:v1", true, true },
	{ B, "r.example.com/a/b:v1", "docker://r.example.com/a/b:v1", true, true },
	{ C, "r.example.com/a/b:v1", "docker://r.example.com/a/b:v1", false, false },
	{ A, "r.example.com/a/b", "docker://r.example.com/a/b:v1", false, true },
	{ A, "r.example.com/a/b", "docker://r.example.com/a/b", false, true },
	{ A, "r.example.com/a/b:latest", "docker://r.example.com/a/b", true, true },
	{ A, "r.example.com/a/b:v1", "docker://r.example.com/a/b:v2", false, false },
	{ A, "r.example.com/a/c:v1", "docker://r.example.com/a/b:v1", false, false },
	{ A, "r.example.com/a/b/c:v1", "docker://r.example.com/a/b:v1", false, false },
	{ A, "r.example.org/a/b:v1", "docker://r.example.com/a/b:v1", false, false },
	{ A, "r.example.com:5000/a/b:v1", "docker://r.example.com/a/b:v1", false, false },
	{ A, "r.example.com:5000/a/b", "docker://r.example.com:5000/a/b:v1", false, true },
	{ A, "a/b:v1", "docker://r.example.com/a/b:v1", false, false },
	{ A, "r.example.com/a/b@" A, "docker://r.example.com/a/b:v1", false, true },
	{ A, "r.example.com/a/b@" C, "docker://r.example.com/a/b:v1", false, false },
	{ A, "r.example.com/a/b:v1@" A, "docker://r.example.com/a/b:v1", false, true },
	{ A, "r.example.com/a/b:v2@" A, "docker://r.example.com/a/b:v1", false, false },
	{ A, "docker.io/library/x:v1", "docker://x:v1", true, true },
	{ A, "index.docker.io/library/x", "docker://x:v1", false, true },
	{ A, "x:v1", "docker://docker.io/library/x:v1", true, true },
	{ A, "not a reference", "docker://x:v1", false, false },
	{ A, "r.example.com/a/../a/b:v1", "docker://r.example.com/a/b:v1", false, false },
};

START_TEST(of_which_images_they_speak)
{
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		ck_assert_msg(matches(SIGPAYLOAD_SIMPLE, cases[i].digest, cases[i].reference,
				      cases[i].asked) == cases[i].simple,
			      "simple signing: %s as %s", cases[i].reference, cases[i].asked);
		ck_assert_msg(matches(SIGPAYLOAD_COSIGN, cases[i].digest, cases[i].reference,
				      cases[i].asked) == cases[i].cosign,
			      "cosign: %s as %s", cases[i].reference, cases[i].asked);
	}
}
END_TEST

START_TEST(a_payload_of_cosign)
{
	struct sigpayload p = { NULL, NULL };
	struct err e = ERR_INIT;

	OK(parse(SIGPAYLOAD_COSIGN, PAYLOAD(COSIGN, A, "r.example.com/a/b"), &p, &e));
	ck_assert_str_eq(p.digest, A);
	ck_assert_str_eq(p.reference, "r.example.com/a/b");
	sigpayload_done(&p);
	ck_assert_int_eq(parse(SIGPAYLOAD_COSIGN, PAYLOAD(SIMPLE, A, "r.example.com/a/b"), &p, &e), -EINVAL);
}
END_TEST

int main(void)
{
	return SUITE_RUN("sigpayload", payloads_that_are_none, every_cut_is_refused,
			 of_which_images_they_speak, a_payload_of_cosign);
}
