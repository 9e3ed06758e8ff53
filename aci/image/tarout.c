/*
 * tarout — one tar header, with a pax header before it where the plain fields do not suffice.
 *
 * Plain ustar fields hold the leading part of what a pax record holds in full, so that every reader
 * finds something.  Nothing depends on the clock, the process or the environment.
 */
#include "image/tarout.h"

#include <string.h>
#include <sys/sysmacros.h>

enum { BLOCK = 512, NAME_MAX_USTAR = 100, PREFIX_MAX = 155 };

/* POSIX ustar header. */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], chksum[8], type, link[100];
	char magic[6], version[2], uname[32], gname[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a tar header is one block");

static void octal(char *field, size_t width, uint64_t v)
{
	field[width - 1] = '\0';
	for (size_t i = width - 1; i-- > 0; v >>= 3)
		field[i] = (char)('0' + (v & 7));
}

static size_t digits(size_t n)
{
	size_t d = 1;

	while (n >= 10)
		n /= 10, d++;
	return d;
}

void tarout_record(struct buf *records, const char *key, const void *value, size_t n)
{
	size_t rest = strlen(key) + n + 3; /* space, "=", newline */
	size_t len = rest + digits(rest);

	/* The length counts its own digits. */
	if (digits(len) != digits(rest))
		len = rest + digits(len);
	buf_addf(records, "%zu %s=", len, key);
	buf_add(records, value, n);
	buf_addc(records, '\n');
}

static void record_number(struct buf *records, const char *key, uint64_t v)
{
	auto_buf text = BUF_INIT;

	buf_addf(&text, "%llu", (unsigned long long)v);
	tarout_record(records, key, buf_str(&text), text.len);
}

static void record_time(struct buf *records, const char *key, struct timespec t)
{
	auto_buf text = BUF_INIT;
	/* Seconds round down, so a negative time with a fraction is written as its distance from zero. */
	unsigned long long whole = t.tv_sec < 0 ? (unsigned long long)-(t.tv_sec + (t.tv_nsec != 0))
						: (unsigned long long)t.tv_sec;
	long frac = t.tv_sec < 0 && t.tv_nsec ? 1000000000 - t.tv_nsec : t.tv_nsec;

	buf_addf(&text, "%s%llu", t.tv_sec < 0 ? "-" : "", whole);
	if (frac)
		buf_addf(&text, ".%09ld", frac);
	tarout_record(records, key, buf_str(&text), text.len);
}

/* Split a long name at a slash into prefix and name; false if it cannot be. */
static int split_name(struct header *h, const char *name)
{
	size_t n = strlen(name);

	if (n <= NAME_MAX_USTAR) {
		memcpy(h->name, name, n);
		return 1;
	}
	for (size_t i = n - NAME_MAX_USTAR - 1; i <= PREFIX_MAX && i + 1 < n; i++) {
		if (name[i] == '/' && i > 0) {
			memcpy(h->prefix, name, i);
			memcpy(h->name, name + i + 1, n - i - 1);
			return 1;
		}
	}
	memcpy(h->name, name, NAME_MAX_USTAR);
	return 0;
}

static void finish_header(struct header *h)
{
	const unsigned char *p = (const unsigned char *)h;
	unsigned int sum = 0;

	memset(h->chksum, ' ', sizeof(h->chksum));
	for (size_t i = 0; i < BLOCK; i++)
		sum += p[i];
	octal(h->chksum, 7, sum);
}

static void start_header(struct header *h, char type)
{
	memset(h, 0, sizeof(*h));
	h->type = type;
	memcpy(h->magic, "ustar", 6);
	memcpy(h->version, "00", 2);
	octal(h->major, 8, 0);
	octal(h->minor, 8, 0);
}

static void pax_header(struct buf *out, const struct buf *records)
{
	struct header h;
	size_t at = out->len;

	start_header(&h, 'x');
	memcpy(h.name, "PaxHeaders/entry", 16);
	octal(h.mode, 8, 0644);
	octal(h.uid, 8, 0);
	octal(h.gid, 8, 0);
	octal(h.mtime, 12, 0);
	octal(h.size, 12, records->len);
	finish_header(&h);
	buf_add(out, &h, BLOCK);
	buf_add(out, buf_str(records), records->len);
	tarout_pad(out, out->len - at, BLOCK);
}

/* Fill a numeric field, or leave it 0 and write a record. */
static void number(char *field, size_t width, uint64_t v, const char *key, struct buf *records)
{
	uint64_t max = (1ull << 3 * (width - 1)) - 1;

	octal(field, width, v <= max ? v : 0);
	if (v > max)
		record_number(records, key, v);
}

void tarout_header(struct buf *out, const struct tarout_entry *t, const struct buf *records)
{
	struct header h;
	auto_buf pax = BUF_INIT;
	size_t link_len = t->link ? strlen(t->link) : 0;

	start_header(&h, t->type);
	if (!split_name(&h, t->name))
		tarout_record(&pax, "path", t->name, strlen(t->name));
	if (link_len > sizeof(h.link))
		tarout_record(&pax, "linkpath", t->link, link_len);
	if (link_len)
		memcpy(h.link, t->link, link_len < sizeof(h.link) ? link_len : sizeof(h.link));
	octal(h.mode, 8, t->mode & 07777);
	number(h.uid, 8, t->uid, "uid", &pax);
	number(h.gid, 8, t->gid, "gid", &pax);
	number(h.size, 12, t->size, "size", &pax);
	if (t->mtime.tv_sec < 0 || t->mtime.tv_sec > 077777777777 || t->mtime.tv_nsec) {
		record_time(&pax, "mtime", t->mtime);
		octal(h.mtime, 12,
		      t->mtime.tv_sec < 0 || t->mtime.tv_sec > 077777777777 ? 0 : (uint64_t)t->mtime.tv_sec);
	} else {
		octal(h.mtime, 12, (uint64_t)t->mtime.tv_sec);
	}
	octal(h.major, 8, major(t->rdev));
	octal(h.minor, 8, minor(t->rdev));
	if (records)
		buf_add(&pax, buf_str(records), records->len);
	if (pax.len)
		pax_header(out, &pax);
	finish_header(&h);
	buf_add(out, &h, BLOCK);
}

void tarout_pad(struct buf *out, uint64_t written, size_t unit)
{
	size_t n = (size_t)((unit - written % unit) % unit);

	if (n) {
		(void)buf_reserve(out, n);
		out->len += n;
	}
}
