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

static const char *check_id(struct value v, struct pax_facts *f)
{
	uint64_t id;

	(void)f;
	/* (uint32_t)-1 would make chown(2) a no-op. */
	return tarfield_decimal(v.p, v.n, UINT32_MAX - 1, &id) < 0 ? "is not a user or group id" : NULL;
}

static const char *check_time(struct value v, struct pax_facts *f)
{
	(void)f;
	return tarfield_time(v.p, v.n) < 0 ? "is not a time" : NULL;
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

static const char *check_sparse(struct value v, struct pax_facts *f)
{
	(void)v, (void)f;
	return "marks a sparse file, which images may not hold; pack without --sparse";
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
	{ "uid", false, false, check_id },
	{ "gid", false, false, check_id },
	{ "mtime", false, false, check_time },
	{ "atime", false, true, check_time },
	{ "ctime", false, true, check_time },
	{ "hdrcharset", false, false, check_charset },
	{ "GNU.sparse.", true, false, check_sparse },
	{ "SCHILY.realsize", false, false, check_sparse },
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
