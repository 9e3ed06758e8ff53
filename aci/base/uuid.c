/*
 * uuid — random identifiers of pods and their text form.
 */
#include "base/uuid.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/random.h>

static const char digits[] = "0123456789abcdef";

static bool is_dash_at(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

/* Write 32 hex digits, given as values 0..15, with dashes. */
static void spell(const unsigned char nibble[32], char out[UUID_LEN + 1])
{
	size_t n = 0;

	for (size_t i = 0; i < UUID_LEN; i++)
		out[i] = is_dash_at(i) ? '-' : digits[nibble[n++]];
	out[UUID_LEN] = '\0';
}

int uuid_new(char out[UUID_LEN + 1])
{
	unsigned char raw[16], nibble[32];
	ssize_t n;

	do
		n = getrandom(raw, sizeof(raw), 0);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(raw))
		return n < 0 ? -errno : -EIO;
	raw[6] = (raw[6] & 0x0f) | 0x40; /* version 4 */
	raw[8] = (raw[8] & 0x3f) | 0x80; /* variant of RFC 4122 */
	for (size_t i = 0; i < sizeof(raw); i++) {
		nibble[2 * i] = raw[i] >> 4;
		nibble[2 * i + 1] = raw[i] & 0x0f;
	}
	spell(nibble, out);
	return 0;
}

bool uuid_valid(const char *s)
{
	if (strlen(s) != UUID_LEN)
		return false;
	for (size_t i = 0; i < UUID_LEN; i++) {
		if (is_dash_at(i) ? s[i] != '-' : !strchr(digits, s[i]))
			return false;
	}
	return true;
}

int uuid_parse(const char *s, char out[UUID_LEN + 1])
{
	unsigned char nibble[32], any = 0;
	size_t n = 0;

	for (; *s; s++) {
		char c = *s >= 'A' && *s <= 'F' ? (char)(*s - 'A' + 'a') : *s;
		const char *at = strchr(digits, c);

		if (c == '-')
			continue;
		if (!at || n == sizeof(nibble))
			return -EINVAL;
		nibble[n++] = (unsigned char)(at - digits);
		any |= nibble[n - 1];
	}
	if (n != sizeof(nibble) || !any)
		return -EINVAL;
	spell(nibble, out);
	return 0;
}
