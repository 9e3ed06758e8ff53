/*
 * pod — the PodManifest (formats.md section 6, cli.md section 12).
 */
#pragma once

#include "schema/app.h"

#define POD_MANIFEST_MAX (16u << 20)
#define POD_APPS_MAX     64

struct exposed_port {
	char *name;
	uint32_t host_port;
	char *host_ip;         /* or NULL */
	struct port *pod_port; /* or NULL */
};

struct runtime_app {
	char *name;
	char *image_id;
	char *image_name; /* or NULL */
	struct pairs image_labels;
	struct app *app; /* or NULL: the image's */
	bool read_only_rootfs;
	struct mounts mounts;
	struct pairs annotations;
};

struct pod_manifest {
	char *ac_version;
	struct runtime_app *apps;
	size_t napps;
	struct volumes volumes;
	struct isolators isolators;
	struct pairs annotations;
	struct exposed_port *ports;
	size_t nports;
	struct pairs user_annotations, user_labels;
};

/* Parse and validate (unique app, volume and port names …).  NULL and @e on error. */
struct pod_manifest *pod_manifest_parse(const char *text, size_t len, struct err *e);
/* Writes volumes, isolators, annotations as null when empty and ports as [] (cli.md section 12). */
json_t *pod_manifest_to_json(const struct pod_manifest *m);
struct pod_manifest *pod_manifest_new(void);
void pod_manifest_free(struct pod_manifest *m);
void pod_manifest_freep(struct pod_manifest **m);
#define auto_pod_manifest __attribute__((cleanup(pod_manifest_freep))) struct pod_manifest *

/* A new zeroed app at the end of the list (the array may move). */
struct runtime_app *pod_manifest_add_app(struct pod_manifest *m);
/* Remove the last app. */
void pod_manifest_drop_last(struct pod_manifest *m);
const struct runtime_app *pod_manifest_app(const struct pod_manifest *m, const char *name);
