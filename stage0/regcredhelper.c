/*
 * regcredhelper — docker-credential-SUFFIX, a program of the user's that keeps passwords; see regcreds.h.
 *
 * It gets the registry's name on its standard input and answers in JSON.  It is run with the caller's environment, because its
 * store is the caller's, with no descriptor but its three, and for a bounded time.  What it says is never shown: an
 * answer that is not understood may be half a password.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/proc.h"
#include "base/strv.h"
#include "stage0/regcreds.h"

#define HELPER_S   30
#define ANSWER_MAX (64u << 10)
#define HUB_KEY    "https://index.docker.io/v1/"
#define UNKNOWN    "credentials not found in native keychain"

static bool suffix_valid(const char *s)
{
	return *s && strlen(s) <= 64 &&
	       strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == strlen(s);
}

/* The program in an absolute directory of PATH; heap, or NULL. */
static char *find_program(const char *suffix, char *const *env)
{
	const char *path = env_get(env, "PATH");
	auto_strv dirs = strv_split(path ? path : "", ':');

	for (char **d = dirs; *d; d++) {
		char *file = (*d)[0] == '/' ? xasprintf("%s/docker-credential-%s", *d, suffix) : NULL;

		if (file && access(file, X_OK) == 0)
			return file;
		free(file);
	}
	return NULL;
}

/* Everything it writes, up to a bound and within the time. */
static int read_answer(int fd, struct buf *out, struct err *e)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	for (time_t end = now.tv_sec + HELPER_S; now.tv_sec < end;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (poll(&p, 1, 1000) > 0) {
			ssize_t n = read(fd, buf_reserve(out, 4096), 4096);

			if (n == 0)
				return 0;
			out->len += n > 0 ? (size_t)n : 0;
			if (out->len > ANSWER_MAX)
				return err_set(e, ERR_INPUT, EFBIG, "its answer is too long");
		}
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	}
	return err_set(e, ERR_SYS, ETIMEDOUT, "no answer in %d seconds", HELPER_S);
}

static int converse(const char *program, char *const *env, const char *key, struct buf *out, int *status,
		    struct err *e)
{
	auto_close int in = memfd_new("key");
	int out_pipe[2];

	if (in < 0 || write_full(in, key, strlen(key)) < 0 || lseek(in, 0, SEEK_SET) < 0 ||
	    pipe2(out_pipe, O_CLOEXEC) < 0)
		return err_sys(e, errno, "prepare its input");
	auto_close int from = out_pipe[0];
	auto_close int to = out_pipe[1];
	const struct proc_fd fds[] = { { in, 0 }, { to, 1 }, { FD_NONE, 2 } };
	const char *const argv[] = { program, "get", NULL };
	struct proc p = { 0, FD_NONE };
	const struct spawn s = { .path = program,
				 .argv = (char *const *)argv,
				 .env = env,
				 .fds = fds,
				 .nfds = ARRAY_LEN(fds),
				 .death_signal = 9 };
	int r = proc_spawn(&s, &p, e);

	if (r < 0)
		return r;
	fd_close(&to);
	r = read_answer(from, out, e);
	if (r == 0)
		r = proc_wait(&p, 5000, status, e);
	if (r < 0)
		proc_kill(&p);
	return r;
}

static int understand(const struct buf *answer, struct regcreds *ret, struct err *e)
{
	struct err detail = ERR_INIT;
	const char *user = "", *secret = "";
	auto_json doc = json_parse(buf_str(answer), answer->len, &detail);

	if (!doc || json_get_str(doc, "", "Username", true, &user, &detail) < 0 ||
	    json_get_str(doc, "", "Secret", true, &secret, &detail) < 0)
		return err_set(e, ERR_INPUT, EINVAL, "its answer is not understood");
	if (strpbrk(user, "\r\n") || strpbrk(secret, "\r\n"))
		return err_set(e, ERR_INPUT, EINVAL, "control characters in its answer");
	if (strcmp(user, "<token>") == 0) {
		ret->identity_token = xstrdup(secret);
	} else {
		ret->user = xstrdup(user);
		ret->password = xstrdup(secret);
	}
	return 1;
}

int regcreds_from_helper(const char *suffix, char *const *env, const char *host, struct regcreds *ret,
			 struct err *e)
{
	auto_buf answer = BUF_INIT;
	int status = 0;

	if (!suffix_valid(suffix))
		return err_set(e, ERR_INPUT, EINVAL, "credential helper \"%.64s\": not a name", suffix);
	auto_free char *program = find_program(suffix, env);
	if (!program)
		return err_set(e, ERR_INPUT, ENOENT, "credential helper docker-credential-%s: not in PATH",
			       suffix);
	int r = converse(program, env, strcmp(host, "registry-1.docker.io") == 0 ? HUB_KEY : host, &answer,
			 &status, e);
	if (r == 0 && status != 0)
		r = strstr(buf_str(&answer), UNKNOWN)
			    ? 0
			    : err_set(e, ERR_SYS, EIO, "it failed with status %d", status);
	else if (r == 0)
		r = understand(&answer, ret, e);
	return r < 0 ? err_ctx(e, "credential helper docker-credential-%s", suffix) : r;
}
