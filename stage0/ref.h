/*
 * ref — what a user's IMAGE argument means (cli.md section 5, internals.md section 4.1).
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "schema/labels.h"

enum ref_kind {
	REF_HASH, /* store only */
	REF_FILE, /* path or file:// */
	REF_HTTP, /* http:// or https:// */
	REF_NAME, /* appc name with labels */
	REF_OCI,  /* docker://, oci:, oci-archive:, docker-archive: */
};

struct image_ref {
	enum ref_kind kind;
	char *text; /* as typed */
	char *id;   /* REF_HASH: normalised prefix */
	char *url; /* REF_FILE: file://ABS; REF_HTTP: the URL; REF_OCI: its one spelling, with ",arch=" and that */
	char *path;          /* REF_FILE: ABS */
	char *name;          /* REF_NAME */
	char *arch;          /* REF_OCI: the label, or NULL */
	bool local;          /* REF_OCI: not of a registry */
	struct pairs labels; /* REF_NAME: version, os, arch, … */
};

enum ref_flag {
	REF_NO_HASH = 1,    /* fetch: a hash is taken as a name */
	REF_STORE_ONLY = 2, /* image rm, cat-manifest …: hash or name, no defaults for os/arch */
};

int image_ref_parse(const char *text, unsigned int flags, struct image_ref *ret, struct err *e);
void image_ref_done(struct image_ref *r);
