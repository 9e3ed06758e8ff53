/*
 * podctx — everything a run entrypoint is told: argv, environment, lock, pod manifest
 * (stage1/CONTRACT.md).
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/uuid.h"
#include "schema/ids.h"
#include "schema/image.h"
#include "schema/pod.h"

/* One app as it is to be run: the manifest's own section, or the image's. */
struct pod_app {
	const struct runtime_app *rt; /* borrowed from the pod manifest */
	struct image_manifest *image;
	const struct app *app; /* borrowed: rt->app or image->app */
	char **layers;         /* store trees, topmost first; NULL: the root lies ready in opt/stage2 */
	bool docker;           /* converted from a docker image */
};

struct podctx {
	/* flags of the run entrypoint, interface version 6 */
	bool debug, interactive, mutable_pod;
	char **net;
	char *mds_token, *local_config, *private_users, *hostname, *dns_mode, *ipc;
	bool no_caps, no_paths, no_seccomp; /* --disable-…: restriction lifted */
	/* the pod */
	char uuid[UUID_LEN + 1];
	bool own_stage0; /* made by our stage0, which has made the status directories and reads no subcgroup */
	int pod_fd;      /* the working directory at start */
	int lock_fd;     /* CLOEXEC again */
	struct pod_manifest *manifest;
	struct pod_app *apps;
	size_t napps;
};

/* Parse argv and environment, read the pod directory.  Errors are ready for the user. */
int podctx_load(int argc, char **argv, struct podctx *ret, struct err *e);

/*
 * The same for one app that is being added to a running pod: flags as its run entrypoint had them (it left
 * them in CONTRACT_FILE_ARGS), and of the manifest's apps only @app.  -ENOENT: the manifest has no such app.
 */
int podctx_load_app(const char *app, struct podctx *ret, struct err *e);
void podctx_done(struct podctx *c);
