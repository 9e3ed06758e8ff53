/* entrypoint_run — an entrypoint that is waited for, and whose words become ours: see entrypoint.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/strv.h"
#include "stage0/entrypoint.h"

#define SAID_MAX (1u << 20) /* bytes of standard error */

/* Everything but the last line goes on to our standard error; the last one, if the call failed, is returned. */
static char *heard(int fd, bool failed)
{
	auto_buf b = BUF_INIT;
	auto_strv lines = NULL;
	char *last = NULL;

	if (lseek(fd, 0, SEEK_SET) < 0 || fd_read_all(fd, SAID_MAX, &b) < 0)
		return NULL;
	lines = strv_split(buf_str(&b), '\n');
	for (char **l = lines; l && *l; l++) {
		if (!**l)
			continue;
		if (last)
			fprintf(stderr, "%s\n", last);
		free(last);
		last = xstrdup(*l);
	}
	if (failed || !last)
		return last;
	fprintf(stderr, "%s\n", last);
	free(last);
	return NULL;
}

int entrypoint_run(const struct spawn *how, const char *prefix, int *ret_status, struct err *e)
{
	auto_close int said = memfd_new("rkt-stage1-stderr");
	auto_free struct proc_fd *fds = xcalloc(how->nfds + 1, sizeof(*fds));
	struct spawn s = *how;
	struct proc child;

	if (said < 0)
		return err_sys(e, -said, "memory for the messages of stage1");
	for (size_t i = 0; i < how->nfds; i++)
		fds[i] = how->fds[i];
	fds[how->nfds] = (struct proc_fd){ said, 2 };
	s.fds = fds;
	s.nfds = how->nfds + 1;
	int r = proc_spawn(&s, &child, e);
	if (r == 0)
		r = proc_wait(&child, -1, ret_status, e);
	if (r < 0)
		return err_ctx(e, "stage1 %s", how->path);
	auto_free char *line = heard(said, *ret_status != 0);
	if (!*ret_status)
		return 0;
	if (!line)
		return err_set(e, ERR_STATE, EIO, "stage1 %s ended with status %d", how->path, *ret_status);
	size_t n = strlen(prefix);
	return err_set(e, ERR_STATE, EIO, "%s", strncmp(line, prefix, n) == 0 ? line + n : line);
}
