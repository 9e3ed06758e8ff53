/*
 * exact — see exact.h.
 *
 * The text is rewritten before the library sees it: `1.50` becomes `"\u00011.50"`; and again after the library has
 * written it, the other way round.  What is no number by JSON's grammar, or stands where a name belongs, is left
 * to the library, which complains.
 */
#include "stage1/net/exact.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"

#define MARK       "\\u0001" /* as the library writes the byte, and the only way in which a text can */
#define MARK_LEN   (sizeof(MARK) - 1)
#define DIGITS_MAX 18 /* that many always fit an int64_t */

static size_t digits(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && isdigit((unsigned char)s[i]))
		i++;
	return i;
}

/* Is s[0..n) a number (RFC 8259, section 6)?  *@plain: an integer that the library keeps as it is. */
static bool is_number(const char *s, size_t n, bool *plain)
{
	size_t at = n && s[0] == '-', whole = digits(s + at, n - at), more;

	if (whole == 0 || (whole > 1 && s[at] == '0'))
		return false;
	*plain = at + whole == n && whole <= DIGITS_MAX && !(at && s[at] == '0');
	at += whole;
	if (at < n && s[at] == '.') {
		more = digits(s + at + 1, n - at - 1);
		if (more == 0)
			return false;
		at += 1 + more;
	}
	if (at < n && (s[at] == 'e' || s[at] == 'E')) {
		at++;
		at += at < n && (s[at] == '+' || s[at] == '-');
		more = digits(s + at, n - at);
		if (more == 0)
			return false;
		at += more;
	}
	return at == n;
}

/* Length of the string at s[0] == '"', quotes included; n if it does not end. */
static size_t string_len(const char *s, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (s[i] == '\\')
			i++;
		else if (s[i] == '"')
			return i + 1;
	}
	return n;
}

static size_t token_len(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && (isdigit((unsigned char)s[i]) || (s[i] && strchr("+-.eE", s[i]))))
		i++;
	return i;
}

static bool is_name(const char *after, size_t n)
{
	size_t i = 0;

	while (i < n && isspace((unsigned char)after[i]))
		i++;
	return i < n && after[i] == ':';
}

static bool is_marked(const char *s, size_t n)
{
	return n > MARK_LEN && memcmp(s + 1, MARK, MARK_LEN) == 0;
}

static int mark_numbers(const char *text, size_t len, struct buf *out, struct err *e)
{
	bool plain = true;
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		const char *at = text + i;

		if (*at == '"') {
			n = string_len(at, len - i);
			if (is_marked(at, n))
				return err_set(e, ERR_INPUT, EINVAL,
					       "a string begins with a control character");
			buf_add(out, at, n);
		} else if (*at == '-' || isdigit((unsigned char)*at)) {
			n = token_len(at, len - i);
			if (is_number(at, n, &plain) && !plain && !is_name(at + n, len - i - n)) {
				buf_adds(out, "\"" MARK);
				buf_add(out, at, n);
				buf_addc(out, '"');
			} else {
				buf_add(out, at, n);
			}
		} else {
			n = 1;
			buf_addc(out, *at);
		}
	}
	return 0;
}

json_t *exact_parse(const char *text, size_t len, struct err *e)
{
	auto_buf marked = BUF_INIT;
	struct err why = ERR_INIT;
	json_t *j;

	if (mark_numbers(text, len, &marked, e) < 0)
		return NULL;
	j = json_parse(buf_str(&marked), marked.len, e);
	if (!j) {
		/* Say where it is in the text that people see. */
		auto_json original = json_parse(text, len, &why);

		if (!original)
			(void)err_copy(e, &why);
	}
	return j;
}

char *exact_text(const json_t *j)
{
	auto_free char *text = json_text(j, JSON_LINE);
	size_t len = strlen(text), n;
	struct buf out = BUF_INIT;
	bool plain;

	for (size_t i = 0; i < len; i += n) {
		const char *at = text + i;

		n = *at == '"' ? string_len(at, len - i) : 1;
		if (*at == '"' && is_marked(at, n) && is_number(at + 1 + MARK_LEN, n - 2 - MARK_LEN, &plain))
			buf_add(&out, at + 1 + MARK_LEN, n - 2 - MARK_LEN);
		else
			buf_add(&out, at, n);
	}
	return buf_steal(&out);
}
