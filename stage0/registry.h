/*
 * registry — one repository of a registry, by the distribution protocol v2 (formats.md section 13).
 *
 * Mirrors of the configuration are asked first and get no credentials of the registry.  A place that does not have a thing, or
 * does not answer, is passed over; what anybody sends is believed only if its digest is right.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "stage0/http.h"
#include "stage0/regauth.h"
#include "stage0/store.h"

#define REGISTRY_MANIFEST_MAX (4u << 20) /* bytes; registries refuse larger ones as well */

/* Somewhere to ask. */
struct registry_place {
	char *base; /* "https://HOST[:PORT]" */
	char *host; /* HOST or HOST:PORT */
	bool may_http;
	struct regauth auth;
};

struct registry {
	struct http *http;
	char *host, *repository;
	struct http_tls tls;
	struct registry_place *places; /* the registry itself is the last */
	size_t nplaces;
};

struct registry_options {
	struct http *http;
	const struct config *config;
	char *const *env;    /* the caller's environment, for credentials */
	const char *actions; /* "pull" or "pull,push" */
	bool allow_http;     /* --insecure-options=http */
};

/* @host as in a reference, registry-1.docker.io for Docker Hub; what @o points to outlives the registry. */
void registry_open(struct registry *r, const struct registry_options *o, const char *host,
		   const char *repository);
void registry_close(struct registry *r);

struct registry_document {
	struct buf text;  /* exactly as sent */
	char *media_type; /* of the answer, or NULL */
	char *digest;     /* "sha256:HEX" of @text, or in the algorithm it was asked for by */
};
void registry_document_done(struct registry_document *d);

/*
 * The manifest or index that @reference (a tag or a digest) names.  Errors: -ENOENT nobody has it, -EACCES,
 * -EBADMSG the bytes have another digest, -EAGAIN not now, -EINTR.
 */
int registry_manifest(struct registry *r, const char *reference, struct registry_document *ret,
		      struct err *e);

/* ---- blobs ---- */

struct registry_blob {
	const char *digest; /* sha256:… or sha512:…, valid */
	int64_t size;       /* bytes, as the manifest says */
};

struct registry_sink {
	/* Is blob @i there already?  Asked before, and again when nobody else is at it. */
	bool (*have)(void *arg, size_t i);
	/* Blob @i is complete and its digest right: the file "data" of @dirfd.  May take it away. */
	int (*take)(void *arg, size_t i, int dirfd, struct err *e);
	void *arg;
};

/*
 * Get blobs, several at a time, each once however many processes want it, going on from what an earlier attempt
 * left.  The first error ends the rest; what is complete by then was taken, what is not stays for the next attempt.
 */
int registry_blobs(struct registry *r, const struct store *s, const struct registry_blob *v, size_t n,
		   const struct registry_sink *sink, bool quiet, struct err *e);

/* ---- sending ---- */

/* Something to send: bytes in memory, or a file. */
struct registry_upload {
	const char *digest;
	int64_t size;
	int fd; /* any offset */
};

/*
 * Make blob @b be there: it is already, or is in repository @from of the same registry (or NULL), or is sent in pieces, going on after what has
 * arrived when the connection breaks, or when an earlier process did not come to its end: that is noted in @s (uploadnote.h).  @sent: it took bytes.
 */
int registry_push_blob(struct registry *r, const struct store *s, const struct registry_upload *b,
		       const char *from, bool *sent, struct err *e);
/* Put the manifest under @reference, a tag or its digest. */
int registry_push_manifest(struct registry *r, const char *reference, const char *media_type,
			   const char *text, size_t len, struct err *e);

/* ---- for the files of the registry client ---- */

/* A request like @like at @p, to its base and @path, with whatever it takes to be let in; head and body of the answer, whatever its status. */
int registry_ask(struct registry *r, struct registry_place *p, const struct http_request *like,
		 const char *path, size_t max, struct http_head *head, struct buf *out, struct err *e);

/* https did not work at @p: 1 it is http from now on, 0 it may not be. */
int registry_fall_back(struct registry_place *p, int r, struct err *e);
/* What a status other than success means; @body may hold the registry's own words. */
int registry_status_error(const struct registry_place *p, int status, const struct buf *body, struct err *e);
/* Is the next place worth asking after this error? */
bool registry_next_place(int r);
