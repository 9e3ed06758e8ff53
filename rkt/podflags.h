/*
 * podflags — the options that run, prepare and others share (cli.md sections 7 and 8), as tables
 * over one struct.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/opt.h"
#include "rkt/appargs.h"
#include "rkt/cli.h"
#include "schema/portspec.h"
#include "stage0/dns.h"
#include "stage0/stage1.h"

enum pull_policy {
	PULL_NEW,    /* what is in the store wins */
	PULL_UPDATE, /* ask the source, which may say "unchanged" */
	PULL_NEVER,  /* the store or nothing */
};

struct pull_args {
	char *policy;
	bool store_only, no_store; /* deprecated spellings of never and update */
};

/* The one policy that is meant; both deprecated options at once are an error. */
int pull_policy_of(const struct pull_args *a, enum pull_policy *ret, struct err *e);

/* Choice of stage1, one option of the five. */
struct stage1_args {
	char *option; /* which one was given */
	char *value;
};

struct stage1_choice stage1_args_choice(const struct stage1_args *a);

/* Everything that run, prepare and run-prepared can say. */
struct pod_args {
	struct pull_args pull;
	struct stage1_args stage1;
	struct app_args apps;
	struct volumes volumes;
	struct isolators isolators; /* of the whole pod */
	struct port_specs ports;    /* to publish */
	bool private_users;
	bool inherit_env, no_overlay, interactive, quiet;
	char **set_env;       /* K=V, each key once */
	char **set_env_files; /* paths */
	char *pod_manifest, *uuid_file_save;
	char *hostname, *ipc;
	struct dns dns;
	char *dns_mode;   /* for stage1, from podflags_dns_mode; NULL: nothing was said */
	char **net;       /* NAME[:ARGS], each name once; NULL: not given */
	bool mutable_pod; /* app sandbox: no images, apps come later */
	char **annotations, **user_annotations, **user_labels; /* app sandbox: K=V */
};

void pod_args_done(void *args);

/* Is there something that --pod-manifest excludes?  Checks also what run and prepare have in common. */
int pod_args_check(struct cli *c, const struct pod_args *a, struct err *e);

extern const struct opt podflags_pull[];    /* struct pod_args: --pull-policy new … */
extern const struct opt podflags_prepare[]; /* what shapes the pod's apps: environment, manifest */
extern const struct opt podflags_pod[]; /* what an empty pod has too: volumes, overlay, kernel parameters */
extern const struct opt podflags_stage1[];    /* --stage1-… */
extern const struct opt podflags_runtime[];   /* --net, --hostname … */
extern const struct opt podflags_dns[];       /* --dns, --hosts-entry … (dnsflags.c) */
extern const struct opt podflags_terminal[];  /* --interactive */
extern const struct opt podflags_app[];       /* OPT_APP, struct app_arg: of run and prepare */
extern const struct opt podflags_isolators[]; /* OPT_APP: --memory, --caps-retain … */
extern const struct opt podflags_limits[]; /* OPT_APP: --pids-limit, --rlimit, --device … (limitflags.c) */
extern const struct opt podflags_signature[]; /* OPT_APP: --signature */

/* Check the name service options as a whole and set dns_mode. */
int podflags_dns_mode(struct pod_args *a, struct err *e);

/* Ports are published by networks of the pod's own: @net is the strv of --net.  (cli.md section 9.1) */
int podflags_check_net(char *const *net, struct err *e);

/* An OPT_CALL row of ports of a pod whose apps are not known yet: NAME:PROTO:PODPORT:HOSTIP:HOSTPORT. */
int podflags_add_full_port(void *args, const struct opt *o, const char *value, struct err *e);

/* An OPT_CALL row of NAME=VALUE pairs: the later one of the same name wins.  The names of environment and annotation
 * are checked. */
int podflags_set_pair(void *args, const struct opt *o, const char *value, struct err *e);

/* struct cli .parse of run and prepare. */
int pod_args_parse(struct cli *c, struct err *e);
