/*
 * log — one write(2) a record, so that lines of several processes do not mix.
 */
#include "base/log.h"

#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"

static const char *log_prefix = "";
static enum log_level log_level = LOG_NORMAL;

void log_setup(const char *prefix, enum log_level level)
{
	log_prefix = prefix;
	log_level = level;
}

enum log_level log_get_level(void)
{
	return log_level;
}

const char *log_get_prefix(void)
{
	return log_prefix;
}

__attribute__((format(printf, 2, 0))) static void emit(const char *kind, const char *fmt, va_list ap)
{
	int saved = errno;
	auto_free char *text = xvasprintf(fmt, ap);
	auto_buf line = BUF_INIT;

	if (log_prefix[0]) {
		buf_adds(&line, log_prefix);
		buf_adds(&line, ": ");
	}
	buf_adds(&line, kind);
	buf_add_line(&line, text, strlen(text));
	buf_addc(&line, '\n');
	(void)write_full(STDERR_FILENO, line.data, line.len); /* nowhere to report it */
	errno = saved;
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit("", fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	if (log_level == LOG_QUIET)
		return;
	va_start(ap, fmt);
	emit("warning: ", fmt, ap);
	va_end(ap);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	if (log_level == LOG_QUIET)
		return;
	va_start(ap, fmt);
	emit("", fmt, ap);
	va_end(ap);
}

void log_debug(const char *fmt, ...)
{
	va_list ap;

	if (log_level != LOG_VERBOSE)
		return;
	va_start(ap, fmt);
	emit("", fmt, ap);
	va_end(ap);
}
