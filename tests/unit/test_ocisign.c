/* ocisign: the rules for images of registries, against signatures that gpg and openssl made (threats.md T42-T44). */
#include "tests/unit/gpgmake.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "base/buf.h"
#include "base/log.h"
#include "stage0/ocisign.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define NAME  "r.example.com/team/app"

/* NAME.msg is NAME.json signed by gpg; NAME.cos is signed by openssl. */
static const char script[] =
	"set -eu; export GNUPGHOME=$PWD/home; exec >log2 2>&1; unset DISPLAY; trap 'gpgconf --kill all' "
	"EXIT\n"
	"g() { gpg --batch --yes --quiet --pinentry-mode loopback --passphrase '' \"$@\"; }\n"
	"old() { g --faked-system-time 20200101T000000 \"$@\"; }\n"
	"pay() { printf '{\"critical\":{\"type\":\"%s\",\"image\":{\"docker-manifest-digest\":\"sha256:%s\"},"
	"\"identity\":{\"docker-reference\":\"%s\"}},\"optional\":{}}' \"$1\" $2 $3; }\n"
	"msg() { n=$1; k=$2; shift 2; g --local-user $k@example.com \"$@\" --output $n.msg --sign $n.json; "
	"}\n"
	"S='atomic container signature'; R=r.example.com/team/app; A=" HEX_A "; B=" HEX_B "\n"
	"pay \"$S\" $A $R:v1 >ok.json; msg ok good; for n in plain strange two old gone sha1 sigexp; do cp "
	"ok.json "
	"$n.json; done\n"
	"msg plain good -z 0; msg strange stranger; msg two good --local-user stranger@example.com\n"
	"msg sha1 good --digest-algo SHA1\n"
	"old --local-user expired@example.com --output old.msg --sign old.json\n"
	"old --default-sig-expire 1d --local-user sigexp@example.com --output sigexp.msg --sign sigexp.json\n"
	"g --quick-gen-key 'gone <gone@example.com>' ed25519 sign never; msg gone gone\n"
	"F=$(gpg --batch --with-colons --list-keys '=gone <gone@example.com>' | awk -F: '/^fpr/{print $10; "
	"exit}')\n"
	"sed 's/^:-----/-----/' home/openpgp-revocs.d/$F.rev | g --import; g --armor --export $F >gone.key\n"
	"printf %s $F | tr A-F a-f >gone.fpr\n"
	"pay \"$S\" $B $R:v1 >digest.json; msg digest good; pay \"$S\" $A r.example.com/team/b:v1 "
	">repo.json; msg repo "
	"good\n"
	"pay \"$S\" $A $R:v2 >tag.json; msg tag good; pay 'cosign container image signature' $A $R:v1 "
	">type.json; msg "
	"type good\n"
	"(cat ok.json; echo '{}') >trail.json; msg trail good; head -c 50 ok.json >cut.json; msg cut good\n"
	"(cat ok.json; head -c 200000 /dev/zero | tr '\\0' ' ') >huge.json; msg huge good; : >empty.json; "
	"msg empty "
	"good\n"
	"cat plain.msg plain.msg >twice.msg; cat ok.msg digest.msg >pair.msg; cat digest.msg ok.msg "
	">pair2.msg\n"
	"printf evil | g -z 0 --store --output lit.msg; cat plain.msg lit.msg >tail.msg; cat lit.msg "
	"plain.msg "
	">head.msg\n"
	"head -c 60 plain.msg >short.msg; cp good.sig detached.msg; cp clear.asc clear.msg; cp inline.asc "
	"armour.msg\n"
	"printf '\\214\\015\\004\\011\\003\\002' >crypt.msg; head -c 300000 /dev/zero >big.msg; printf x "
	">junk.msg\n"
	"sed s/sha256/sha257/ ok.json | tr -d '\\n' >swap.json; msg swap good\n"
	"C='cosign container image signature'\n"
	"for k in p256 other; do openssl ecparam -name prime256v1 -genkey -noout -out $k.pem; openssl pkey "
	"-in $k.pem "
	"-pubout -out $k.pub; openssl pkey -pubin -in $k.pub -outform DER | sha256sum | head -c 64 >$k.pfpr; "
	"done\n"
	"cos() { openssl dgst -sha256 -sign p256.pem -out $1.cos $1.json; }\n"
	"pay \"$C\" $A $R >c-ok.json; pay \"$C\" $B $R >c-digest.json; pay \"$C\" $A r.example.com/team/b "
	">c-repo.json\n"
	"cp ok.json c-type.json; (cat c-ok.json; cat c-ok.json) >c-two.json\n"
	"for n in c-ok c-digest c-repo c-type c-two; do cos $n; done\n";

static int dir;
static char *dir_path;
static struct oci_reference ref;
static struct registry nowhere;
static struct oci_signed what;

static void slurp(const char *name, struct buf *b)
{
	ck_assert_msg(read_file_at(dir, name, 1 << 20, b) == 0, "%s", name);
}

static void put(const char *in, const char *name, const char *data, size_t n)
{
	ck_assert_int_eq(mkdir_p_at(dir, in, 0755), 0);
	auto_close int fd = openat(dir, in, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write_file_at(fd, name, data, n, 0644, 0), 0);
}

/* Trust KEY, of the files KEY.key and KEY.fpr or KEY.pub and KEY.pfpr. */
static void trust(const char *key, const char *prefix, enum key_kind kind)
{
	auto_free char *file = xasprintf(kind == KEY_PEM ? "%s.pub" : "%s.key", key);
	auto_free char *name = xasprintf(kind == KEY_PEM ? "%s.pfpr" : "%s.fpr", key);
	auto_free char *local = xasprintf("%s/loc", dir_path);
	auto_buf text = BUF_INIT, fpr = BUF_INIT;
	struct err e = ERR_INIT;

	slurp(file, &text);
	slurp(name, &fpr);
	OK(keystore_add(kind, local, prefix, buf_str(&fpr), buf_str(&text), NULL, &e));
}

/* NAME.msg is signature @n of the image A. */
static void sign(int n, const char *name)
{
	auto_free char *file = xasprintf("%s.msg", name), *as = xasprintf("signature-%d", n);
	auto_buf text = BUF_INIT;

	slurp(file, &text);
	put("side/team/app@sha256=" HEX_A, as, text.data, text.len);
}

static void configure(const char *prefix, const char *url)
{
	auto_free char *text = xasprintf(
		"{\"rktKind\":\"lookaside\",\"rktVersion\":\"v1\",\"prefixes\":[\"%s\"],"
		"\"url\":\"%s\"}",
		prefix, url);
	put("loc/registries.d", "x.json", text, strlen(text));
}

static void begin(void)
{
	struct err e = ERR_INIT;
	auto_free char *url = xasprintf("file://%s/side/", dir_path);

	OK(rm_tree_at(dir, "side", &e));
	OK(rm_tree_at(dir, "loc", &e));
	configure("r.example.com/team", url);
	OK(oci_reference_parse("docker://r.example.com/team/app:v1", &ref, &e));
	what = (struct oci_signed){ NAME, &ref, { "sha256:" HEX_A, NULL }, &nowhere, dir_path };
}

static void end(void)
{
	oci_reference_done(&ref);
}

static int verify(char **ret, struct err *e)
{
	auto_free char *local = xasprintf("%s/loc", dir_path);
	struct job j = { .system_config = "/nonexistent", .local_config = local };
	struct verified_by *v = NULL;
	size_t n = 0;

	ck_assert_msg(config_load(j.system_config, local, NULL, CONFIG_ALL, &j.config, e) == 0, "%s",
		      e->text);
	int r = oci_verify(&j, &what, &v, &n, e);
	if (r == 0) {
		ck_assert_uint_eq(n, 1);
		*ret = xasprintf("%.4s %s", v[0].fingerprint, v[0].scope);
	}
	oci_verified_free(v, n);
	config_done(&j.config);
	return r;
}

static void accepts(const char *fpr_file, const char *scope)
{
	struct err e = ERR_INIT;
	auto_free char *got = NULL;
	auto_buf fpr = BUF_INIT;

	OK(verify(&got, &e));
	slurp(fpr_file, &fpr);
	auto_free char *want = xasprintf("%.4s %s", buf_str(&fpr), scope);
	ck_assert_str_eq(got, want);
}

static void refuses(int code, const char *why)
{
	struct err e = ERR_INIT;
	auto_free char *got = NULL;
	int r = verify(&got, &e);

	ck_assert_msg(r == -code && e.code == code, "%d, \"%s\" for \"%s\"", r, e.text, why);
	ck_assert_msg(strstr(e.text, why) != NULL, "\"%s\" does not say \"%s\"", e.text, why);
	ck_assert_int_eq(e.cls, ERR_TRUST);
}

START_TEST(a_signature_in_scope)
{
	trust("good", "r.example.com/team", KEY_OPENPGP);
	sign(1, "ok");
	accepts("good.fpr", "prefix r.example.com/team by simple signing");
	sign(1, "plain");
	accepts("good.fpr", "prefix r.example.com/team by simple signing");
	what.digests[0] = "sha256:" HEX_B;
	what.digests[1] = "sha256:" HEX_A;
	accepts("good.fpr", "prefix r.example.com/team by simple signing");
	what.digests[1] = NULL;
	refuses(ENOENT, "has no signature: asked for at the lookaside");
}
END_TEST

START_TEST(other_peoples_signatures_are_passed_over)
{
	trust("good", NULL, KEY_OPENPGP);
	sign(1, "strange");
	sign(2, "tag");
	sign(3, "junk");
	sign(4, "ok");
	accepts("good.fpr", "root by simple signing");
	ck_assert_int_eq(unlinkat(dir, "side/team/app@sha256=" HEX_A "/signature-3", 0), 0);
	refuses(ENOKEY, "signature 1");
	for (int n = 1; n <= OCISIGN_SIGNATURES_MAX; n++)
		sign(n, "junk");
	sign(OCISIGN_SIGNATURES_MAX + 1, "ok");
	refuses(EINVAL, "signature 1");
}
END_TEST

static const struct {
	const char *message, *key;
	int code;
	const char *why;
} attacks[] = {
	{ "strange", "good", ENOKEY, "unknown entity" },
	{ "digest", "good", EBADMSG, "made for the image sha256:bbbb" },
	{ "repo", "good", EBADMSG, "made for \"r.example.com/team/b:v1\"" },
	{ "tag", "good", EBADMSG, "made for \"r.example.com/team/app:v2\"" },
	{ "type", "good", EINVAL, ".critical.type" },
	{ "trail", "good", EINVAL, "line 1" },
	{ "cut", "good", EINVAL, "line 1" },
	{ "swap", "good", EINVAL, "docker-manifest-digest" },
	{ "huge", "good", EFBIG, "larger than" },
	{ "empty", "good", EINVAL, "nothing was signed" },
	{ "two", "good", EINVAL, "2 are in it" },
	{ "old", "expired", EKEYEXPIRED, "has expired" },
	{ "sigexp", "sigexp", EKEYEXPIRED, "signature has expired" },
	{ "gone", "gone", EKEYREVOKED, "revoked" },
	{ "detached", "good", EINVAL, "not a binary OpenPGP message" },
	{ "clear", "good", EINVAL, "not a binary OpenPGP message" },
	{ "armour", "good", EINVAL, "not a binary OpenPGP message" },
	{ "crypt", "good", EINVAL, "not a binary OpenPGP message" },
	{ "junk", "good", EINVAL, "not a binary OpenPGP message" },
	{ "lit", "good", EINVAL, "not a binary OpenPGP message" },
};

START_TEST(attacks_on_simple_signing)
{
	for (size_t i = 0; i < ARRAY_LEN(attacks); i++) {
		struct err e = ERR_INIT;

		OK(rm_tree_at(dir, "loc/trustedkeys", &e));
		trust(attacks[i].key, "r.example.com", KEY_OPENPGP);
		sign(1, attacks[i].message);
		refuses(attacks[i].code, attacks[i].why);
	}
}
END_TEST

/* Whatever gpg says of them, it is a refusal. */
START_TEST(more_than_one_message)
{
	static const char *const messages[] = { "twice", "tail", "head", "short", "sha1", "big" };

	trust("good", NULL, KEY_OPENPGP);
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		struct err e = ERR_INIT;
		auto_free char *got = NULL;

		sign(1, messages[i]);
		ck_assert_msg(verify(&got, &e) < 0, "%s", messages[i]);
		ck_assert_msg(e.code != 0 && e.text[0], "%s", messages[i]);
	}
}
END_TEST

/* gpg does not look behind a compressed message: what counts is the one it verified. */
START_TEST(bytes_behind_a_compressed_message)
{
	trust("good", NULL, KEY_OPENPGP);
	sign(1, "pair");
	accepts("good.fpr", "root by simple signing");
	sign(1, "pair2");
	refuses(EBADMSG, "made for the image sha256:bbbb");
}
END_TEST

/* Any byte of what is signed, and of the numbers of the signature at the end. */
START_TEST(changed_bytes)
{
	auto_buf m = BUF_INIT, text = BUF_INIT;

	trust("good", NULL, KEY_OPENPGP);
	slurp("plain.msg", &m);
	slurp("plain.json", &text);
	const char *in = memmem(m.data, m.len, text.data, text.len);
	ck_assert_ptr_nonnull(in);
	size_t from = (size_t)(in - m.data), step = text.len / 8;
	for (int k = 0; k < 9; k++) {
		size_t at = k < 8 ? from + (size_t)k * step : m.len - 20;
		struct err e = ERR_INIT;
		auto_free char *got = NULL;

		m.data[at] ^= 4;
		put("side/team/app@sha256=" HEX_A, "signature-1", m.data, m.len);
		m.data[at] ^= 4;
		ck_assert_msg(verify(&got, &e) < 0, "byte %zu", at);
	}
}
END_TEST

START_TEST(keys_out_of_scope)
{
	sign(1, "ok");
	refuses(ENOKEY, "no key is trusted for \"" NAME "\"; to trust one: rkt trust --prefix=" NAME);
	trust("good", "r.example.com/team/ap", KEY_OPENPGP);
	refuses(ENOKEY, "no key is trusted");
	trust("stranger", "r.example.com", KEY_OPENPGP);
	/* The machine's own keyring has the key, and does not count. */
	auto_free char *home = xasprintf("%s/home", dir_path);
	ck_assert_int_eq(setenv("GNUPGHOME", home, 1), 0);
	refuses(ENOKEY, "unknown entity");
}
END_TEST

START_TEST(nowhere_to_look)
{
	struct err e = ERR_INIT;

	trust("good", NULL, KEY_OPENPGP);
	sign(1, "ok");
	configure("r.example.com/tea", "file:///nonexistent");
	refuses(ENOENT, "no lookaside is configured");
	trust("p256", NULL, KEY_PEM);
	refuses(ENOENT, "no signature in the registry");
	OK(rm_tree_at(dir, "loc/trustedkeys", &e));
	trust("p256", NULL, KEY_PEM);
	refuses(ENOENT, "has no signature: asked for at the registry");
	trust("good", NULL, KEY_OPENPGP);
	configure("r.example.com", "http://127.0.0.1:1/x");
	refuses(EPERM, "--insecure-options=http");
	what.registry = NULL;
	refuses(ENOKEY, "does not come from a registry");
}
END_TEST

START_TEST(a_pinned_digest)
{
	struct err e = ERR_INIT;
	auto_free char *got = NULL;

	ref.digest = xstrdup("sha256:" HEX_A);
	OK(verify(&got, &e));
	ck_assert_str_eq(got, "sha2 pinned digest");
	what.digests[0] = "sha256:" HEX_B;
	what.digests[1] = "sha256:" HEX_A;
	refuses(ENOKEY, "no key is trusted");
}
END_TEST

/* ---- cosign ---- */

static int cosign(const char *payload, const char *sig, const char *keys, size_t *key, struct err *e)
{
	auto_free char *local = xasprintf("%s/loc", dir_path), *json = xasprintf("%s.json", payload),
		       *cos = xasprintf("%s.cos", sig);
	auto_buf text = BUF_INIT, raw = BUF_INIT;
	struct keyring ring = { NULL, 0 };

	trust(keys, "r.example.com/team", KEY_PEM);
	slurp(json, &text);
	slurp(cos, &raw);
	auto_free char *b64 = base64_encode(raw.data, raw.len);
	ck_assert_int_eq(keystore_load(KEY_PEM, NULL, local, NAME, &ring, e), 0);
	int r = cosign_check(&what, &ring, buf_str(&text), text.len, b64, key, e);
	keyring_done(&ring);
	return r;
}

START_TEST(cosign_and_attacks_on_it)
{
	static const struct {
		const char *payload, *sig, *key;
		int code;
		const char *why;
	} bad[] = {
		{ "c-ok", "c-ok", "other", ENOKEY, "none of the keys" },
		{ "c-digest", "c-ok", "p256", ENOKEY, "none of the keys" },
		{ "c-digest", "c-digest", "p256", EBADMSG, "made for the image" },
		{ "c-repo", "c-repo", "p256", EBADMSG, "made for \"r.example.com/team/b\"" },
		{ "c-type", "c-type", "p256", EINVAL, ".critical.type" },
		{ "c-two", "c-two", "p256", EINVAL, "line 1" },
	};
	struct err e = ERR_INIT;
	size_t key = 7;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		int r = cosign(bad[i].payload, bad[i].sig, bad[i].key, &key, &e);
		ck_assert_msg(r == -bad[i].code && strstr(e.text, bad[i].why), "%s: %d %s", bad[i].payload, r,
			      e.text);
		ck_assert_int_eq(e.cls, ERR_TRUST);
		OK(rm_tree_at(dir, "loc/trustedkeys", &e));
	}
	OK(cosign("c-ok", "c-ok", "p256", &key, &e));
	ck_assert_uint_eq(key, 0);
	/* Among several keys, the one that made it. */
	OK(cosign("c-ok", "c-ok", "other", &key, &e));
	ck_assert_uint_lt(key, 2);
}
END_TEST

START_TEST(a_pem_file_must_hold_its_key)
{
	auto_buf text = BUF_INIT, fpr = BUF_INIT;
	struct err e = ERR_INIT;
	size_t key;

	ck_assert_int_eq(cosign("c-ok", "c-ok", "p256", &key, &e), 0);
	slurp("other.pub", &text);
	slurp("p256.pfpr", &fpr);
	put("loc/trustedkeys/pem-prefix.d/r.example.com/team", buf_str(&fpr), text.data, text.len);
	auto_free char *local = xasprintf("%s/loc", dir_path);
	struct keyring ring = { NULL, 0 };
	OK(keystore_load(KEY_PEM, NULL, local, NAME, &ring, &e));
	ck_assert_int_eq(cosign_check(&what, &ring, "{}", 2, "AAAA", &key, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "holds another key"));
	ck_assert_int_eq(cosign_check(&what, &ring, "{}", 2, "*", &key, &e), -EINVAL);
	keyring_done(&ring);
}
END_TEST

int main(void)
{
	dir = gpgmake_start(&dir_path);
	gpgmake_run(dir, dir_path, script);
	log_setup("test", LOG_QUIET);
	int r = SUITE_RUN_BETWEEN("ocisign", begin, end, a_signature_in_scope,
				  other_peoples_signatures_are_passed_over, attacks_on_simple_signing,
				  more_than_one_message, bytes_behind_a_compressed_message, changed_bytes,
				  keys_out_of_scope, nowhere_to_look, a_pinned_digest,
				  cosign_and_attacks_on_it, a_pem_file_must_hold_its_key);
	gpgmake_end(dir, dir_path);
	return r;
}
