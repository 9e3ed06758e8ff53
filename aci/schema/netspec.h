/*
 * netspec — the values of --net (cli.md section 7.3).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct net_spec {
	char *name;
	char *args; /* "K=V;K=V", "" when none */
};

enum net_kind {
	NETS_NAMED, /* those in .v */
	NETS_ALL,   /* every network that is configured */
	NETS_NONE,  /* a namespace with the loopback interface only */
	NETS_HOST,  /* the caller's namespace */
};

struct net_specs {
	enum net_kind kind;
	struct net_spec *v;
	size_t n;
};

/*
 * @values: strv, one NAME[:ARGS] each; NULL or empty means "default".  "host" wins over everything else, then "none", then
 * "all".  -EINVAL (ERR_USAGE): an empty or impossible name, a name twice, arguments of host, none or all, arguments that are not K=V;K=V.
 * The caller frees with net_specs_done.
 */
int net_specs_parse(char *const *values, struct net_specs *ret, struct err *e);
void net_specs_done(struct net_specs *s);

/* A name that a network can have: [a-zA-Z0-9][a-zA-Z0-9_.-]*. */
bool net_name_valid(const char *s);

/* Value of @key in "K=V;K=V" as a heap string, or NULL. */
char *net_args_get(const char *args, const char *key);
