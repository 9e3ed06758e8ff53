/*
 * ids — the text types of the App Container specification (formats.md section 1).
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

#define AC_VERSION "0.8.11" /* the specification this code follows */

/* AC Identifier: image, label, annotation and isolator names.  The lenient character rule of the
 * reference, but empty, "." and ".." path components are refused, because names become paths. */
bool ac_identifier_valid(const char *s);
/* AC Name: app, volume, mount point and port names. */
bool ac_name_valid(const char *s);
/* SemVer 2.0.0 as the reference reads it; 0.0.0 is refused. */
bool ac_version_valid(const char *s);
/* Environment variable name: [A-Za-z_][A-Za-z_0-9.-]*. */
bool env_name_valid(const char *s);
/* RFC 3339 with a 'T'. */
bool timestamp_valid(const char *s);
/* http or https URL with a host. */
bool http_url_valid(const char *s);

/* Rules for conversions; heap, or NULL if nothing remains. */
char *ac_identifier_sanitize(const char *s);
char *ac_name_sanitize(const char *s);

/*
 * Image ids.  Ours are "sha512-" + the first 64 hex digits of the SHA-512 of the uncompressed tar
 * (71 characters); OCI ones "sha256-" + 64 (same length).
 */
#define IMAGE_ID_LEN        71
#define IMAGE_ID_PREFIX_MIN 2 /* hex digits a user must give at least */

/* A complete id of ours? */
bool image_id_valid(const char *s);
/* Anything that has the form ALGO-HEX with known algo: an id, a prefix of one, or a full 128-digit digest. */
bool image_id_like(const char *s);
/* Check a user's id or prefix and cut it to key length.  Heap.  NULL and @e: "image ID too short" … */
char *image_id_prefix(const char *s, struct err *e);
