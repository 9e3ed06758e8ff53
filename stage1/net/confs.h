/*
 * confs — which networks are there?  (cli.md section 7.3, formats.md section 15.1)
 *
 * Files *.conf, *.conflist and *.json directly below LOCAL/net.d, then SYSTEM/net.d, then the built-in networks: of one name
 * the first counts.  Only regular files: symbolic links and names that begin with a dot are passed over, as everywhere in the
 * configuration.  A file that has no "plugins" is a list of one.  The order of a pod's interfaces is that of the
 * files' base names; built-in networks are "99-default.conf" and "99-default-restricted.conf".
 *
 * Plugins are kept as exact.h reads them: they are the plugins' business and go to them as they are.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/json.h"
#include "schema/netspec.h"

#define NET_TYPE_BUILTIN "rkt-ptp" /* plugin type that we are ourselves (builtin.h) */

struct net_conf {
	char *name;
	char *version;   /* cniVersion; "0.1.0" when the file has none */
	char *file;      /* where it was read; NULL: built in */
	char *dir;       /* its directory, where plugins are looked for first; NULL */
	char *base;      /* base name of the file, which orders networks */
	json_t *plugins; /* array of objects, as in the file */
	bool disable_check;
};

struct net_confs {
	struct net_conf **v; /* ordered by base name */
	size_t n;
};

/* One configuration from its text; ->file and ->dir are NULL.  @base: see struct net_conf.  NULL with @e set, which names the member
 * at fault but not the file.  The caller frees with net_conf_free. */
struct net_conf *net_conf_parse(const char *text, size_t len, const char *base, struct err *e);

/*
 * All of them.  Missing directories are fine.  An unreadable or unparsable file, a name or a type that no file name may have
 * (threats.md R26: "../../x"), a plugin that names another version than its list, and a version that we do not speak are errors
 * that name the file: ERR_INPUT.  The second file of a name in one directory is passed over with a warning.
 */
int net_confs_load(const char *local_config, const char *system_config, struct net_confs *ret, struct err *e);
void net_confs_done(struct net_confs *l);

/* Those that @s asks for, in order of their base names, each with its arguments: borrowed pointers in the arrays *ret and
 * *ret_args (the caller frees both arrays), *n long.  -ENOENT: `network "x" is not configured`, and which names there are. */
int net_confs_pick(const struct net_confs *l, const struct net_specs *s, const struct net_conf ***ret,
		   const char ***ret_args, size_t *n, struct err *e);

/* As it is kept in a pod's record, and back.  net_conf_load: NULL and @e if it is none. */
json_t *net_conf_save(const struct net_conf *c);
struct net_conf *net_conf_load(const json_t *j, struct err *e);
struct net_conf *net_conf_copy(const struct net_conf *c);
void net_conf_free(struct net_conf *c);

/* Does one of its plugins declare this capability ("portMappings")? */
bool net_conf_can(const struct net_conf *c, const char *capability);
/* Is what leaves through it hidden behind the host's address: ipMasq of any plugin? */
bool net_conf_masquerades(const struct net_conf *c);
