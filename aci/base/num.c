/*
 * num — strict text to number, and back.
 *
 * Durations and sizes follow Go's time.Duration and the humanised sizes of rkt's listings, because
 * scripts parse them; arithmetic is done in 128 bits and checked once at the end.
 */
#include "base/num.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"

typedef unsigned __int128 u128;

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int parse_max(const char *s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (!*s)
		return -EINVAL;
	for (const char *p = s; *p; p++) {
		if (!is_digit(*p))
			return -EINVAL;
	}
	for (; *s; s++) {
		uint64_t d = (uint64_t)(*s - '0');

		if (v > (max - d) / 10)
			return -ERANGE;
		v = v * 10 + d;
	}
	*ret = v;
	return 0;
}

int parse_u64(const char *s, uint64_t *ret)
{
	return parse_max(s, UINT64_MAX, ret);
}

int parse_u32(const char *s, uint32_t *ret)
{
	uint64_t v;
	int r = parse_max(s, UINT32_MAX, &v);

	if (r == 0)
		*ret = (uint32_t)v;
	return r;
}

int parse_i64(const char *s, int64_t *ret)
{
	bool neg = *s == '-';
	uint64_t v;
	int r = parse_max(s + neg, (uint64_t)INT64_MAX + neg, &v);

	if (r == 0)
		*ret = neg ? (int64_t)(0 - v) : (int64_t)v;
	return r;
}

int parse_id(const char *s, uint32_t *ret)
{
	uint64_t v;
	int r;

	if (s[0] == '0' && s[1])
		return -EINVAL;
	r = parse_max(s, UINT32_MAX - 1, &v);
	if (r == 0)
		*ret = (uint32_t)v;
	return r;
}

int parse_mode(const char *s, uint32_t *ret)
{
	uint32_t v = 0;

	if (!*s)
		return -EINVAL;
	for (const char *p = s; *p; p++) {
		if (*p < '0' || *p > '7')
			return -EINVAL;
	}
	for (; *s; s++) {
		v = v * 8 + (uint32_t)(*s - '0');
		if (v > 07777)
			return -ERANGE;
	}
	*ret = v;
	return 0;
}

int parse_bool(const char *s, bool *ret)
{
	static const char *const words[] = { "1", "t", "T", "TRUE",  "true",  "True",
					     "0", "f", "F", "FALSE", "false", "False" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(s, words[i]) == 0) {
			*ret = i < ARRAY_LEN(words) / 2;
			return 0;
		}
	}
	return -EINVAL;
}

static const struct unit {
	const char *name;
	uint64_t ns;
} units[] = {
	{ "ns", 1 },
	{ "us", 1000 },
	{ "\xc2\xb5s", 1000 }, /* micro sign */
	{ "\xce\xbcs", 1000 }, /* Greek mu */
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", UINT64_C(60000000000) },
	{ "h", UINT64_C(3600000000000) },
};

/* The unit name at *@s runs up to the next digit or dot; 0 if unknown. */
static uint64_t take_unit(const char **s)
{
	size_t len = strcspn(*s, ".0123456789");

	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (strlen(units[i].name) == len && memcmp(units[i].name, *s, len) == 0) {
			*s += len;
			return units[i].ns;
		}
	}
	return 0;
}

/* One "1.5h" of a duration, added to *@sum. */
static int take_part(const char **s, u128 *sum)
{
	const u128 limit = (u128)1 << 63;
	u128 whole = 0, frac = 0, scale = 1;
	const char *start = *s;
	bool any = false, over = false;
	uint64_t unit;

	for (; is_digit(**s); (*s)++, any = true) {
		whole = whole * 10 + (u128)(**s - '0');
		over = over || whole > limit;
		if (over)
			whole = 0;
	}
	if (**s == '.') {
		(*s)++;
		for (; is_digit(**s); (*s)++, any = true) {
			if (scale < (u128)1000000000000000000) { /* digits below 10^-18 h do not count */
				frac = frac * 10 + (u128)(**s - '0');
				scale *= 10;
			}
		}
	}
	if (!any || *s == start)
		return -EINVAL;
	unit = take_unit(s);
	if (!unit)
		return -EINVAL;
	whole = whole * unit + frac * unit / scale;
	if (over || whole > limit)
		*sum = limit + 1; /* stays too large; go on looking for syntax errors */
	else if (*sum <= limit)
		*sum += whole;
	return 0;
}

int parse_duration(const char *s, int64_t *ret_ns)
{
	bool neg = *s == '-';
	u128 sum = 0;

	if (*s == '-' || *s == '+')
		s++;
	if (strcmp(s, "0") == 0) {
		*ret_ns = 0;
		return 0;
	}
	if (!*s)
		return -EINVAL;
	while (*s) {
		int r = take_part(&s, &sum);

		if (r < 0)
			return r;
	}
	if (sum > (u128)INT64_MAX + neg)
		return -ERANGE;
	*ret_ns = neg ? (int64_t)(0 - (uint64_t)sum) : (int64_t)sum;
	return 0;
}

/* "@v / 10^@digits" without trailing zeros of the fraction. */
static void add_fraction(struct buf *b, uint64_t v, unsigned int digits)
{
	uint64_t scale = 1;

	for (unsigned int i = 0; i < digits; i++)
		scale *= 10;
	buf_addf(b, "%llu", (unsigned long long)(v / scale));
	if (v % scale) {
		v %= scale;
		for (; v % 10 == 0; digits--)
			v /= 10;
		buf_addf(b, ".%0*llu", (int)digits, (unsigned long long)v);
	}
}

char *format_duration(int64_t ns)
{
	const uint64_t second = 1000000000;
	uint64_t u = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	struct buf b = BUF_INIT;

	if (u == 0)
		return xstrdup("0s");
	if (ns < 0)
		buf_addc(&b, '-');
	if (u < 1000) {
		buf_addf(&b, "%lluns", (unsigned long long)u);
	} else if (u < 1000000) {
		add_fraction(&b, u, 3);
		buf_adds(&b, "\xc2\xb5s");
	} else if (u < second) {
		add_fraction(&b, u, 6);
		buf_adds(&b, "ms");
	} else {
		if (u >= 3600 * second)
			buf_addf(&b, "%lluh", (unsigned long long)(u / (3600 * second)));
		if (u >= 60 * second)
			buf_addf(&b, "%llum", (unsigned long long)(u / (60 * second) % 60));
		add_fraction(&b, u % (60 * second), 9);
		buf_addc(&b, 's');
	}
	return buf_steal(&b);
}

char *format_size(uint64_t bytes)
{
	static const char *const suffix[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	unsigned int e = 0;
	uint64_t tenths, whole, rest;

	if (bytes < 10)
		return xasprintf("%lluB", (unsigned long long)bytes);
	while (e < ARRAY_LEN(suffix) - 1 && bytes >> (10 * (e + 1)))
		e++;
	tenths = (uint64_t)(((u128)bytes * 10 + ((u128)1 << (10 * e)) / 2) >> (10 * e));
	whole = tenths / 10;
	rest = tenths % 10;
	if (whole < 10)
		return xasprintf("%llu.%llu%s", (unsigned long long)whole, (unsigned long long)rest,
				 suffix[e]);
	/* Half goes to the even neighbour, as in Go's "%.0f". */
	whole += rest > 5 || (rest == 5 && whole % 2);
	return xasprintf("%llu%s", (unsigned long long)whole, suffix[e]);
}
