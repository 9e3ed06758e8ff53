/*
 * tarscan — strict push scanner of tar framing.
 *
 * How it works: a state machine over 512-byte blocks.  A header says what follows: file data to be
 * skipped, or the body of an extension header ("x", "X", "g", "L", "K"), which is collected and
 * checked.  Extension headers leave marks that the next entry consumes; a second header of a kind,
 * or a name given in two ways, is refused because readers differ about who wins.  Data belongs only
 * to regular files: where a size elsewhere would be read differently by different readers it is refused.
 */
#include "image/tarscan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "image/tarfield.h"
#include "image/tarpax.h"

enum { BLOCK = 512, SPECIALS_MAX = 8 };

/* Field offsets and widths (POSIX ustar). */
enum {
	NAME_LEN = 100,
	UID = 108,
	GID = 116,
	SIZE = 124,
	MTIME = 136,
	TYPE = 156,
	MAGIC = 257,
	MAJOR = 329,
	MINOR = 337
};

enum state { HEADER, DATA, PADDING, BODY, DONE };

struct tarscan {
	enum state state;
	unsigned char hdr[BLOCK];
	size_t have;     /* bytes of hdr */
	uint64_t left;   /* bytes of data or body to come */
	size_t padding;  /* bytes of padding to come after it */
	uint64_t offset; /* of the next byte in the stream */
	char body_type;  /* of the extension header being collected */
	struct buf body;
	struct pax_facts pax;
	bool pax_seen, longname, longlink; /* extension headers waiting for their entry */
	unsigned int specials;
	uint64_t entries, bytes;
};

struct tarscan *tarscan_new(void)
{
	return xcalloc(1, sizeof(struct tarscan));
}

void tarscan_free(struct tarscan *s)
{
	if (!s)
		return;
	buf_done(&s->body);
	free(s);
}

/* The refusal of the header in s->hdr, with its name as the header spells it. */
static int refuse(const struct tarscan *s, struct err *e, int code, const char *why)
{
	auto_buf name = BUF_INIT;

	buf_add_escaped(&name, (const char *)s->hdr, strnlen((const char *)s->hdr, NAME_LEN));
	return err_set(e, ERR_INPUT, code, "entry \"%s\" at offset %llu: %s", buf_str(&name),
		       (unsigned long long)(s->offset - BLOCK), why);
}

static int field(const struct tarscan *s, size_t off, size_t width, int64_t min, int64_t max,
		 const char *what, int64_t *ret, struct err *e)
{
	if (tarfield_number(s->hdr + off, width, ret) < 0 || *ret < min || *ret > max)
		return refuse(s, e, EINVAL, what);
	return 0;
}

/* Begin the body of an extension header of @max bytes at most. */
static int begin_body(struct tarscan *s, char type, int64_t size, size_t max, struct err *e)
{
	if ((uint64_t)size > max)
		return refuse(s, e, E2BIG,
			      type == 'L' || type == 'K' ? "name longer than the limit of 64 KiB"
							 : "pax header larger than the limit of 1 MiB");
	if (++s->specials > SPECIALS_MAX)
		return refuse(s, e, EINVAL, "too many extension headers in a row");
	s->body_type = type;
	s->left = (uint64_t)size;
	s->padding = (size_t)(-(uint64_t)size & (BLOCK - 1));
	s->state = BODY;
	buf_clear(&s->body);
	return 0;
}

static int extension_header(struct tarscan *s, char type, struct err *e)
{
	bool *seen = type == 'L' ? &s->longname : type == 'K' ? &s->longlink : &s->pax_seen;
	int64_t size;
	int r = field(s, SIZE, 12, 0, INT64_MAX, "malformed size", &size, e);

	if (r < 0)
		return r;
	if (type == 'g') {
		if (s->pax_seen || s->longname || s->longlink)
			return refuse(s, e, EINVAL,
				      "global header between an extension header and its entry");
		return begin_body(s, type, size, TARSCAN_PAX_MAX, e);
	}
	if (*seen)
		return refuse(s, e, EINVAL, "two extension headers of one kind for one entry");
	*seen = true;
	return begin_body(s, type, size, type == 'L' || type == 'K' ? TARSCAN_NAME_MAX : TARSCAN_PAX_MAX, e);
}

/* GNU long names end with NULs or with the body; nothing may hide behind the first NUL. */
static int check_longname(struct tarscan *s, struct err *e)
{
	size_t n = s->body.len, used = n ? strnlen(s->body.data, n) : 0;

	if (used == 0)
		return refuse(s, e, EINVAL, "empty long name");
	for (size_t i = used; i < n; i++) {
		if (s->body.data[i] != '\0')
			return refuse(s, e, EINVAL, "long name holds a NUL byte");
	}
	return 0;
}

static int body_complete(struct tarscan *s, struct err *e)
{
	int r;

	s->state = s->padding ? PADDING : HEADER;
	if (s->body_type == 'L' || s->body_type == 'K')
		return check_longname(s, e);
	r = tarpax_check(buf_str(&s->body), s->body.len, s->body_type == 'g', &s->pax, e);
	return r < 0 ? err_ctx(e, "extension header before offset %llu", (unsigned long long)s->offset) : 0;
}

/* Which types there are and whether data follows them. */
enum kind { REGULAR, HARDLINK, NO_DATA, LABEL };

static int kind_of(const struct tarscan *s, char type, enum kind *ret, struct err *e)
{
	if (type == '0' || type == '\0' || type == '7')
		*ret = REGULAR;
	else if (type == '1')
		*ret = HARDLINK;
	else if (type >= '2' && type <= '6')
		*ret = NO_DATA;
	else if (type == 'V')
		*ret = LABEL;
	else if (type == 'S')
		return refuse(s, e, EINVAL, "sparse files are not supported; pack without --sparse");
	else
		return refuse(s, e, EINVAL, "unknown entry type");
	return 0;
}

static int check_fields(const struct tarscan *s, char type, int64_t *size, struct err *e)
{
	const struct {
		size_t off, width;
		int64_t min, max;
		const char *what;
	} rows[] = {
		{ NAME_LEN, 8, INT64_MIN, INT64_MAX, "malformed mode" },
		{ UID, 8, 0, UINT32_MAX - 1, "malformed user id" },
		{ GID, 8, 0, UINT32_MAX - 1, "malformed group id" },
		{ MTIME, 12, INT64_MIN, INT64_MAX, "malformed time" },
		{ MAJOR, 8, 0, 0xfff, "malformed device number" },
		{ MINOR, 8, 0, 0xfffff, "malformed device number" },
	};
	size_t n = type == '3' || type == '4' ? ARRAY_LEN(rows) : ARRAY_LEN(rows) - 2;
	int64_t ignored;

	for (size_t i = 0; i < n; i++) {
		int r = field(s, rows[i].off, rows[i].width, rows[i].min, rows[i].max, rows[i].what, &ignored,
			      e);
		if (r < 0)
			return r;
	}
	return field(s, SIZE, 12, 0, INT64_MAX, "malformed size", size, e);
}

static int check_marks(const struct tarscan *s, enum kind kind, int64_t size, struct err *e)
{
	if ((s->pax.path && s->longname) || (s->pax.linkpath && s->longlink))
		return refuse(s, e, EINVAL, "two extension headers name this entry");
	if (kind == HARDLINK && (size != 0 || (s->pax.size_set && s->pax.size != 0)))
		return refuse(s, e, EINVAL, "hard link with data");
	if (kind != REGULAR && s->pax.size_set && s->pax.size != 0)
		return refuse(s, e, EINVAL, "data for an entry that has none");
	if (kind == LABEL && size != 0)
		return refuse(s, e, EINVAL, "volume label with data");
	return 0;
}

static int entry_header(struct tarscan *s, char type, struct err *e)
{
	enum kind kind = NO_DATA;
	int64_t size = 0;
	int r = kind_of(s, type, &kind, e);

	if (r == 0)
		r = check_fields(s, type, &size, e);
	if (r == 0)
		r = check_marks(s, kind, size, e);
	if (r < 0)
		return r;
	s->left = kind != REGULAR ? 0 : s->pax.size_set ? s->pax.size : (uint64_t)size;
	s->padding = (size_t)(-s->left & (BLOCK - 1));
	s->state = s->left ? DATA : HEADER;
	if (kind != LABEL) {
		s->entries++;
		/* Cannot wrap: the bytes have to come through the stream. */
		s->bytes += s->left;
	}
	s->pax = (struct pax_facts){ 0 };
	s->pax_seen = s->longname = s->longlink = false;
	s->specials = 0;
	return 0;
}

static int header_complete(struct tarscan *s, struct err *e)
{
	static const unsigned char zero[BLOCK];
	char type = (char)s->hdr[TYPE];

	s->have = 0;
	if (memcmp(s->hdr, zero, BLOCK) == 0) {
		if (s->pax_seen || s->longname || s->longlink)
			return err_set(e, ERR_INPUT, EINVAL,
				       "extension header without an entry at the end of the archive");
		s->state = DONE;
		return 0;
	}
	if (!tarfield_checksum_ok(s->hdr))
		return err_set(e, ERR_INPUT, EINVAL, "damaged tar header at offset %llu: wrong checksum",
			       (unsigned long long)(s->offset - BLOCK));
	if (type == 'x' || type == 'X' || type == 'g' || type == 'L' || type == 'K')
		return extension_header(s, type, e);
	return entry_header(s, type, e);
}

/* Take what the present state wants from @p[0..n); returns how much, and completes what is complete. */
static size_t take(struct tarscan *s, const char *p, size_t n, int *r, struct err *e)
{
	size_t want = s->state == HEADER    ? BLOCK - s->have
		      : s->state == PADDING ? s->padding
		      : s->left < n         ? (size_t)s->left
					    : n;

	if (want > n)
		want = n;
	if (s->state == HEADER)
		memcpy(s->hdr + s->have, p, want);
	else if (s->state == BODY)
		buf_add(&s->body, p, want);
	s->offset += want;
	switch (s->state) {
	case HEADER:
		s->have += want;
		if (s->have == BLOCK)
			*r = header_complete(s, e);
		break;
	case PADDING:
		s->padding -= want;
		if (s->padding == 0)
			s->state = HEADER;
		break;
	case BODY:
	case DATA:
		s->left -= want;
		if (s->left == 0 && s->state == BODY)
			*r = body_complete(s, e);
		else if (s->left == 0)
			s->state = s->padding ? PADDING : HEADER;
		break;
	case DONE:
		break;
	}
	return want;
}

int tarscan_feed(struct tarscan *s, const void *p, size_t n, struct err *e)
{
	const char *at = p;
	int r = 0;

	while (r == 0 && s->state != DONE) {
		/* An extension header without a body is complete at once. */
		if (s->state == BODY && s->left == 0) {
			r = body_complete(s, e);
			continue;
		}
		if (n == 0)
			break;
		size_t used = take(s, at, n, &r, e);
		at += used;
		n -= used;
	}
	s->offset += s->state == DONE ? n : 0;
	return r;
}

int tarscan_end(struct tarscan *s, struct err *e)
{
	if (s->state == DONE)
		return 0;
	if (s->state == PADDING || (s->state == HEADER && s->have == 0)) {
		if (s->pax_seen || s->longname || s->longlink)
			return err_set(e, ERR_INPUT, EINVAL,
				       "truncated: the archive ends after an extension header");
		return 0;
	}
	return err_set(e, ERR_INPUT, EINVAL, "truncated: the archive ends inside %s at offset %llu",
		       s->state == DATA ? "file data" : "a header", (unsigned long long)s->offset);
}

size_t tarscan_padding_due(const struct tarscan *s)
{
	return s->state == PADDING ? s->padding : 0;
}

bool tarscan_at_end(const struct tarscan *s)
{
	return s->state == DONE;
}

uint64_t tarscan_entries(const struct tarscan *s)
{
	return s->entries;
}

uint64_t tarscan_bytes(const struct tarscan *s)
{
	return s->bytes;
}
