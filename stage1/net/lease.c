/*
 * lease — see lease.h.
 *
 * Every change is made under the network's lock.  So a file without a whole line in it is what a crash left, and nobody's: the next one
 * who gives an address back takes it away.
 */
#include "stage1/net/lease.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/lock.h"
#include "schema/netspec.h"
#include "stage1/net/rtnl.h"
#include "stage1/net/subnet.h"

/* From a pod directory, <data>/pods/<state>/UUID. */
#define TO_DATA   "../../../"
#define TO_RUN    "../../run/"
#define LOCK      "lock"
#define LINE_MAX  128
#define TRIES_MAX 100000 /* each is a system call or three; a subnet of IPv6 has no end */

struct pool {
	int dir, lock;
	struct net_addr last[2]; /* IPv4, IPv6; family 0: none */
};

static void pool_done(struct pool *l)
{
	fd_close(&l->dir);
	fd_close(&l->lock);
}
#define auto_pool __attribute__((cleanup(pool_done))) struct pool
#define POOL_INIT                                                                                            \
	{                                                                                                    \
		FD_NONE, FD_NONE,                                                                            \
		{                                                                                            \
			{ 0 },                                                                               \
			{                                                                                    \
				0                                                                            \
			}                                                                                    \
		}                                                                                            \
	}

/* At most one line of a small file: "" when there is none or it has no end. */
static void read_line(int dir, const char *name, char out[LINE_MAX])
{
	auto_close int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = fd < 0 ? 0 : read_full(fd, out, LINE_MAX - 1);

	out[n > 0 ? n : 0] = '\0';
	char *end = strchr(out, '\n');
	if (end)
		*end = '\0';
	else
		out[0] = '\0';
}

static struct net_addr *last_of(struct pool *l, int family)
{
	return &l->last[family == AF_INET6];
}

/* "172.16.28.7 fd72::7": either may be missing.  What cannot be read costs the order, nothing else. */
static void read_last(struct pool *l)
{
	char line[LINE_MAX];
	struct err none = ERR_INIT;

	read_line(l->dir, LOCK, line);
	for (char *at = line, *word; (word = strsep(&at, " "));) {
		struct net_addr a;

		if (subnet_parse_addr(word, &a, &none) == 0)
			*last_of(l, a.family) = a;
	}
}

static void write_last(struct pool *l, const struct net_addr *a)
{
	auto_buf line = BUF_INIT;
	char text[INET6_ADDRSTRLEN];

	*last_of(l, a->family) = *a;
	for (size_t i = 0; i < ARRAY_LEN(l->last); i++) {
		if (l->last[i].family)
			buf_addf(&line, "%s%s", line.len ? " " : "", net_addr_text(&l->last[i], text));
	}
	buf_addc(&line, '\n');
	if (pwrite(l->lock, line.data, line.len, 0) == (ssize_t)line.len)
		(void)!ftruncate(l->lock, (off_t)line.len);
}

/* @make false: -ENOENT when nobody ever had an address of this network. */
static int pool_open(const struct net_pod *p, const char *network, bool make, struct pool *ret, struct err *e)
{
	auto_free char *path = xasprintf(TO_DATA "net/%s", network);

	if (!net_name_valid(network))
		return err_set(e, ERR_INPUT, EINVAL, "\"%.100s\" is no name of a network", network);
	int r = make ? mkdir_p_at(p->pod_fd, path, 0755) : 0;
	if (r == 0) {
		ret->dir = openat(p->pod_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = ret->dir < 0 ? -errno : 0;
	}
	if (r == 0)
		r = ret->lock = lock_file_at(ret->dir, LOCK, LOCK_EXCL, true);
	if (r < 0)
		return err_sys(e, -r, "open the addresses of network %s", network);
	read_last(ret);
	return 0;
}

/* Does the pod run whose lease says @line? */
static bool lives(const struct net_pod *p, const char *line)
{
	char uuid[UUID_LEN + 1], path[sizeof(TO_RUN) + UUID_LEN];

	(void)snprintf(uuid, sizeof(uuid), "%.36s", line);
	/* Our own: an add of before that did not come to its end. */
	if (!uuid_valid(uuid) || strcmp(uuid, p->uuid) == 0)
		return false;
	(void)snprintf(path, sizeof(path), TO_RUN "%s", uuid);
	auto_close int fd = openat(p->pod_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && lock_probe(fd) != 0;
}

static int put(const struct pool *l, const char *name, const char *line, struct err *e)
{
	auto_close int fd = openat(l->dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	int r = fd < 0 ? -errno : write_full(fd, line, strlen(line));

	if (r < 0)
		return err_sys(e, -r, "note that %s is taken", name);
	return 0;
}

/* 0: it is ours now; 1: somebody else's. */
static int try_one(const struct net_pod *p, struct pool *l, struct rtnl *r, const char *line,
		   const struct net_addr *subnet, const struct net_addr *a, struct err *e)
{
	char name[INET6_ADDRSTRLEN], owner[LINE_MAX];

	(void)net_addr_text(a, name);
	read_line(l->dir, name, owner);
	if (owner[0] && lives(p, owner))
		return 1;
	int length = rtnl_route_match(r, a, e);
	if (length < 0)
		return length;
	if (length > subnet->prefix)
		return 1;
	if (length == subnet->prefix)
		return err_set(e, ERR_STATE, EADDRINUSE,
			       "the host has a route to the network of %s: not ours", name);
	int q = put(l, name, line, e);
	if (q == 0)
		write_last(l, a);
	return q;
}

static int take_next(const struct net_pod *p, struct pool *l, struct rtnl *r, const char *line,
		     const struct net_addr *subnet, struct net_addr *ret, struct err *e)
{
	struct net_addr a = *last_of(l, subnet->family), first;

	if (a.family != subnet->family)
		a = *subnet;
	subnet_next(subnet, &a);
	first = a;
	for (int i = 0; i < TRIES_MAX; i++) {
		int q = try_one(p, l, r, line, subnet, &a, e);

		if (q <= 0) {
			*ret = a;
			return q;
		}
		subnet_next(subnet, &a);
		if (subnet_same(&a, &first))
			break;
	}
	return err_set(e, ERR_STATE, ENOSPC, "every address is taken");
}

int lease_take(const struct net_pod *p, const char *network, const char *ifname,
	       const struct net_addr *subnet, const struct net_addr *wanted, struct net_addr *ret,
	       struct err *e)
{
	auto_pool l = POOL_INIT;
	auto_rtnl r = { 0 };
	auto_free char *line = xasprintf("%s %s\n", p->uuid, ifname);
	char text[INET6_ADDRSTRLEN];
	struct net_addr a;

	if (wanted && !subnet_usable(subnet, wanted))
		return err_set(e, ERR_INPUT, EADDRNOTAVAIL, "%s is no address for a pod of network %s",
			       net_addr_text(wanted, text), network);
	int q = pool_open(p, network, true, &l, e);
	if (q == 0)
		q = rtnl_open(&r, e);
	if (q < 0)
		return q;
	if (wanted) {
		a = *wanted;
		q = try_one(p, &l, &r, line, subnet, &a, e);
		if (q > 0)
			q = err_set(e, ERR_STATE, EADDRINUSE, "%s is taken", net_addr_text(&a, text));
	} else {
		q = take_next(p, &l, &r, line, subnet, &a, e);
	}
	if (q < 0)
		return err_ctx(e, "address in network %s", network);
	*ret = a;
	ret->prefix = subnet->prefix;
	return 0;
}

int lease_drop(const struct net_pod *p, const char *network, struct err *e)
{
	auto_pool l = POOL_INIT;
	auto_closedir DIR *d = NULL;
	char owner[LINE_MAX];
	int r = pool_open(p, network, false, &l, e);

	if (r == -ENOENT) {
		err_clear(e);
		return 0;
	}
	if (r < 0)
		return r;
	int again = openat(l.dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (again < 0 || !(d = fdopendir(again))) {
		r = err_sys(e, errno, "list the addresses of network %s", network);
		fd_close(&again);
		return r;
	}
	for (struct dirent *de; (de = readdir(d));) {
		if (de->d_name[0] == '.' || strcmp(de->d_name, LOCK) == 0)
			continue;
		read_line(l.dir, de->d_name, owner);
		if ((!owner[0] || strncmp(owner, p->uuid, UUID_LEN) == 0) &&
		    unlinkat(l.dir, de->d_name, 0) < 0)
			return err_sys(e, errno, "give %s back to network %s", de->d_name, network);
	}
	return 0;
}
