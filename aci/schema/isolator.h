/*
 * isolator — resource and security limits of an app (formats.md section 7).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

enum isolator_kind {
	ISO_UNKNOWN, /* kept, reported, not applied */
	ISO_CPU,
	ISO_MEMORY,
	ISO_BLOCK_BANDWIDTH,
	ISO_BLOCK_IOPS,
	ISO_NETWORK_BANDWIDTH,
	ISO_CAPS_RETAIN,
	ISO_CAPS_REMOVE,
	ISO_SECCOMP_RETAIN,
	ISO_SECCOMP_REMOVE,
	ISO_NO_NEW_PRIVS,
	ISO_OOM_SCORE_ADJ,
	ISO_CPU_SHARES,
	ISO_SELINUX,
	ISO_APPARMOR,
	ISO_SYSCTL,
	/* beyond the specification, same grammar: */
	ISO_PIDS_LIMIT, /* "rkt.io/pids-limit": number of tasks */
	ISO_CPU_WEIGHT, /* "rkt.io/cpu-weight": 1 to 10000, 100 is ordinary */
	ISO_IO_WEIGHT,  /* "rkt.io/io-weight": the same for disks */
	ISO_IO_MAX,     /* "rkt.io/io-max": {DEVICE: {rbps, wbps, riops, wiops: quantity}} */
	ISO_RLIMITS,    /* "rkt.io/rlimits": {NAME: "SOFT[:HARD]"}, see rlimit.h */
	ISO_DEVICES,    /* "rkt.io/devices": [{source, target, access}], see device.h */
	ISO_LANDLOCK,   /* "rkt.io/landlock": [{path, access}], see pathrule.h */
	ISO_KINDS
};

struct isolator {
	char *name;
	enum isolator_kind kind;
	json_t *value; /* the value as given (own reference) */
	/* decoded, by kind: */
	int64_t limit; /* cpu: milli-cores; memory, block, network: base units; oom, shares: the number; -1 absent */
	int64_t request;
	char **set;     /* capabilities or syscalls */
	char *err_name; /* seccomp errno, or NULL */
	bool flag;      /* no-new-privileges */
};

struct isolators {
	struct isolator *v;
	size_t n;
};

void isolators_done(struct isolators *l);
void isolators_copy(struct isolators *to, const struct isolators *from);
/* The last isolator of @kind, or NULL. */
const struct isolator *isolators_get(const struct isolators *l, enum isolator_kind kind);
/* What @from has replaces what @to has of the same kind; cpu-weight and cpu-shares replace each other. */
void isolators_override(struct isolators *to, const struct isolators *from);
/* Remove every isolator of @kind. */
void isolators_drop(struct isolators *l, enum isolator_kind kind);

/* @app_scope: apply the set rules of app lists (one instance, conflicts). */
int isolators_from_json(const json_t *arr, const char *where, bool app_scope, struct isolators *ret,
			struct err *e);
json_t *isolators_to_json(const struct isolators *l);

/* Append one given as name and value (CLI flags), validated like a manifest's.  The reference to @value is
 * taken, whatever the result. */
int isolators_add(struct isolators *l, const char *name, json_t *value, struct err *e);

/* One limit of an "rkt.io/io-max" value that was decoded: @key of rbps, wbps, riops, wiops; -1 absent. */
int64_t isolator_io_max(const json_t *limits, const char *key);

/* Quantities of formats.md section 7.1, @scale 1 or 1000 (milli), rounded up; negative and overflow refused. */
int quantity_parse(const char *s, int64_t scale, int64_t *ret, struct err *e);
