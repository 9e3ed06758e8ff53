#include "oci/reference.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/num.h"
#include "oci/digest.h"

#define TEXT_MAX       4096
#define NAME_MAX_BYTES 255 /* host, slash and repository */
#define HUB            "registry-1.docker.io"

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* Longer spellings before their beginnings. */
static const struct {
	const char *prefix;
	enum oci_transport transport;
} schemes[] = {
	{ "docker://", OCI_REGISTRY },
	{ "docker:", OCI_REGISTRY },
	{ "oci:", OCI_LAYOUT },
	{ "oci-archive:", OCI_ARCHIVE },
	{ "docker-archive:", OCI_DOCKER_ARCHIVE },
};

static int scheme_of(const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		if (strncmp(text, schemes[i].prefix, strlen(schemes[i].prefix)) == 0)
			return (int)i;
	}
	return -1;
}

bool oci_reference_like(const char *text)
{
	return scheme_of(text) >= 0;
}

/* ---- parts of a registry's reference ---- */

/* HOST, HOST:PORT or [IPv6]:PORT */
static bool host_valid(const char *s)
{
	bool literal = s[0] == '[';
	size_t n = literal ? 1 + strspn(s + 1, DIGITS "abcdefABCDEF:.") : strspn(s, LOWER UPPER DIGITS "-._");
	uint32_t port;

	if (n < 1 + (size_t)literal)
		return false;
	if (literal && s[n++] != ']')
		return false;
	if (!literal && (s[0] == '.' || s[0] == '-'))
		return false;
	if (s[n] == '\0')
		return true;
	return s[n] == ':' && strlen(s + n + 1) <= 5 && parse_u32(s + n + 1, &port) == 0 && port > 0 &&
	       port <= 65535;
}

/* Length of what stands between two words of a component: one '.', one or two '_', any number of '-'; 0 nothing. */
static size_t separator(const char *s)
{
	if (*s == '.')
		return 1;
	if (*s == '_')
		return s[1] == '_' ? 2 : 1;
	return strspn(s, "-");
}

/* Words of lower-case letters and digits with separators between them, in components with slashes between them. */
static bool repository_valid(const char *s)
{
	for (;;) {
		size_t n = strspn(s, LOWER DIGITS);

		if (n == 0)
			return false;
		s += n;
		if (*s == '\0')
			return true;
		n = *s == '/' ? 1 : separator(s);
		if (n == 0)
			return false;
		s += n;
	}
}

/* 64 hex digits alone could be taken for an image id. */
static bool like_an_id(const char *s)
{
	return strlen(s) == 64 && strspn(s, DIGITS "abcdef") == 64;
}

static bool tag_valid(const char *s)
{
	size_t n = strspn(s, LOWER UPPER DIGITS "._-");

	return n > 0 && n <= 128 && s[n] == '\0' && s[0] != '.' && s[0] != '-';
}

/* Is the first component of a reference a host, and not a part of the name? */
static bool is_host(const char *s)
{
	return strpbrk(s, ".:" UPPER) || strcmp(s, "localhost") == 0;
}

static bool is_hub(const char *host)
{
	return strcmp(host, HUB) == 0 || strcmp(host, "docker.io") == 0 ||
	       strcmp(host, "index.docker.io") == 0;
}

/* Cut @s at its last @c behind the last slash; returns what stood behind it, or NULL. */
static char *cut_behind_slash(char *s, char c)
{
	char *slash = strrchr(s, '/'), *at = strrchr(slash ? slash : s, c);

	if (!at)
		return NULL;
	*at = '\0';
	return at + 1;
}

static int refuse(const char *text, const char *why, struct err *e)
{
	auto_buf shown = BUF_INIT;

	buf_add_escaped(&shown, text, strnlen(text, 200));
	return err_set(e, ERR_USAGE, EINVAL, "image reference \"%s\": %s", buf_str(&shown), why);
}

/* @name: "[HOST/]PATH" without tag and digest. */
static void split_host(const char *name, struct oci_reference *r)
{
	const char *slash = strchr(name, '/');
	auto_free char *first = slash ? xstrndup(name, (size_t)(slash - name)) : NULL;
	bool host = first && (slash == name || is_host(first)); /* docker:///redis has an empty one */
	const char *path = host ? slash + 1 : name;

	r->host = xstrdup(host && *first && !is_hub(first) ? first : HUB);
	r->repository = strcmp(r->host, HUB) == 0 && !strchr(path, '/') ? xasprintf("library/%s", path)
									: xstrdup(path);
}

static const char *parse_registry(const char *rest, struct oci_reference *r)
{
	auto_free char *name = xstrdup(rest);
	char *at = strchr(name, '@'), *tag;

	if (at) {
		*at = '\0';
		if (!oci_digest_valid(at + 1))
			return "a digest is \"sha256:\" and 64 or \"sha512:\" and 128 lower-case hex digits";
		r->digest = xstrdup(at + 1);
	}
	tag = cut_behind_slash(name, ':');
	if (tag && !tag_valid(tag))
		return "a tag has at most 128 letters, digits, '.', '_' and '-', and begins with none of the "
		       "last "
		       "but '_'";
	if (tag || !r->digest)
		r->tag = xstrdup(tag ? tag : "latest");
	split_host(name, r);
	if (!host_valid(r->host))
		return "the registry is not HOST or HOST:PORT";
	if (!repository_valid(r->repository))
		return "a repository has lower-case letters, digits and single separators between them";
	if (like_an_id(name))
		return "a repository cannot be called like an image id";
	if (strlen(r->host) + 1 + strlen(r->repository) > NAME_MAX_BYTES)
		return "registry and repository are longer than 255 bytes";
	return NULL;
}

/* "PATH[:REF]": the first colon ends the path, as in skopeo. */
static const char *parse_local(const char *rest, struct oci_reference *r)
{
	const char *colon = strchr(rest, ':');

	r->path = xstrndup(rest, colon ? (size_t)(colon - rest) : strlen(rest));
	if (r->path[0] == '\0')
		return "a path is missing";
	if (!colon)
		return NULL;
	if (colon[1] == '\0')
		return "nothing stands behind the colon";
	r->ref = xstrdup(colon + 1);
	return r->ref[strspn(r->ref, LOWER UPPER DIGITS "-._:@+/")]
		       ? "the name of an image has letters, digits "
			 "and \"-._:@+/\""
		       : NULL;
}

int oci_reference_parse(const char *text, struct oci_reference *ret, struct err *e)
{
	int i = scheme_of(text);
	const char *why, *rest;

	*ret = (struct oci_reference){ 0 };
	if (i < 0)
		return refuse(text, "no scheme of OCI or docker images", e);
	if (strnlen(text, TEXT_MAX + 1) > TEXT_MAX)
		return refuse(text, "longer than 4096 bytes", e);
	rest = text + strlen(schemes[i].prefix);
	ret->transport = schemes[i].transport;
	why = ret->transport == OCI_REGISTRY ? parse_registry(rest, ret) : parse_local(rest, ret);
	if (!why)
		return 0;
	oci_reference_done(ret);
	return refuse(text, why, e);
}

void oci_reference_done(struct oci_reference *r)
{
	free(r->host);
	free(r->repository);
	free(r->tag);
	free(r->digest);
	free(r->path);
	free(r->ref);
	*r = (struct oci_reference){ 0 };
}

char *oci_reference_text(const struct oci_reference *r)
{
	auto_buf b = BUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(schemes) && b.len == 0; i++) {
		if (schemes[i].transport == r->transport)
			buf_adds(&b, schemes[i].prefix);
	}
	if (r->transport != OCI_REGISTRY) {
		buf_addf(&b, "%s%s%s", r->path, r->ref ? ":" : "", r->ref ? r->ref : "");
		return buf_steal(&b);
	}
	buf_addf(&b, "%s/%s", r->host, r->repository);
	if (r->tag)
		buf_addf(&b, ":%s", r->tag);
	if (r->digest)
		buf_addf(&b, "@%s", r->digest);
	return buf_steal(&b);
}
