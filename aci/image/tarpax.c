/*
 * tarpax — the records of a pax extended header, checked before anybody acts on them.
 *
 * A record is "LEN key=value\n" where LEN counts itself.  Keys that decide what an entry is have a
 * row in the table below; unknown ones are harmless, as nothing reads them.
 */
#include "image/tarpax.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "image/tarfield.h"

struct value {
	const char *p;
	size_t n;
};

/* Each check returns NULL or what is wrong. */
typedef const char *check_fn(struct value v, struct pax_facts *f);

static const char *check_path(struct value v, struct pax_facts *f)
{
	if (memchr(v.p, '\0', v.n))
		return "holds a NUL byte";
	f->path |= v.n > 0;
	return NULL;
}

static const char *check_linkpath(struct value v, struct pax_facts *f)
{
	if (memchr(v.p, '\0', v.n))
		return "holds a NUL byte";
	f->linkpath |= v.n > 0;
	return NULL;
}

static const char *check_size(struct value v, struct pax_facts *f)
{
	if (tarfield_decimal(v.p, v.n, INT64_MAX, &f->size) < 0)
		return "is not a size";
	f->size_set = true;
	return NULL;
}

/* An empty value takes the record back: *deleted. */
static const char *check_id(struct value v, bool *deleted)
{
	uint64_t id;

	*deleted = v.n == 0;
	/* (uint32_t)-1 would make chown(2) a no-op. */
	return v.n && tarfield_decimal(v.p, v.n, UINT32_MAX - 1, &id) < 0 ? "is not a user or group id"
									  : NULL;
}

static const char *check_uid(struct value v, struct pax_facts *f)
{
	return check_id(v, &f->no_uid);
}

static const char *check_gid(struct value v, struct pax_facts *f)
{
	return check_id(v, &f->no_gid);
}

static const char *check_time(struct value v, struct pax_facts *f)
{
	(void)f;
	return v.n && tarfield_time(v.p, v.n) < 0 ? "is not a time" : NULL;
}

static const char *check_mtime(struct value v, struct pax_facts *f)
{
	f->no_mtime = v.n == 0;
	return check_time(v, f);
}

static const char *check_charset(struct value v, struct pax_facts *f)
{
	static const char utf8[] = "ISO-IR 10646 2000 UTF-8", binary[] = "BINARY";

	(void)f;
	if ((v.n == sizeof(utf8) - 1 && memcmp(v.p, utf8, v.n) == 0) ||
	    (v.n == sizeof(binary) - 1 && memcmp(v.p, binary, v.n) == 0))
		return NULL;
	return "is not a known character set";
}

/* ---- sparse files ---- */

enum {
	MAJOR = 1,
	MINOR = 2,
	NAME = 4,
	SIZE = 8,
	REALSIZE = 16,
	COUNT = 32,
	MAP = 64,
	OFFSET = 128,
	PIECES = 256
};

static const char *sparse_number(struct value v, struct pax_facts *f, unsigned int key, uint64_t *ret)
{
	if (f->sparse & key)
		return "is given twice";
	f->sparse |= key;
	return tarfield_decimal(v.p, v.n, INT64_MAX, ret) < 0 ? "is not a number" : NULL;
}

static const char *check_major(struct value v, struct pax_facts *f)
{
	return sparse_number(v, f, MAJOR, &f->major);
}

static const char *check_minor(struct value v, struct pax_facts *f)
{
	return sparse_number(v, f, MINOR, &f->minor);
}

static const char *check_sparse_size(struct value v, struct pax_facts *f)
{
	return sparse_number(v, f, SIZE, &f->map.size);
}

static const char *check_realsize(struct value v, struct pax_facts *f)
{
	return sparse_number(v, f, REALSIZE, &f->map.size);
}

static const char *check_count(struct value v, struct pax_facts *f)
{
	return sparse_number(v, f, COUNT, &f->pieces);
}

/* The name of the file; "path" then names something else for readers that do not know this. */
static const char *check_sparse_name(struct value v, struct pax_facts *f)
{
	if (!v.n || f->sparse & NAME)
		return "is empty, or given twice";
	f->sparse |= NAME;
	return check_path(v, f);
}

static const char *check_map(struct value v, struct pax_facts *f)
{
	if (f->sparse & (MAP | PIECES))
		return "is given twice";
	f->sparse |= MAP;
	return tarsparse_list(&f->map, v.p, v.n);
}

/* 0.0 gives each piece as two records, the offset first. */
static const char *check_offset(struct value v, struct pax_facts *f)
{
	return f->sparse & MAP ? "is given twice" : sparse_number(v, f, OFFSET, &f->offset);
}

static const char *check_numbytes(struct value v, struct pax_facts *f)
{
	uint64_t n;

	if (!(f->sparse & OFFSET))
		return "has no offset";
	if (tarfield_decimal(v.p, v.n, INT64_MAX, &n) < 0)
		return "is not a number";
	f->sparse = (f->sparse & ~(unsigned int)OFFSET) | PIECES;
	return tarsparse_add(&f->map, f->offset, n);
}

const char *tarpax_sparse(const struct pax_facts *f, enum pax_sparse *ret)
{
	bool text = f->sparse & MAJOR && f->major == 1;
	unsigned int must = text ? MAJOR | MINOR | REALSIZE : SIZE;
	unsigned int may = text ? NAME : MAJOR | MINOR | NAME | COUNT | (f->sparse & MAP ? MAP : PIECES);

	*ret = !f->sparse ? PAX_SPARSE_NONE : text ? PAX_SPARSE_TEXT : PAX_SPARSE_RECORDS;
	if (!f->sparse)
		return NULL;
	if (f->major > 1 || f->minor > (text ? 0 : 1))
		return "unknown format of a sparse map";
	if ((f->sparse & must) != must || f->sparse & ~(must | may))
		return "incomplete or contradictory records of a sparse file";
	if (f->sparse & COUNT && f->pieces != f->map.pieces)
		return "sparse map has another number of pieces than it says";
	return NULL;
}

static const char *check_star_sparse(struct value v, struct pax_facts *f)
{
	(void)v, (void)f;
	return "marks a sparse file of star, which is not supported; pack without -sparse";
}

static const char *check_never(struct value v, struct pax_facts *f)
{
	(void)v, (void)f;
	return "is not allowed in an image";
}

static const struct rule {
	const char *key;
	bool prefix;    /* every key that begins so */
	bool in_global; /* may also stand in a global header */
	check_fn *check;
} rules[] = {
	{ "path", false, false, check_path },
	{ "linkpath", false, false, check_linkpath },
	{ "size", false, false, check_size },
	{ "uid", false, false, check_uid },
	{ "gid", false, false, check_gid },
	{ "mtime", false, false, check_mtime },
	{ "atime", false, true, check_time },
	{ "ctime", false, true, check_time },
	{ "hdrcharset", false, false, check_charset },
	{ "GNU.sparse.major", false, false, check_major },
	{ "GNU.sparse.minor", false, false, check_minor },
	{ "GNU.sparse.name", false, false, check_sparse_name },
	{ "GNU.sparse.size", false, false, check_sparse_size },
	{ "GNU.sparse.realsize", false, false, check_realsize },
	{ "GNU.sparse.numblocks", false, false, check_count },
	{ "GNU.sparse.map", false, false, check_map },
	{ "GNU.sparse.offset", false, false, check_offset },
	{ "GNU.sparse.numbytes", false, false, check_numbytes },
	{ "GNU.sparse.", true, false, check_never },
	{ "SCHILY.realsize", false, false, check_star_sparse },
	{ "GNU.volume.", true, false, check_never },
	{ "GNU.dumpdir", false, false, check_never },
	{ "SCHILY.", true, false, NULL },
	{ "LIBARCHIVE.", true, false, NULL },
	{ "RHT.", true, false, NULL },
};

static const struct rule *rule_for(const char *key, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		size_t len = strlen(rules[i].key);

		if ((rules[i].prefix ? n >= len : n == len) && memcmp(key, rules[i].key, len) == 0)
			return &rules[i];
	}
	return NULL;
}

static int bad(struct err *e, const char *key, size_t n, const char *why)
{
	auto_buf text = BUF_INIT;

	buf_add_escaped(&text, key, n < 64 ? n : 64);
	return err_set(e, ERR_INPUT, EINVAL, "pax record \"%s\" %s", buf_str(&text), why);
}

static int check_record(const char *p, size_t n, bool global, struct pax_facts *facts, struct err *e)
{
	const char *eq = memchr(p, '=', n);
	size_t key_len = eq ? (size_t)(eq - p) : 0;
	const struct rule *rule;
	const char *why;

	if (!eq)
		return bad(e, p, n, "has no \"=\"");
	if (key_len == 0 || memchr(p, '\0', key_len))
		return bad(e, p, key_len, "has an empty or malformed key");
	rule = rule_for(p, key_len);
	if (!rule)
		return 0;
	if (global && !rule->in_global)
		return bad(e, p, key_len, "may not stand in a global header");
	if (!rule->check)
		return 0;
	why = rule->check((struct value){ eq + 1, n - key_len - 1 }, facts);
	return why ? bad(e, p, key_len, why) : 0;
}

int tarpax_check(const char *p, size_t n, bool global, struct pax_facts *facts, struct err *e)
{
	size_t at = 0;

	while (at < n) {
		const char *rec = p + at;
		const char *space = memchr(rec, ' ', n - at < 21 ? n - at : 21);
		uint64_t len;
		size_t head;

		if (!space || rec[0] == '0' || tarfield_decimal(rec, (size_t)(space - rec), n - at, &len) < 0)
			return err_set(e, ERR_INPUT, EINVAL, "malformed length of a pax record");
		head = (size_t)(space - rec) + 1;
		/* At least one byte and the newline after the length. */
		if (len < head + 2 || rec[len - 1] != '\n')
			return err_set(e, ERR_INPUT, EINVAL, "wrong length of a pax record");
		int r = check_record(rec + head, (size_t)len - head - 1, global, facts, e);
		if (r < 0)
			return r;
		at += (size_t)len;
	}
	return 0;
}
