/*
 * appargs — the grammar of run, prepare and fetch, where one command line names several images
 * (cli.md section 6):
 *
 *	[pod options…] ( IMAGE [app options | pod options]… [ -- ARG… [ --- ] ] )…
 *
 * App options belong to the last image; pod options may stand anywhere outside argument lists.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/opt.h"
#include "stage0/prepare.h"

/* One image of the command line.  OPT_APP rows store into this struct. */
struct app_arg {
	char *image;            /* as typed */
	char *signature;        /* --signature, or NULL */
	bool has_args;          /* "--" was there, perhaps with nothing behind it */
	struct app_request req; /* .image_id is filled in later */
};

/* Start values of the struct ("not given"), which are not all zero. */
void app_arg_init(struct app_arg *a);
void app_arg_done(struct app_arg *a);

struct app_args {
	struct app_arg *v;
	size_t n;
	struct app_arg pod; /* what stood before the first image: only its mounts are allowed */
};

void app_args_done(struct app_args *l);

enum appargs_flag {
	APPARGS_NO_ARGS = 1, /* fetch: there are no argument lists */
};

/* Parse all of @argv.  @ret starts zeroed.  ERR_USAGE before the first image, ERR_INPUT (one line,
 * no usage) after it; -ECANCELED for --help. */
int appargs_parse(const struct opt_set *sets, size_t nsets, int argc, char *const *argv, unsigned int flags,
		  struct app_args *ret, struct err *e);
