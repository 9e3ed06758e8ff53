/*
 * tarfield — the numbers in tar headers and pax records, read strictly.
 */
#include "image/tarfield.h"

#include <errno.h>

enum { CHKSUM_OFF = 148, CHKSUM_LEN = 8, BLOCK = 512 };

/* Two's complement, big endian; the top bit of the first byte is only the mark, the next is the sign. */
static int base256(const unsigned char *p, size_t width, int64_t *ret)
{
	bool negative = p[0] & 0x40;
	/* Sign-extend the first byte over the mark. */
	uint64_t v = negative ? UINT64_MAX : 0;
	unsigned char top = negative ? p[0] : p[0] & 0x7f;

	for (size_t i = 0; i < width; i++) {
		unsigned char c = i == 0 ? top : p[i];
		uint64_t lost = v >> 55;

		/* Nothing but copies of the sign may be shifted out. */
		if (lost != (negative ? 0x1ffu : 0u))
			return -ERANGE;
		v = v << 8 | c;
	}
	*ret = (int64_t)v;
	return 0;
}

int tarfield_number(const unsigned char *p, size_t width, int64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;

	if (p[0] & 0x80)
		return base256(p, width, ret);
	while (i < width && p[i] == ' ')
		i++;
	for (; i < width && p[i] >= '0' && p[i] <= '7'; i++) {
		if (v >> 60)
			return -ERANGE;
		v = v << 3 | (uint64_t)(p[i] - '0');
	}
	for (; i < width; i++) {
		if (p[i] != ' ' && p[i] != '\0')
			return -EINVAL;
	}
	*ret = (int64_t)v;
	return 0;
}

int tarfield_decimal(const char *p, size_t n, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (n == 0)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		uint64_t digit = (uint64_t)(unsigned char)p[i] - '0';

		if (digit > 9)
			return -EINVAL;
		if (v > (max - digit) / 10)
			return -ERANGE;
		v = v * 10 + digit;
	}
	*ret = v;
	return 0;
}

int tarfield_time(const char *p, size_t n)
{
	size_t whole = 0, frac;
	uint64_t v;

	if (n > 0 && *p == '-')
		p++, n--;
	while (whole < n && p[whole] != '.')
		whole++;
	int r = tarfield_decimal(p, whole, INT64_MAX, &v);
	if (r < 0 || whole == n)
		return r;
	frac = n - whole - 1;
	for (size_t i = 0; i < frac; i++) {
		if (p[whole + 1 + i] < '0' || p[whole + 1 + i] > '9')
			return -EINVAL;
	}
	return 0;
}

bool tarfield_checksum_ok(const unsigned char *hdr)
{
	int64_t want, plain = 0, with_sign = 0;

	if (tarfield_number(hdr + CHKSUM_OFF, CHKSUM_LEN, &want) < 0)
		return false;
	for (int i = 0; i < BLOCK; i++) {
		/* The field itself counts as spaces. */
		unsigned char c = i >= CHKSUM_OFF && i < CHKSUM_OFF + CHKSUM_LEN ? ' ' : hdr[i];

		plain += c;
		with_sign += (signed char)c;
	}
	return want == plain || want == with_sign;
}
