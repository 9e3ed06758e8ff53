/*
 * fetchjob — one request to the fetch program while it is being worked on, and its parts.
 *
 * Internal to the fetch program; the protocol is in fetchclient.h.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"
#include "stage0/config.h"
#include "stage0/fetchclient.h"
#include "stage0/sigfile.h"
#include "stage0/store.h"
#include "stage0/verify.h"

struct job {
	const json_t *request;
	const char *data_dir, *system_config, *local_config, *user_config; /* borrowed from the request */
	bool debug, quiet;
	unsigned int insecure; /* enum insecure; the run-time words mean nothing to us */
	int stall_s;  /* give up on a connection that is as good as silent for so long; 0 = default */
	char *unpack; /* path of the unpack program */
	bool opened;
	struct datadir data;
	struct store store;
	struct config config;
};

/* Open data directory, store and configuration; once. */
int job_open(struct job *j, struct err *e);
void job_close(struct job *j);

/* Operations: 0 and *reply, a new reference. */
int fetch_op_image(struct job *j, json_t **reply, struct err *e);
int fetch_op_keys(struct job *j, json_t **reply, struct err *e);
int fetch_op_verify(struct job *j, json_t **reply, struct err *e);
int fetch_op_save(struct job *j, json_t **reply, struct err *e);
int fetch_op_push(struct job *j, json_t **reply, struct err *e);
int fetch_op_build(struct job *j, json_t **reply, struct err *e);

/* Parts of "verify": 0 as it should be, 1 not, with *detail (heap), or -errno. */
struct work;
/* The tree @id in the store against the one extracted anew below @fresh. */
int verify_tree(struct job *j, const char *id, const struct work *fresh, char **detail, struct err *e);
/* Manifest, config and every layer of an OCI image. */
int verify_layers(struct job *j, const struct image_info *info, char **detail, struct err *e);

/* A directory of our own in cas/tmp that is gone when we are done, or collected by gc if we are killed. */
struct work {
	char *name; /* below cas/tmp */
	char *path; /* absolute */
	int fd;     /* the directory; holds the lock */
	const struct store *store;
};
#define WORK_INIT                                                                                            \
	{                                                                                                    \
		NULL, NULL, FD_NONE, NULL                                                                    \
	}
int work_open(struct job *j, struct work *ret, struct err *e);
void work_done(struct work *w);
#define auto_work __attribute__((cleanup(work_done))) struct work

/* ---- what to fetch ---- */

struct wanted {
	int (*from)(struct job *j, const struct wanted *want, char ret_id[IMAGE_ID_LEN + 1], bool *fetched,
		    struct err *e);
	const char *url, *path, *text; /* borrowed; path only for files */
	const char *signature;         /* --signature, or NULL */
	const char *policy;            /* new, update, never */
	const char *arch;              /* of an OCI image: which one, or NULL for this machine's */
	bool trust_unsigned;
};

/* Is verification off for this one? */
bool wanted_unsigned(const struct job *j, const struct wanted *w);
/* Copy the local file into the file "blob" of @w.  The user's path is read once, here. */
int acquire_file(const struct wanted *want, struct work *w, struct err *e);

/* ---- trust ---- */

struct trust {
	bool required;
	bool have_sig;
	struct sigfile sig;
	struct keyring all;
	struct verify_result first;  /* against every key of every scope */
	struct verify_result scoped; /* against the keys of the name */
};

void trust_done(struct trust *t);
#define auto_trust __attribute__((cleanup(trust_done))) struct trust

/* Read and walk a signature file.  -ENOENT carries the remedies. */
int trust_read_file(struct trust *t, const char *path, struct err *e);
/* The same from memory; @from names it in messages. */
int trust_read_mem(struct trust *t, const void *p, size_t n, const char *from, struct err *e);
/* Could any trusted key have made it?  Before a download. */
int trust_issuer(struct job *j, struct trust *t, const struct work *w, struct err *e);
/* Check against all trusted keys, before anything is parsed. */
int trust_check_any(struct job *j, struct trust *t, const struct work *w, int blob_fd, struct err *e);
/* Check against the keys in scope for @name, and say who it was on standard error. */
int trust_check_name(struct job *j, struct trust *t, const struct work *w, int blob_fd, const char *name,
		     struct err *e);

/* ---- the rest of the way, the same for every source ---- */

/* Verify, extract and publish the file "blob" of @w; *ret_id the image. */
int image_finish(struct job *j, const struct wanted *want, struct trust *t, struct work *w,
		 char ret_id[IMAGE_ID_LEN + 1], struct err *e);
/* The whole flow of an http(s) URL; *fetched false when the store had it. */
int image_from_url(struct job *j, const struct wanted *want, char ret_id[IMAGE_ID_LEN + 1], bool *fetched,
		   struct err *e);
/* The whole flow of an OCI or docker reference. */
int image_from_oci(struct job *j, const struct wanted *want, char ret_id[IMAGE_ID_LEN + 1], bool *fetched,
		   struct err *e);
