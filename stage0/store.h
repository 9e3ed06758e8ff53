/*
 * store — the content-addressed image store, no index database (design section 4, stage0/LAYOUT.md).
 *
 *   cas/blob/<algo>/<xx>/<digest>  bytes exactly as downloaded; named by their own digest
 *   cas/tree/<id>/rootfs           extracted ACI, immutable once it has this name
 *   cas/image/<id>                 one JSON document an image
 *   cas/ref/…                      one small file a name or URL → image ids
 *   cas/tmp/                       everything unfinished; deleted by gc when unlocked
 *
 * Publishing order blob → tree → image → ref, each by one rename after its data is on disk, makes
 * every crash point safe.  Nothing here computes digests: callers that publish have done so.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "schema/ids.h"
#include "schema/image.h"
#include "stage0/dirs.h"

struct stat;

struct store {
	int cas_fd;  /* cas/ */
	int tmp_fd;  /* cas/tmp */
	int data_fd; /* borrowed */
};

struct verified_by {
	char *fingerprint; /* 40 lower-case hex, primary key */
	char *scope;       /* "root" or "prefix example.com/foo" */
};

/* One layer of an OCI or docker image. */
struct image_layer {
	char *digest;                /* of the blob, "sha256:…" */
	uint64_t size;               /* bytes of the blob */
	char *diff_id;               /* digest of the tar in it */
	char tree[IMAGE_ID_LEN + 1]; /* of this layer above those below it: "sha256-" and the OCI chain id */
};

/* An image; of an OCI or docker image the blob is its manifest, and digest and id are of that. */
struct image_info {
	char id[IMAGE_ID_LEN + 1];
	char *digest;        /* "sha512-" + 128 hex: the whole digest of the tar */
	char *blob_algo;     /* "sha512", "sha256" */
	char *blob_digest;   /* hex digest of the bytes as downloaded */
	uint64_t blob_size;  /* bytes as downloaded */
	uint64_t size;       /* bytes of the uncompressed tar */
	uint64_t tree_size;  /* bytes on disk of the tree */
	char *name;          /* from the manifest */
	struct pairs labels; /* from the manifest */
	char *manifest;      /* text exactly as in the archive */
	char *origin;        /* URL it came from, or NULL */
	bool latest;         /* imported without a version having been asked for */
	int64_t import_time; /* ns since the epoch */
	struct verified_by *verified;
	size_t nverified;           /* 0: imported without verification */
	struct image_layer *layers; /* lowest first; none: an ACI, whose tree is called like it */
	size_t nlayers;
	size_t root_layer;   /* the one whose root directory is the image's */
	char *config_digest; /* of an image with layers */
};

void image_info_done(struct image_info *i);

int store_open(const struct datadir *d, struct store *ret, struct err *e);
/* The same for who only looks things up: nothing can be written with it. */
int store_open_to_read(const struct datadir *d, struct store *ret, struct err *e);
void store_done(struct store *s);

/* ---- look-up: no locks, no waiting ---- */

/* Complete an id prefix: -ENOENT "no image IDs found", -EINVAL "image ID too short", -ENOTUNIQ "ambiguous image ID". */
int store_resolve_id(const struct store *s, const char *id_or_prefix, char ret[IMAGE_ID_LEN + 1],
		     struct err *e);
/* Best image of that name whose labels include all of @labels: without a version label images marked
 * latest first, then the newest import.  -ENOENT. */
int store_resolve_name(const struct store *s, const char *name, const struct pairs *labels,
		       char ret[IMAGE_ID_LEN + 1], struct err *e);
/* Load one image document.  -ENOENT. */
int store_image_load(const struct store *s, const char *id, struct image_info *ret, struct err *e);
/* Refuse an image that was imported without verification, unless @accept_unsigned (--insecure-options=image):
 * -EKEYREJECTED, with the remedies. */
int image_info_require_verified(const struct image_info *i, bool accept_unsigned, struct err *e);
/* Is the tree complete? */
bool store_has_tree(const struct store *s, const char *id);
/* O_PATH fd of cas/tree/<id>/rootfs, or -errno. */
int store_tree_open(const struct store *s, const char *id, struct err *e);
/* What its root looks like, by one call instead of three. */
int store_tree_stat(const struct store *s, const char *id, struct stat *ret, struct err *e);
/* O_RDONLY fd of the blob. */
int store_blob_open(const struct store *s, const struct image_info *i, struct err *e);
/* All image ids, sorted; strv for the caller to free. */
int store_list(const struct store *s, char ***ret, struct err *e);
/* Time of last use, ns: kept as the mtime of cas/image/<id>. */
int store_last_used(const struct store *s, const char *id, int64_t *ret_ns);
/* Used now.  -ENOENT when the image has gone; who may not write the store may still use it. */
int store_touch(const struct store *s, const char *id);

/* ---- what is known of a URL (ETag, freshness, image) ---- */
struct url_info {
	char *url;
	char *image_id;
	char *etag;      /* or NULL */
	int64_t max_age; /* seconds, 0 = must revalidate */
	int64_t fetched; /* ns since the epoch */
};
void url_info_done(struct url_info *u);
int store_url_load(const struct store *s, const char *url, struct url_info *ret, struct err *e); /* -ENOENT */
int store_url_save(const struct store *s, const struct url_info *u, struct err *e);

/* ---- writing (the fetch program) ---- */

/* Lock for single-flight work on @key of class @kind ("url", "image", "blob": the digest of one that is being
 * published): at most one holder; the returned fd is the lock.  @wait 0: -EWOULDBLOCK. */
int store_lock(const struct store *s, const char *kind, const char *key, int wait, struct err *e);

/* A new private directory in cas/tmp (0700), locked against gc by the returned fd; *name heap. */
int store_tmp_dir(const struct store *s, char **name, struct err *e);

/* Everything that was written to disk. */
int store_sync(const struct store *s, struct err *e);
/* Move cas/tmp/<tmp_dir>/rootfs, which store_sync has put on disk, to cas/tree/<id> by one rename.  1 when there was one already. */
int store_publish_tree(const struct store *s, const char *tmp_dir, const char *id, struct err *e);
/* Move the file @name of @dirfd to cas/blob/…: fsync, then one rename. */
int store_publish_blob(const struct store *s, int dirfd, const char *name, const char *algo, const char *hex,
		       struct err *e);
/* Write the image document and add the id to the ref of its name. */
int store_publish_image(const struct store *s, const struct image_info *i, struct err *e);
/*
 * Remove refs, document and blob (in that order) for a caller who holds store_lock("image", id), whether the
 * document was written or not.  From then on nobody finds the image; its tree is store_remove_tree's, once
 * no pod names it.  imagegc.h puts both together.
 */
int store_unpublish_image(const struct store *s, const struct image_info *i, struct err *e);
/* Remove a tree under the same lock: out of its place by one rename, then piece by piece.  Missing: success. */
int store_remove_tree(const struct store *s, const char *id, struct err *e);
/* Ids that have a directory in cas/tree, complete or not, sorted; strv for the caller to free. */
int store_list_trees(const struct store *s, char ***ret, struct err *e);
/* Append the paths of what is in the directory @path, all relative to cas/, to the strv; nothing where there is none. */
int store_list_paths(const struct store *s, const char *path, char ***ret, struct err *e);
