/*
 * when — times as people and scripts read them.
 */
#include "base/when.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"

#define SECOND INT64_C(1000000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define WEEK   (7 * DAY)
#define MONTH  (30 * DAY)
#define YEAR   (12 * MONTH)

/* The first row whose limit is above the distance. */
static const struct {
	int64_t below;
	const char *text; /* with one number if unit is set */
	int64_t unit;
} distances[] = {
	{ 2 * SECOND, "1 second", 0 },    { MINUTE, "seconds", SECOND }, { 2 * MINUTE, "1 minute", 0 },
	{ HOUR, "minutes", MINUTE },      { 2 * HOUR, "1 hour", 0 },     { DAY, "hours", HOUR },
	{ 2 * DAY, "1 day", 0 },          { WEEK, "days", DAY },         { 2 * WEEK, "1 week", 0 },
	{ MONTH, "weeks", WEEK },         { 2 * MONTH, "1 month", 0 },   { YEAR, "months", MONTH },
	{ 18 * MONTH, "1 year", 0 },      { 2 * YEAR, "2 years", 0 },    { 37 * YEAR, "years", YEAR },
	{ INT64_MAX, "a long while", 0 },
};

int64_t when_ns(struct timespec t)
{
	__int128 ns = (__int128)t.tv_sec * SECOND + t.tv_nsec;

	return ns > INT64_MAX ? INT64_MAX : ns < INT64_MIN ? INT64_MIN : (int64_t)ns;
}

struct timespec when_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t); /* cannot fail for this clock */
	return t;
}

char *when_short(struct timespec t, struct timespec now)
{
	__int128 diff = (__int128)when_ns(now) - when_ns(t);
	const char *side = diff >= 0 ? "ago" : "from now";
	size_t i = 0;

	if (diff < 0)
		diff = -diff;
	if (diff < SECOND)
		return xstrdup("now");
	while (i < ARRAY_LEN(distances) - 1 && diff >= distances[i].below)
		i++;
	if (distances[i].unit)
		return xasprintf("%lld %s %s", (long long)(diff / distances[i].unit), distances[i].text,
				 side);
	return xasprintf("%s %s", distances[i].text, side);
}

/* Years that a struct tm cannot hold. */
static char *raw_seconds(struct timespec t)
{
	return xasprintf("@%lld", (long long)t.tv_sec);
}

char *when_long(struct timespec t)
{
	char date[64], zone[64], fraction[8];
	struct tm tm;
	size_t n;

	tzset(); /* localtime_r need not look at TZ */
	if (!localtime_r(&t.tv_sec, &tm))
		return raw_seconds(t);
	if (!strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm) ||
	    !strftime(zone, sizeof(zone), "%z %Z", &tm))
		return raw_seconds(t);
	(void)snprintf(fraction, sizeof(fraction), ".%03u", (unsigned int)(t.tv_nsec / 1000000) % 1000);
	for (n = strlen(fraction); n > 1 && fraction[n - 1] == '0'; n--)
		fraction[n - 1] = '\0';
	return xasprintf("%s%s %s", date, fraction[1] ? fraction : "", zone);
}

char *when_rfc3339(struct timespec t)
{
	char text[64];
	struct tm tm;

	if (!gmtime_r(&t.tv_sec, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return raw_seconds(t);
	return xstrdup(text);
}
