/*
 * tty — the caller's terminal while an interactive app has one of its own.
 */
#pragma once

#include <stdbool.h>
#include <termios.h>

struct tty {
	int master;   /* the app's terminal, FD_NONE: nothing to relay */
	bool raw;     /* the caller's terminal is in raw mode and must be put back */
	bool in_open; /* the caller's side still gives input */
	struct termios saved;
};

/* Take over @master (owned from now on): raw mode on our stdin, window size copied. */
void tty_start(struct tty *t, int master);
/* SIGWINCH: pass the window size on. */
void tty_resize(const struct tty *t);
/* Input is ready on our stdin / output is ready on the master.  tty_output returns false at its end. */
void tty_input(struct tty *t);
bool tty_output(struct tty *t);
/* Put the caller's terminal back; safe to call twice. */
void tty_stop(struct tty *t);
