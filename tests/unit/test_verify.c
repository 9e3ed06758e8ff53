/* sigfile and verify against keys and signatures that gpg made (threats.md T42). */
#include "tests/unit/gpgmake.h"

#include <dirent.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "stage0/verify.h"

static int dir;
static char *dir_path;

static void slurp(const char *name, struct buf *b)
{
	ck_assert_msg(read_file_at(dir, name, 1 << 20, b) == 0, "%s", name);
}

/* A ring of KEY[=NAME-OF-THE-FPR-FILE] words. */
static struct keyring ring(const char *words)
{
	struct keyring k = { NULL, 0 };
	char *copy = xstrdup(words), *save = NULL;

	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		auto_buf text = BUF_INIT, fpr = BUF_INIT;
		char *eq = strchr(w, '=');
		if (eq)
			*eq = '\0';
		auto_free char *key = xasprintf("%s.key", w), *file = xasprintf("%s.fpr", eq ? eq + 1 : w);
		slurp(key, &text);
		slurp(file, &fpr);
		k.v = xreallocarray(k.v, k.n + 1, sizeof(*k.v));
		struct trusted_key *t = &k.v[k.n++];
		memset(t, 0, sizeof(*t));
		memcpy(t->fingerprint, fpr.data, 40);
		t->scope = xstrdup("root");
		t->len = text.len;
		t->armored = buf_steal(&text);
	}
	free(copy);
	return k;
}

static int check(const char *sig_name, const char *data_name, const char *keys, struct verify_result *ret,
		 struct err *e)
{
	auto_buf text = BUF_INIT;
	struct sigfile sig = { BUF_INIT, 0, 0 };
	struct keyring k = ring(keys);

	slurp(sig_name, &text);
	int r = sigfile_parse(text.data, text.len, &sig, e);
	if (r >= 0) {
		auto_close int data = openat(dir, data_name, O_RDONLY | O_CLOEXEC);
		ck_assert_int_ge(data, 0);
		r = verify_detached(dir_path, data, &sig, &k, ret, e);
	}
	sigfile_done(&sig);
	keyring_done(&k);
	return r;
}

static void accepts(const char *sig, const char *keys, const char *signer)
{
	struct verify_result res = { NULL, 0 };
	struct err e = ERR_INIT;
	auto_free char *name = xasprintf("%s.fpr", signer),
		       *uid = xasprintf("%s <%s@example.com>", signer, signer);
	auto_buf fpr = BUF_INIT;

	ck_assert_msg(check(sig, "data", keys, &res, &e) == 0, "%s with %s: %s", sig, keys, e.text);
	ck_assert_uint_eq(res.n, 1);
	slurp(name, &fpr);
	ck_assert_str_eq(res.v[0].fingerprint, buf_str(&fpr));
	ck_assert_str_eq(res.v[0].uids[0], uid);
	verify_result_done(&res);
}

static void refuses(const char *sig, const char *keys, int code, const char *why)
{
	struct verify_result res = { NULL, 0 };
	struct err e = ERR_INIT;
	int r = check(sig, "data", keys, &res, &e);

	ck_assert_msg(r == -code, "%s with %s: %d %s", sig, keys, r, e.text);
	ck_assert_msg(strstr(e.text, why) != NULL, "%s: \"%s\" does not say \"%s\"", sig, e.text, why);
	ck_assert_int_eq(e.cls, ERR_TRUST);
	ck_assert_uint_eq(res.n, 0);
}

START_TEST(good_signatures)
{
	accepts("good.sig", "good", "good");
	accepts("good.asc", "good", "good");
	accepts("good.asc", "stranger good expired", "good");
	accepts("sub.sig", "sub", "sub");
}
END_TEST

START_TEST(unknown_keys)
{
	refuses("stranger.sig", "good", ENOKEY, "openpgp: signature made by unknown entity");
	refuses("good.sig", "", ENOKEY, "openpgp: signature made by unknown entity");
}
END_TEST

START_TEST(another_file)
{
	struct verify_result res = { NULL, 0 };
	struct err e = ERR_INIT;

	refuses("wrong.sig", "good", EBADMSG, "bad signature");
	ck_assert_int_eq(check("good.sig", "data2", "good", &res, &e), -EBADMSG);
	/* A signature by a stranger over another file is first of all a stranger's. */
	refuses("stranger.sig", "good", ENOKEY, "unknown entity");
}
END_TEST

START_TEST(expired_and_revoked)
{
	refuses("expired.sig", "expired", EKEYEXPIRED, "has expired");
	refuses("sigexp.sig", "sigexp", EKEYEXPIRED, "the signature has expired");
	refuses("revoked.sig", "revoked", EKEYREVOKED, "revoked");
	refuses("subexp.sig", "subexp", EKEYEXPIRED, "has expired");
	refuses("sub.sig", "subrev=sub", EKEYREVOKED, "revoked");
}
END_TEST

START_TEST(two_signatures)
{
	accepts("two.sig", "good", "good");
	accepts("two2.sig", "good", "good");
	accepts("weakgood.sig", "good", "good");
	refuses("onebad.sig", "good", EBADMSG, "bad signature");
	refuses("onebad2.sig", "good", EBADMSG, "bad signature");
}
END_TEST

START_TEST(what_is_not_a_detached_signature)
{
	refuses("clear.asc", "good", EINVAL, "holds its own message");
	refuses("inline.asc", "good", EINVAL, "holds its own message");
	refuses("inline.sig", "good", EINVAL, "holds its own message");
	refuses("good.key", "good", EINVAL, "another kind of OpenPGP data");
	refuses("text.sig", "good", EINVAL, "over text");
	refuses("sha1.sig", "good", EINVAL, "weak digest");
	refuses("data2", "good", EINVAL, "no signature data");
	refuses("data", "good", EINVAL, "no signature data");
}
END_TEST

START_TEST(a_key_file_must_hold_its_key)
{
	refuses("good.sig", "good=stranger", EINVAL, "holds another key");
	refuses("stranger.sig", "good stranger=good", EINVAL, "holds another key");
}
END_TEST

static void parse_fails(const char *text, size_t len, const char *why)
{
	struct sigfile s = { BUF_INIT, 0, 0 };
	struct err e = ERR_INIT;

	ck_assert_int_eq(sigfile_parse(text, len, &s, &e), -EINVAL);
	ck_assert_msg(strstr(e.text, why) != NULL, "\"%s\" does not say \"%s\"", e.text, why);
	ck_assert_ptr_null(s.packets.data);
}

START_TEST(armour_tricks)
{
	auto_buf asc = BUF_INIT, b = BUF_INIT;
	struct sigfile s = { BUF_INIT, 0, 0 };
	struct err e = ERR_INIT;

	slurp("good.asc", &asc);
	parse_fails("", 0, "empty");
	parse_fails("\n\n", 2, "no signature data");
	buf_addf(&b, "hello\n%s", asc.data);
	parse_fails(b.data, b.len, "text around the armour");
	buf_clear(&b);
	buf_addf(&b, "%shello\n", asc.data);
	parse_fails(b.data, b.len, "text around the armour");
	parse_fails(asc.data, asc.len - 10, "damaged");
	/* Blank lines and CRLF are harmless; two blocks are two signatures. */
	buf_clear(&b);
	buf_adds(&b, "\r\n");
	for (const char *p = asc.data; *p; p++)
		buf_adds(&b, *p == '\n' ? "\r\n" : (char[]){ *p, 0 });
	buf_addf(&b, "\n%s\n", asc.data);
	ck_assert_msg(sigfile_parse(b.data, b.len, &s, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(s.n, 2);
	sigfile_done(&s);
	/* One changed character of the base64. */
	char *body = strstr(asc.data, "\n\n") + 2;
	body[20] = body[20] == 'A' ? 'B' : 'A';
	parse_fails(asc.data, asc.len, "wrong checksum");
}
END_TEST

START_TEST(damaged_packets)
{
	auto_buf sig = BUF_INIT;

	slurp("good.sig", &sig);
	for (size_t n = 1; n < sig.len; n++)
		parse_fails(sig.data, n, "truncated");
	parse_fails("\x88\x03\x03\x05\x00", 5, "version 3");
	parse_fails("\xc2\xe8", 2, "without a definite length");
	parse_fails("\x8b\x04", 2, "without a definite length");
	parse_fails("\xc2\xff\xff\xff\xff\xff\x04", 7, "truncated");
	parse_fails("\xcb\x01x", 3, "holds its own message");
	parse_fails("\xca\x03PGP", 5, "not signatures");
	parse_fails("\xff\xff\xff", 3, "not signatures");
}
END_TEST

START_TEST(issuer_is_known_before_the_data_is)
{
	struct err e = ERR_INIT;
	auto_buf text = BUF_INIT;
	struct sigfile sig = { BUF_INIT, 0, 0 };
	struct keyring good = ring("good"), stranger = ring("stranger");

	slurp("good.sig", &text);
	ck_assert_int_eq(sigfile_parse(text.data, text.len, &sig, &e), 0);
	ck_assert_msg(verify_issuer(dir_path, &sig, &good, &e) == 0, "%s", e.text);
	ck_assert_int_eq(verify_issuer(dir_path, &sig, &stranger, &e), -ENOKEY);
	sigfile_done(&sig);
	keyring_done(&good);
	keyring_done(&stranger);
}
END_TEST

START_TEST(nothing_stays_behind)
{
	DIR *d = opendir(dir_path);

	accepts("good.sig", "good", "good");
	refuses("wrong.sig", "good", EBADMSG, "bad");
	ck_assert_ptr_nonnull(d);
	for (struct dirent *de; (de = readdir(d));)
		ck_assert_msg(strncmp(de->d_name, "rkt-gpg-", 8) != 0, "%s", de->d_name);
	(void)closedir(d);
}
END_TEST

START_TEST(rings_are_compared_by_content)
{
	struct keyring a = ring("good stranger"), b = ring("stranger good"), c = ring("good"),
		       d = ring("subrev=sub good"), f = ring("sub good");

	ck_assert(keyring_equal(&a, &b));
	ck_assert(!keyring_equal(&a, &c));
	ck_assert(!keyring_equal(&c, &a));
	ck_assert(!keyring_equal(&d, &f));
	struct keyring *all[] = { &a, &b, &c, &d, &f };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		keyring_done(all[i]);
}
END_TEST

int main(void)
{
	dir = gpgmake_start(&dir_path);
	int r = SUITE_RUN("verify", good_signatures, unknown_keys, another_file, expired_and_revoked,
			  two_signatures, what_is_not_a_detached_signature, a_key_file_must_hold_its_key,
			  armour_tricks, damaged_packets, issuer_is_known_before_the_data_is,
			  nothing_stays_behind, rings_are_compared_by_content);
	struct err e = ERR_INIT;
	(void)rm_tree_at(AT_FDCWD, dir_path, &e);
	return r;
}
