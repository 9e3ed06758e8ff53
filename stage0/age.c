/* age — see age.h. */
#include "stage0/age.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/log.h"
#include "base/when.h"

#define DAY_NS    (24LL * 3600 * 1000000000)
#define AHEAD_MAX (366 * DAY_NS) /* a machine may have been idle for long */

static struct timespec of_ns(int64_t ns)
{
	return (struct timespec){ ns / 1000000000, ns % 1000000000 };
}

int64_t age_now(int64_t latest, const char *what)
{
	int64_t now = when_ns(when_now());
	const bool ahead = now - latest > AHEAD_MAX;

	if (latest <= 0 || (!ahead && latest - now <= DAY_NS))
		return now;
	auto_free char *clock = when_rfc3339(of_ns(now)), *last = when_rfc3339(of_ns(latest));
	log_warn("the clock says %s, the latest of the %s is of %s: %s", clock, what, last,
		 ahead ? "their age is counted from there" : "nothing is old");
	return ahead ? latest : now;
}

int64_t age_now_in(int dirfd, const char *path, const char *what)
{
	struct stat st;

	return age_now(fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : when_ns(st.st_mtim), what);
}
