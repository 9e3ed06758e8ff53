/* steps — see steps.h. */
#include "stage1/lib/steps.h"

#include <stdbool.h>

#include <stdint.h>
#include <time.h>

#include "base/log.h"

static int64_t now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int steps_run(const struct step *table, void *ctx, struct err *e)
{
	bool timed = log_get_level() == LOG_VERBOSE;

	for (const struct step *s = table; s->run; s++) {
		int64_t start = timed ? now_us() : 0;
		int r = s->run(ctx, e);

		if (timed)
			log_debug("step \"%s\": %lld us", s->name, (long long)(now_us() - start));
		if (r < 0)
			return err_ctx(e, "%s", s->name);
	}
	return 0;
}
