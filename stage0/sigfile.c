/*
 * sigfile — armour and packet framing of detached signatures.
 */
#include "stage0/sigfile.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define BEGIN_SIG "-----BEGIN PGP SIGNATURE-----"
#define END_SIG   "-----END PGP SIGNATURE-----"
#define BEGIN_ANY "-----BEGIN PGP "
#define BEGIN_MSG "-----BEGIN PGP MESSAGE-----"
#define BEGIN_CLR "-----BEGIN PGP SIGNED MESSAGE-----"

enum { TAG_SIGNATURE = 2, TAG_ONE_PASS = 4, TAG_PUBLIC_KEY = 6, TAG_COMPRESSED = 8, TAG_LITERAL = 11 };
enum { SIG_TYPE_BINARY = 0, SIG_TYPE_TEXT = 1 };

static int refuse(struct err *e, const char *why)
{
	return err_set(e, ERR_TRUST, EINVAL, "%s", why);
}

static int base64_value(unsigned char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c ? strchr(digits, c) : NULL;
	return p ? (int)(p - digits) : -1;
}

static uint32_t crc24(const unsigned char *p, size_t n)
{
	uint32_t crc = 0xb704ce;

	while (n--) {
		crc ^= (uint32_t)*p++ << 16;
		for (int i = 0; i < 8; i++) {
			crc <<= 1;
			if (crc & 0x1000000)
				crc ^= 0x1864cfb;
		}
	}
	return crc & 0xffffff;
}

struct line {
	const char *p;
	size_t n; /* without line end and trailing blanks */
};

/* Take the next line; false at the end. */
static bool next_line(const char **at, const char *end, struct line *ret)
{
	if (*at >= end)
		return false;
	const char *nl = memchr(*at, '\n', (size_t)(end - *at));
	const char *stop = nl ? nl : end;
	ret->p = *at;
	ret->n = (size_t)(stop - *at);
	while (ret->n && strchr(" \t\r", ret->p[ret->n - 1]) && ret->p[ret->n - 1])
		ret->n--;
	*at = nl ? nl + 1 : end;
	return true;
}

static bool line_is(const struct line *l, const char *text)
{
	return l->n == strlen(text) && memcmp(l->p, text, l->n) == 0;
}

static bool line_starts(const struct line *l, const char *text)
{
	return l->n >= strlen(text) && memcmp(l->p, text, strlen(text)) == 0;
}

/* Base64 of one line onto @out; @acc carries bits between lines, -1 in *acc_bits after padding. */
static int decode_line(const struct line *l, uint32_t *acc, int *bits, struct buf *out, struct err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		if (l->p[i] == '=') {
			/* Up to two fillers, then nothing more. */
			for (size_t k = i; k < l->n; k++) {
				if (l->p[k] != '=' || k - i >= 2)
					return refuse(e,
						      "signature armour is damaged: data after the padding");
			}
			*bits = -1;
			return 0;
		}
		int v = base64_value((unsigned char)l->p[i]);
		if (v < 0 || *bits < 0)
			return refuse(e, "signature armour is damaged: not base64");
		*acc = (*acc << 6) | (uint32_t)v;
		*bits += 6;
		if (*bits >= 8) {
			*bits -= 8;
			buf_addc(out, (char)(*acc >> *bits));
		}
	}
	return 0;
}

static int check_crc(const struct line *l, const struct buf *block, struct err *e)
{
	uint32_t want = 0;

	if (l->n != 5)
		return refuse(e, "signature armour is damaged: checksum line");
	for (size_t i = 1; i < 5; i++) {
		int v = base64_value((unsigned char)l->p[i]);
		if (v < 0)
			return refuse(e, "signature armour is damaged: checksum line");
		want = (want << 6) | (uint32_t)v;
	}
	if (crc24((const unsigned char *)buf_str(block), block->len) != want)
		return refuse(e, "signature armour is damaged: wrong checksum");
	return 0;
}

/* Headers "Key: value" up to the empty line. */
static int skip_headers(const char **at, const char *end, struct err *e)
{
	struct line l;

	while (next_line(at, end, &l)) {
		if (l.n == 0)
			return 0;
		if (!memmem(l.p, l.n, ": ", 2) && l.p[l.n - 1] != ':')
			return refuse(e, "signature armour is damaged: no empty line after its headers");
	}
	return refuse(e, "signature armour is truncated");
}

static int dearmor_block(const char **at, const char *end, struct buf *out, struct err *e)
{
	auto_buf block = BUF_INIT;
	uint32_t acc = 0;
	int bits = 0;
	bool crc_seen = false;
	struct line l;
	int r = skip_headers(at, end, e);

	if (r < 0)
		return r;
	while (next_line(at, end, &l)) {
		if (line_is(&l, END_SIG)) {
			buf_add(out, buf_str(&block), block.len);
			return 0;
		}
		if (crc_seen)
			return refuse(e, "signature armour is damaged: data after the checksum");
		if (l.n && l.p[0] == '=') {
			r = check_crc(&l, &block, e);
			crc_seen = true;
		} else {
			r = decode_line(&l, &acc, &bits, &block, e);
		}
		if (r < 0)
			return r;
	}
	return refuse(e, "signature armour is truncated");
}

/* One or more blocks with nothing but blank lines around them. */
static int dearmor(const char *text, size_t len, struct buf *out, struct err *e)
{
	const char *at = text, *end = text + len;
	struct line l;

	while (next_line(&at, end, &l)) {
		if (l.n == 0)
			continue;
		if (line_is(&l, BEGIN_CLR) || line_is(&l, BEGIN_MSG))
			return refuse(e, "not a detached signature: the file holds its own message");
		if (line_starts(&l, BEGIN_ANY) && !line_is(&l, BEGIN_SIG))
			return refuse(e,
				      "not a detached signature: the file is another kind of OpenPGP data");
		if (!line_is(&l, BEGIN_SIG))
			return refuse(
				e,
				"no signature data: there is text around the armour, or it is not OpenPGP");
		int r = dearmor_block(&at, end, out, e);
		if (r < 0)
			return r;
	}
	return out->len ? 0 : refuse(e, "no signature data");
}

struct packet {
	int tag;
	size_t head, body; /* bytes */
};

/* Length field of @n octets, big endian. */
static size_t be(const unsigned char *p, size_t n)
{
	size_t v = 0;
	while (n--)
		v = v << 8 | *p++;
	return v;
}

static int packet_header(const unsigned char *p, size_t n, struct packet *ret, struct err *e)
{
	size_t octets, add = 0;

	if (n < 2)
		return refuse(e, "signature is truncated");
	if (!(p[0] & 0x80))
		return refuse(e, "no signature data: not OpenPGP packets");
	if (p[0] & 0x40) {
		ret->tag = p[0] & 0x3f;
		octets = p[1] < 192 ? 1 : p[1] < 224 ? 2 : p[1] == 255 ? 5 : 0;
	} else {
		static const size_t widths[] = { 1, 2, 4, 0 };
		ret->tag = (p[0] >> 2) & 0xf;
		octets = widths[p[0] & 3];
	}
	/* Messages may have partial or open lengths, signatures may not. */
	if (ret->tag != TAG_SIGNATURE || octets == 0) {
		ret->head = 1;
		ret->body = n - 1;
		return 0;
	}
	if (n < 1 + octets)
		return refuse(e, "signature is truncated");
	if (!(p[0] & 0x40) || octets == 1) {
		ret->body = be(p + 1, octets);
	} else if (octets == 2) {
		add = 192;
		ret->body = ((size_t)(p[1] - 192) << 8) + p[2] + add;
	} else {
		ret->body = be(p + 2, 4);
	}
	ret->head = 1 + octets;
	if (ret->body > n - ret->head)
		return refuse(e, "signature is truncated");
	return 0;
}

static int check_tag(int tag, struct err *e)
{
	switch (tag) {
	case TAG_SIGNATURE:
		return 0;
	case TAG_ONE_PASS:
	case TAG_COMPRESSED:
	case TAG_LITERAL:
		return refuse(e, "not a detached signature: the file holds its own message");
	case TAG_PUBLIC_KEY:
		return refuse(e, "not a detached signature: the file is a public key");
	default:
		return refuse(e, "not a detached signature: the file has packets that are not signatures");
	}
}

/* Digest algorithms of RFC 4880 section 9.4 that may carry trust: SHA-256, -384, -512, -224. */
static bool digest_strong(unsigned int algo)
{
	return algo >= 8 && algo <= 11;
}

/* Version, type and digest of one signature body; 1 when it is to be dropped. */
static int check_signature(const unsigned char *p, size_t n, struct err *e)
{
	if (n < 1)
		return refuse(e, "signature is truncated");
	if (p[0] != 4)
		return err_set(e, ERR_TRUST, EINVAL, "signature of version %u; only version 4 is accepted",
			       p[0]);
	if (n < 10)
		return refuse(e, "signature is truncated");
	if (p[1] == SIG_TYPE_TEXT)
		return refuse(
			e, "signature over text, which does not cover every byte; sign without --textmode");
	if (p[1] != SIG_TYPE_BINARY)
		return err_set(e, ERR_TRUST, EINVAL, "signature of type 0x%02x is not over a document", p[1]);
	return digest_strong(p[3]) ? 0 : 1;
}

static int walk(const unsigned char *p, size_t len, struct sigfile *s, struct err *e)
{
	for (size_t at = 0; at < len;) {
		struct packet k = { 0, 0, 0 };
		int r = packet_header(p + at, len - at, &k, e);
		if (r >= 0)
			r = check_tag(k.tag, e);
		if (r >= 0 && k.head == 1)
			r = refuse(e, "signature packet without a definite length");
		if (r >= 0)
			r = check_signature(p + at + k.head, k.body, e);
		if (r < 0)
			return r;
		if (s->n + s->nweak >= SIGFILE_SIGNATURES_MAX)
			return err_set(e, ERR_TRUST, EINVAL, "more than %d signatures in one file",
				       SIGFILE_SIGNATURES_MAX);
		if (r == 1) {
			s->nweak++;
		} else {
			s->n++;
			buf_add(&s->packets, p + at, k.head + k.body);
		}
		at += k.head + k.body;
	}
	if (s->n == 0 && s->nweak)
		return refuse(e, "the signature uses a weak digest algorithm (MD5, SHA-1 or RIPEMD-160); "
				 "sign again with SHA-256 or SHA-512");
	return s->n ? 0 : refuse(e, "no signature data");
}

int sigfile_parse(const void *data, size_t len, struct sigfile *ret, struct err *e)
{
	auto_buf bin = BUF_INIT;
	struct sigfile s = { BUF_INIT, 0, 0 };
	const unsigned char *p = data;
	int r = 0;

	if (len == 0)
		return refuse(e, "no signature data: the file is empty");
	if (len > SIGFILE_MAX)
		return err_set(e, ERR_TRUST, EINVAL, "signature file is larger than %u bytes", SIGFILE_MAX);
	if (p[0] & 0x80)
		buf_add(&bin, data, len);
	else
		r = dearmor(data, len, &bin, e);
	if (r >= 0)
		r = walk((const unsigned char *)buf_str(&bin), bin.len, &s, e);
	if (r < 0) {
		sigfile_done(&s);
		return r;
	}
	*ret = s;
	return 0;
}

void sigfile_done(struct sigfile *s)
{
	buf_done(&s->packets);
	s->n = s->nweak = 0;
}
