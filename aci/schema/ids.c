/*
 * ids — validation and conversion of the text types (schema/ids.h).
 *
 * Character classes are ASCII and spelt out: isalnum() and friends depend on the locale.
 */
#include "schema/ids.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/num.h"

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_separator(char c)
{
	return c && strchr("-._~/", c);
}

/* Is the path component @s[0..n) one that would name a directory itself, its parent or nothing? */
static bool is_hollow(const char *s, size_t n)
{
	return n == 0 || (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.');
}

bool ac_identifier_valid(const char *s)
{
	size_t n = strlen(s), start = 0;

	if (n == 0 || !is_lower_alnum(s[0]) || !is_lower_alnum(s[n - 1]))
		return false;
	for (size_t i = 0; i <= n; i++) {
		if (i < n && s[i] != '/') {
			if (!is_lower_alnum(s[i]) && !is_separator(s[i]))
				return false;
			continue;
		}
		if (is_hollow(s + start, i - start))
			return false;
		start = i + 1;
	}
	return true;
}

bool ac_name_valid(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || s[0] == '-' || s[n - 1] == '-')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!is_lower_alnum(s[i]) && s[i] != '-')
			return false;
	}
	return true;
}

bool ac_version_valid(const char *s)
{
	bool zero = true;

	for (const char *p = s; *p; p++) {
		if (*p <= ' ' || *p > '~')
			return false;
	}
	for (int part = 0; part < 3; part++) {
		char text[24];
		int64_t v;
		size_t n = strspn(s, "0123456789");

		while (n > 1 && s[0] == '0') { /* leading zeros carry no value */
			s++;
			n--;
		}
		if (n == 0 || n >= sizeof(text))
			return false;
		memcpy(text, s, n);
		text[n] = 0;
		if (parse_i64(text, &v) < 0)
			return false;
		zero = zero && v == 0;
		s += n;
		if (part < 2 && *s++ != '.')
			return false;
	}
	/* What follows is a pre-release ("-…") or metadata ("+…"), in any spelling. */
	if (*s == 0)
		return !zero;
	return *s == '-' || *s == '+';
}

bool env_name_valid(const char *s)
{
	if (!is_alpha(s[0]) && s[0] != '_')
		return false;
	for (s++; *s; s++) {
		if (!is_alpha(*s) && !is_digit(*s) && *s != '_' && *s != '.' && *s != '-')
			return false;
	}
	return true;
}

/* Read exactly @n digits at *@p; -1 if they are not. */
static int take_digits(const char **p, int n)
{
	int v = 0;

	for (; n > 0; n--, (*p)++) {
		if (!is_digit(**p))
			return -1;
		v = v * 10 + (**p - '0');
	}
	return v;
}

static int days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

bool timestamp_valid(const char *s)
{
	/* The fields, the byte that must follow each (0: none) and their bounds. */
	static const struct {
		int digits, low, high;
		char after;
	} field[] = {
		{ 4, 0, 9999, '-' }, { 2, 1, 12, '-' }, { 2, 1, 31, 'T' },
		{ 2, 0, 23, ':' },   { 2, 0, 59, ':' }, { 2, 0, 59, 0 },
	};
	int v[ARRAY_LEN(field)];

	for (size_t i = 0; i < ARRAY_LEN(field); i++) {
		v[i] = take_digits(&s, field[i].digits);
		if (v[i] < field[i].low || v[i] > field[i].high)
			return false;
		if (field[i].after && *s++ != field[i].after)
			return false;
	}
	if (v[2] > days_in_month(v[0], v[1]))
		return false;
	if (*s == '.') {
		size_t n = strspn(++s, "0123456789");

		if (n == 0)
			return false;
		s += n;
	}
	if (*s == 'Z')
		return s[1] == 0;
	if (*s != '+' && *s != '-')
		return false;
	s++;
	v[0] = take_digits(&s, 2);
	if (v[0] < 0 || v[0] > 23 || *s++ != ':')
		return false;
	v[1] = take_digits(&s, 2);
	return v[1] >= 0 && v[1] <= 59 && *s == 0;
}

bool http_url_valid(const char *s)
{
	size_t host;

	for (const char *p = s; *p; p++) {
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return false;
	}
	if (strncasecmp(s, "http://", 7) == 0)
		s += 7;
	else if (strncasecmp(s, "https://", 8) == 0)
		s += 8;
	else
		return false;
	host = strcspn(s, "/?#");
	if (host == 0 || s[host - 1] == '@')
		return false;
	return s[0] != ':';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Lower-case @s and put @instead for each illegal character (a multi-byte one counts once). */
static char *replace_illegal(const char *s, bool (*legal)(char), char instead)
{
	struct buf out = BUF_INIT;

	for (size_t i = 0; s[i]; i++) {
		char c = lower(s[i]);
		bool inner = ((unsigned char)c & 0xc0) == 0x80 && i > 0 && (unsigned char)s[i - 1] >= 0x80;

		if (legal(c))
			buf_addc(&out, c);
		else if (!inner)
			buf_addc(&out, instead);
	}
	return buf_steal(&out);
}

/* Take the bytes for which @edge holds off both ends; NULL if nothing remains. */
static char *strip_edges(char *s, bool (*edge)(char))
{
	size_t from = 0, to = strlen(s);
	char *kept;

	while (from < to && edge(s[from]))
		from++;
	while (to > from && edge(s[to - 1]))
		to--;
	kept = from < to ? xstrndup(s + from, to - from) : NULL;
	free(s);
	return kept;
}

static bool legal_in_identifier(char c)
{
	return is_lower_alnum(c) || is_separator(c);
}

static bool legal_in_name(char c)
{
	return is_lower_alnum(c) || c == '-';
}

static bool is_dash(char c)
{
	return c == '-';
}

char *ac_identifier_sanitize(const char *s)
{
	auto_free char *clean = replace_illegal(s, legal_in_identifier, '_');
	struct buf out = BUF_INIT;

	for (const char *p = clean; *p;) {
		size_t n = strcspn(p, "/");

		if (!is_hollow(p, n)) {
			if (out.len)
				buf_addc(&out, '/');
			buf_add(&out, p, n);
		}
		p += n + (p[n] == '/');
	}
	return strip_edges(buf_steal(&out), is_separator);
}

char *ac_name_sanitize(const char *s)
{
	return strip_edges(replace_illegal(s, legal_in_name, '-'), is_dash);
}

#define ALGO_LEN 7 /* both "sha512-" and "sha256-" */

/* Hex digits a complete digest of the algorithm that @s names has; 0 if it names none. */
static size_t digest_digits(const char *s)
{
	if (strncmp(s, "sha512-", ALGO_LEN) == 0)
		return 128;
	return strncmp(s, "sha256-", ALGO_LEN) == 0 ? 64 : 0;
}

bool image_id_valid(const char *s)
{
	return digest_digits(s) && strlen(s) == IMAGE_ID_LEN &&
	       strspn(s + ALGO_LEN, "0123456789abcdef") == IMAGE_ID_LEN - ALGO_LEN;
}

bool image_id_like(const char *s)
{
	size_t most = digest_digits(s), n;

	if (!most)
		return false;
	n = strlen(s + ALGO_LEN);
	return n > 0 && n <= most && strspn(s + ALGO_LEN, "0123456789abcdefABCDEF") == n;
}

char *image_id_prefix(const char *s, struct err *e)
{
	auto_buf shown = BUF_INIT;
	char *id;

	buf_add_escaped(&shown, s, strnlen(s, 2 * IMAGE_ID_LEN));
	if (digest_digits(s) && strlen(s + ALGO_LEN) < IMAGE_ID_PREFIX_MIN) {
		(void)err_set(e, ERR_INPUT, EINVAL, "image ID too short: \"%s\" has fewer than %d digits",
			      buf_str(&shown), IMAGE_ID_PREFIX_MIN);
		return NULL;
	}
	if (!image_id_like(s)) {
		(void)err_set(
			e, ERR_INPUT, EINVAL,
			"\"%s\" is not an image ID: \"sha512-\" and up to 128 hexadecimal digits expected",
			buf_str(&shown));
		return NULL;
	}
	id = xstrndup(s, IMAGE_ID_LEN);
	for (char *p = id; *p; p++)
		*p = lower(*p);
	return id;
}
