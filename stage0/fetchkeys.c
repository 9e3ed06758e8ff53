/*
 * fetchkeys — the operation "keys": read public keys from a file or URL and describe them.
 *
 * Nothing is trusted here; rkt shows the fingerprints and writes what its user accepts.
 */
#include "stage0/fetchjob.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/strv.h"
#include "stage0/gpghome.h"
#include "stage0/http.h"
#include "stage0/pubkey.h"

#define KEYS_MAX (1u << 20) /* bytes */
#define ARMOUR   "-----BEGIN PGP PUBLIC KEY BLOCK-----"

static bool starts(const char *s, const char *with)
{
	return strncasecmp(s, with, strlen(with)) == 0;
}

static int read_file(const char *path, struct buf *out, struct err *e)
{
	struct stat st;
	auto_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, errno, "open key file \"%s\"", path);
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "look at key file \"%s\"", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, EINVAL, "key file \"%s\" is not a regular file", path);
	int r = fd_read_all(fd, KEYS_MAX, out);
	if (r == -EFBIG)
		return err_set(e, ERR_INPUT, EFBIG, "key file \"%s\" is larger than %u bytes", path,
			       KEYS_MAX);
	return r < 0 ? err_sys(e, -r, "read key file \"%s\"", path) : 0;
}

/* Key downloads carry no credentials. */
static int read_url(const struct job *j, const char *url, struct buf *out, struct err *e)
{
	struct http_options o = { NULL, j->insecure & INSECURE_TLS, j->stall_s };
	auto_http *h = http_new(&o, e);
	struct http_head head;

	if (!h)
		return -e->code;
	http_head_init(&head);
	int r = http_get_small(h, url, KEYS_MAX, &head, out, e);
	int status = head.status;
	http_head_done(&head);
	if (r < 0)
		return err_ctx(e, "fetch keys from \"%s\"", url);
	if (status != 200)
		return err_set(e, ERR_NET, status == 404 ? ENOENT : EPROTO,
			       "fetch keys from \"%s\": the server answered %d %s", url, status,
			       http_status_text(status));
	return 0;
}

static int read_source(const struct job *j, struct buf *out, const char **source, struct err *e)
{
	bool allow_http = false;
	int r = json_get_str(j->request, "", "source", true, source, e);

	if (r >= 0)
		r = json_get_bool(j->request, "", "allowHttp", false, &allow_http, e);
	if (r < 0)
		return err_ctx(e, "request");
	if (starts(*source, "http://") && !allow_http)
		return err_set(e, ERR_TRUST, EPERM,
			       "key \"%s\" would come over plain http; allow it with --insecure-allow-http",
			       *source);
	if (starts(*source, "http://") || starts(*source, "https://"))
		return read_url(j, *source, out, e);
	return read_file(*source, out, e);
}

static json_t *describe(const char *fingerprint, gpgme_key_t key, const char *armored)
{
	json_t *subkeys = json_array(), *uids = json_array();

	for (gpgme_subkey_t s = key->subkeys ? key->subkeys->next : NULL; s; s = s->next) {
		auto_buf hex = BUF_INIT;
		for (const char *p = s->fpr ? s->fpr : s->keyid; p && *p; p++)
			buf_addc(&hex, *p >= 'A' && *p <= 'F' ? (char)(*p - 'A' + 'a') : *p);
		json_array_append_new(subkeys, json_string(buf_str(&hex)));
	}
	for (gpgme_user_id_t u = key->uids; u; u = u->next) {
		/* For display: may hold anything, also bytes that JSON cannot. */
		auto_buf text = BUF_INIT;
		buf_add_escaped(&text, u->uid ? u->uid : "", strlen(u->uid ? u->uid : ""));
		json_array_append_new(uids, json_string(buf_str(&text)));
	}
	return json_pack("{s:s,s:o,s:o,s:s}", "fingerprint", fingerprint, "subkeys", subkeys, "uids", uids,
			 "armored", armored);
}

static int describe_all(struct gpghome *home, char *const *fingerprints, json_t *out, struct err *e)
{
	for (char *const *f = fingerprints; *f; f++) {
		gpgme_key_t key;
		auto_free char *armored = NULL;
		int r = gpghome_key(home, *f, &key, e);
		if (r < 0)
			return r;
		r = gpghome_export(home, *f, &armored, e);
		if (r >= 0)
			json_array_append_new(out, describe(*f, key, armored));
		gpgme_key_unref(key);
		if (r < 0)
			return r;
	}
	return 0;
}

static int describe_pem(const struct buf *text, json_t **reply, struct err *e)
{
	auto_pubkey *k = pubkey_parse(text->data, text->len, e);

	if (!k)
		return -e->code;
	*reply = json_pack("{s:[{s:s,s:s,s:s}]}", "keys", "fingerprint", pubkey_fingerprint(k), "algorithm",
			   pubkey_algorithm(k), "armored", pubkey_pem(k));
	return 0;
}

int fetch_op_keys(struct job *j, json_t **reply, struct err *e)
{
	auto_buf text = BUF_INIT;
	auto_gpghome home = { NULL, NULL };
	auto_strv fingerprints = NULL;
	const char *source = "";
	int r = read_source(j, &text, &source, e);

	if (r < 0)
		return r;
	if (!memmem(buf_str(&text), text.len, ARMOUR, strlen(ARMOUR))) {
		if (!pubkey_like(buf_str(&text), text.len))
			return err_set(
				e, ERR_TRUST, EINVAL,
				"\"%s\" is not an ASCII-armored public key (gpg --armor --export), nor "
				"one in PEM",
				source);
		return describe_pem(&text, reply, e) < 0 ? err_ctx(e, "\"%s\"", source) : 0;
	}
	r = gpghome_open(NULL, &home, e);
	if (r >= 0)
		r = gpghome_import(&home, text.data, text.len, &fingerprints, e);
	if (r < 0)
		return err_ctx(e, "\"%s\"", source);
	auto_json keys = json_array();
	r = describe_all(&home, fingerprints, keys, e);
	if (r >= 0)
		*reply = json_pack("{s:O}", "keys", keys);
	return r;
}
