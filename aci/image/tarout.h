/*
 * tarout — one tar header, with a pax header before it where the plain fields do not suffice.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/buf.h"

struct tarout_entry {
	const char *name;
	const char *link; /* target of a hard link ('1') or symlink ('2'), or NULL */
	char type;        /* ustar type flag */
	mode_t mode;
	uid_t uid;
	gid_t gid;
	uint64_t size; /* of the data that follows */
	struct timespec mtime;
	dev_t rdev;
};

/* Add the pax record "LEN key=value\n"; the value may hold any bytes. */
void tarout_record(struct buf *records, const char *key, const void *value, size_t n);

/* Append the headers of @t to @out; @records (may be NULL) are records made by the caller, such as xattrs. */
void tarout_header(struct buf *out, const struct tarout_entry *t, const struct buf *records);

/* Append zeros up to a multiple of @unit bytes, where @written bytes went before. */
void tarout_pad(struct buf *out, uint64_t written, size_t unit);
