/*
 * cnibox — one network by the driver of CNI, without a pod.
 *
 *   cnibox add TOP NET[:ARGS] IFNAME NETNS STATE [PORTS]    TOP/net.d is the configuration, PORTS a JSON array of portMappings
 *   cnibox del|check|reload STATE NETNS
 *
 * NETNS is a path, or "" when the namespace is gone.  STATE is a file that is written before ADD and after it, as a pod's record is.
 * The last answer of an ADD goes to standard output, an error to standard error with exit status 254.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fsat.h"
#include "base/log.h"
#include "base/strv.h"
#include "stage1/net/attachment.h"
#include "stage1/net/cni.h"
#include "stage1/net/exact.h"
#include "stage1/net/plugin.h"

#define UUID      "0b0c0d0e-1234-4abc-8def-00112233aabb"
#define STATE_MAX (1u << 22)

static int die(const struct err *e)
{
	log_error("%s", e->text);
	return 254;
}

static int save(const char *state, const struct attachment *a, struct err *e)
{
	auto_json j = json_pack("{s:o, s:s, s:s, s:O, s:O*}", "conf", net_conf_save(a->conf), "args", a->args,
				"ifname", a->ifname, "runtime", a->runtime, "result", a->result);
	auto_free char *text = json_text(j, JSON_TABS);
	int r = write_file_at(AT_FDCWD, state, text, strlen(text), 0600, 0);

	return r < 0 ? err_sys(e, -r, "write %s", state) : 0;
}

static struct attachment *load(const char *state, struct err *e)
{
	auto_buf text = BUF_INIT;
	auto_json j = NULL;
	struct attachment *a;
	int r = read_file_at(AT_FDCWD, state, STATE_MAX, &text);

	if (r < 0) {
		(void)err_sys(e, -r, "read %s", state);
		return NULL;
	}
	j = json_parse(buf_str(&text), text.len, e);
	if (!j)
		return NULL;
	a = xcalloc(1, sizeof(*a));
	a->conf = net_conf_load(json_member(j, "conf"), e);
	a->args = xstrdup(json_string_value(json_member(j, "args")));
	(void)snprintf(a->ifname, sizeof(a->ifname), "%s", json_string_value(json_member(j, "ifname")));
	a->runtime = json_incref(json_member(j, "runtime"));
	a->result = json_incref(json_member(j, "result"));
	if (!a->conf) {
		attachment_free(a);
		return NULL;
	}
	return a;
}

static struct attachment *pick(const char *top, const char *net, const char *ifname, const char *ports,
			       struct err *e)
{
	const char *values[] = { net, NULL };
	auto_free const struct net_conf **confs = NULL;
	auto_free const char **args = NULL;
	struct attachment *a = NULL;
	struct net_confs all = { NULL, 0 };
	struct net_specs specs = { NETS_NAMED, NULL, 0 };
	size_t n = 0;

	if (net_specs_parse((char *const *)values, &specs, e) == 0 &&
	    net_confs_load(top, "/nonexistent", &all, e) == 0 &&
	    net_confs_pick(&all, &specs, &confs, &args, &n, e) == 0) {
		a = xcalloc(1, sizeof(*a));
		a->conf = net_conf_copy(confs[0]);
		a->args = xstrdup(args[0]);
		a->runtime = json_object();
		(void)snprintf(a->ifname, sizeof(a->ifname), "%s", ifname);
		if (ports)
			(void)json_object_set_new(a->runtime, "portMappings",
						  json_parse(ports, strlen(ports), e));
		if (cni_runtime_of_args(a->conf, a->args, a->runtime, e) < 0) {
			attachment_free(a);
			a = NULL;
		}
	}
	net_specs_done(&specs);
	net_confs_done(&all);
	return a;
}

static int open_pod(const char *netns, struct net_pod *p, struct err *e)
{
	*p = (struct net_pod){ .uuid = UUID, .pod_fd = FD_NONE, .netns_fd = FD_NONE, .path = plugin_path() };
	if (!*netns)
		return 0;
	p->netns_fd = open(netns, O_RDONLY | O_CLOEXEC);
	if (p->netns_fd < 0)
		return err_sys(e, errno, "open %s", netns);
	(void)snprintf(p->netns, sizeof(p->netns), "/proc/%d/fd/%d", (int)getpid(), p->netns_fd);
	return 0;
}

static int add(const struct net_pod *p, struct attachment *a, const char *state, struct err *e)
{
	auto_free char *text = NULL;
	int r = save(state, a, e);

	if (r == 0)
		r = net_driver_cni.add(p, a, e);
	if (r == 0)
		r = save(state, a, e);
	if (r == 0) {
		text = exact_text(a->result);
		(void)puts(text);
	}
	return r;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *verb;
		int (*const *run)(const struct net_pod *, const struct attachment *, struct err *);
	} verbs[] = { { "del", &net_driver_cni.del },
		      { "check", &net_driver_cni.check },
		      { "reload", &net_driver_cni.reload } };
	bool adding = argc >= 7 && strcmp(argv[1], "add") == 0;
	struct err e = ERR_INIT;
	struct attachment *a;
	struct net_pod p;
	int r = -1;

	log_setup("rkt: cnibox", LOG_NORMAL);
	if (!adding && argc != 4)
		return 99;
	a = adding ? pick(argv[2], argv[3], argv[4], argv[7], &e) : load(argv[2], &e);
	if (!a || open_pod(argv[adding ? 5 : 3], &p, &e) < 0)
		return die(&e);
	if (adding)
		r = add(&p, a, argv[6], &e);
	for (size_t i = 0; !adding && i < ARRAY_LEN(verbs); i++) {
		if (strcmp(argv[1], verbs[i].verb) == 0)
			r = (*verbs[i].run)(&p, a, &e);
	}
	attachment_free(a);
	strv_free(p.path);
	fd_close(&p.netns_fd);
	return r < 0 ? die(&e) : 0;
}
