/*
 * err — fill and extend the fixed-size error object.
 *
 * Every function formats into a local buffer first, so that arguments may point into the object
 * itself.  A text that does not fit ends in "...".  Nothing here allocates: the functions are used
 * in children between fork and exec.
 */
#include "base/err.h"

#include <stdio.h>
#include <string.h>

/* Mark a cut text: three dots at the end, not in the middle of a UTF-8 sequence. */
static void mark_cut(char *text)
{
	size_t at = ERR_TEXT_MAX - 4;

	while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80)
		at--;
	memcpy(text + at, "...", 4);
}

__attribute__((format(printf, 2, 0))) static void format_text(char *out, const char *fmt, va_list ap)
{
	int n = vsnprintf(out, ERR_TEXT_MAX, fmt, ap); /* NOLINT: every caller has started @ap */

	if (n < 0)
		out[0] = '\0';
	else if (n >= ERR_TEXT_MAX)
		mark_cut(out);
}

/* @out = @a @sep @b, cut to size; @out is neither of them.  The end of @a goes first when the cause
 * stands in @b (@keep_b), so that a long path does not push it out. */
static void join_text(char *out, const char *a, const char *sep, const char *b, int keep_b)
{
	int a_max = ERR_TEXT_MAX;
	int n, tail = (int)(strlen(sep) + strlen(b));

	if (keep_b && tail < ERR_TEXT_MAX / 2 && strlen(a) + (size_t)tail >= ERR_TEXT_MAX) {
		a_max = ERR_TEXT_MAX - tail - 4;
		while (a_max > 0 && ((unsigned char)a[a_max] & 0xc0) == 0x80)
			a_max--;
		(void)snprintf(out, ERR_TEXT_MAX, "%.*s...%s%s", a_max, a, sep, b);
		return;
	}
	n = snprintf(out, ERR_TEXT_MAX, "%s%s%s", a, sep, b);
	if (n >= ERR_TEXT_MAX)
		mark_cut(out);
}

int err_set(struct err *e, enum err_class cls, int code, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	format_text(text, fmt, ap);
	va_end(ap);
	e->cls = (int)cls;
	e->code = code;
	memcpy(e->text, text, sizeof(text));
	return -code;
}

int err_sys(struct err *e, int errnum, const char *fmt, ...)
{
	char text[ERR_TEXT_MAX], unknown[32];
	const char *cause = strerrordesc_np(errnum);
	va_list ap;

	va_start(ap, fmt);
	format_text(text, fmt, ap);
	va_end(ap);
	if (!cause) {
		(void)snprintf(unknown, sizeof(unknown), "error %d", errnum);
		cause = unknown;
	}
	e->cls = ERR_SYS;
	e->code = errnum;
	join_text(e->text, text, ": ", cause, 1);
	return -errnum;
}

int err_ctx(struct err *e, const char *fmt, ...)
{
	char front[ERR_TEXT_MAX], whole[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	format_text(front, fmt, ap);
	va_end(ap);
	join_text(whole, front, e->text[0] ? ": " : "", e->text, 1);
	memcpy(e->text, whole, sizeof(whole));
	return -e->code;
}

int err_hint(struct err *e, const char *fmt, ...)
{
	char back[ERR_TEXT_MAX], whole[ERR_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	format_text(back, fmt, ap);
	va_end(ap);
	join_text(whole, e->text, e->text[0] ? "; " : "", back, 0);
	memcpy(e->text, whole, sizeof(whole));
	return -e->code;
}

int err_copy(struct err *to, const struct err *from)
{
	memmove(to, from, sizeof(*to));
	return -to->code;
}

void err_clear(struct err *e)
{
	e->code = 0;
	e->cls = ERR_NONE;
	e->text[0] = '\0';
}
