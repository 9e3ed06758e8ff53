/* proglines — see proglines.h. */
#include "stage0/proglines.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"
#include "base/ticks.h"

#define BAR_CELLS 24
#define DRAW_MS   200
#define LINE_MS   5000
#define LINES_MAX 16 /* on a terminal; the rest is there, and not shown */

struct line {
	const char *name; /* NULL: takes no part */
	int64_t now, total;
	int64_t next_ms; /* not on a terminal */
	bool done;
};

struct proglines {
	const char *what;
	bool tty, quiet;
	size_t n;
	int drawn; /* lines on the screen */
	int64_t next_ms;
	struct line v[];
};

struct proglines *proglines_new(const char *what, size_t n, bool quiet)
{
	struct proglines *p = xcalloc(1, sizeof(*p) + n * sizeof(p->v[0]));

	p->what = what;
	p->n = n;
	p->quiet = quiet;
	p->tty = isatty(STDERR_FILENO);
	return p;
}

void proglines_add(struct proglines *p, size_t i, const char *name)
{
	p->v[i] = (struct line){ .name = name, .next_ms = ticks_ms() + LINE_MS };
}

static void add_amount(struct buf *b, const struct line *l)
{
	auto_free char *now = format_size((uint64_t)l->now), *total = format_size((uint64_t)l->total);

	if (l->done || l->total <= 0)
		buf_adds(b, l->total > 0 ? total : now);
	else
		buf_addf(b, "%s/%s", now, total);
}

static void add_bar(struct buf *b, const struct line *l)
{
	int filled = l->done        ? BAR_CELLS
		     : l->total > 0 ? (int)((double)l->now / (double)l->total * BAR_CELLS)
				    : 0;

	buf_addc(b, '[');
	for (int i = 0; i < BAR_CELLS; i++)
		buf_addc(b, i < filled ? '=' : i == filled && l->total > 0 ? '>' : ' ');
	buf_adds(b, "] ");
}

/* All lines in place of those drawn before. */
static void draw(struct proglines *p)
{
	auto_buf b = BUF_INIT;
	int lines = 0;

	if (p->drawn)
		buf_addf(&b, "\033[%dA", p->drawn);
	for (size_t i = 0; i < p->n && lines < LINES_MAX; i++) {
		const struct line *l = &p->v[i];

		if (!l->name)
			continue;
		buf_addf(&b, "\r%s %.12s ", p->what, l->name);
		add_bar(&b, l);
		add_amount(&b, l);
		buf_adds(&b, "\033[K\n");
		lines++;
	}
	p->drawn = lines;
	(void)write_full(STDERR_FILENO, b.data, b.len); /* nowhere to report it */
}

static void tell(const struct proglines *p, const struct line *l)
{
	auto_buf b = BUF_INIT;

	buf_addf(&b, "%s: %s %.12s: ", log_get_prefix(), p->what, l->name);
	add_amount(&b, l);
	buf_addc(&b, '\n');
	(void)write_full(STDERR_FILENO, b.data, b.len);
}

void proglines_update(struct proglines *p, size_t i, int64_t now, int64_t total)
{
	struct line *l = &p->v[i];
	int64_t t = p->quiet ? 0 : ticks_ms();

	l->now = now;
	l->total = total;
	if (p->quiet || t < (p->tty ? p->next_ms : l->next_ms))
		return;
	if (p->tty) {
		p->next_ms = t + DRAW_MS;
		draw(p);
	} else {
		l->next_ms = t + LINE_MS;
		tell(p, l);
	}
}

void proglines_end(struct proglines *p, size_t i)
{
	struct line *l = &p->v[i];

	l->done = true;
	l->now = l->total;
	if (p->quiet || !l->name)
		return;
	if (p->tty)
		draw(p);
	else
		tell(p, l);
}

void proglines_free(struct proglines *p)
{
	free(p);
}
