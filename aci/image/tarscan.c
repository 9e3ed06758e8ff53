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
#include <stdio.h>
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
	CHECKSUM = 148,
	TYPE = 156,
	MAGIC = 257,
	MAJOR = 329,
	MINOR = 337
};

enum state { HEADER, SPARSE, DATA, PADDING, BODY, DONE };

/* We are ahead of the reader behind us: what it must know waits for it. */
struct queued {
	uint64_t entry;
	struct tarscan_note note;
};

struct tarscan {
	enum state state;
	unsigned char hdr[BLOCK];
	unsigned char more[BLOCK]; /* of a sparse map, behind the header */
	size_t have;               /* bytes of hdr or more */
	unsigned char *whole;      /* the header in the caller's bytes, if it is there in one piece */
	uint64_t left;             /* bytes of data or body to come */
	size_t padding;            /* bytes of padding to come after it */
	uint64_t offset;           /* of the next byte in the stream */
	char body_type;            /* of the extension header being collected */
	struct buf body;
	struct pax_facts pax;
	bool pax_seen, longname, longlink; /* extension headers waiting for their entry */
	unsigned int specials;
	struct tarsparse map; /* of the entry at hand */
	struct tarsparse_text text;
	bool in_text;     /* its data begins with a map */
	uint64_t data;    /* bytes of its data */
	struct buf queue; /* of struct queued … */
	size_t queued;    /* … from this byte on */
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
	buf_done(&s->queue);
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
enum kind { REGULAR, SPARSE_FILE, HARDLINK, NO_DATA, LABEL };

static bool is_gnu(const struct tarscan *s)
{
	return memcmp(s->hdr + MAGIC, "ustar  ", 8) == 0;
}

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
	else if (type == 'S' && is_gnu(s))
		*ret = SPARSE_FILE;
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
	if (kind == HARDLINK && s->pax.size_set && s->pax.size != 0)
		return refuse(s, e, EINVAL, "hard link with data");
	if (kind != REGULAR && s->pax.size_set && s->pax.size != 0)
		return refuse(s, e, EINVAL, "data for an entry that has none");
	if (kind != SPARSE_FILE && is_gnu(s) && tarsparse_gnu_hidden(s->hdr))
		return refuse(s, e, EINVAL, "sparse map in an entry of another type");
	if (kind == LABEL && size != 0)
		return refuse(s, e, EINVAL, "volume label with data");
	return 0;
}

/*
 * Old packers give the size of the file to each of its names, and no data.  Readers guess what follows by the
 * kind of the archive; ours is shown that nothing does.
 */
static void hide_size(struct tarscan *s)
{
	unsigned int sum = 0;

	if (!s->whole)
		return;
	memcpy(s->whole + SIZE, "00000000000", 12);
	memset(s->whole + CHECKSUM, ' ', 8);
	for (int i = 0; i < BLOCK; i++)
		sum += s->whole[i];
	(void)snprintf((char *)s->whole + CHECKSUM, 8, "%06o", sum);
}

static int no_sparse(const struct tarscan *s, const char *why, struct err *e)
{
	return why ? refuse(s, e, EINVAL, why) : 0;
}

/* The map of the entry at hand, or where it will come from. */
static int begin_sparse(struct tarscan *s, enum kind kind, struct err *e)
{
	enum pax_sparse form;
	bool more = false;
	const char *why = tarpax_sparse(&s->pax, &form);

	s->in_text = form == PAX_SPARSE_TEXT;
	s->text = (struct tarsparse_text){ 0 };
	s->map = s->pax.map;
	if (!why && form != PAX_SPARSE_NONE && kind != REGULAR)
		why = "records of a sparse file for an entry of another type";
	if (!why && form == PAX_SPARSE_RECORDS)
		why = tarsparse_check(&s->map, s->data);
	if (!why && form == PAX_SPARSE_TEXT && !s->data)
		why = "sparse file without a map";
	if (!why && kind == SPARSE_FILE)
		why = tarsparse_gnu_header(&s->map, s->hdr, &more);
	if (!why && kind == SPARSE_FILE && !more)
		why = tarsparse_check(&s->map, s->data);
	s->have = 0;
	s->state = more ? SPARSE : s->left ? DATA : HEADER;
	return no_sparse(s, why, e);
}

static int map_block(struct tarscan *s, struct err *e)
{
	bool more = false;
	const char *why = tarsparse_gnu_block(&s->map, s->more, &more);

	if (!why && !more)
		why = tarsparse_check(&s->map, s->data);
	s->have = 0;
	s->state = more ? SPARSE : s->left ? DATA : HEADER;
	return no_sparse(s, why, e);
}

/* The header's number where a record took back another: libarchive would take 0. */
static void note_entry(struct tarscan *s, bool sparse)
{
	struct queued q = { .entry = s->entries };

	if (!sparse && !s->pax.no_uid && !s->pax.no_gid && !s->pax.no_mtime)
		return;
	q.note.sparse = sparse;
	q.note.uid_set = s->pax.no_uid;
	q.note.gid_set = s->pax.no_gid;
	q.note.mtime_set = s->pax.no_mtime;
	/* check_fields has read them before */
	(void)tarfield_number(s->hdr + UID, 8, &q.note.uid);
	(void)tarfield_number(s->hdr + GID, 8, &q.note.gid);
	(void)tarfield_number(s->hdr + MTIME, 12, &q.note.mtime);
	buf_add(&s->queue, &q, sizeof(q));
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
	if (kind == HARDLINK && size)
		hide_size(s);
	s->left = kind != REGULAR && kind != SPARSE_FILE ? 0 : s->pax.size_set ? s->pax.size : (uint64_t)size;
	s->data = s->left;
	s->padding = (size_t)(-s->left & (BLOCK - 1));
	r = begin_sparse(s, kind, e);
	if (r < 0)
		return r;
	bool sparse = kind == SPARSE_FILE || s->pax.sparse;
	if (kind != LABEL) {
		s->entries++;
		/* Bytes of data cannot wrap it, as they have to come through the stream; holes can, and who extracts
		 * them has refused them by then. */
		s->bytes += sparse ? s->map.size : s->left;
		note_entry(s, sparse);
	}
	s->pax = (struct pax_facts){ .path = false };
	s->pax_seen = s->longname = s->longlink = false;
	s->specials = 0;
	return 0;
}

/* @n bytes of data have come. */
static int data_came(struct tarscan *s, const char *p, size_t n, struct err *e)
{
	const char *why = s->in_text ? tarsparse_text(&s->map, &s->text, p, n) : NULL;

	s->left -= n;
	if (s->left == 0) {
		s->state = s->padding ? PADDING : HEADER;
		if (s->in_text && !why)
			why = tarsparse_text_end(&s->map, &s->text, s->data);
		s->in_text = false;
	}
	return no_sparse(s, why, e);
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
	bool block = s->state == HEADER || s->state == SPARSE;
	size_t want = block                 ? BLOCK - s->have
		      : s->state == PADDING ? s->padding
		      : s->left < n         ? (size_t)s->left
					    : n;

	if (want > n)
		want = n;
	if (block)
		memcpy((s->state == HEADER ? s->hdr : s->more) + s->have, p, want);
	else if (s->state == BODY)
		buf_add(&s->body, p, want);
	s->offset += want;
	switch (s->state) {
	case HEADER:
	case SPARSE:
		s->have += want;
		if (s->have == BLOCK)
			*r = s->state == HEADER ? header_complete(s, e) : map_block(s, e);
		break;
	case PADDING:
		s->padding -= want;
		if (s->padding == 0)
			s->state = HEADER;
		break;
	case BODY:
		s->left -= want;
		if (s->left == 0)
			*r = body_complete(s, e);
		break;
	case DATA:
		*r = data_came(s, p, want, e);
		break;
	case DONE:
		break;
	}
	return want;
}

int tarscan_feed(struct tarscan *s, void *p, size_t n, struct err *e)
{
	char *at = p;
	int r = 0;

	while (r == 0 && s->state != DONE) {
		/* An extension header without a body is complete at once. */
		if (s->state == BODY && s->left == 0) {
			r = body_complete(s, e);
			continue;
		}
		if (n == 0)
			break;
		s->whole = s->state == HEADER && !s->have && n >= BLOCK ? (unsigned char *)at : NULL;
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
		       s->state == DATA     ? "file data"
		       : s->state == SPARSE ? "a sparse map"
					    : "a header",
		       (unsigned long long)s->offset);
}

size_t tarscan_padding_due(const struct tarscan *s)
{
	return s->state == PADDING ? s->padding : 0;
}

bool tarscan_at_end(const struct tarscan *s)
{
	return s->state == DONE;
}

struct tarscan_note tarscan_note(struct tarscan *s, uint64_t entry)
{
	struct queued q = { .entry = 0 };

	while (s->queued < s->queue.len && q.entry < entry) {
		memcpy(&q, s->queue.data + s->queued, sizeof(q));
		if (q.entry > entry)
			break;
		s->queued += sizeof(q);
	}
	if (s->queued == s->queue.len) {
		buf_clear(&s->queue);
		s->queued = 0;
	}
	return q.entry == entry ? q.note : (struct tarscan_note){ .sparse = false };
}

uint64_t tarscan_entries(const struct tarscan *s)
{
	return s->entries;
}

uint64_t tarscan_bytes(const struct tarscan *s)
{
	return s->bytes;
}
