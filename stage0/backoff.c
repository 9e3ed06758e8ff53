/* backoff — see backoff.h. */
#include "stage0/backoff.h"

#include <time.h>

#include "stage0/interrupt.h"

#define FIRST_MS          400
#define MAX_MS            3000
#define RETRY_AFTER_MAX_S 60
#define SLICE_MS          100 /* a signal may come between a look and a sleep */

bool backoff_refused(int status)
{
	return status == 429 || status == 503;
}

int64_t backoff_ms(int failures, int64_t retry_after)
{
	int64_t ms = FIRST_MS;

	if (retry_after > 0)
		return 1000 * (retry_after < RETRY_AFTER_MAX_S ? retry_after : RETRY_AFTER_MAX_S);
	while (--failures > 0 && ms < MAX_MS)
		ms *= 2;
	return ms < MAX_MS ? ms : MAX_MS;
}

int backoff_wait(int64_t ms, struct err *e)
{
	for (; ms > 0; ms -= SLICE_MS) {
		const int64_t n = ms < SLICE_MS ? ms : SLICE_MS;

		if (interrupted())
			return interrupt_check(e);
		(void)nanosleep(&(struct timespec){ .tv_nsec = n * 1000000L }, NULL);
	}
	return interrupt_check(e);
}
