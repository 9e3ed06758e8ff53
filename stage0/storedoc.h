/*
 * storedoc — parts of the store that its files share; store.h is the interface.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "stage0/store.h"

#define STORE_DOC_VERSION 1
#define STORE_DOC_MAX     (32u << 20) /* bytes; the manifest inside is at most 4 MiB before escaping */
#define STORE_REF_MAX     (4u << 20)  /* bytes of a name or URL record */

/* The document of an image; new reference. */
json_t *image_info_to_json(const struct image_info *i);
/* And back; on failure *ret is empty. */
int image_info_from_json(const json_t *doc, struct image_info *ret, struct err *e);

/*
 * "ref/name,…" or "ref/url,…": everything but letters, digits, '.', '-' and '_' is %XX; a text longer
 * than 200 bytes is cut and followed by '-' and its 64-bit FNV-1a.  Heap.  The same spelling makes the
 * names of lock files.
 */
char *store_escape(const char *prefix, const char *text);

/* Replace cas/@name by @len bytes: temporary file in cas/tmp, fsync, rename, fsync of @dir. */
int store_write(const struct store *s, const char *dir, const char *name, const void *data, size_t len,
		struct err *e);

/* Add or remove @id in the list of a name, under the lock of that name. */
int store_ref_add(const struct store *s, const char *name, const char *id, struct err *e);
int store_ref_remove(const struct store *s, const char *name, const char *id, struct err *e);
/* Remove every URL record that leads to @id. */
int store_urls_remove(const struct store *s, const char *id, struct err *e);
