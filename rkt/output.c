/*
 * output — see output.h.
 */
#include "rkt/output.h"

#include <stdarg.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"

const char *const output_formats[] = { "json", "json-pretty", "", NULL };

enum output_format output_format_of(const char *text)
{
	if (!text || !*text)
		return OUTPUT_TEXT;
	return strcmp(text, "json") == 0 ? OUTPUT_JSON : OUTPUT_JSON_PRETTY;
}

int output_write(const struct buf *b, struct err *e)
{
	int r = write_full(STDOUT_FILENO, buf_str(b), b->len);
	return r < 0 ? err_sys(e, -r, "write standard output") : 0;
}

int output_line(struct err *e, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	auto_free char *text = xvasprintf(fmt, ap);
	va_end(ap);
	auto_buf line = BUF_INIT;
	buf_adds(&line, text);
	buf_addc(&line, '\n');
	return output_write(&line, e);
}

int output_json(json_t *doc, enum output_format format, struct err *e)
{
	auto_json own = doc;
	auto_free char *text = json_text(own, format == OUTPUT_JSON_PRETTY ? JSON_TABS : JSON_LINE);
	return output_line(e, "%s", text);
}

void output_image_id(const char *id, bool full, size_t digits, char out[IMAGE_ID_LEN + 1])
{
	const char *dash = strchr(id, '-');
	size_t n = full || !dash ? IMAGE_ID_LEN : (size_t)(dash + 1 - id) + digits;
	snprintf(out, IMAGE_ID_LEN + 1, "%.*s", (int)(n < IMAGE_ID_LEN ? n : IMAGE_ID_LEN), id);
}
