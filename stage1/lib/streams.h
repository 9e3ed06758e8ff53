/*
 * streams — where the three standard streams of each app lead (cli.md section 8, internals.md section 5.12).
 *
 * The annotations coreos.com/rkt/stage2/{stdin,stdout,stderr} of the app choose:
 *   stdin   null (default), stream, tty, interactive
 *   stdout  log (default), null, stream, tty, interactive; stderr the same
 * "log" of the only app is the caller's own descriptor; of several apps each has pipes, and relay.h makes lines with
 * names of what comes through them.  "stream" and "tty" are for `rkt attach`.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct podctx;

enum stream_mode {
	STREAM_PASS, /* the caller's descriptor */
	STREAM_NULL,
	STREAM_LOG, /* a pipe whose lines the supervisor passes on */
	STREAM_ATTACH,
	STREAM_TTY,
};

struct app_streams {
	enum stream_mode mode[3];
	int inner[3];  /* the app's ends, FD_NONE where it gets ours */
	int outer[3];  /* the supervisor's ends, FD_NONE where it has none */
	int tty_inner; /* the app's terminal, made in the child, or FD_NONE */
	int tty_outer; /* its master, in the supervisor, or FD_NONE */
};
#define APP_STREAMS_INIT                                                                                     \
	{                                                                                                    \
		{ STREAM_PASS, STREAM_PASS, STREAM_PASS }, { -EBADF, -EBADF, -EBADF },                       \
			{ -EBADF, -EBADF, -EBADF }, -EBADF, -EBADF                                           \
	}

/* Has one of them mode @m? */
bool streams_any(const struct app_streams *s, enum stream_mode m);
/* Read the modes of app @i of the pod.  @ttys: can this flavor make terminals for apps?  -EINVAL, -ENOTSUP. */
int streams_choose(const struct podctx *c, unsigned int i, bool ttys, struct app_streams *ret, struct err *e);
/* Make the pipes, before the clone. */
int streams_connect(struct app_streams *s, struct err *e);
/* After the clone, in the supervisor: the app's ends are the child's. */
void streams_hand_over(struct app_streams *s);
