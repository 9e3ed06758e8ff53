/*
 * host — what most verbs open first: configuration, data directory, image store, and the way to
 * the fetch program.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "rkt/globals.h"
#include "stage0/config.h"
#include "stage0/dirs.h"
#include "stage0/fetchclient.h"
#include "stage0/store.h"

enum host_need {
	HOST_CREATE = 1, /* make the data directory if it is missing */
	HOST_STORE = 2,
	HOST_READS = 8,    /* the store only to look things up in */
	HOST_OPTIONAL = 4, /* no data directory is no error: then .has_data stays false */
};

struct host {
	const struct globals *g; /* borrowed */
	struct config config;
	struct datadir data;
	struct store store;
	bool has_data, has_store;
	char *data_dir;         /* its path, also when it is not there */
	char *lib_dir;          /* of the programs that rkt starts: beside rkt, ../lib/rkt */
	char **insecure;        /* strv */
	struct fetch_env fetch; /* points into the above and into @g */
};

#define auto_host __attribute__((cleanup(host_done))) struct host

/* @need: enum host_need.  The data directory is --dir, else the configured, else the default one.
 * @ret starts zeroed and is to be given to host_done also after an error. */
int host_open(const struct globals *g, unsigned int need, struct host *ret, struct err *e);
void host_done(struct host *h);
