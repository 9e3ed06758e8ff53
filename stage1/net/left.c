/*
 * left — see left.h.
 *
 * Children are found by their parent's number in /proc/PID/stat: not every kernel has /proc/PID/task/TID/children.  That is
 * looked at only when waitid(2) says that there is a child at all, which is rare.
 */
#include "stage1/net/left.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"

#define STAT_MAX   512
#define ROUNDS_MAX 1000 /* against somebody who forks faster than we kill */

static bool have_children(void)
{
	siginfo_t si = { 0 };

	return waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

/* Parent of the process @name in /proc, 0 if it is gone. */
static pid_t parent_of(int proc_fd, const char *name)
{
	char path[64], text[STAT_MAX];
	auto_close int fd = FD_NONE;
	const char *p;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "%.32s/stat", name);
	fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read_full(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* "PID (NAME) STATE PPID": the name may hold anything, so count from the last parenthesis. */
	p = strrchr(text, ')');
	return p && strlen(p) > 4 ? (pid_t)strtol(p + 4, NULL, 10) : 0;
}

static size_t list_children(pid_t **ret)
{
	auto_closedir DIR *d = have_children() ? opendir("/proc") : NULL;
	struct dirent *entry;
	size_t n = 0;

	*ret = NULL;
	while (d && (entry = readdir(d))) {
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    parent_of(dirfd(d), entry->d_name) != getpid())
			continue;
		*ret = xreallocarray(*ret, n + 1, sizeof(**ret));
		(*ret)[n++] = (pid_t)strtol(entry->d_name, NULL, 10);
	}
	return n;
}

static bool is_old(const struct left *l, pid_t pid)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->before[i] == pid)
			return true;
	}
	return false;
}

int left_begin(struct left *ret, struct err *e)
{
	int was = 0;

	if (prctl(PR_GET_CHILD_SUBREAPER, &was) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return err_sys(e, errno, "become the subreaper");
	ret->was = was;
	ret->n = list_children(&ret->before);
	return 0;
}

void left_kill(const struct left *l)
{
	for (int round = 0; round < ROUNDS_MAX; round++) {
		auto_free pid_t *now = NULL;
		size_t n = list_children(&now), killed = 0;

		for (size_t i = 0; i < n; i++) {
			if (is_old(l, now[i]))
				continue;
			(void)kill(now[i], SIGKILL); /* not reaped, so the number is still its own */
			killed++;
		}
		if (!killed)
			return;
		for (size_t i = 0; i < n; i++) {
			while (!is_old(l, now[i]) && waitpid(now[i], NULL, 0) < 0 && errno == EINTR)
				;
		}
	}
}

void left_end(struct left *l)
{
	(void)prctl(PR_SET_CHILD_SUBREAPER, l->was);
	free(l->before);
	*l = (struct left){ NULL, 0, 0 };
}
