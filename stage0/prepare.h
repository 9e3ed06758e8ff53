/*
 * prepare — from a list of images and overrides to a pod directory that stage1 can run
 * (internals.md section 3.2).
 */
#pragma once

#include "base/err.h"
#include "schema/portspec.h"
#include "stage0/pod.h"
#include "stage0/stage1.h"
#include "stage0/store.h"

/* What the command line said about one app (cli.md section 8).  Unset pointers: not given. */
struct app_request {
	char *image_id; /* resolved in the store */
	char *name;
	char *exec;
	char **args; /* after "--", appended to the image's exec or to --exec; may be empty strings */
	char *user, *group;
	char **gids; /* decimal texts, or NULL */
	char *working_dir;
	int read_only;                                         /* enum tristate */
	char **environment;                                    /* K=V */
	char **annotations, **user_annotations, **user_labels; /* K=V */
	struct mounts mounts;
	char *memory, *cpu; /* quantity texts */
	int64_t cpu_shares; /* 0 = not given */
	int64_t oom_score_adj;
	bool has_oom_score_adj;
	char **caps_retain, **caps_remove; /* either spelling, at most one list */
	char *seccomp;                     /* "mode=…,errno=…,names" */
	struct isolators isolators;        /* further ones, decoded; each kind replaces the image's */
};

struct pod_request {
	struct app_request *apps;
	size_t napps;
	struct volumes volumes;
	struct mounts mounts;                                  /* pod-global */
	struct isolators isolators;                            /* of the whole pod */
	struct port_specs ports;                               /* to publish */
	char **annotations, **user_annotations, **user_labels; /* K=V, of the whole pod */
	bool inherit_env;
	char **set_env;       /* K=V, strongest but for --environment */
	char **set_env_files; /* paths */
	bool no_overlay;
	bool private_users;   /* a user namespace with a range of ids of its own (userns.h) */
	bool mutable_pod;     /* starts without apps; stage0/mutable.h adds them */
	bool accept_unsigned; /* run what was imported without verification */
	const char *
		manifest_path; /* --pod-manifest, or NULL; then of the above only no_overlay and accept_unsigned count */
};

void app_request_done(struct app_request *a);
void pod_request_done(struct pod_request *r);

/*
 * Merge images and flags into a pod manifest, or read the one of --pod-manifest; checks references
 * between them (dangling mounts, duplicate names, ports that no app has, missing exec with its --exec remedy …) and that
 * every image was verified and may run here.  Environment, weakest first: --inherit-env, image, --set-env-file,
 * --set-env, --environment (the documented order; rkt 1.30 had the last three the other way round).
 * NULL and @e.
 */
struct pod_manifest *prepare_manifest(const struct pod_request *r, const struct store *s, struct err *e);

/*
 * Fill the locked pod directory: manifests, stage1, trees or copies, markers.  Nothing is synced to
 * disk (pod_to_prepared does that).  Copies instead of overlays, with a log_warn, where the file
 * system of the data directory cannot be the upper layer of one.
 */
int prepare_pod(const struct pod_request *r, const struct store *s, const struct stage1 *stage1,
		struct pod *p, struct err *e);
