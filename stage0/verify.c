/*
 * verify — one gpgme verification in a home that holds exactly one ring.
 *
 * gpg gets the packets that sigfile walked, never the file they came in.  Its verdict on each
 * signature is sorted into one kind; the kinds decide.
 */
#include "stage0/verify.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/strv.h"
#include "stage0/gpghome.h"

/* In the order in which one of them is told to the user. */
enum verdict {
	V_GOOD,
	V_BAD,
	V_REVOKED,
	V_KEY_EXPIRED,
	V_SIG_EXPIRED,
	V_WEAK,
	V_NOT_FOR_SIGNING,
	V_OTHER,
	V_UNKNOWN
};

static const struct {
	int code;
	const char *text;
} refusals[] = {
	[V_GOOD] = { 0, "" },
	[V_BAD] = { EBADMSG, "bad signature: it was not made over this file, or the file was changed" },
	[V_REVOKED] = { EKEYREVOKED, "the key or subkey that made the signature is revoked" },
	[V_KEY_EXPIRED] = { EKEYEXPIRED, "the key or subkey that made the signature has expired" },
	[V_SIG_EXPIRED] = { EKEYEXPIRED, "the signature has expired" },
	[V_WEAK] = { EKEYREJECTED, "the signature uses a weak digest algorithm" },
	[V_NOT_FOR_SIGNING] = { EKEYREJECTED, "the signature was made by a key that may not sign" },
	[V_OTHER] = { EKEYREJECTED, "the signature cannot be checked" },
	[V_UNKNOWN] = { ENOKEY, "openpgp: signature made by unknown entity" },
};

/* A message that holds what it signs. */
struct message {
	const void *data;
	size_t len, max;
	struct buf *plain;
	bool too_large;
	gpgme_error_t failed; /* whatever the signature is like */
};

struct check {
	struct message *message; /* NULL: detached */
	struct gpghome home;
	const struct keyring *keys;
	bool identity_only; /* the data is not there yet: BAD counts as known */
	struct verify_result result;
	enum verdict worst; /* the first in the enum of what was refused */
	char detail[128];   /* fingerprint or gpg's words about it */
};

static void match_done(struct verify_match *m)
{
	free(m->scope);
	strv_free(m->uids);
}

void verify_result_done(struct verify_result *r)
{
	for (size_t i = 0; i < r->n; i++)
		match_done(&r->v[i]);
	free(r->v);
	*r = (struct verify_result){ NULL, 0 };
}

void verify_result_restrict(struct verify_result *r, const struct keyring *keys)
{
	size_t out = 0;

	for (size_t i = 0; i < r->n; i++) {
		bool found = false;
		for (size_t k = 0; k < keys->n && !found; k++)
			found = strcmp(keys->v[k].fingerprint, r->v[i].fingerprint) == 0 &&
				strcmp(keys->v[k].scope, r->v[i].scope) == 0;
		if (found)
			r->v[out++] = r->v[i];
		else
			match_done(&r->v[i]);
	}
	r->n = out;
}

bool keyring_equal(const struct keyring *a, const struct keyring *b)
{
	for (int swap = 0; swap < 2; swap++) {
		const struct keyring *x = swap ? b : a, *y = swap ? a : b;
		for (size_t i = 0; i < x->n; i++) {
			bool found = false;
			for (size_t k = 0; k < y->n && !found; k++)
				found = strcmp(x->v[i].fingerprint, y->v[k].fingerprint) == 0 &&
					x->v[i].len == y->v[k].len &&
					memcmp(x->v[i].armored, y->v[k].armored, x->v[i].len) == 0;
			if (!found)
				return false;
		}
	}
	return true;
}

/* Each file must hold the key that it is named after, first. */
static int import_ring(struct gpghome *h, const struct keyring *keys, struct err *e)
{
	for (size_t i = 0; i < keys->n; i++) {
		const struct trusted_key *k = &keys->v[i];
		auto_strv fprs = NULL;
		int r = gpghome_import(h, k->armored, k->len, &fprs, e);
		if (r < 0)
			return err_ctx(e, "trusted key %s (%s)", k->fingerprint, k->scope);
		if (strcmp(fprs[0], k->fingerprint) != 0)
			return err_set(e, ERR_TRUST, EINVAL, "trusted key file %s (%s) holds another key, %s",
				       k->fingerprint, k->scope, fprs[0]);
	}
	return 0;
}

static enum verdict verdict_of_status(gpgme_signature_t s)
{
	static const struct {
		gpg_err_code_t code;
		enum verdict v;
	} codes[] = {
		{ GPG_ERR_NO_ERROR, V_GOOD },           { GPG_ERR_BAD_SIGNATURE, V_BAD },
		{ GPG_ERR_CERT_REVOKED, V_REVOKED },    { GPG_ERR_KEY_EXPIRED, V_KEY_EXPIRED },
		{ GPG_ERR_SIG_EXPIRED, V_SIG_EXPIRED }, { GPG_ERR_NO_PUBKEY, V_UNKNOWN },
		{ GPG_ERR_DIGEST_ALGO, V_WEAK },
	};

	if (s->summary & GPGME_SIGSUM_KEY_REVOKED)
		return V_REVOKED;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		if (gpgme_err_code(s->status) == codes[i].code)
			return codes[i].v;
	}
	return V_OTHER;
}

/* What the key list says of the primary key and of the subkey that signed. */
static enum verdict verdict_of_key(gpgme_key_t key, const char *fpr)
{
	if (key->revoked)
		return V_REVOKED;
	if (key->expired)
		return V_KEY_EXPIRED;
	if (key->invalid || key->disabled)
		return V_OTHER;
	for (gpgme_subkey_t s = key->subkeys; s; s = s->next) {
		if (!s->fpr || strcasecmp(s->fpr, fpr) != 0)
			continue;
		if (s->revoked)
			return V_REVOKED;
		if (s->expired)
			return V_KEY_EXPIRED;
		return s->can_sign && !s->invalid && !s->disabled ? V_GOOD : V_NOT_FOR_SIGNING;
	}
	return V_UNKNOWN;
}

static void add_match(struct check *c, gpgme_key_t key, const struct trusted_key *k)
{
	struct verify_result *r = &c->result;

	r->v = xreallocarray(r->v, r->n + 1, sizeof(*r->v));
	struct verify_match *m = &r->v[r->n++];
	memcpy(m->fingerprint, k->fingerprint, sizeof(m->fingerprint));
	m->scope = xstrdup(k->scope);
	m->uids = NULL;
	for (gpgme_user_id_t u = key->uids; u; u = u->next) {
		if (u->uid && !u->revoked && !u->invalid)
			strv_push(&m->uids, u->uid);
	}
}

/* Every entry of the ring for that key is a match: the same key may be trusted in several scopes. */
static enum verdict match_ring(struct check *c, gpgme_key_t key)
{
	bool found = false;

	for (size_t i = 0; i < c->keys->n; i++) {
		if (key->subkeys && key->subkeys->fpr &&
		    strcasecmp(c->keys->v[i].fingerprint, key->subkeys->fpr) == 0) {
			add_match(c, key, &c->keys->v[i]);
			found = true;
		}
	}
	return found ? V_GOOD : V_UNKNOWN;
}

static enum verdict judge(struct check *c, gpgme_signature_t s)
{
	enum verdict v = verdict_of_status(s);
	struct err ignored = ERR_INIT;
	gpgme_key_t key;

	if (c->identity_only && v == V_BAD)
		v = V_GOOD;
	(void)snprintf(c->detail, sizeof(c->detail), "%s",
		       v == V_OTHER ? gpgme_strerror(s->status)
		       : s->fpr     ? s->fpr
				    : "?");
	if (v != V_GOOD || c->identity_only)
		return v;
	/* The fingerprint and the time of making come with VALIDSIG only. */
	if (!s->fpr || strlen(s->fpr) != 40 || !s->timestamp)
		return V_OTHER;
	if (s->wrong_key_usage)
		return V_NOT_FOR_SIGNING;
	if (gpghome_key(&c->home, s->fpr, &key, &ignored) < 0)
		return V_UNKNOWN;
	v = verdict_of_key(key, s->fpr);
	if (v == V_GOOD)
		v = match_ring(c, key);
	gpgme_key_unref(key);
	return v;
}

static int run_gpg(struct check *c, int data_fd, const struct sigfile *sig, struct err *e)
{
	gpgme_data_t packets = NULL, data = NULL;
	gpgme_error_t g = gpgme_data_new_from_mem(&packets, sig->packets.data, sig->packets.len, 0);

	if (!g)
		g = data_fd >= 0 ? gpgme_data_new_from_fd(&data, data_fd) : gpgme_data_new(&data);
	if (!g)
		g = gpgme_op_verify(c->home.ctx, packets, data, NULL);
	gpgme_data_release(packets);
	gpgme_data_release(data);
	/* Without a single key in the home gpg may call the whole operation a failure; the list says why. */
	if (g && !gpgme_op_verify_result(c->home.ctx))
		return gpg_err(e, g, "run gpg on the signature");
	return 0;
}

static ssize_t take_plain(void *handle, const void *p, size_t n)
{
	struct message *m = handle;

	if (n > m->max - m->plain->len) {
		m->too_large = true;
		errno = EFBIG;
		return -1;
	}
	buf_add(m->plain, p, n);
	return (ssize_t)n;
}

static int run_message(struct check *c, struct err *e)
{
	struct gpgme_data_cbs cbs = { .write = take_plain };
	struct message *m = c->message;
	gpgme_data_t in = NULL, out = NULL;

	m->failed = gpgme_data_new_from_mem(&in, m->data, m->len, 0);
	if (!m->failed)
		m->failed = gpgme_data_new_from_cbs(&out, &cbs, m);
	if (!m->failed)
		m->failed = gpgme_op_verify(c->home.ctx, in, NULL, out);
	gpgme_data_release(in);
	gpgme_data_release(out);
	if (m->too_large)
		return err_set(e, ERR_TRUST, EFBIG, "what was signed is larger than %zu bytes", m->max);
	if (m->failed && !gpgme_op_verify_result(c->home.ctx))
		return gpg_err(e, m->failed, "run gpg on the signature");
	return 0;
}

static int conclude(struct check *c, size_t seen, struct err *e)
{
	/* A signature that does not fit poisons its neighbours: somebody changed something. */
	if (c->worst == V_BAD || (c->result.n == 0 && !c->identity_only)) {
		enum verdict v = seen ? c->worst : V_OTHER;
		int r = err_set(e, ERR_TRUST, refusals[v].code, "%s", refusals[v].text);
		if (c->detail[0])
			r = err_set(e, ERR_TRUST, refusals[v].code, "%s (%s)", refusals[v].text, c->detail);
		return r;
	}
	return 0;
}

static int check_run(struct check *c, const char *home_parent, int data_fd, const struct sigfile *sig,
		     struct err *e)
{
	size_t seen = 0, known = 0;
	char detail[sizeof(c->detail)] = "";
	int r = gpghome_open(home_parent, &c->home, e);

	if (r >= 0)
		r = import_ring(&c->home, c->keys, e);
	if (r >= 0 && data_fd >= 0 && lseek(data_fd, 0, SEEK_SET) < 0)
		r = err_sys(e, errno, "rewind the signed file");
	if (r >= 0)
		r = c->message ? run_message(c, e) : run_gpg(c, data_fd, sig, e);
	if (r < 0)
		return r;
	gpgme_verify_result_t res = gpgme_op_verify_result(c->home.ctx);
	/* The key look-ups of judge end the result's life, so it is held. */
	gpgme_result_ref(res);
	c->worst = V_UNKNOWN;
	for (gpgme_signature_t s = res->signatures; s; s = s->next, seen++) {
		enum verdict v = judge(c, s);
		if (v == V_GOOD) {
			known++;
			continue;
		}
		if (!detail[0] || v < c->worst)
			memcpy(detail, c->detail, sizeof(detail));
		if (v < c->worst)
			c->worst = v;
	}
	gpgme_result_unref(res);
	memcpy(c->detail, detail, sizeof(detail));
	if (c->message && seen != 1)
		return err_set(e, ERR_TRUST, EINVAL, "not a message with one signature: %zu are in it", seen);
	if (c->identity_only && known == 0 && c->worst == V_UNKNOWN)
		return err_set(e, ERR_TRUST, ENOKEY, "%s (%s)", refusals[V_UNKNOWN].text, detail);
	return conclude(c, seen, e);
}

int verify_detached(const char *home_parent, int data_fd, const struct sigfile *sig,
		    const struct keyring *keys, struct verify_result *ret, struct err *e)
{
	struct check c = { .keys = keys };
	int r = check_run(&c, home_parent, data_fd, sig, e);

	gpghome_done(&c.home);
	if (r < 0) {
		verify_result_done(&c.result);
		return r;
	}
	*ret = c.result;
	return 0;
}

int verify_message(const char *home_parent, const void *message, size_t len, size_t max,
		   const struct keyring *keys, struct buf *plain, struct verify_result *ret, struct err *e)
{
	auto_buf text = BUF_INIT;
	struct message m = { .data = message, .len = len, .max = max, .plain = &text };
	struct check c = { .message = &m, .keys = keys };
	const unsigned char first = len ? *(const unsigned char *)message : 0;
	/* Compressed data or a one-pass signature, in the old or the new format; armour is text. */
	unsigned int tag = first & 0x40 ? first & 0x3f : (first & 0x3c) >> 2;

	if (!(first & 0x80) || (tag != 8 && tag != 4))
		return err_set(e, ERR_TRUST, EINVAL, "not a binary OpenPGP message with a signature");
	int r = check_run(&c, home_parent, -1, NULL, e);
	if (r == 0 && m.failed)
		r = gpg_err(e, m.failed, "more than one signed message");
	if (r == 0 && text.len == 0)
		r = err_set(e, ERR_TRUST, EINVAL, "nothing was signed");
	gpghome_done(&c.home);
	if (r < 0) {
		verify_result_done(&c.result);
		return r;
	}
	buf_add(plain, text.data, text.len);
	*ret = c.result;
	return 0;
}

int verify_issuer(const char *home_parent, const struct sigfile *sig, const struct keyring *keys,
		  struct err *e)
{
	struct check c = { .keys = keys, .identity_only = true };
	int r = check_run(&c, home_parent, -1, sig, e);

	gpghome_done(&c.home);
	verify_result_done(&c.result);
	return r;
}
