/*
 * cni — what the driver "cni" puts together for plugins and takes from them (formats.md section 15.2).
 *
 * The driver itself is net_driver_cni (attachment.h).  ADD goes along the list, each plugin getting the answer of the one before; DEL goes
 * back, with the last answer; an ADD that fails is followed by DEL of the whole list.
 *
 * A DEL needs no namespace, but is better with one: bridge and ptp of CNI's plugins 1.1.1 read there what they masqueraded ("ipMasq"), so
 * they are shown one like it when it is gone (standin.h).
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "stage1/net/confs.h"

/*
 * What --net=NAME:@args says of capabilities that a plugin of @c declares, into the object @runtime: "ips" from IP, IP6 and ips, "mac" from MAC
 * and mac, "bandwidth" from ingressRate, ingressBurst, egressRate and egressBurst.  Arguments stay arguments, too: every plugin
 * sees them in CNI_ARGS.  -EINVAL (ERR_USAGE): a value that is no address, no rate, or a rate without its burst.
 */
int cni_runtime_of_args(const struct net_conf *c, const char *args, json_t *runtime, struct err *e);

/* CNI_ARGS: @args, and that plugins shall bear what they do not know.  The caller frees. */
char *cni_args(const char *args);

/* Configuration of plugin @i of @c: its object with name and version of the list, "prevResult" if @prev is not NULL, and of
 * @runtime what it declares.  Interfaces of @prev that are in a sandbox are said to be in @netns ("": in one that nobody can open): its path is
 * another one in each of our processes, and plugins compare.  JSON text; the caller frees. */
char *cni_config(const struct net_conf *c, size_t i, const json_t *prev, const char *netns,
		 const json_t *runtime);

/* Answer to an ADD under @version; a plugin that says another version is converted where the shapes permit.  New reference.  NULL with @e (-EPROTO):
 * nothing, no JSON, an error with exit status 0, another shape. */
json_t *cni_answer(const struct buf *out, const char *version, struct err *e);
