/*
 * simplesign — signatures of simple signing, LOOKASIDE/REPOSITORY@sha256=HEX/signature-N; see ocisign.h.
 *
 * Each is an OpenPGP message that holds its payload.  They are counted from 1 until one is not there.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/log.h"
#include "oci/digest.h"
#include "stage0/http.h"
#include "stage0/ocisign.h"
#include "stage0/sigpayload.h"

static int read_file(const char *top, const char *path, struct buf *out, struct err *e)
{
	auto_close int dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (dir < 0)
		return err_sys(e, errno, "open the lookaside \"%s\"", top);
	auto_close int fd = open_beneath(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd == -ENOENT)
		return -ENOENT;
	if (fd < 0)
		return err_sys(e, -fd, "open the signature \"%s/%s\"", top, path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_TRUST, EINVAL, "the signature \"%s/%s\" is not a regular file", top,
			       path);
	int r = fd_read_all(fd, OCISIGN_MESSAGE_MAX, out);
	return r < 0 ? err_sys(e, -r, "read the signature \"%s/%s\"", top, path) : 0;
}

static int read_url(struct http *h, const char *url, struct buf *out, struct err *e)
{
	const struct http_request rq = { .url = url };
	struct http_head head;

	http_head_init(&head);
	log_debug("GET %s", url);
	int r = http_fetch(h, &rq, OCISIGN_MESSAGE_MAX, &head, out, e);
	int status = head.status;
	http_head_done(&head);
	if (r < 0)
		return err_ctx(e, "fetch the signature \"%s\"", url);
	if (status == 404)
		return -ENOENT;
	if (status != 200)
		return err_set(e, ERR_NET, EPROTO, "fetch the signature \"%s\": the server answered %d %s",
			       url, status, http_status_text(status));
	return 0;
}

static int check_one(const struct oci_signed *what, const struct keyring *keys, const struct buf *message,
		     struct oci_verified *ret, struct err *e)
{
	auto_buf plain = BUF_INIT;
	auto_verify_result who = { NULL, 0 };
	struct sigpayload p = { NULL, NULL };
	int r = verify_message(what->tmp, buf_str(message), message->len, SIGPAYLOAD_MAX, keys, &plain, &who,
			       e);

	if (r == 0)
		r = sigpayload_parse(SIGPAYLOAD_SIMPLE, buf_str(&plain), plain.len, &p, e);
	if (r == 0)
		r = sigpayload_match(&p, SIGPAYLOAD_SIMPLE, what->ref, what->digests, e);
	sigpayload_done(&p);
	for (size_t i = 0; r == 0 && i < who.n; i++)
		oci_verified_add(ret, who.v[i].fingerprint, who.v[i].scope, "simple signing");
	return r;
}

/* The signatures of one digest: 0 one is good, -ENOENT there is none; else @e says why the first was refused. */
static int check_all(const struct oci_signed *what, const char *url, struct http *h, const char *digest,
		     const struct keyring *keys, struct oci_verified *ret, struct err *e)
{
	static const char file[] = "file://";
	bool local = strncmp(url, file, strlen(file)) == 0;
	int result = -ENOENT;

	for (int n = 1; n <= OCISIGN_SIGNATURES_MAX; n++) {
		auto_free char *path = xasprintf("%s@%s=%s/signature-%d", what->ref->repository,
						 oci_digest_algo(digest), oci_digest_hex(digest), n);
		auto_free char *at = xasprintf("%s/%s", url, path);
		auto_buf message = BUF_INIT;
		struct err own = ERR_INIT;
		int r = local ? read_file(url + strlen(file), path, &message, &own)
			      : read_url(h, at, &message, &own);

		if (r == -ENOENT && own.code == 0)
			break;
		if (r < 0)
			return err_copy(e, &own);
		r = check_one(what, keys, &message, ret, &own);
		if (r == 0)
			return 0;
		log_debug("signature \"%s\": %s", at, own.text);
		err_ctx(&own, "signature %d at \"%s\"", n, url);
		if (result == -ENOENT)
			result = err_copy(e, &own);
	}
	return result;
}

int simplesign_verify(struct job *j, const struct oci_signed *what, const struct keyring *keys,
		      struct oci_verified *ret, struct err *e)
{
	const struct lookaside *at = lookaside_find(j->config.lookasides, j->config.nlookasides,
						    what->ref->host, what->ref->repository);
	const struct http_options o = { &j->config, j->insecure & INSECURE_TLS, j->stall_s };
	int result = -ENOENT;

	if (!at)
		return -ENOENT;
	if (strncmp(at->url, "http://", 7) == 0 && !(j->insecure & INSECURE_HTTP))
		return err_set(e, ERR_TRUST, EPERM,
			       "signatures would come over plain http from \"%s\"; allow it with "
			       "--insecure-options=http",
			       at->url);
	auto_http *h = http_new(&o, e);
	if (!h)
		return -e->code;
	for (size_t i = 0; i < ARRAY_LEN(what->digests) && what->digests[i]; i++) {
		struct err own = ERR_INIT;
		int r = check_all(what, at->url, h, what->digests[i], keys, ret, &own);

		if (r == 0)
			return 0;
		if (result == -ENOENT && own.code)
			result = err_copy(e, &own);
	}
	return result;
}
