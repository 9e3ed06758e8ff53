/*
 * image — the ImageManifest (formats.md section 4).
 */
#pragma once

#include "schema/app.h"

#define IMAGE_MANIFEST_MAX (4u << 20) /* bytes */

struct dependency {
	char *image_name;
	char *image_id; /* or NULL */
	struct pairs labels;
	int64_t size; /* -1 absent */
};

struct image_manifest {
	char *ac_version;
	char *name;
	struct pairs labels;
	struct app *app; /* NULL if the image only serves as a base */
	struct pairs annotations;
	struct dependency *deps;
	size_t ndeps;
	char **path_whitelist; /* cleaned absolute paths, or NULL */
};

/* Parse and validate.  NULL and @e (ERR_INPUT) on error. */
struct image_manifest *image_manifest_parse(const char *text, size_t len, struct err *e);
struct image_manifest *image_manifest_from_json(const json_t *doc, struct err *e);
json_t *image_manifest_to_json(const struct image_manifest *m);
void image_manifest_free(struct image_manifest *m);
void image_manifest_freep(struct image_manifest **m);
#define auto_image_manifest __attribute__((cleanup(image_manifest_freep))) struct image_manifest *

/* "name" or "name:version"; heap. */
char *image_manifest_title(const struct image_manifest *m);
