/*
 * extract_parts — what the two kinds of extraction share: an ACI (extract.h) and a layer (layer.h).
 *
 * The engine in extract.c reads a tar stream through both readers and hands each entry to the policy of its kind, which
 * decides about names; entrymake.c makes what the entry describes.
 */
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>

#include "image/extract.h"
#include "image/tarscan.h"
#include "image/treemake.h"

#define EXTRACT_TOP "rootfs" /* where the tree is, below the directory that was given */

struct extract {
	int in;
	const struct extract_limits *limits;
	struct archive *archive;
	struct tarscan *scan;
	unsigned char *block;
	struct err met; /* what reading the stream met, for the caller above libarchive */
	bool padded;
	struct tree tree;
	struct buf path, target;  /* cleaned names of the entry at hand, EXTRACT_TOP included … */
	struct tarscan_note note; /* … and what tarscan says about it */
	bool have_rootfs;         /* an entry named the root */
	struct extract_result result;
	/* ---- the kind ---- */
	/* One entry whose name was counted. */
	int (*on_entry)(struct extract *x, struct archive_entry *ent, struct err *e);
	/* Everything was read: before directories get their modes and times. */
	int (*on_end)(struct extract *x, struct err *e);
	/* Clean the target of a hard link into x->target. */
	int (*link_target)(struct extract *x, const char *raw, struct err *e);
	/* A hard link to what the archive did not hold before it: -ENOENT, or 0 when somebody else makes it. */
	int (*missing_target)(struct extract *x);
	struct buf *out; /* manifest of an ACI, notes of a layer */
	bool have_manifest;
};

/* Run @x, whose kind is set, from x->in into the empty directory @dirfd. */
int extract_run(struct extract *x, int dirfd, struct extract_result *ret, struct err *e);

/* Make what @ent describes at x->path. */
int entry_make(struct extract *x, struct archive_entry *ent, struct err *e);
/* Size of the entry at hand, inside the budget. */
int entry_size(const struct extract *x, struct archive_entry *ent, int64_t *ret, struct err *e);
/* All data of the entry at hand appended to @out; @size from entry_size. */
int entry_read(struct extract *x, int64_t size, struct buf *out, struct err *e);
/* What libarchive says, unless our own side had an error first. */
int extract_archive_failed(struct extract *x, struct err *e);
