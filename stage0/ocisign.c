/* ocisign — the order of the rules; see ocisign.h. */
#include "stage0/ocisign.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/log.h"

#define INSECURE "accept it unverified with --insecure-options=image"

void oci_verified_free(struct verified_by *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].fingerprint);
		free(v[i].scope);
	}
	free(v);
}

static void add(struct oci_verified *l, const char *fingerprint, char *scope)
{
	l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = (struct verified_by){ xstrdup(fingerprint), scope };
}

void oci_verified_add(struct oci_verified *l, const char *fingerprint, const char *scope, const char *how)
{
	add(l, fingerprint, xasprintf("%s by %s", scope, how));
}

/* ---- the rules ---- */

static bool pinned(const struct oci_signed *what)
{
	return what->ref->digest && strcmp(what->ref->digest, what->digests[0]) == 0;
}

static bool has_lookaside(const struct job *j, const struct oci_signed *what)
{
	return lookaside_find(j->config.lookasides, j->config.nlookasides, what->ref->host,
			      what->ref->repository);
}

/* There are keys, and nobody said no: why was nothing found? */
static int nothing_found(const struct job *j, const struct oci_signed *what, const struct keyring *pgp,
			 const struct keyring *pem, struct err *e)
{
	if (pgp->n && !has_lookaside(j, what))
		err_set(e, ERR_TRUST, ENOENT,
			"\"%s\": no signature%s, and no lookaside is configured where those of OpenPGP keys "
			"would be (kind \"lookaside\" in registries.d)",
			what->name, pem->n ? " in the registry" : "");
	else
		err_set(e, ERR_TRUST, ENOENT, "\"%s\" has no signature: asked for at %s", what->name,
			pgp->n && pem->n ? "the lookaside and in the registry"
			: pgp->n         ? "the lookaside"
					 : "the registry");
	return err_hint(e, INSECURE);
}

/* 0, or the first refusal in @e. */
static int by_keys(struct job *j, const struct oci_signed *what, const struct keyring *pgp,
		   const struct keyring *pem, struct oci_verified *ret, struct err *e)
{
	struct err second = ERR_INIT;
	int r = -ENOENT;

	if (pgp->n + pem->n == 0)
		return err_set(
			e, ERR_TRUST, ENOKEY,
			"no key is trusted for \"%s\"; to trust one: rkt trust --prefix=%s KEYFILE; or "
			"name the image by its digest, or " INSECURE,
			what->name, what->name);
	if (pgp->n)
		r = simplesign_verify(j, what, pgp, ret, e);
	if (r < 0 && pem->n) {
		r = cosign_verify(j, what, pem, ret, &second);
		if (r < 0 && second.code && !e->code)
			err_copy(e, &second);
	}
	if (r == 0)
		return 0;
	if (!e->code)
		return nothing_found(j, what, pgp, pem, e);
	if (e->cls != ERR_TRUST)
		return err_ctx(e, "\"%s\": no signature could be checked", what->name);
	err_ctx(e, "\"%s\" is not signed as it should be", what->name);
	if (e->code == ENOKEY)
		err_hint(e, "if you trust who signed it: rkt trust --prefix=%s KEYFILE", what->name);
	return -e->code;
}

static void announce(const struct oci_verified *l)
{
	auto_buf out = BUF_INIT;

	if (log_get_level() == LOG_QUIET)
		return;
	buf_addf(&out, "%s: signature verified:\n", log_get_prefix());
	for (size_t i = 0; i < l->n; i++)
		buf_addf(&out, "  key %s, trusted for %s\n", l->v[i].fingerprint, l->v[i].scope);
	(void)write_full(STDERR_FILENO, out.data, out.len); /* nowhere to report it */
}

int oci_verify(struct job *j, const struct oci_signed *what, struct verified_by **ret, size_t *n,
	       struct err *e)
{
	struct oci_verified list = { NULL, 0 };
	struct keyring pgp = { NULL, 0 }, pem = { NULL, 0 };
	int r = 0;

	if (what->ref->transport != OCI_REGISTRY || !what->registry)
		return err_set(e, ERR_TRUST, ENOKEY,
			       "\"%s\" does not come from a registry, and only there signatures are looked "
			       "for; " INSECURE,
			       what->name);
	if (pinned(what)) {
		add(&list, what->ref->digest, xstrdup("pinned digest"));
	} else {
		r = keystore_load(KEY_OPENPGP, j->system_config, j->local_config, what->name, &pgp, e);
		if (r == 0)
			r = keystore_load(KEY_PEM, j->system_config, j->local_config, what->name, &pem, e);
		if (r == 0)
			r = by_keys(j, what, &pgp, &pem, &list, e);
		if (r == 0)
			announce(&list);
	}
	keyring_done(&pgp);
	keyring_done(&pem);
	if (r < 0) {
		oci_verified_free(list.v, list.n);
		return r;
	}
	*ret = list.v;
	*n = list.n;
	return 0;
}
