/*
 * streams — where the three standard streams of each app lead (cli.md section 8, internals.md section 5.12).
 *
 * The annotations coreos.com/rkt/stage2/{stdin,stdout,stderr} of the app choose:
 *   stdin   null (default), stream, tty, interactive
 *   stdout  log (default), null, stream, tty, interactive; stderr the same
 * "log" of the only app is the caller's own descriptor; of several apps each has pipes, and relay.h makes lines with
 * names of what comes through them, and so has each app of a mutable pod, which may have company any time.  "stream" and
 * "tty" are for `rkt attach`.
 *
 * The ends are made before the clone, the terminal with the app's /dev.  Of an app that was added everything is made when it
 * is started, and anew each time (requests.c); what app/add leaves is the app's devpts.
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
	int pts;       /* app/add: root of the app's devpts, if it will have a terminal, or FD_NONE */
};
#define APP_STREAMS_INIT                                                                                     \
	{                                                                                                    \
		{ STREAM_PASS, STREAM_PASS, STREAM_PASS }, { -EBADF, -EBADF, -EBADF },                       \
			{ -EBADF, -EBADF, -EBADF }, -EBADF, -EBADF, -EBADF                                   \
	}

/* Has one of them mode @m? */
bool streams_any(const struct app_streams *s, enum stream_mode m);
/* Read the modes of app @i of the pod.  @ttys: can this flavor make terminals for apps?  -EINVAL, -ENOTSUP. */
int streams_choose(const struct podctx *c, unsigned int i, bool ttys, struct app_streams *ret, struct err *e);
/* Make the pipes. */
int streams_connect(struct app_streams *s, struct err *e);
/* The app's end of @stream, or @none where it gets init's own. */
int streams_inner(const struct app_streams *s, int stream, int none);
/* In the supervisor, once others have them: the app's ends are closed. */
void streams_hand_over(struct app_streams *s);
/* What is left of both sides is closed. */
void streams_done(struct app_streams *s);
