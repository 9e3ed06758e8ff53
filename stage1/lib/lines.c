/* lines — see lines.h. */
#include "stage1/lib/lines.h"

#include <string.h>

static void emit(struct lines *l, uint64_t us, struct buf *out)
{
	buf_addf(out, "[%llu.%06llu] %s[%d]: ", (unsigned long long)(us / 1000000),
		 (unsigned long long)(us % 1000000), l->app, l->pid);
	if (l->escape)
		buf_add_line(out, buf_str(&l->part), l->part.len);
	else
		buf_add(out, buf_str(&l->part), l->part.len);
	buf_addc(out, '\n');
	buf_clear(&l->part);
}

void lines_feed(struct lines *l, const char *p, size_t n, uint64_t us, struct buf *out)
{
	while (n > 0) {
		const char *nl = memchr(p, '\n', n);
		size_t take = nl ? (size_t)(nl - p) : n, room = LINES_LONGEST - l->part.len;

		if (take > room) {
			buf_add(&l->part, p, room);
			emit(l, us, out);
			p += room;
			n -= room;
			continue;
		}
		buf_add(&l->part, p, take);
		if (nl)
			emit(l, us, out);
		p += take + (nl ? 1 : 0);
		n -= take + (nl ? 1 : 0);
	}
}

void lines_flush(struct lines *l, uint64_t us, struct buf *out)
{
	if (l->part.len)
		emit(l, us, out);
}

void lines_done(struct lines *l)
{
	buf_done(&l->part);
}
