/*
 * interrupt — the flag and its handler, the only state of this program outside the stack.
 */
#include "stage0/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>

#include "base/auto.h"

static volatile sig_atomic_t caught;

static void handler(int sig)
{
	(void)sig;
	caught = 1;
}

void interrupt_setup(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	/* No SA_RESTART: a blocked read returns and its loop sees the flag. */
	struct sigaction sa = { .sa_handler = handler, .sa_flags = (int)SA_RESETHAND };

	sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		(void)sigaction(signals[i], &sa, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

bool interrupted(void)
{
	return caught;
}

int interrupt_check(struct err *e)
{
	return caught ? err_set(e, ERR_SYS, EINTR, "interrupted") : 0;
}
