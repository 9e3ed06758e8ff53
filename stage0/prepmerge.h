/*
 * prepmerge — what the files of prepare share; prepare.h is the interface.
 */
#pragma once

#include "stage0/prepare.h"

/* A pod manifest with the images that it names, in the order of its apps. */
struct merged {
	struct pod_manifest *manifest;
	char *text; /* what becomes the pod's manifest file */
	size_t len;
	struct image_info *images;
};

int merge_request(const struct pod_request *r, const struct store *s, struct merged *ret, struct err *e);
void merged_done(struct merged *m);

/* One app of the command line over its image; @pod_env are the NAME=VALUE pairs that are stronger than the image's. */
struct app_env {
	struct pairs weaker;   /* --inherit-env */
	struct pairs stronger; /* --set-env-file, then --set-env */
};

int app_env_load(const struct pod_request *r, struct app_env *ret, struct err *e);
void app_env_done(struct app_env *env);

/* Fill @to (zeroed) from @q and its image; errors do not name the app. */
int merge_app(const struct app_request *q, const struct image_info *image, const struct app_env *env,
	      const struct pod_request *pod, struct runtime_app *to, struct err *e);

/* NAME=VALUE of every text of @from into @to; names must satisfy @valid (NULL: any that are not empty). */
int merge_pairs(struct pairs *to, char *const *from, const char *option, bool (*valid)(const char *),
		struct err *e);

/* Load image @id and see that it may run, and here. */
int merge_load_image(const struct pod_request *q, const struct store *s, const char *id,
		     struct image_info *ret, struct err *e);

/* Files of one app in the pod directory: manifest, and tree or copy. */
struct placing {
	const struct store *store;
	const struct stage1 *stage1;
	const struct pod *pod;
	bool overlay;
	uint32_t shift; /* --private-users: first id of the pod's range; 0 without */
};
int place_app(const struct placing *j, const char *app, const struct image_info *image, struct err *e);

/* Put @r->ports into the manifest of the command line, whose apps all have their sections. */
int merge_ports(const struct pod_request *r, struct pod_manifest *m, struct err *e);
/* Every published port leads to one of an app, and no two want the same of the host. */
int check_ports(const struct merged *m, struct err *e);

/* Every mount of the manifest names a volume. */
int check_mounts(const struct pod_manifest *m, struct err *e);
