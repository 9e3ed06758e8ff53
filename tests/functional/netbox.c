/*
 * netbox — the built-in networks without the program around them: one call of a driver or of the firewall, in the network
 * namespace that the caller is in, for a pod directory <data>/pods/run/UUID.
 *
 *	netbox add POD NETNS CONF IFNAME [ARGS]     CONF: the plugin as JSON with a "name"; the answer goes to POD/IFNAME.json
 *	netbox del POD NETNS CONF IFNAME            NETNS "-": it is gone
 *	netbox check|reload POD NETNS CONF IFNAME
 *	netbox fwset POD CONF IFNAME [PROTO,HOSTIP,HOSTPORT,PODPORT...]   prints forwarded=yes or no; HOSTIP "" is every
 *	netbox fwclear POD IFNAME                   IFNAME "": nothing is known of its addresses
 *	netbox fwpods
 *	netbox lock SECONDS-AS-COMMAND...           hold fw_lock and execute a command
 *	netbox bench N POD CONF                     prints medians in microseconds of N rounds, each with a namespace of its own
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fsat.h"
#include "base/json.h"
#include "base/num.h"
#include "base/path.h"
#include "base/strv.h"
#include "stage1/net/attachment.h"
#include "stage1/net/fw.h"
#include "stage1/net/subnet.h"

static int fail(const struct err *e)
{
	fprintf(stderr, "netbox: %s\n", e->text);
	return 254;
}

static int usage(void)
{
	fprintf(stderr, "netbox: wrong arguments\n");
	return 99;
}

static void open_pod(const char *dir, const char *netns, struct net_pod *ret)
{
	*ret = (struct net_pod){ .pod_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				 .netns_fd = FD_NONE };
	(void)snprintf(ret->uuid, sizeof(ret->uuid), "%s", path_base(dir));
	if (strcmp(netns, "-") != 0) {
		ret->netns_fd = open(netns, O_RDONLY | O_CLOEXEC);
		(void)snprintf(ret->netns, sizeof(ret->netns), "/proc/%d/fd/%d", (int)getpid(),
			       ret->netns_fd);
	}
	if (ret->pod_fd < 0 || (ret->netns_fd < 0 && strcmp(netns, "-") != 0)) {
		perror("netbox: open");
		exit(99);
	}
}

static json_t *plugin_of(const char *conf)
{
	struct err e = ERR_INIT;
	json_t *j = json_parse(conf, strlen(conf), &e);

	if (!j)
		exit(fail(&e));
	return j;
}

static bool flag_of(const char *conf, const char *key)
{
	auto_json j = plugin_of(conf);

	return json_is_true(json_member(j, key));
}

/* The attachment, with its answer when there is one. */
static struct attachment *attach(const struct net_pod *p, const char *conf, const char *ifname,
				 const char *args)
{
	struct attachment *a = xcalloc(1, sizeof(*a));
	auto_free char *file = xasprintf("%s.json", ifname);
	auto_buf text = BUF_INIT;
	struct err e = ERR_INIT;
	json_t *plugin = plugin_of(conf);

	(void)snprintf(a->ifname, sizeof(a->ifname), "%s", ifname);
	a->args = xstrdup(args);
	a->conf = xcalloc(1, sizeof(*a->conf));
	a->conf->name = xstrdup(json_string_value(json_member(plugin, "name")));
	a->conf->plugins = json_array();
	json_array_append_new(a->conf->plugins, plugin);
	if (read_file_at(p->pod_fd, file, 65536, &text) == 0)
		a->result = json_parse(text.data, text.len, &e);
	return a;
}

static void detach(struct attachment *a)
{
	free(a->args);
	free(a->conf->name);
	json_decref(a->conf->plugins);
	free(a->conf);
	json_decref(a->result);
	free(a);
}

static int driver_verb(const char *verb, char **v, int n)
{
	struct net_pod p;
	struct err e = ERR_INIT;
	auto_free char *file = xasprintf("%s.json", v[3]);
	const struct net_driver *d = &net_driver_builtin;
	int r;

	open_pod(v[0], v[1], &p);
	struct attachment *a = attach(&p, v[2], v[3], n > 4 ? v[4] : "");
	if (strcmp(verb, "add") == 0) {
		r = d->add(&p, a, &e);
		if (r == 0) {
			auto_free char *text = json_text(a->result, JSON_LINE);

			r = write_file_at(p.pod_fd, file, text, strlen(text), 0644, 0);
			puts(text);
		}
	} else if (strcmp(verb, "del") == 0) {
		r = d->del(&p, a, &e);
		(void)unlinkat(p.pod_fd, file, 0);
	} else {
		r = strcmp(verb, "check") == 0 ? d->check(&p, a, &e) : d->reload(&p, a, &e);
	}
	detach(a);
	close(p.pod_fd);
	fd_close(&p.netns_fd);
	return r < 0 ? fail(&e) : 0;
}

/* Addresses of an answer as the built-in driver gives it. */
static void addresses(const json_t *answer, struct net_result *ret)
{
	const json_t *ips = json_member(answer, "ips");
	struct err e = ERR_INIT;

	*ret = (struct net_result){ .v = xcalloc(json_array_size(ips) + 1, sizeof(*ret->v)) };
	for (size_t i = 0; i < json_array_size(ips); i++) {
		const char *text = json_string_value(json_member(json_array_get(ips, i), "address"));
		auto_free char *host = xstrndup(text, strcspn(text, "/"));
		uint32_t prefix = 0;

		if (subnet_parse_addr(host, &ret->v[i], &e) < 0 ||
		    parse_u32(text + strlen(host) + 1, &prefix) < 0)
			exit(fail(&e));
		ret->v[i].prefix = (uint8_t)prefix;
		ret->n++;
	}
}

static void port_of(const char *text, struct port_map *ret)
{
	auto_strv v = strv_split(text, ',');
	struct net_addr host = { .family = AF_UNSPEC };
	struct err e = ERR_INIT;
	uint32_t from = 0, to = 0;

	if (strv_len(v) != 4 || (*v[1] && subnet_parse_addr(v[1], &host, &e) < 0) ||
	    parse_u32(v[2], &from) < 0 || parse_u32(v[3], &to) < 0)
		exit(usage());
	*ret = (struct port_map){ .protocol = strcmp(v[0], "tcp") == 0 ? IPPROTO_TCP : IPPROTO_UDP,
				  .family = host.family,
				  .host_port = (uint16_t)from,
				  .pod_port = (uint16_t)to };
	memcpy(&ret->host, &host.addr, sizeof(ret->host));
}

static int set(const struct net_pod *p, const struct attachment *a, const char *conf, char **ports, size_t n,
	       bool *ret_forwarded, struct err *e)
{
	struct port_map *maps = xcalloc(n + 1, sizeof(*maps));
	struct port_maps all = { maps, n };
	struct net_result result;

	for (size_t i = 0; i < n; i++)
		port_of(ports[i], &maps[i]);
	addresses(a->result, &result);
	struct fw_net net = { .result = &result,
			      .masquerade = flag_of(conf, "ipMasq"),
			      .ports = true,
			      .isolated = !flag_of(conf, "defaultRoute") };
	struct fw_pod pod = { .uuid = p->uuid, .nets = &net, .nnets = 1, .ports = &all };
	auto_close int lock = fw_lock(e);
	int r = lock < 0 ? lock : fw_set(&pod, ret_forwarded, e);
	free(maps);
	free(result.v);
	return r;
}

static int fwset(char **v, int n)
{
	struct net_pod p;
	struct err e = ERR_INIT;
	bool forwarded = false;

	open_pod(v[0], "-", &p);
	struct attachment *a = attach(&p, v[1], v[2], "");
	int r = set(&p, a, v[1], v + 3, (size_t)n - 3, &forwarded, &e);
	detach(a);
	close(p.pod_fd);
	if (r < 0)
		return fail(&e);
	printf("forwarded=%s\n", forwarded ? "yes" : "no");
	return 0;
}

static int clear(const struct net_pod *p, const struct attachment *a, int *ret_last, struct err *e)
{
	struct net_result gone;

	addresses(a ? a->result : NULL, &gone);
	auto_close int lock = fw_lock(e);
	int r = lock < 0 ? lock : fw_clear(p->uuid, &gone, ret_last, e);
	free(gone.v);
	return r;
}

static int fwclear(char **v)
{
	struct net_pod p;
	struct err e = ERR_INIT;

	open_pod(v[0], "-", &p);
	struct attachment *a = *v[1] ? attach(&p, "{\"name\":\"none\"}", v[1], "") : NULL;
	int r = clear(&p, a, NULL, &e);
	if (a)
		detach(a);
	close(p.pod_fd);
	return r < 0 ? fail(&e) : 0;
}

static int fwpods(void)
{
	auto_strv pods = NULL;
	struct err e = ERR_INIT;

	if (fw_pods(&pods, &e) < 0)
		return fail(&e);
	for (size_t i = 0; pods && pods[i]; i++)
		puts(pods[i]);
	return 0;
}

static int hold(char **v)
{
	struct err e = ERR_INIT;
	int lock = fw_lock(&e);

	if (lock < 0)
		return fail(&e);
	(void)fcntl(lock, F_SETFD, 0);
	execvp(v[0], v);
	return 99;
}

/* ---- bench -------------------------------------------------------------------------------------- */

static double now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;

	return d < 0 ? -1 : d > 0;
}

#define PHASES 5
static const char *const phases[PHASES] = { "add", "fw_set", "fw_clear", "del", "close" };

/* One pod in and out; what each phase took into @t. */
static int round_trip(const char *pod, const char *conf, double t[PHASES], struct err *e)
{
	char udp[] = "udp,,5300,53", tcp[] = "tcp,,8080,80";
	char *ports[] = { tcp, udp };
	struct net_pod p;
	bool forwarded;
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	open_pod(pod, "-", &p);
	if (unshare(CLONE_NEWNET) < 0)
		return err_sys(e, errno, "unshare");
	p.netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (setns(home, CLONE_NEWNET) < 0)
		return err_sys(e, errno, "setns");
	struct attachment *a = attach(&p, conf, "eth0", "");
	double at[6] = { now() };
	int last = FD_NONE;
	int r = net_driver_builtin.add(&p, a, e);
	at[1] = now();
	if (r == 0)
		r = set(&p, a, conf, ports, 2, &forwarded, e);
	at[2] = now();
	if (r == 0)
		r = clear(&p, a, &last, e);
	at[3] = now();
	if (r == 0)
		r = net_driver_builtin.del(&p, a, e);
	at[4] = now();
	fd_close(&last);
	at[5] = now();
	for (size_t i = 0; i < PHASES; i++)
		t[i] = at[i + 1] - at[i];
	detach(a);
	close(p.netns_fd);
	close(p.pod_fd);
	close(home);
	return r;
}

static int bench(char **v)
{
	uint32_t n = 0;
	struct err e = ERR_INIT;

	if (parse_u32(v[0], &n) < 0 || !n || n > 10000)
		return usage();
	double *all = xcalloc(n, PHASES * sizeof(*all));
	for (uint32_t i = 0; i < n; i++) {
		double t[PHASES];

		if (round_trip(v[1], v[2], t, &e) < 0)
			return fail(&e);
		for (size_t k = 0; k < PHASES; k++)
			all[k * n + i] = t[k];
	}
	for (size_t k = 0; k < PHASES; k++) {
		qsort(all + k * n, n, sizeof(*all), by_size);
		printf("%s min %.0f median %.0f\n", phases[k], all[k * n], all[k * n + n / 2]);
	}
	free(all);
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	char **v = argv + 2;
	int n = argc - 2;

	if (strcmp(verb, "fwpods") == 0)
		return fwpods();
	if (strcmp(verb, "fwset") == 0 && n >= 3)
		return fwset(v, n);
	if (strcmp(verb, "fwclear") == 0 && n == 2)
		return fwclear(v);
	if (strcmp(verb, "lock") == 0 && n >= 1)
		return hold(v);
	if (strcmp(verb, "bench") == 0 && n == 3)
		return bench(v);
	if (n >= 4)
		return driver_verb(verb, v, n);
	return usage();
}
