/*
 * relay — what the supervisor does with the streams of apps that do not lead straight to the caller (streams.h).
 *
 * Log lines go to the caller's standard output and error as "[SECONDS.MICROS] APP[PID]: text", the time being that since
 * boot.  Memory is bounded: an app whose lines nobody reads waits, as it would at a pipe; a client of attach that
 * does not read is let go.  When the pod has ended, what is left is written as long as somebody takes it.
 *
 * Apps have numbers: their places in the pod manifest, in a mutable pod their slots.  There each start is an app of its own.
 */
#pragma once

#include <poll.h>
#include <stdbool.h>

#include "base/err.h"

struct app_streams;
struct sandbox;
struct relay; /* opaque */

#define RELAY_CLIENTS 16
#define RELAY_FDS     (64 * 4 + RELAY_CLIENTS + 4)

/* NULL when the apps of @s have nothing to relay, and no others can come (and no error).  Listens in the working directory,
 * the pod's, from the first app on that somebody can attach to. */
struct relay *relay_new(struct sandbox *s, struct err *e);
/* All of the following accept NULL. */
/* The terminal of app @app has come from the child; owned from now on. */
void relay_terminal(struct relay *r, unsigned int app, int master);
/*
 * App @name begins in slot @app, which nobody has; our ends of @t are taken over.  @early: lines come before relay_started.
 * -errno: nothing has happened.
 */
int relay_begin(struct relay *r, unsigned int app, const char *name, bool early, struct app_streams *t,
		struct err *e);
/* Nothing of the app in that slot is left, or it never was: what it said last is passed on, all else is closed. */
void relay_over(struct relay *r, unsigned int app);
/* Fill @p with what to poll for; how many, at most RELAY_FDS. */
nfds_t relay_poll(struct relay *r, struct pollfd *p);
void relay_react(struct relay *r, const struct pollfd *p, nfds_t n);
/* The app runs as @pid of the pod / has ended for good. */
void relay_started(struct relay *r, unsigned int app, int pid);
void relay_ended(struct relay *r, unsigned int app);
/* The pod has ended: pass on what is left.  Ends early on a signal at @signal_fd, or when nobody reads. */
void relay_finish(struct relay *r, int signal_fd);
void relay_free(struct relay *r);
