/*
 * stage1 — choose a stage1 and call its entrypoints (stage1/CONTRACT.md, internals.md section 2).
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "stage0/config.h"
#include "stage0/fetchclient.h"
#include "stage0/pod.h"
#include "stage0/store.h"

/* How the user named it; at most one is set (cli.md section 7.4). */
struct stage1_choice {
	const char *name, *hash, *url, *path, *from_dir;
};

struct stage1 {
	char *manifest; /* image manifest text */
	char *dir; /* absolute directory whose rootfs/ holds the entrypoints: an installed flavor or a store tree */
	char *tree_id; /* image id if it came from the store, else NULL */
	bool native; /* annotation CONTRACT_NATIVE: assembles the apps' roots itself from the store's trees */
	bool gc_by_record;     /* annotation CONTRACT_GC_RECORD: see there */
	int interface_version; /* 1 … 6 */
};

/* Resolve the choice, or the configured or default one (the installed flavor "ns").  A name such as
 * "coreos.com/rkt/stage1-fly" or "stage1-fly.aci" that equals an installed flavor is that flavor. */
int stage1_select(const struct stage1_choice *c, const struct config *cfg, const struct store *s,
		  const struct fetch_env *fe, struct stage1 *ret, struct err *e);
void stage1_done(struct stage1 *s);

/* Write stage1/manifest, stage1/rootfs, stage1TreeStoreID and stage1-path into a pod being prepared. */
int stage1_install(const struct stage1 *s, const struct pod *p, struct err *e);
/* Read back what stage1_install wrote. */
int stage1_of_pod(const struct pod *p, struct stage1 *ret, struct err *e);
/* The same for one pod after the other, into ->s, which is kept while they have the same installed flavor;
 * zero-initialisable. */
struct stage1_memo {
	struct stage1 s;
	bool installed; /* its manifest is the one beside its programs */
};
int stage1_of_next_pod(const struct pod *p, struct stage1_memo *m, struct err *e);
void stage1_memo_done(struct stage1_memo *m);

/* Options of `run`; those above the interface version are dropped with a warning (hostname, dns, ipc). */
struct run_options {
	bool debug, interactive, mutable_pod;
	bool fresh;       /* nobody has seen this pod yet: it may vanish if it does not start */
	char *const *net; /* strv of --net values; NULL means "default" */
	const char *local_config, *system_config;
	char *private_users;  /* "SHIFT:COUNT" or NULL */
	const char *hostname; /* or NULL */
	const char *dns_mode; /* "resolv=…,hosts=…" or NULL */
	const char *ipc;      /* or NULL */
	bool insecure_caps, insecure_paths, insecure_seccomp;
};

/* Become the pod's supervisor: cwd = pod directory, RKT_LOCK_FD, execve.  Returns only on error. */
int stage1_exec_run(const struct stage1 *s, struct pod *p, const struct run_options *o, struct err *e);
/* Become the entered command. */
int stage1_exec_enter(const struct stage1 *s, const struct pod *p, pid_t init_pid, const char *app,
		      char *const *argv, struct err *e);
/* Replace this process by the attach entrypoint: the streams of @app, @mode being its arguments --action and what
 * goes with it (internals.md section 2.4).  -ENOSYS when the stage1 has none. */
int stage1_exec_attach(const struct stage1 *s, const struct pod *p, const char *app, bool debug,
		       char *const *mode, struct err *e);
/* Does it have the entrypoints of mutable pods?  -ENOTSUP with a remedy. */
int stage1_require_mutable(const struct stage1 *s, struct err *e);
enum stage1_app_call { STAGE1_APP_ADD, STAGE1_APP_START, STAGE1_APP_STOP, STAGE1_APP_RM };
/* Call an app entrypoint of a running pod and wait.  0; 1 when stop found nothing running; else what it said
 * on standard error is the error. */
int stage1_call_app(const struct stage1 *s, const struct pod *p, enum stage1_app_call what, const char *app,
		    bool debug, struct err *e);
/* Run gc or stop and wait; *ret_status its exit status.  -ENOSYS when the image has no such entrypoint. */
int stage1_call_gc(const struct stage1 *s, const struct pod *p, bool debug, const char *local_config,
		   struct err *e);
int stage1_call_stop(const struct stage1 *s, const struct pod *p, bool force, struct err *e);
