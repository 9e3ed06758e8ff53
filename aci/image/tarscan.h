/*
 * tarscan — strict push scanner of tar framing, run over every block before libarchive sees it.
 *
 * libarchive is lenient where archives lie; this refuses what formats.md section 17 refuses: bad
 * checksums, junk in numeric fields, malformed pax records, dangerous global headers, unknown
 * types, false sparse maps, two names for one entry.  It keeps no names and allocates nothing beyond one
 * bounded header buffer and a word for each entry that a reader behind it must be told about.  Its totals let the caller prove afterwards that both readers saw the same
 * archive.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define TARSCAN_PAX_MAX  (1u << 20)  /* bytes of records before one entry */
#define TARSCAN_NAME_MAX (64u << 10) /* bytes of a GNU long name */

struct tarscan; /* opaque */

struct tarscan *tarscan_new(void);
void tarscan_free(struct tarscan *s);
/* Feed the next bytes in any portion; -EINVAL names the entry or the offset; -E2BIG a header over its maximum.  The
 * size of a hard link, of which readers think differently, becomes 0 in @p where its header lies there whole. */
int tarscan_feed(struct tarscan *s, void *p, size_t n, struct err *e);
/* The stream ended: -EINVAL if inside a header or data. */
int tarscan_end(struct tarscan *s, struct err *e);

/* Padding of the last entry's data that is still to come, 0..511 bytes. */
size_t tarscan_padding_due(const struct tarscan *s);
/* Was the end-of-archive marker seen?  Whatever follows is not part of the archive. */
bool tarscan_at_end(const struct tarscan *s);

/* What the reader behind us must know about an entry (1 is the first): that it has holes, and the numbers of its
 * header where pax records with an empty value leave it to them.  All zero for most; to be asked in the order
 * of the entries. */
struct tarscan_note {
	bool sparse, uid_set, gid_set, mtime_set;
	int64_t uid, gid, mtime;
};
struct tarscan_note tarscan_note(struct tarscan *s, uint64_t entry);

/* Entries and bytes of files so far, the holes of sparse ones included. */
uint64_t tarscan_entries(const struct tarscan *s);
uint64_t tarscan_bytes(const struct tarscan *s);
