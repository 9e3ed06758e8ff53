/*
 * progress — the bar and the line.
 */
#include "stage0/progress.h"

#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"

#define BAR_CELLS    32
#define BAR_EVERY_S  1
#define LINE_EVERY_S 5
#define S_NS         1000000000LL

static int64_t monotonic_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * S_NS + t.tv_nsec;
}

void progress_start(struct progress *p, const char *what, bool quiet)
{
	bool tty = isatty(STDERR_FILENO);
	*p = (struct progress){ .what = what, .tty = tty, .quiet = quiet };
	p->next_ns = monotonic_ns() + (tty ? 0 : LINE_EVERY_S * S_NS);
}

static void add_amount(struct buf *b, int64_t now, int64_t total)
{
	auto_free char *n = format_size((uint64_t)now), *t = format_size((uint64_t)total);
	if (total > 0)
		buf_addf(b, "%s/%s", n, t);
	else
		buf_adds(b, n);
}

static void add_bar(struct buf *b, int64_t now, int64_t total)
{
	int filled = total > 0 ? (int)((double)now / (double)total * BAR_CELLS) : 0;

	buf_addc(b, '[');
	for (int i = 0; i < BAR_CELLS; i++)
		buf_addc(b, i < filled ? '=' : i == filled && total > 0 ? '>' : ' ');
	buf_adds(b, "] ");
}

void progress_update(struct progress *p, int64_t now, int64_t total)
{
	int64_t t = monotonic_ns();
	auto_buf b = BUF_INIT;

	if (p->quiet || t < p->next_ns)
		return;
	p->next_ns = t + (p->tty ? BAR_EVERY_S : LINE_EVERY_S) * S_NS;
	if (total > 0 && now > total)
		now = total;
	if (p->tty) {
		buf_addf(&b, "\r%s: ", p->what);
		add_bar(&b, now, total);
		add_amount(&b, now, total);
		buf_adds(&b, "\033[K");
		p->drawn = true;
	} else {
		buf_addf(&b, "%s: %s: ", log_get_prefix(), p->what);
		add_amount(&b, now, total);
		buf_addc(&b, '\n');
	}
	(void)write_full(STDERR_FILENO, b.data, b.len); /* nowhere to report it */
}

void progress_end(struct progress *p)
{
	if (p->drawn)
		(void)write_full(STDERR_FILENO, "\n", 1);
	p->drawn = false;
}
