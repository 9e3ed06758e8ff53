/* netcall — see netcall.h. */
#include "stage1/lib/netcall.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "stage1/contract.h"
#include "stage1/lib/mnt.h"
#include "stage1/lib/netfiles.h"
#include "stage1/lib/sandbox.h"
#include "stage1/lib/supervise.h"
#include "stage1/net/answer.h"

#define END_MS 5000 /* for a program that has nothing left to do but to end */

bool netcall_wanted(const struct sandbox *s)
{
	return (s->flavor->namespaces(s->ctx) & CLONE_NEWNET) && !strv_has(s->ctx->net, "none");
}

/* ---- the program ---- */

/* Only what is for it or for plugins: an image or a unit decides about nothing that runs on the host. */
static char **environment(void)
{
	static const char *const passed[] = { CONTRACT_NET_ENVIRONMENT, CONTRACT_SYSTEM_CONFIG, NULL };
	char **env = NULL;

	env_pass(&env, passed);
	return env;
}

/* It lies beside us in the stage1's tree. */
static int program(char path[PATH_MAX], struct err *e)
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - sizeof("net"));

	if (n <= 0)
		return err_sys(e, errno, "find the stage1 directory");
	path[n] = '\0';
	memcpy(strrchr(path, '/') + 1, "net", sizeof("net"));
	return 0;
}

struct call {
	const char *verb, *uuid, *local_config;
	char *const *net;
	bool debug;
	int pod_fd, netns_fd, answer_fd;
};

static int spawn_net(const struct call *c, struct proc *ret, struct err *e)
{
	const struct proc_fd fds[] = {
		{ FD_NONE, 0 }, { FD_NONE, 1 }, { c->netns_fd, NET_FD_NETNS }, { c->answer_fd, NET_FD_ANSWER }
	};
	auto_strv argv = NULL;
	auto_strv env = environment();
	char path[PATH_MAX];
	int r = program(path, e);

	if (r < 0)
		return r;
	strv_push(&argv, path);
	strv_push(&argv, c->verb);
	if (c->debug)
		strv_push(&argv, "--debug");
	if (c->local_config)
		strv_pushf(&argv, "--local-config=%s", c->local_config);
	for (char *const *n = c->net; n && *n; n++)
		strv_pushf(&argv, "--net=%s", *n);
	strv_push(&argv, c->uuid);
	struct spawn s = { .path = path,
			   .argv = argv,
			   .env = env,
			   .fds = fds,
			   .nfds = c->answer_fd >= 0  ? 4
				   : c->netns_fd >= 0 ? 3
						      : 2,
			   .cwd_fd = c->pod_fd,
			   .death_signal = SIGKILL };
	return proc_spawn(&s, ret, e);
}

/* That of the pod's first process, whose number is its own until we reap it. */
static int open_netns(struct sandbox *s, struct err *e)
{
	auto_free char *path = xasprintf("/proc/%d/ns/net", (int)s->init_pid);

	s->net.netns_fd = open(path, O_RDONLY | O_CLOEXEC);
	return s->net.netns_fd < 0 ? err_sys(e, errno, "open the pod's network namespace") : 0;
}

int netcall_begin(struct sandbox *s, struct err *e)
{
	int pair[2];

	if (!netcall_wanted(s))
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, errno, "socketpair");
	s->net.answer_fd = pair[0];
	auto_close int theirs = pair[1];
	int r = open_netns(s, e);
	if (r < 0)
		return r;
	struct call c = { .verb = "add",
			  .uuid = s->ctx->uuid,
			  .local_config = s->ctx->local_config,
			  .net = s->ctx->net,
			  .debug = s->ctx->debug,
			  .pod_fd = s->ctx->pod_fd,
			  .netns_fd = s->net.netns_fd,
			  .answer_fd = theirs };
	s->net.begun = true;
	return spawn_net(&c, &s->net.proc, e);
}

/* ---- its answer ---- */

/* The word is enum net_resolv, with as many detached mounts of the file as there are apps. */
static int send_on(const struct sandbox *s, struct err *e)
{
	int fds[PLAN_APPS_MAX];
	size_t n = 0;
	char word = (char)s->net.resolv;
	int r = 0;

	while (s->net.resolv != NET_RESOLV_NONE && n < s->ctx->napps && r == 0) {
		fds[n] = netfiles_resolv(s->ctx, s->net.resolv, e);
		r = fds[n] < 0 ? fds[n] : 0;
		n += r == 0;
	}
	if (r == 0 && (r = fd_send(s->control[0], &word, sizeof(word), fds, n)) < 0)
		r = r == -EPIPE || r == -ECONNRESET ? 0 : err_sys(e, -r, "tell the pod's first process");
	while (n > 0)
		fd_close(&fds[--n]);
	return r;
}

static int take_answer(struct sandbox *s, struct err *e)
{
	struct net_answer a;
	size_t none = 0;
	ssize_t n = fd_recv(s->net.answer_fd, &a, sizeof(a), NULL, &none);

	fd_close(&s->net.answer_fd);
	if (n != (ssize_t)sizeof(a))
		return err_set(e, ERR_SYS, EPIPE,
			       "connect the networks: the program net ended without an answer");
	s->net.ends = !a.serves;
	if (a.err.code)
		return err_copy(e, &a.err);
	s->net.resolv = netfiles_take_resolv(s->ctx) ? a.resolv : NET_RESOLV_NONE;
	/* without apps of its own the child does not wait: init would find the word */
	return s->ctx->mutable_pod ? 0 : send_on(s, e);
}

int netcall_await(struct sandbox *s, int signal_fd, struct err *e)
{
	struct pollfd p[] = { { .fd = s->net.answer_fd, .events = POLLIN },
			      { .fd = signal_fd, .events = POLLIN } };

	while (s->net.answer_fd >= 0) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return err_sys(e, errno, "wait for the networks");
		if (p[1].revents && supervise_called_off(signal_fd, e) < 0)
			return -EINTR;
		if (p[0].revents)
			return take_answer(s, e);
	}
	return 0;
}

int netcall_hear(struct sandbox *s, struct err *e)
{
	int fds[PLAN_APPS_MAX];
	size_t n = ARRAY_LEN(fds);
	char word;

	if (s->net.heard || s->ctx->mutable_pod || !netcall_wanted(s))
		return 0;
	s->net.heard = true;
	/* ours of the supervisor's end would keep us from seeing it end */
	fd_close(&s->control[0]);
	if (fd_recv(s->control[1], &word, sizeof(word), fds, &n) != (ssize_t)sizeof(word))
		return err_set(e, ERR_SYS, EPIPE, "hear from the supervisor");
	for (size_t i = 0; i < n; i++)
		netfiles_add_resolv(&s->apps[i].netfiles, &s->apps[i].vols, (enum net_resolv)word, fds[i]);
	return 0;
}

/* ---- the end ---- */

static int undo(const struct call *c, struct err *e)
{
	struct proc p = { 0, FD_NONE };
	int status = 0;
	int r = spawn_net(c, &p, e);

	if (r == 0)
		r = proc_wait(&p, -1, &status, e);
	/* it has said why */
	if (r == 0 && status)
		r = err_set(e, ERR_SYS, EIO, "the networks could not be undone; rkt gc will try again");
	return r;
}

void netcall_end(struct sandbox *s)
{
	struct err e = ERR_INIT;
	struct call c = { .verb = "del",
			  .uuid = s->ctx->uuid,
			  .local_config = s->ctx->local_config,
			  .debug = s->ctx->debug,
			  .pod_fd = s->ctx->pod_fd,
			  .netns_fd = s->net.netns_fd,
			  .answer_fd = FD_NONE };

	int status = 0;

	if (!s->net.begun)
		return;
	s->net.begun = false;
	if (s->net.ends && proc_wait(&s->net.proc, END_MS, &status, &e) < 0)
		err_clear(&e);
	proc_kill(&s->net.proc);
	if (faccessat(s->ctx->pod_fd, CONTRACT_DIR_NET, F_OK, AT_SYMLINK_NOFOLLOW) == 0 && undo(&c, &e) < 0)
		log_warn("%s", e.text);
	fd_close(&s->net.netns_fd);
}

int netcall_undo(int pod_fd, const char *uuid, const char *local_config, struct err *e)
{
	struct call c = { .verb = "del",
			  .uuid = uuid,
			  .local_config = local_config,
			  .pod_fd = pod_fd,
			  .netns_fd = FD_NONE,
			  .answer_fd = FD_NONE };

	if (faccessat(pod_fd, CONTRACT_DIR_NET, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "look at the networks");
	return undo(&c, e);
}
