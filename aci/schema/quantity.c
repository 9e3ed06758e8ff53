/*
 * quantity — "1.5Gi", "500m", "2e3" to integers without floating point (formats.md section 7.1).
 *
 * A quantity is DIGITS[.DIGITS] × 10^x × 2^b.  The point is moved by x, which splits the digits into
 * an integer part and a fraction.  The integer part is accumulated with overflow checks.  The
 * fraction is multiplied by the rest from its last digit upward: x -> (digit·m + x) / 10.  Rounding
 * down at each step does not change the integer part of the result, and a remainder at any step
 * means that the exact result is not an integer, so that rounding up is exact at any length.
 */
#include "schema/isolator.h"

#include <errno.h>
#include <string.h>

#include "base/num.h"
#include "schema/check.h"

struct suffix {
	const char *text;
	int exp10, exp2;
};

/* "K" is in the prose of the specification, not in the reference code. */
static const struct suffix suffixes[] = {
	{ "", 0, 0 },    { "n", -9, 0 },  { "u", -6, 0 },  { "m", -3, 0 },  { "k", 3, 0 },   { "K", 3, 0 },
	{ "M", 6, 0 },   { "G", 9, 0 },   { "T", 12, 0 },  { "P", 15, 0 },  { "E", 18, 0 },  { "Ki", 0, 10 },
	{ "Mi", 0, 20 }, { "Gi", 0, 30 }, { "Ti", 0, 40 }, { "Pi", 0, 50 }, { "Ei", 0, 60 },
};

/* Beyond these the result is out of range or below one base unit whatever the digits are. */
#define EXPONENT_MAX 1000000
#define POINT_MAX    30

/* The digits without the point; @point counts those before it. */
struct decimal {
	const char *whole, *frac;
	size_t nwhole, nfrac;
};

static int digit_at(const struct decimal *d, int64_t i)
{
	if (i < 0 || (uint64_t)i >= d->nwhole + d->nfrac)
		return 0;
	return ((uint64_t)i < d->nwhole ? d->whole[i] : d->frac[(size_t)i - d->nwhole]) - '0';
}

/* Index of the first digit that is not zero; the number of digits if there is none. */
static int64_t first_significant(const struct decimal *d)
{
	int64_t i = 0, n = (int64_t)(d->nwhole + d->nfrac);

	while (i < n && digit_at(d, i) == 0)
		i++;
	return i;
}

/* ceil(0.d[point]d[point+1]… × mul); at most mul. */
static unsigned __int128 fraction_times(const struct decimal *d, int64_t point, unsigned __int128 mul)
{
	unsigned __int128 x = 0;
	bool inexact = false;

	for (int64_t i = (int64_t)(d->nwhole + d->nfrac) - 1; i >= point; i--) {
		x += (unsigned int)digit_at(d, i) * mul;
		inexact = inexact || x % 10 != 0;
		x /= 10;
	}
	return x + inexact;
}

static int evaluate(const struct decimal *d, int64_t exp10, unsigned __int128 mul, int64_t *ret)
{
	int64_t first = first_significant(d), point = (int64_t)d->nwhole + exp10;
	unsigned __int128 sum = 0;

	if ((uint64_t)first == d->nwhole + d->nfrac) {
		*ret = 0;
		return 0;
	}
	if (point - first > POINT_MAX)
		return -ERANGE;
	if (first - point > POINT_MAX) {
		*ret = 1;
		return 0;
	}
	for (int64_t i = first; i < point; i++) {
		sum = sum * 10 + (unsigned int)digit_at(d, i);
		if (sum > INT64_MAX)
			return -ERANGE;
	}
	if (sum > INT64_MAX / mul)
		return -ERANGE;
	sum = sum * mul + fraction_times(d, point, mul);
	if (sum > INT64_MAX)
		return -ERANGE;
	*ret = (int64_t)sum;
	return 0;
}

/* What follows the digits: a suffix of the table, or "e"/"E" and a signed decimal exponent. */
static int parse_suffix(const char *s, int64_t *exp10, int *exp2)
{
	const char *digits = s + 1;
	bool minus = *s && *digits == '-';
	int64_t v;
	int r;

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		if (strcmp(s, suffixes[i].text) == 0) {
			*exp10 = suffixes[i].exp10;
			*exp2 = suffixes[i].exp2;
			return 0;
		}
	}
	if (*s != 'e' && *s != 'E')
		return -EINVAL;
	if (*digits == '+')
		digits++;
	if (!digits[minus] || !strchr("0123456789", digits[minus]))
		return -EINVAL;
	r = parse_i64(digits, &v);
	if (r < 0)
		return r;
	if (v > EXPONENT_MAX || v < -EXPONENT_MAX)
		return -ERANGE;
	*exp10 = v;
	*exp2 = 0;
	return 0;
}

static int parse(const char *s, int64_t scale, int64_t *ret)
{
	struct decimal d = { NULL, "", 0, 0 };
	int64_t exp10 = 0;
	int exp2 = 0, r;

	s += strspn(s, " "); /* as the reference */
	if (*s == '+')
		s++;
	d.whole = s;
	d.nwhole = strspn(s, "0123456789");
	s += d.nwhole;
	if (*s == '.') {
		d.frac = ++s;
		d.nfrac = strspn(s, "0123456789");
		s += d.nfrac;
	}
	if (d.nwhole + d.nfrac == 0)
		return -EINVAL;
	r = parse_suffix(s, &exp10, &exp2);
	if (r < 0)
		return r;
	return evaluate(&d, exp10, (unsigned __int128)(uint64_t)scale << exp2, ret);
}

int quantity_parse(const char *s, int64_t scale, int64_t *ret, struct err *e)
{
	int r;

	if (s[strspn(s, " ")] == '-')
		return bad_value(e, "", s, "is negative, which no limit can be");
	r = parse(s, scale, ret);
	if (r == -ERANGE) {
		(void)bad_value(e, "", s, "is too large");
		e->code = ERANGE;
		return r;
	}
	if (r < 0)
		return bad_value(e, "", s,
				 "is not a quantity: a number and one of n u m k M G T P E Ki Mi Gi Ti Pi Ei "
				 "expected");
	return 0;
}
