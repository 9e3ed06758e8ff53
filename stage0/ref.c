/*
 * ref — the decisions that turn an IMAGE argument into a typed reference (stage0/ref.h).
 *
 * Order: hash, known scheme, path heuristics, name.  A table of schemes and a short list of
 * heuristics; nothing but the look for an existing regular file touches the file system.
 */
#include "stage0/ref.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/path.h"
#include "base/strv.h"
#include "oci/reference.h"
#include "schema/ids.h"

#define ACI_SUFFIX   ".aci"
#define REF_TEXT_MAX 4096
#define TAKES                                                                                                \
	"this version takes an image ID, a path or URL ending in .aci, docker://, oci:, oci-archive:, "      \
	"docker-archive:, or a name"

void image_ref_done(struct image_ref *r)
{
	free(r->text);
	free(r->id);
	free(r->url);
	free(r->path);
	free(r->name);
	free(r->arch);
	pairs_done(&r->labels);
	*r = (struct image_ref){ .text = NULL };
}

/* `image "TEXT": WHY` */
static int bad_ref(struct err *e, const char *text, const char *why)
{
	auto_buf shown = BUF_INIT;

	buf_add_escaped(&shown, text, strnlen(text, 200));
	return err_set(e, ERR_INPUT, EINVAL, "image \"%s\": %s", buf_str(&shown), why);
}

static bool ends_in_aci(const char *s, size_t n)
{
	size_t m = strlen(ACI_SUFFIX);

	return n > m && strncmp(s + n - m, ACI_SUFFIX, m) == 0;
}

static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Undo %XX in @s[0..n); NULL when one is malformed or stands for NUL.  Heap. */
static char *percent_decode(const char *s, size_t n)
{
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < n; i++) {
		int high, low;

		if (s[i] != '%') {
			buf_addc(&out, s[i]);
			continue;
		}
		high = i + 2 < n ? hex_value(s[i + 1]) : -1;
		low = high >= 0 ? hex_value(s[i + 2]) : -1;
		if (low < 0 || (high == 0 && low == 0)) {
			buf_done(&out);
			return NULL;
		}
		buf_addc(&out, (char)(high * 16 + low));
		i += 2;
	}
	return buf_steal(&out);
}

/* file://ABS with everything escaped that has a meaning in a URL.  Heap. */
static char *file_url(const char *path)
{
	struct buf out = BUF_INIT;

	buf_adds(&out, "file://");
	for (const char *p = path; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c <= ' ' || c >= 0x7f || strchr("%?#\"<>\\^`{|}[]", c))
			buf_addf(&out, "%%%02X", c);
		else
			buf_addc(&out, *p);
	}
	return buf_steal(&out);
}

static int take_path(const char *path, struct image_ref *ret, struct err *e)
{
	if (!ends_in_aci(path, strlen(path)))
		return bad_ref(e, ret->text, "the name of an image file must end in " ACI_SUFFIX);
	ret->path = path_abs(path);
	if (!ret->path)
		return err_sys(e, errno, "image \"%.200s\": working directory", path);
	ret->kind = REF_FILE;
	ret->url = file_url(ret->path);
	return 0;
}

static int take_file_url(const char *rest, struct image_ref *ret, struct err *e)
{
	auto_free char *path = NULL;

	if (strncmp(rest, "localhost/", 10) == 0)
		rest += 9;
	if (*rest != '/')
		return bad_ref(e, ret->text, "file:// and an absolute path expected");
	path = percent_decode(rest, strcspn(rest, "?#"));
	if (!path)
		return bad_ref(e, ret->text, "malformed % in the URL");
	return take_path(path, ret, e);
}

static int take_http_url(const char *rest, struct image_ref *ret, struct err *e)
{
	size_t host = strcspn(rest, "/?#"), path_end = strcspn(rest, "?#");

	if (!http_url_valid(ret->text))
		return bad_ref(e, ret->text, "malformed URL");
	if (memchr(rest, '@', host)) {
		/* Not shown: it holds a password. */
		return err_set(e, ERR_INPUT, EINVAL,
			       "image URL with a user name: put credentials into a file of auth.d instead");
	}
	if (!ends_in_aci(rest + host, path_end - host))
		return bad_ref(e, ret->text, "the path of an image URL must end in " ACI_SUFFIX);
	ret->kind = REF_HTTP;
	ret->url = xstrndup(ret->text, strcspn(ret->text, "#"));
	return 0;
}

/* ---- OCI and docker images ---- */

/* ",arch=NAME" at the end of @text: its offset, or the length. */
static size_t without_arch(const char *text)
{
	const char *comma = strrchr(text, ',');

	return comma && strncmp(comma, ",arch=", 6) == 0 ? (size_t)(comma - text) : strlen(text);
}

static int take_oci(const char *text, struct image_ref *ret, struct err *e)
{
	size_t n = without_arch(text);
	auto_free char *bare = xstrndup(text, n), *spelled = NULL;
	struct oci_reference r;

	if (text[n] && !text[n + 6])
		return bad_ref(e, ret->text, "the architecture after the comma is empty");
	if (oci_reference_parse(bare, &r, e) < 0)
		return -e->code;
	if (r.path) {
		char *abs = path_abs(r.path);

		if (!abs) {
			oci_reference_done(&r);
			return err_sys(e, errno, "image \"%.200s\": working directory", ret->text);
		}
		free(r.path);
		r.path = abs;
	}
	ret->kind = REF_OCI;
	ret->local = r.transport != OCI_REGISTRY;
	ret->arch = text[n] ? xstrdup(text + n + 6) : NULL;
	spelled = oci_reference_text(&r);
	ret->url = xasprintf("%s%s", spelled, text + n);
	oci_reference_done(&r);
	return 0;
}

/* ---- names ---- */

static int add_label(struct image_ref *ret, const char *name, const char *value, struct err *e)
{
	if (!ac_identifier_valid(name))
		return bad_ref(e, ret->text, "the name of a label is not an AC identifier");
	if (strcmp(name, "name") == 0)
		return bad_ref(e, ret->text, "\"name\" cannot be a label");
	if (pairs_get(&ret->labels, name))
		return bad_ref(e, ret->text,
			       strcmp(name, "version") == 0 ? "the version is given twice"
							    : "a label is given twice");
	pairs_set(&ret->labels, name, value);
	return 0;
}

/* "LABEL=VALUE" parts; the version has been taken off the first one. */
static int add_labels(struct image_ref *ret, char *const *parts, struct err *e)
{
	for (; *parts; parts++) {
		const char *eq = strchr(*parts, '=');
		auto_free char *name = eq ? xstrndup(*parts, (size_t)(eq - *parts)) : NULL;
		int r;

		if (!eq)
			return bad_ref(e, ret->text, "LABEL=VALUE expected after each comma");
		r = add_label(ret, name, eq + 1, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_platform(struct image_ref *ret, unsigned int flags, struct err *e)
{
	if (!(flags & REF_STORE_ONLY)) {
		if (!pairs_get(&ret->labels, "os"))
			pairs_set(&ret->labels, "os", "linux");
		if (!pairs_get(&ret->labels, "arch"))
			pairs_set(&ret->labels, "arch", host_arch());
		if (strcmp(pairs_get(&ret->labels, "os"), "linux") != 0)
			return bad_ref(e, ret->text, "os must be linux");
	}
	return labels_check_os_arch(&ret->labels, e) < 0 ? err_ctx(e, "image \"%.200s\"", ret->text) : 0;
}

static int take_name(const char *text, unsigned int flags, struct image_ref *ret, struct err *e)
{
	auto_strv parts = strv_split(text, ',');
	const char *colon = strchr(parts[0], ':');
	int r = 0;

	if (strstr(text, "://"))
		return bad_ref(e, ret->text, "unknown scheme; " TAKES);
	if (strchr(colon ? colon + 1 : text, ':') || (!colon && strchr(text, ':')))
		return bad_ref(e, ret->text, "one colon at most, directly after the name, expected");
	ret->kind = REF_NAME;
	ret->name = xstrndup(parts[0], colon ? (size_t)(colon - parts[0]) : strlen(parts[0]));
	if (!ac_identifier_valid(ret->name))
		return bad_ref(e, ret->text,
			       "not an image name (lower-case letters, digits and single -._~/ between)");
	if (colon && !colon[1])
		return bad_ref(e, ret->text, "the version after the colon is empty");
	if (colon)
		r = add_label(ret, "version", colon + 1, e);
	if (r == 0)
		r = add_labels(ret, parts + 1, e);
	return r < 0 ? r : check_platform(ret, flags, e);
}

/* ---- the internal canonical form of rkt 1.30: cimd:TYPE:v=0:DATA ---- */

static int take_text(const char *text, unsigned int flags, struct image_ref *ret, struct err *e);

/* cimd:appc:v=0:NAME?LABEL=VALUE&… */
static int take_cimd_name(const char *data, unsigned int flags, struct image_ref *ret, struct err *e)
{
	auto_strv parts = NULL;
	struct buf text = BUF_INIT;
	auto_free char *joined = NULL;
	size_t name = strcspn(data, "?");

	buf_add(&text, data, name);
	if (data[name])
		parts = strv_split(data + name + 1, '&');
	for (size_t i = 0; parts && parts[i]; i++) {
		auto_free char *part = percent_decode(parts[i], strlen(parts[i]));

		if (!part) {
			buf_done(&text);
			return bad_ref(e, ret->text, "malformed % in a label");
		}
		buf_addc(&text, ',');
		buf_adds(&text, part);
	}
	joined = buf_steal(&text);
	return take_name(joined, flags, ret, e);
}

/* cimd:docker:v=0:[HOST/]NAME[:TAG], percent-encoded */
static int take_cimd_docker(const char *rest, struct image_ref *ret, struct err *e)
{
	auto_free char *name = strncmp(rest, "v=0:", 4) == 0 ? percent_decode(rest + 4, strlen(rest + 4))
							     : NULL;
	auto_free char *text = name ? xasprintf("docker://%s", name) : NULL;

	return text ? take_oci(text, ret, e)
		    : bad_ref(e, ret->text, "not a cimd URI of type docker, version 0");
}

static int take_cimd(const char *rest, unsigned int flags, struct image_ref *ret, struct err *e)
{
	static const char appc[] = "appc:v=0:", archive[] = "aci-archive:v=0:";
	auto_free char *url = NULL;

	if (strncmp(rest, appc, strlen(appc)) == 0)
		return take_cimd_name(rest + strlen(appc), flags, ret, e);
	if (strncmp(rest, "docker:", 7) == 0)
		return take_cimd_docker(rest + 7, ret, e);
	if (strncmp(rest, archive, strlen(archive)) == 0) {
		rest += strlen(archive);
		url = percent_decode(rest, strlen(rest));
	}
	if (!url || strncmp(url, "cimd:", 5) == 0 || !strstr(url, "://"))
		return bad_ref(e, ret->text, "not a cimd URI of type appc or aci-archive, version 0");
	free(ret->text);
	ret->text = xstrdup(url);
	return take_text(url, flags, ret, e);
}

/* ---- decisions ---- */

static const struct scheme {
	const char *prefix;
	int (*take)(const char *rest, struct image_ref *ret, struct err *e);
} schemes[] = {
	{ "file://", take_file_url },
	{ "http://", take_http_url },
	{ "https://", take_http_url },
};

static bool is_hash(const char *s)
{
	return (strncmp(s, "sha512-", 7) == 0 || strncmp(s, "sha256-", 7) == 0) && s[7] &&
	       !strchr(s + 7, '-');
}

static bool is_path(const char *s)
{
	struct stat st;

	if (s[0] == '/' || (stat(s, &st) == 0 && S_ISREG(st.st_mode)))
		return true;
	return !strchr(s, ':') && (strstr(s, "./") || ends_in_aci(s, strlen(s)));
}

static int take_text(const char *text, unsigned int flags, struct image_ref *ret, struct err *e)
{
	if (!(flags & REF_NO_HASH) && is_hash(text)) {
		ret->kind = REF_HASH;
		ret->id = image_id_prefix(text, e);
		return ret->id ? 0 : -e->code;
	}
	if (flags & REF_STORE_ONLY)
		return take_name(text, flags, ret, e);
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		size_t n = strlen(schemes[i].prefix);

		if (strncmp(text, schemes[i].prefix, n) == 0)
			return schemes[i].take(text + n, ret, e);
	}
	if (oci_reference_like(text))
		return take_oci(text, ret, e);
	if (strncmp(text, "cimd:", 5) == 0)
		return take_cimd(text + 5, flags, ret, e);
	return is_path(text) ? take_path(text, ret, e) : take_name(text, flags, ret, e);
}

int image_ref_parse(const char *text, unsigned int flags, struct image_ref *ret, struct err *e)
{
	struct image_ref ref = { .text = xstrndup(text, REF_TEXT_MAX + 1) };
	int r;

	if (!*text)
		r = err_set(e, ERR_INPUT, EINVAL, "image: the name is empty; " TAKES);
	else if (strlen(ref.text) > REF_TEXT_MAX)
		r = bad_ref(e, text, "longer than 4096 bytes");
	else
		r = take_text(text, flags, &ref, e);
	if (r < 0)
		image_ref_done(&ref);
	else
		*ret = ref;
	return r;
}
