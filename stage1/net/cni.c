/*
 * cni — the driver that asks plugins (cni.h, attachment.h).
 */
#include "stage1/net/cni.h"

#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "stage1/net/attachment.h"
#include "stage1/net/cniversion.h"
#include "stage1/net/plugin.h"
#include "stage1/net/result.h"
#include "stage1/net/standin.h"

/* Plugins that do nothing but write rules of the host's firewall, which somebody else may have flushed. */
static const char *const firewalls[] = { "portmap", "firewall" };

static const char *type_of(const struct attachment *a, size_t i)
{
	return json_string_value(json_member(json_array_get(a->conf->plugins, i), "type"));
}

static bool speaks(const struct attachment *a, enum cni_version from)
{
	struct err e = ERR_INIT;

	return cni_version_parse(a->conf->version, &e) >= (int)from;
}

static int call(const struct net_pod *p, const struct attachment *a, size_t i, const char *command,
		const json_t *prev, struct buf *out, struct err *e)
{
	auto_free char *config = cni_config(a->conf, i, prev, p->netns, a->runtime);
	auto_free char *args = cni_args(a->args ? a->args : "");
	const struct plugin_call c = { .type = type_of(a, i),
				       .dir = a->conf->dir,
				       .path = p->path,
				       .command = command,
				       .uuid = p->uuid,
				       .netns = p->netns,
				       .ifname = a->ifname,
				       .args = args,
				       .config = config,
				       .config_len = strlen(config) };

	return plugin_run(&c, out, e);
}

static int call_silent(const struct net_pod *p, const struct attachment *a, size_t i, const char *command,
		       const json_t *prev, struct err *e)
{
	auto_buf out = BUF_INIT;

	return call(p, a, i, command, prev, &out, e);
}

/* ---- ADD and DEL ---- */

/* All of them, last to first, however many fail; the first error is the answer. */
static int del_all(const struct net_pod *p, const struct attachment *a, const json_t *prev, struct err *e)
{
	struct err one = ERR_INIT;
	int r = 0;

	for (size_t i = json_array_size(a->conf->plugins); i > 0; i--) {
		if (call_silent(p, a, i - 1, "DEL", speaks(a, CNI_0_4_0) ? prev : NULL, &one) < 0 && r == 0)
			r = err_copy(e, &one);
	}
	return r;
}

/* Where the namespace is gone and rules depend on it, in a stand-in for it; these plugins fail there when the rules are gone already, and
 * without any namespace they do not. */
static int del(const struct net_pod *p, const struct attachment *a, struct err *e)
{
	struct net_pod shown = *p;
	struct err why = ERR_INIT;

	if (p->netns_fd >= 0 || !a->result || !net_conf_masquerades(a->conf))
		return del_all(p, a, a->result, e);
	auto_close int netns = standin_make(a, &why);
	if (netns < 0) {
		log_debug("stand-in for the pod's network namespace: %s", why.text);
		return del_all(p, a, a->result, e);
	}
	shown.netns_fd = netns;
	(void)snprintf(shown.netns, sizeof(shown.netns), "/proc/%d/fd/%d", (int)getpid(), netns);
	if (del_all(&shown, a, a->result, &why) == 0)
		return 0;
	log_debug("network \"%s\": %s", a->conf->name, why.text);
	return del_all(p, a, a->result, e);
}

/* One plugin: its answer takes the place of *@last. */
static int add_one(const struct net_pod *p, const struct attachment *a, size_t i, json_t **last,
		   struct err *e)
{
	auto_buf out = BUF_INIT;
	json_t *answer;

	if (call(p, a, i, "ADD", *last, &out, e) < 0)
		return -e->code;
	answer = cni_answer(&out, a->conf->version, e);
	if (!answer)
		return err_ctx(e, "plugin %s: ADD", type_of(a, i));
	json_decref(*last);
	*last = answer;
	return 0;
}

/* Is it one that we can use? */
static int check_answer(const struct attachment *a, const json_t *answer, struct err *e)
{
	struct net_result parsed;

	if (net_result_parse(answer, a->conf->version, a->ifname, &parsed, e) < 0) {
		e->code = EPROTO;
		return err_ctx(e, "plugin %s: ADD: malformed result",
			       type_of(a, json_array_size(a->conf->plugins) - 1));
	}
	net_result_done(&parsed);
	return 0;
}

/* Before anything is made, since what is made cannot be undone by who is not there either. */
static int find_all(const struct net_pod *p, const struct attachment *a, struct err *e)
{
	size_t n = json_array_size(a->conf->plugins);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		const struct plugin_call c = { .type = type_of(a, i), .dir = a->conf->dir, .path = p->path };

		r = plugin_find(&c, e);
	}
	return r;
}

static int add(const struct net_pod *p, struct attachment *a, struct err *e)
{
	auto_json last = NULL;
	struct err undo = ERR_INIT;
	size_t n = json_array_size(a->conf->plugins);
	int r = find_all(p, a, e);

	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < n; i++)
		r = add_one(p, a, i, &last, e);
	if (r == 0)
		r = check_answer(a, last, e);
	if (r == 0) {
		json_decref(a->result);
		a->result = steal_ptr(&last);
		return 0;
	}
	/* The plugin that failed may have done half of its work, and those after it bear a DEL. */
	if (del_all(p, a, last, &undo) < 0)
		return err_hint(e, "and it could not be undone: %s", undo.text);
	return -e->code;
}

/* ---- CHECK and repair ---- */

static bool is_firewall(const char *type)
{
	for (size_t i = 0; i < ARRAY_LEN(firewalls); i++) {
		if (strcmp(type, firewalls[i]) == 0)
			return true;
	}
	return false;
}

/* @command for each plugin, or for those that are (not) of the firewall, until one fails. */
enum which { ALL, FIREWALLS, OTHERS };

static int call_each(const struct net_pod *p, const struct attachment *a, const char *command,
		     enum which which, struct err *e)
{
	size_t n = json_array_size(a->conf->plugins);
	bool back = strcmp(command, "DEL") == 0;
	const json_t *prev = back && !speaks(a, CNI_0_4_0) ? NULL : a->result;

	for (size_t k = 0; k < n; k++) {
		size_t i = back ? n - 1 - k : k;

		if (which != ALL && is_firewall(type_of(a, i)) != (which == FIREWALLS))
			continue;
		if (call_silent(p, a, i, command, prev, e) < 0)
			return -e->code;
	}
	return 0;
}

static int need_result(const struct attachment *a, struct err *e)
{
	return a->result ? 0 : err_set(e, ERR_STATE, ENOENT, "network \"%s\" is not up", a->conf->name);
}

static bool can_check(const struct attachment *a)
{
	return speaks(a, CNI_0_4_0) && !a->conf->disable_check;
}

static int check(const struct net_pod *p, const struct attachment *a, struct err *e)
{
	if (!can_check(a))
		return err_set(e, ERR_INPUT, ENOTSUP, "network \"%s\": %s", a->conf->name,
			       a->conf->disable_check ? "its configuration says disableCheck"
						      : "no check before version 0.4.0 of CNI");
	return need_result(a, e) < 0 ? -e->code : call_each(p, a, "CHECK", ALL, e);
}

/* Whose ADD has just succeeded is not asked again: the portmap of CNI's own plugins 1.1.1 denies what it has done when a pod has
 * addresses of both families. */
static int reload(const struct net_pod *p, const struct attachment *a, struct err *e)
{
	int r = need_result(a, e);

	if (r == 0)
		r = call_each(p, a, "DEL", FIREWALLS, e);
	if (r == 0)
		r = call_each(p, a, "ADD", FIREWALLS, e);
	if (r == 0 && can_check(a))
		r = call_each(p, a, "CHECK", OTHERS, e);
	return r;
}

const struct net_driver net_driver_cni = { "cni", add, del, check, reload };
