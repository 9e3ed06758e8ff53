/* sigpayload — see sigpayload.h. */
#include "stage0/sigpayload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/json.h"
#include "oci/digest.h"

static const char *const types[] = {
	[SIGPAYLOAD_SIMPLE] = "atomic container signature",
	[SIGPAYLOAD_COSIGN] = "cosign container image signature",
};

void sigpayload_done(struct sigpayload *p)
{
	free(p->digest);
	free(p->reference);
	*p = (struct sigpayload){ NULL, NULL };
}

/* ---- reading ---- */

/* Members of other names, other spellings included, are refused. */
static int only_members(const json_t *obj, const char *where, const char *const *names, struct err *e)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)obj, key, value)
	{
		size_t i = 0;

		while (names[i] && strcmp(names[i], key) != 0)
			i++;
		if (!names[i])
			return err_set(e, ERR_TRUST, EINVAL, "%s.%.60s: unknown member", where, key);
	}
	return 0;
}

static int get_object(const json_t *obj, const char *where, const char *key, const char *const *names,
		      json_t **ret, struct err *e)
{
	auto_free char *at = xasprintf("%s.%s", where, key);
	int r = json_get_obj(obj, where, key, true, ret, e);

	return r < 0 ? r : only_members(*ret, at, names, e);
}

/* The one member @key of the object @in of .critical. */
static int get_inner(const json_t *critical, const char *in, const char *key, const char **ret, struct err *e)
{
	const char *const names[] = { key, NULL };
	auto_free char *at = xasprintf(".critical.%s", in);
	json_t *obj = NULL;
	int r = get_object(critical, ".critical", in, names, &obj, e);

	return r < 0 ? r : json_get_str(obj, at, key, true, ret, e);
}

static int read_payload(enum sigpayload_kind kind, const json_t *doc, struct sigpayload *ret, struct err *e)
{
	static const char *const top[] = { "critical", "optional", NULL };
	static const char *const inner[] = { "type", "image", "identity", NULL };
	const char *type = "", *digest = "", *reference = "";
	json_t *critical = NULL, *optional = NULL;

	if (!json_is_object(doc))
		return err_set(e, ERR_TRUST, EINVAL, "object expected");
	if (only_members(doc, "", top, e) < 0 || get_object(doc, "", "critical", inner, &critical, e) < 0 ||
	    json_get_obj(doc, "", "optional", false, &optional, e) < 0 ||
	    json_get_str(critical, ".critical", "type", true, &type, e) < 0 ||
	    get_inner(critical, "image", "docker-manifest-digest", &digest, e) < 0 ||
	    get_inner(critical, "identity", "docker-reference", &reference, e) < 0)
		return -EINVAL;
	if (strcmp(type, types[kind]) != 0)
		return err_set(e, ERR_TRUST, EINVAL, ".critical.type: \"%.60s\" is not \"%s\"", type,
			       types[kind]);
	if (oci_digest_check(digest, ".critical.image.docker-manifest-digest", e) < 0)
		return -EINVAL;
	if (!*reference)
		return err_set(e, ERR_TRUST, EINVAL, ".critical.identity.docker-reference: empty");
	*ret = (struct sigpayload){ xstrdup(digest), xstrdup(reference) };
	return 0;
}

int sigpayload_parse(enum sigpayload_kind kind, const char *text, size_t len, struct sigpayload *ret,
		     struct err *e)
{
	if (len > SIGPAYLOAD_MAX)
		return err_set(e, ERR_TRUST, EINVAL, "more than %u bytes", SIGPAYLOAD_MAX);
	auto_json doc = json_parse(text, len, e);

	if (doc && read_payload(kind, doc, ret, e) == 0)
		return 0;
	/* Whoever signed it: what it says cannot be trusted. */
	e->cls = ERR_TRUST;
	e->code = EINVAL;
	return -EINVAL;
}

/* ---- comparing ---- */

/* Does the text itself name a tag?  The parser would say "latest". */
static bool has_tag(const char *text)
{
	const char *last = text + strcspn(text, "@");

	while (last > text && last[-1] != '/')
		last--;
	return memchr(last, ':', strcspn(last, "@")) != NULL;
}

static bool right_digest(const char *digest, const char *const digests[2])
{
	return strcmp(digest, digests[0]) == 0 || (digests[1] && strcmp(digest, digests[1]) == 0);
}

static bool right_tag(const char *text, const struct oci_reference *said, const struct oci_reference *ref)
{
	return has_tag(text) && said->tag && ref->tag && strcmp(said->tag, ref->tag) == 0;
}

static int mismatch(const struct sigpayload *p, const struct oci_reference *ref, struct err *e)
{
	return err_set(e, ERR_TRUST, EBADMSG, "it was made for \"%.200s\", not for \"%s/%s:%s\"",
		       p->reference, ref->host, ref->repository, ref->tag ? ref->tag : "");
}

int sigpayload_match(const struct sigpayload *p, enum sigpayload_kind kind, const struct oci_reference *ref,
		     const char *const digests[2], struct err *e)
{
	auto_free char *text = xasprintf("docker://%s", p->reference);
	struct oci_reference said;
	struct err ignored = ERR_INIT;

	if (!right_digest(p->digest, digests))
		return err_set(e, ERR_TRUST, EBADMSG, "it was made for the image %s, not for %s", p->digest,
			       digests[0]);
	if (oci_reference_parse(text, &said, &ignored) < 0)
		return mismatch(p, ref, e);
	bool ok = strcmp(said.host, ref->host) == 0 && strcmp(said.repository, ref->repository) == 0;
	if (kind == SIGPAYLOAD_SIMPLE)
		ok = ok && !said.digest && right_tag(p->reference, &said, ref);
	else
		ok = ok && (!said.digest || right_digest(said.digest, digests)) &&
		     (!has_tag(p->reference) || right_tag(p->reference, &said, ref));
	oci_reference_done(&said);
	return ok ? 0 : mismatch(p, ref, e);
}
