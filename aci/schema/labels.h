/*
 * labels — name=value lists: labels, annotations, and the os/arch pair (formats.md section 4).
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/json.h"

struct pair {
	char *name;
	char *value;
};

struct pairs {
	struct pair *v;
	size_t n;
};

void pairs_done(struct pairs *p);
/* Value of @name, borrowed, or NULL. */
const char *pairs_get(const struct pairs *p, const char *name);
/* Replace or append; copies. */
void pairs_set(struct pairs *p, const char *name, const char *value);
void pairs_copy(struct pairs *to, const struct pairs *from);

/* [{name,value}] ⇄ pairs.  Names are AC Identifiers and unique.  @where as in base/json.h. */
int labels_from_json(const json_t *arr, const char *where, struct pairs *ret, struct err *e);
int annotations_from_json(const json_t *arr, const char *where, struct pairs *ret, struct err *e);
/* The same shape with names of environment variables. */
int environment_from_json(const json_t *arr, const char *where, struct pairs *ret, struct err *e);
json_t *pairs_to_json(const struct pairs *p);
/* {string: string} ⇄ pairs (userAnnotations, userLabels). */
int string_map_from_json(const json_t *obj, const char *where, struct pairs *ret, struct err *e);
json_t *string_map_to_json(const struct pairs *p);
/* The optional members userAnnotations and userLabels of @obj. */
int user_maps_from_json(const json_t *obj, const char *where, struct pairs *annotations, struct pairs *labels,
			struct err *e);

/* Is the os/arch pair of the labels one that the specification knows?  Either may be absent. */
int labels_check_os_arch(const struct pairs *labels, struct err *e);
/* May an image with these labels run here?  Absent labels are errors naming "missing os label in the image manifest". */
int labels_check_host(const struct pairs *labels, struct err *e);
/* appc name of the machine rkt was built for: "amd64", "aarch64" … */
const char *host_arch(void);
