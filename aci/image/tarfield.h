/*
 * tarfield — the numbers in tar headers and pax records, read strictly (formats.md section 17, rows 24–30).
 *
 * libarchive takes what it can from a malformed number and goes on; two readers that do so differ,
 * and an image then is not what its verifier saw.  Here anything unusual is -EINVAL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A fixed-width header field: spaces, octal digits, then only spaces and NULs; or base-256 when the
 * first byte has its top bit set.  All NUL or blank is 0.  -EINVAL junk, -ERANGE outside int64. */
int tarfield_number(const unsigned char *p, size_t width, int64_t *ret);

/* Decimal digits only, at most @max; -EINVAL or -ERANGE. */
int tarfield_decimal(const char *p, size_t n, uint64_t max, uint64_t *ret);

/* A pax time: "-"? digits ("." digits)? with whole seconds in int64 range; 0, -EINVAL or -ERANGE. */
int tarfield_time(const char *p, size_t n);

/* Is the checksum of the 512-byte header right, as a sum of unsigned or of signed bytes? */
bool tarfield_checksum_ok(const unsigned char *hdr);
