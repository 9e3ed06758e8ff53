/*
 * volume — volumes, mounts and mount points, in manifests and on the command line
 * (formats.md sections 1.1 and 6, cli.md sections 7.5 and 7.6).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

enum tristate { TRI_UNSET = -1, TRI_FALSE = 0, TRI_TRUE = 1 };
enum volume_kind { VOLUME_HOST, VOLUME_EMPTY };
/* Do mounts that the host makes below the source later show up in the pod?  Ours, not the specification's.  The other direction does not
 * exist: a pod would mount on the host. */
enum volume_propagation { PROPAGATION_SLAVE, PROPAGATION_PRIVATE };

struct volume {
	char *name;
	enum volume_kind kind;
	char *source; /* host only, absolute */
	enum tristate read_only;
	enum tristate recursive;             /* host: unset means the flavor's default */
	enum volume_propagation propagation; /* host */
	uint32_t mode;                       /* empty only, default 0755 */
	uint32_t uid, gid;                   /* empty only */
};

struct volumes {
	struct volume *v;
	size_t n;
};

struct mount {
	char *volume;              /* name of a pod volume */
	char *path;                /* inside the app, absolute */
	struct volume *app_volume; /* overrides the look-up, or NULL */
};

struct mounts {
	struct mount *v;
	size_t n;
};

struct mount_point {
	char *name;
	char *path;
	bool read_only;
};

struct mount_points {
	struct mount_point *v;
	size_t n;
};

void volume_done(struct volume *v);
void volumes_done(struct volumes *l);
void mounts_done(struct mounts *l);
void mount_points_done(struct mount_points *l);
const struct volume *volumes_get(const struct volumes *l, const char *name);
void volumes_push_take(struct volumes *l, struct volume *v); /* moves *v */
void mounts_push_take(struct mounts *l, struct mount *m);

int volumes_from_json(const json_t *arr, const char *where, struct volumes *ret, struct err *e);
json_t *volumes_to_json(const struct volumes *l);
int mounts_from_json(const json_t *arr, const char *where, struct mounts *ret, struct err *e);
json_t *mounts_to_json(const struct mounts *l);
int mount_points_from_json(const json_t *arr, const char *where, struct mount_points *ret, struct err *e);
json_t *mount_points_to_json(const struct mount_points *l);

/* "NAME,kind=host,source=/x,…" of --volume. */
int volume_from_arg(const char *arg, struct volume *ret, struct err *e);
/* "volume=NAME,target=PATH" of --mount; nothing is URL-decoded (cli.md section 17, number 26). */
int mount_from_arg(const char *arg, struct mount *ret, struct err *e);
