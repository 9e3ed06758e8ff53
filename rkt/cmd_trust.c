/*
 * cmd_trust — `rkt trust`: look at a public key, then say for which images it may sign.
 *
 * The key is fetched and taken apart by the fetch program; what is shown for review and what is
 * written are the same bytes.
 */
#include "rkt/commands.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "rkt/host.h"
#include "rkt/output.h"
#include "stage0/keystore.h"

#define FINGERPRINT_LEN 40 /* of OpenPGP; has the gap in its middle */
#define GROUP_LEN       4  /* digits of a fingerprint shown together */
#define ANSWER_MAX      64

struct trust_args {
	char *prefix;
	bool root, skip_review, allow_http;
};

struct trust {
	struct cli *cli;
	const struct trust_args *args;
	struct host host;
};

static int check_args(const struct trust *t, struct err *e)
{
	const struct trust_args *a = t->args;
	if (t->cli->g.insecure & INSECURE_IMAGE)
		return err_set(
			e, ERR_INPUT, EINVAL,
			"--insecure-options=image switches signatures off, so no key would ever be used");
	if (a->prefix && a->root)
		return cli_usage(t->cli, e, "--prefix and --root exclude each other");
	if (!a->prefix && !a->root && t->cli->rest)
		return err_set(
			e, ERR_INPUT, EINVAL,
			"give the keys a scope: --prefix=NAME for the images under that name, or --root for "
			"all images");
	if (!a->prefix && !a->root)
		return cli_usage(t->cli, e, "must provide --prefix or --root");
	if (a->prefix && strstr(a->prefix, "://"))
		return err_set(
			e, ERR_INPUT, EINVAL,
			"option --prefix: \"%s\" is a URL; a prefix is the beginning of image names, such as "
			"example.com/foo",
			a->prefix);
	if (a->prefix && !ac_identifier_valid(a->prefix))
		return err_set(e, ERR_INPUT, EINVAL,
			       "option --prefix: \"%s\" is not the beginning of an image name", a->prefix);
	if (!t->cli->rest)
		return err_set(
			e, ERR_INPUT, ENOTSUP,
			"discovery of keys is not in this version; name the file or URL of the public key");
	return 0;
}

/* "8b86de38…" in upper case as ten groups, a double space in the middle. */
static void add_fingerprint(struct buf *out, const char *hex)
{
	for (size_t i = 0; i < FINGERPRINT_LEN; i++) {
		if (i && i % GROUP_LEN == 0)
			buf_adds(out, i == FINGERPRINT_LEN / 2 ? "  " : " ");
		buf_addc(out, hex[i] >= 'a' && hex[i] <= 'f' ? (char)(hex[i] - 'a' + 'A') : hex[i]);
	}
}

/* A PEM key: its digits are shown as every other program shows a SHA-256. */
static int show_pem(const char *algorithm, const char *fingerprint, struct err *e)
{
	auto_buf text = BUF_INIT;

	buf_adds(&text, "public key (");
	buf_add_escaped(&text, algorithm, strlen(algorithm));
	buf_addf(&text, ") sha256 fingerprint is: %s\n", fingerprint);
	return output_write(&text, e);
}

static int show_key(const json_t *key, const char *fingerprint, struct err *e)
{
	auto_buf text = BUF_INIT;
	auto_strv subkeys = NULL;
	auto_strv uids = NULL;
	int r = json_get_strv(key, ".keys", "subkeys", false, &subkeys, e);
	if (r >= 0)
		r = json_get_strv(key, ".keys", "uids", false, &uids, e);
	if (r < 0)
		return r;
	buf_adds(&text, "gpg key fingerprint is: ");
	add_fingerprint(&text, fingerprint);
	for (char **s = subkeys; s && *s; s++) {
		if (!keystore_fingerprint_valid(KEY_OPENPGP, *s))
			continue;
		buf_adds(&text, "\n    Subkey fingerprint: ");
		add_fingerprint(&text, *s);
	}
	for (char **u = uids; u && *u; u++) {
		buf_adds(&text, "\n\t");
		buf_add_escaped(&text, *u, strlen(*u));
	}
	buf_addc(&text, '\n');
	return output_write(&text, e);
}

/* One line of standard input without its end; -ENODATA at its end. */
static int read_answer(char out[ANSWER_MAX], struct err *e)
{
	size_t n = 0;
	char ch;
	ssize_t got;
	while ((got = read_full(STDIN_FILENO, &ch, 1)) == 1 && ch != '\n')
		if (n < ANSWER_MAX - 1)
			out[n++] = ch;
	out[n] = '\0';
	if (got < 0)
		return err_sys(e, (int)-got, "read the answer");
	return got == 0 && n == 0 ? err_set(e, ERR_STATE, ENODATA, "the answer was neither yes nor no") : 0;
}

static int check_terminal(struct err *e)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return err_set(e, ERR_STATE, ENOTTY,
			       "nobody can review the fingerprint without a terminal; "
			       "--skip-fingerprint-review trusts "
			       "the key as it is");
	return 0;
}

/* 1 yes, 0 no, -errno. */
static int ask(struct err *e)
{
	for (;;) {
		char answer[ANSWER_MAX];
		int r = output_line(e, "Are you sure you want to trust this key (yes/no)?");
		if (r >= 0)
			r = read_answer(answer, e);
		if (r < 0)
			return r;
		if (strcmp(answer, "yes") == 0 || strcmp(answer, "no") == 0)
			return answer[0] == 'y';
		log_info("please enter 'yes' or 'no'");
	}
}

static int trust_key(const struct trust *t, const char *source, const json_t *key, struct err *e)
{
	const char *fingerprint = NULL, *armored = NULL, *algorithm = NULL;
	auto_free char *path = NULL;
	bool from_https = strncmp(source, "https://", 8) == 0;
	bool skip = t->args->skip_review || (t->cli->g.trust_keys_from_https && from_https);
	auto_free char *scope = t->args->root ? xstrdup("all images")
					      : xasprintf("prefix \"%s\"", t->args->prefix);

	int r = json_get_str(key, ".keys", "fingerprint", true, &fingerprint, e);
	if (r >= 0)
		r = json_get_str(key, ".keys", "armored", true, &armored, e);
	if (r >= 0)
		r = json_get_str(key, ".keys", "algorithm", false, &algorithm, e);
	if (r < 0)
		return r;
	enum key_kind kind = algorithm ? KEY_PEM : KEY_OPENPGP;
	if (!keystore_fingerprint_valid(kind, fingerprint))
		return err_set(e, ERR_INPUT, EPROTO, "\"%s\": not a key with a version 4 fingerprint",
			       source);
	r = algorithm ? show_pem(algorithm, fingerprint, e) : show_key(key, fingerprint, e);
	if (r == 0 && !skip)
		r = check_terminal(e);
	if (r == 0 && !skip) {
		log_info("key \"%s\" for %s", source, scope);
		r = ask(e);
	}
	if (r < 0)
		return r;
	if (!skip && r == 0) {
		log_info("not trusting \"%s\"", source);
		return 0;
	}
	r = output_line(e, "Trusting \"%s\" for %s %s fingerprint review.", source, scope,
			skip ? "without" : "after");
	if (r == 0)
		r = keystore_add(kind, t->cli->g.local_config, t->args->prefix, fingerprint, armored, &path,
				 e);
	if (r < 0)
		return r;
	if (t->args->root)
		return output_line(e, "Added root key at \"%s\"", path);
	return output_line(e, "Added key for prefix \"%s\" at \"%s\"", t->args->prefix, path);
}

static int trust_source(const struct trust *t, const char *source, struct err *e)
{
	json_t *request = json_pack("{s:s, s:b}", "source", source, "allowHttp", t->args->allow_http);
	if (!request)
		return err_set(e, ERR_INPUT, EILSEQ, "\"%s\": the name is not UTF-8", source);
	auto_json reply = fetch_call(&t->host.fetch, "keys", request, e);
	json_t *keys = NULL, *key;
	size_t i;
	if (!reply)
		return -e->code;
	int r = json_get_arr(reply, "", "keys", true, &keys, e);
	if (r < 0)
		return r;
	json_array_foreach(keys, i, key)
	{
		r = trust_key(t, source, key, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int trust_run(struct cli *c, struct err *e)
{
	struct trust t = { .cli = c, .args = c->args };
	int r = check_args(&t, e);
	if (r < 0)
		return r;
	r = host_open(&c->g, HOST_OPTIONAL, &t.host, e);
	for (char **s = c->rest; r == 0 && *s; s++)
		r = trust_source(&t, *s, e);
	host_done(&t.host);
	return r;
}

#define T(member) offsetof(struct trust_args, member)
static const struct opt trust_opts[] = {
	{ .name = "insecure-allow-http",
	  .kind = OPT_BOOL,
	  .offset = T(allow_http),
	  .help = "allow keys from plain http URLs, which anybody on the way can replace" },
	{ .name = "prefix",
	  .kind = OPT_STR,
	  .arg = "NAME",
	  .offset = T(prefix),
	  .help = "trust the key for the image of this name and for images below it: example.com/foo" },
	{ .name = "root",
	  .kind = OPT_BOOL,
	  .offset = T(root),
	  .help = "trust the key for all images: use with care" },
	{ .name = "skip-fingerprint-review",
	  .kind = OPT_BOOL,
	  .offset = T(skip_review),
	  .help = "accept the key without asking" },
	{ .kind = OPT_END },
};
static const struct opt *const trust_tables[] = { trust_opts, NULL };

const struct command cmd_trust = {
	.name = "trust",
	.args = "PUBKEY ...",
	.summary = "Trust a key for image verification",
	.description =
		"PUBKEY is the path or the https URL of an ASCII-armored OpenPGP key, or of a PEM public "
		"key\n"
		"as cosign signs images of registries with. It is shown, and after\n"
		"a 'yes' it may sign the images that --prefix or --root names. Keys are kept below\n"
		"trustedkeys in the local configuration directory; an empty file of the same name there\n"
		"takes the trust in a vendor's key away.",
	.tables = trust_tables,
	.args_size = sizeof(struct trust_args),
	.complete = COMP_FILE,
	.run = trust_run,
};
