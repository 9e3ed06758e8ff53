/* pubkey: keys and signatures that openssl made; what is taken, what is refused and why. */
#include "tests/unit/gpgmake.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "stage0/pubkey.h"

static int dir;
static char *dir_path;

static const char script[] =
	"set -eu; exec >log 2>&1\n"
	"ec() { openssl ecparam -name $2 -genkey -noout -out $1.pem; openssl pkey -in $1.pem -pubout -out "
	"$1.pub; }\n"
	"sign() { openssl dgst -$2 -sign $1.pem -out $1.$2 data; }\n"
	"echo signed >data; echo other >data2\n"
	"ec p256 prime256v1; sign p256 sha256; sign p256 sha1; sign p256 sha512\n"
	"ec p384 secp384r1; sign p384 sha256; sign p384 sha384; sign p384 sha512\n"
	"ec k1 secp256k1; ec p521 secp521r1\n"
	"openssl ecparam -name prime256v1 -param_enc explicit -genkey -noout | openssl pkey -pubout "
	">explicit.pub\n"
	"openssl genpkey -algorithm ed25519 -out ed.pem; openssl pkey -in ed.pem -pubout -out ed.pub\n"
	"openssl pkeyutl -sign -rawin -inkey ed.pem -in data -out ed.raw\n"
	"openssl genpkey -algorithm ed448 | openssl pkey -pubout >ed448.pub\n"
	"openssl genrsa -out rsa.pem 2048; openssl pkey -in rsa.pem -pubout -out rsa.pub\n"
	"sign rsa sha256; sign rsa sha1\n"
	"openssl dgst -sha256 -sigopt rsa_padding_mode:pss -sign rsa.pem -out rsa.pss data\n"
	"openssl genrsa 1024 | openssl pkey -pubout >rsa1024.pub\n"
	"openssl req -x509 -key p256.pem -subj /CN=x -out cert.pub\n"
	"cat p256.pub p384.pub >two.pub; (echo hello; cat p256.pub) >before.pub; (cat p256.pub; echo hello) "
	">after.pub\n"
	"head -c 100 p256.pub >cut.pub; sed 's/^\\(MFk\\)./\\1B/' p256.pub >bent.pub; (echo; tr -d '\\r' "
	"<p256.pub; "
	"echo) >space.pub\n"
	"(cat p256.sha256; printf x) >p256.long; openssl pkey -pubin -in p256.pub -outform DER | sha256sum | "
	"head -c "
	"64 >p256.fpr\n";

static void slurp(const char *name, struct buf *b)
{
	ck_assert_msg(read_file_at(dir, name, 1 << 20, b) == 0, "%s", name);
}

static struct pubkey *load(const char *name, struct err *e)
{
	auto_free char *file = xasprintf("%s.pub", name);
	auto_buf text = BUF_INIT;

	slurp(file, &text);
	return pubkey_parse(text.data, text.len, e);
}

static bool check(const char *key, const char *data, const char *sig)
{
	struct err e = ERR_INIT;
	auto_pubkey *k = load(key, &e);
	auto_buf d = BUF_INIT, s = BUF_INIT;

	ck_assert_msg(k != NULL, "%s: %s", key, e.text);
	slurp(data, &d);
	slurp(sig, &s);
	return pubkey_verify(k, d.data, d.len, s.data, s.len);
}

START_TEST(signatures_that_count)
{
	ck_assert(check("p256", "data", "p256.sha256"));
	ck_assert(check("p384", "data", "p384.sha256"));
	ck_assert(check("p384", "data", "p384.sha384"));
	ck_assert(check("ed", "data", "ed.raw"));
	ck_assert(check("rsa", "data", "rsa.sha256"));
	ck_assert(check("space", "data", "p256.sha256"));
}
END_TEST

START_TEST(signatures_that_do_not)
{
	static const char *const bad[][3] = {
		{ "p256", "data2", "p256.sha256" }, { "p384", "data", "p256.sha256" },
		{ "p256", "data", "p256.sha1" },    { "p256", "data", "p256.sha512" },
		{ "p384", "data", "p384.sha512" },  { "ed", "data2", "ed.raw" },
		{ "rsa", "data", "rsa.sha1" },      { "rsa", "data", "rsa.pss" },
		{ "rsa", "data2", "rsa.sha256" },   { "p256", "data", "p256.long" },
		{ "ed", "data", "p256.sha256" },    { "p256", "data", "data" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!check(bad[i][0], bad[i][1], bad[i][2]), "%s", bad[i][2]);
}
END_TEST

START_TEST(every_byte_of_a_signature_counts)
{
	struct err e = ERR_INIT;
	auto_pubkey *k = load("p256", &e);
	auto_buf d = BUF_INIT, s = BUF_INIT;

	slurp("data", &d);
	slurp("p256.sha256", &s);
	ck_assert(pubkey_verify(k, d.data, d.len, s.data, s.len));
	for (size_t i = 0; i < s.len; i++) {
		s.data[i] ^= 1;
		ck_assert_msg(!pubkey_verify(k, d.data, d.len, s.data, s.len), "%zu", i);
		s.data[i] ^= 1;
		ck_assert(!pubkey_verify(k, d.data, d.len, s.data, i));
	}
}
END_TEST

START_TEST(what_a_key_is_called)
{
	struct err e = ERR_INIT;
	auto_buf fpr = BUF_INIT;
	auto_pubkey *k = load("p256", &e), *rsa = load("rsa", &e), *ed = load("ed", &e);

	slurp("p256.fpr", &fpr);
	ck_assert_str_eq(pubkey_fingerprint(k), buf_str(&fpr));
	ck_assert_str_eq(pubkey_algorithm(k), "ECDSA P-256");
	ck_assert_str_eq(pubkey_algorithm(rsa), "RSA 2048 bits");
	ck_assert_str_eq(pubkey_algorithm(ed), "Ed25519");
}
END_TEST

START_TEST(files_that_are_no_key)
{
	static const char *const bad[][2] = {
		{ "k1", "another curve" },
		{ "p521", "another curve" },
		{ "explicit", "instead of naming it" },
		{ "ed448", "not taken" },
		{ "rsa1024", "2048 to 8192" },
		{ "cert", "certificate" },
		{ "two", "more than one block" },
		{ "before", "text around" },
		{ "after", "text around" },
		{ "cut", "no end" },
		{ "bent", "damaged" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct err e = ERR_INIT;

		ck_assert_msg(load(bad[i][0], &e) == NULL, "%s", bad[i][0]);
		ck_assert_msg(strstr(e.text, bad[i][1]) != NULL, "%s: %s", bad[i][0], e.text);
		ck_assert_int_eq(e.cls, ERR_TRUST);
	}
	struct err e = ERR_INIT;
	auto_buf secret = BUF_INIT;
	slurp("p256.pem", &secret);
	ck_assert_ptr_null(pubkey_parse(secret.data, secret.len, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "private key"));
	ck_assert_ptr_null(pubkey_parse("", 0, &e));
	ck_assert(pubkey_like(secret.data, secret.len));
	ck_assert(!pubkey_like("-----BEGIN PGP PUBLIC KEY BLOCK-----", 36));
}
END_TEST

int main(void)
{
	dir = gpgmake_dir(&dir_path);
	gpgmake_run(dir, dir_path, script);
	int r = SUITE_RUN("pubkey", signatures_that_count, signatures_that_do_not,
			  every_byte_of_a_signature_counts, what_a_key_is_called, files_that_are_no_key);
	gpgmake_end(dir, dir_path);
	return r;
}
