/*
 * plugin — run one CNI plugin once (formats.md section 15.2, threats.md T47).
 *
 * A plugin is a program of the host's that writes at most PLUGIN_OUTPUT_MAX bytes and ends within PLUGIN_TIMEOUT_MS, or is
 * killed.  It gets a clean environment (CNI_* and PATH), no descriptor but 0 to 2, cwd "/" and a session of its own, and dies
 * with us.  Whatever it started and left behind, daemons too, is killed when it has ended, well or not: until then we are the subreaper of
 * our descendants (PR_SET_CHILD_SUBREAPER), so that nobody gets away by a double fork.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

#define PLUGIN_OUTPUT_MAX (1u << 20)
#define PLUGIN_TIMEOUT_MS 60000 /* RKT_CNI_TIMEOUT_MS changes it, for tests and for slow machines */

struct plugin_call {
	const char *type;    /* file name; refused unless [a-zA-Z0-9._-]+ and not beginning with a dot */
	const char *dir;     /* looked at first, or NULL */
	char *const *path;   /* then these; all together are CNI_PATH */
	const char *command; /* ADD, DEL, CHECK, VERSION */
	const char *uuid, *netns, *ifname, *args; /* @netns "": it is gone, which DEL bears */
	const char *config;                       /* JSON text for standard input */
	size_t config_len;
};

/* Its standard output into @out.  -ENOENT: there is no such plugin, with the directories that were tried; -ETIMEDOUT, -EFBIG: killed;
 * -EPROTO: it failed, with its own words ({code, msg, details}, else the end of its standard error). */
int plugin_run(const struct plugin_call *c, struct buf *out, struct err *e);

/* May a plugin be called so?  See struct plugin_call. */
bool plugin_type_valid(const char *type);

/* Is it there?  Looks at ->type, ->dir and ->path only.  -ENOENT as below, -EINVAL: no such type can be. */
int plugin_find(const struct plugin_call *c, struct err *e);

/* The directories that every network has: CNI_PATH of the caller, /usr/lib/rkt/plugins/net, /usr/lib/cni, /opt/cni/bin.
 * The caller frees. */
char **plugin_path(void);
