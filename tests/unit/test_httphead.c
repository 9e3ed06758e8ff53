/* httphead, httpauth, sigv4: what an answer says, and what a request may carry where. */
#include "tests/unit/suite.h"

#include "base/strv.h"
#include "stage0/httpauth.h"
#include "stage0/httphead.h"
#include "stage0/sigv4.h"

static void feed(struct http_head *h, const char *text)
{
	for (const char *p = text; *p;) {
		const char *nl = strchr(p, '\n');
		size_t n = nl ? (size_t)(nl - p) + 1 : strlen(p);
		http_head_line(h, p, n);
		p += n;
	}
}

START_TEST(fields_are_found)
{
	struct http_head h;

	http_head_init(&h);
	feed(&h, "HTTP/1.1 206 Partial Content\r\nETAG:  \"abc\" \r\nContent-Length: 90\r\n"
		 "Content-Range: bytes 10-99/100\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
		 "Cache-Control: public, max-age=60\r\n\r\n");
	ck_assert_int_eq(h.status, 206);
	ck_assert_str_eq(h.etag, "\"abc\"");
	ck_assert_str_eq(h.last_modified, "Sun, 06 Nov 1994 08:49:37 GMT");
	ck_assert_int_eq(h.length, 90);
	ck_assert_int_eq(h.range_from, 10);
	ck_assert_int_eq(h.range_total, 100);
	ck_assert_int_eq(h.max_age, 60);
	ck_assert(!http_head_redirects(&h));
	http_head_done(&h);
}
END_TEST

START_TEST(an_interim_answer_leaves_nothing_behind)
{
	struct http_head h;

	http_head_init(&h);
	feed(&h, "HTTP/1.1 103 Early Hints\r\nLocation: http://evil/\r\nETag: \"x\"\r\n\r\nHTTP/2 200\r\n");
	ck_assert_int_eq(h.status, 200);
	ck_assert_ptr_null(h.location);
	ck_assert_ptr_null(h.etag);
	http_head_done(&h);
}
END_TEST

START_TEST(ranges_that_lie_count_as_absent)
{
	static const char *const bad[] = { "bytes 10-5/100", "bytes 10-100/100",
					   "bytes -5/100",   "items 1-2/3",
					   "bytes 1-2",      "bytes a-b/c",
					   "bytes",          "bytes 99999999999999999999-1/2",
					   "bytes */100" };
	struct http_head h;

	http_head_init(&h);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char line[128];
		snprintf(line, sizeof(line), "Content-Range: %s\r\n", bad[i]);
		feed(&h, "HTTP/1.1 206 x\r\nContent-Range: bytes 3-4/9\r\n");
		feed(&h, line);
		ck_assert_msg(h.range_from == -1, "%s", bad[i]);
	}
	http_head_done(&h);
}
END_TEST

START_TEST(values_that_cannot_be_sent_back_are_dropped)
{
	struct http_head h;
	char line[9000] = "ETag: \"";

	http_head_init(&h);
	memset(line + 7, 'a', sizeof(line) - 9);
	feed(&h, line);
	ck_assert_ptr_null(h.etag);
	feed(&h, "ETag: \"a\001b\"\r\n");
	ck_assert_ptr_null(h.etag);
	feed(&h, "ETag: \"a\rX-Evil: 1\"\r\n");
	ck_assert_ptr_null(h.etag);
	http_head_done(&h);
}
END_TEST

START_TEST(cache_lifetimes)
{
	static const struct {
		const char *text;
		int64_t age;
	} cases[] = {
		{ "max-age=5", 5 },
		{ "no-store, max-age=5", 0 },
		{ "max-age=5,no-cache", 0 },
		{ "MAX-AGE=7 , private", 7 },
		{ "max-age=-1", 0 },
		{ "max-age=x", 0 },
		{ "max-age=99999999999", 315360000 },
		{ "s-maxage=5", 0 },
		{ "", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_head h;
		char line[64];
		http_head_init(&h);
		snprintf(line, sizeof(line), "Cache-Control: %s\r\n", cases[i].text);
		feed(&h, line);
		ck_assert_msg(h.max_age == cases[i].age, "%s gave %lld", cases[i].text, (long long)h.max_age);
		http_head_done(&h);
	}
}
END_TEST

START_TEST(weak_etags_are_not_for_if_range)
{
	ck_assert(http_etag_strong("\"a\""));
	ck_assert(!http_etag_strong("W/\"a\""));
	ck_assert(!http_etag_strong(NULL));
}
END_TEST

static struct http_url url(const char *base, const char *text)
{
	struct http_url u = { 0 };
	struct err e = ERR_INIT;

	ck_assert_msg(http_url_parse(base, text, &u, &e) == 0, "%s: %s", text, e.text);
	return u;
}

static bool same(const char *a, const char *b)
{
	struct http_url x = url(NULL, a), y = url(NULL, b);
	bool r = http_url_same_origin(&x, &y);

	http_url_done(&x);
	http_url_done(&y);
	return r;
}

START_TEST(an_origin_is_scheme_host_and_port)
{
	ck_assert(same("https://h/a", "https://H:443/b?c"));
	ck_assert(!same("https://h/", "http://h/"));
	ck_assert(!same("https://h/", "https://h:444/"));
	ck_assert(!same("https://h/", "https://h.evil/"));
	ck_assert(!same("https://h/", "https://h./"));
	ck_assert(same("https://[::1]/", "https://[::1]:443/"));
}
END_TEST

START_TEST(urls_that_are_refused)
{
	static const char *const bad[] = {
		"file:///etc/passwd", "ftp://h/x", "gopher://h/", "https://user:pw@h/",
		"https://user@h/",    "scp://h/x", "data:,x",     "https://"
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct http_url u = { 0 };
		struct err e = ERR_INIT;
		ck_assert_msg(http_url_parse("https://h/", bad[i], &u, &e) == -EPERM, "%s", bad[i]);
		ck_assert_int_ne(e.text[0], '\0');
	}
}
END_TEST

START_TEST(relative_redirections)
{
	struct http_url u = url("https://h:8443/a/b?q", "../c.aci?x=1#frag");

	ck_assert_str_eq(u.text, "https://h:8443/c.aci?x=1");
	http_url_done(&u);
	u = url("https://h/a", "//other/x");
	ck_assert_str_eq(u.text, "https://other/x");
	http_url_done(&u);
}
END_TEST

START_TEST(link_local_addresses)
{
	ck_assert(http_address_link_local("169.254.169.254"));
	ck_assert(http_address_link_local("[fe80::1]"));
	ck_assert(http_address_link_local("fe80::1%eth0"));
	ck_assert(http_address_link_local("::ffff:169.254.169.254"));
	ck_assert(http_address_link_local("fd00:ec2::254"));
	ck_assert(!http_address_link_local("127.0.0.1"));
	ck_assert(!http_address_link_local("feb.example.com"));
	ck_assert(!http_address_link_local("[2001:db8::1]"));
}
END_TEST

static struct auth_entry entries[] = {
	{ .domain = (char *)"basic.example",
	  .type = AUTH_BASIC,
	  .user = (char *)"u",
	  .password = (char *)"p:w" },
	{ .domain = (char *)"port.example:8443", .type = AUTH_OAUTH, .token = (char *)"tok" },
	{ .domain = (char *)"examplebucket.s3.amazonaws.com",
	  .type = AUTH_AWS,
	  .access_key = (char *)"AKIAIOSFODNN7EXAMPLE",
	  .secret_key = (char *)"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" },
};
static const struct config config = { .auth = entries, .nauth = ARRAY_LEN(entries) };

/* All header lines for @text, joined by '|'; "" for none. */
static char *headers(const char *text)
{
	struct http_url u = url(NULL, text);
	auto_strv v = http_auth_headers(&config, &u, 1369353600); /* 2013-05-24T00:00:00Z */

	http_url_done(&u);
	return strv_join(v, "|");
}

static void sends(const char *text, const char *want)
{
	auto_free char *got = headers(text);
	ck_assert_str_eq(got, want);
}

START_TEST(credentials_go_to_the_exact_host_over_https)
{
	sends("https://basic.example/x", "Authorization: Basic dTpwOnc=");
	sends("https://basic.example:443/x", "Authorization: Basic dTpwOnc=");
	sends("http://basic.example/x", "");
	sends("https://basic.example:8443/x", "");
	sends("https://sub.basic.example/x", "");
	sends("https://basic.example.evil/x", "");
	sends("https://port.example:8443/x", "Authorization: Bearer tok");
	sends("https://port.example/x", "");
}
END_TEST

/* The examples of the S3 documentation whose signed headers are ours. */
START_TEST(s3_signatures_are_those_of_the_manual)
{
	static const struct {
		const char *url, *signature;
	} cases[] = {
		{ "https://examplebucket.s3.amazonaws.com/?lifecycle",
		  "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" },
		{ "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J",
		  "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" },
		{ "https://examplebucket.s3.amazonaws.com/?prefix=J&max-keys=2",
		  "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *got = headers(cases[i].url);
		ck_assert_msg(strstr(got, cases[i].signature) != NULL, "%s", got);
		ck_assert_ptr_nonnull(strstr(got, "x-amz-date: 20130524T000000Z|"));
		ck_assert_ptr_nonnull(
			strstr(got, "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"));
		ck_assert_ptr_null(strstr(got, "wJalr"));
	}
}
END_TEST

START_TEST(regions_of_s3_hosts)
{
	static const char *const cases[][2] = {
		{ "s3-eu-west-1.amazonaws.com", "eu-west-1" },
		{ "bucket.s3-eu-west-1.amazonaws.com", "eu-west-1" },
		{ "b.s3.eu-central-1.amazonaws.com", "eu-central-1" },
		{ "b.s3.cn-north-1.amazonaws.com.cn", "cn-north-1" },
		{ "b.s3.amazonaws.com", "us-east-1" },
		{ "example.com", "us-east-1" },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *r = sigv4_region_of_host(cases[i][0]);
		ck_assert_str_eq(r, cases[i][1]);
	}
}
END_TEST

int main(void)
{
	return SUITE_RUN("httphead", fields_are_found, an_interim_answer_leaves_nothing_behind,
			 ranges_that_lie_count_as_absent, values_that_cannot_be_sent_back_are_dropped,
			 cache_lifetimes, weak_etags_are_not_for_if_range, an_origin_is_scheme_host_and_port,
			 urls_that_are_refused, relative_redirections, link_local_addresses,
			 credentials_go_to_the_exact_host_over_https, s3_signatures_are_those_of_the_manual,
			 regions_of_s3_hosts);
}
