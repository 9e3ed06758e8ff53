/*
 * tarpax — the records of a pax extended header, checked before anybody acts on them
 * (formats.md sections 16.12 and 17 rows 23–28).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "image/tarsparse.h"

/* What the records say about the entry that follows. */
struct pax_facts {
	bool path, linkpath, size_set;
	uint64_t size;
	bool no_uid, no_gid, no_mtime; /* an empty value: the header's counts */
	/* GNU.sparse.… */
	unsigned int sparse; /* which keys were there, tarpax.c knows them */
	struct tarsparse map;
	uint64_t major, minor, pieces, offset;
};

/* How the map of a sparse file is given. */
enum pax_sparse { PAX_SPARSE_NONE, PAX_SPARSE_RECORDS, PAX_SPARSE_TEXT };

/*
 * Check all records in @p[0..n).  @global: a "g" header, in which only keys that cannot change what
 * is extracted are allowed.  The facts are only added to.
 * Errors: -EINVAL with a text that says which record is wrong and why.
 */
int tarpax_check(const char *p, size_t n, bool global, struct pax_facts *facts, struct err *e);

/* All records are known: NULL and *ret, or what is wrong with those about sparse files. */
const char *tarpax_sparse(const struct pax_facts *f, enum pax_sparse *ret);
