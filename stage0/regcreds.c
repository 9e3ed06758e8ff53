/* regcreds — the files; see regcreds.h. */
#include "stage0/regcreds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/base64.h"
#include "base/fsat.h"
#include "base/strv.h"

#define FILE_MAX   (1u << 20)
#define HUB        "registry-1.docker.io"
#define HUB_LEGACY "index.docker.io"

void regcreds_done(struct regcreds *c)
{
	free(c->user);
	free(c->password);
	free(c->identity_token);
	free(c->bearer);
	*c = (struct regcreds){ NULL, NULL, NULL, NULL };
}

/* ---- keys ---- */

/* Docker Hub goes by several names. */
static const char *canonical(const char *host)
{
	return strcmp(host, "docker.io") == 0 || strcmp(host, HUB_LEGACY) == 0 ? HUB : host;
}

/*
 * How well the key of a file fits: 0 not at all, else more the longer it is.  "https://index.docker.io/v1/" and
 * "host" name a registry, "host/namespace" a part of it.
 */
static size_t fits(const char *key, const char *host, const char *repository)
{
	const char *p = strstr(key, "://");
	bool url = p != NULL;

	p = p ? p + 3 : key;
	size_t n = strcspn(p, "/");
	auto_free char *key_host = xstrndup(p, n);
	if (strcmp(canonical(key_host), canonical(host)) != 0)
		return 0;
	p += n;
	p += strspn(p, "/");
	if (url || !*p)
		return 1;
	n = strlen(p);
	return strncmp(repository, p, n) == 0 && (repository[n] == '/' || !repository[n]) ? n + 1 : 0;
}

/* ---- one entry ---- */

static char *text_or_null(const char *s)
{
	return s && *s ? xstrdup(s) : NULL;
}

/* "user:password" in base64, which some writers pad with NUL. */
static int split_auth(const char *auth, struct regcreds *ret, struct err *e)
{
	auto_buf plain = BUF_INIT;

	if (base64_decode(auth, strlen(auth), &plain) < 0)
		return err_set(e, ERR_INPUT, EINVAL, ".auth: not base64");
	const char *colon = plain.len ? memchr(plain.data, ':', plain.len) : NULL;
	if (!colon)
		return err_set(e, ERR_INPUT, EINVAL, ".auth: not of the form USER:PASSWORD");
	ret->user = xstrndup(plain.data, (size_t)(colon - plain.data));
	ret->password = xstrdup(colon + 1);
	return 0;
}

/* Values go into header fields: what would end one is refused, and never quoted. */
static int check_clean(const struct regcreds *c, struct err *e)
{
	const char *const all[] = { c->user, c->password, c->identity_token, c->bearer };

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		for (const char *p = all[i]; p && *p; p++) {
			if ((unsigned char)*p < 0x20 || *p == 0x7f)
				return err_set(e, ERR_INPUT, EINVAL, "control characters in credentials");
		}
	}
	return 0;
}

static int read_entry(const json_t *o, const char *where, struct regcreds *ret, struct err *e)
{
	const char *auth = "", *user = "", *password = "", *identity = "", *bearer = "";
	const struct {
		const char *key;
		const char **to;
	} strings[] = { { "auth", &auth },
			{ "username", &user },
			{ "password", &password },
			{ "identitytoken", &identity },
			{ "registrytoken", &bearer } };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(strings); i++)
		r = json_get_str(o, where, strings[i].key, false, strings[i].to, e);
	if (r < 0)
		return r;
	if (*user) {
		ret->user = xstrdup(user);
		ret->password = xstrdup(password);
	} else if (*auth) {
		r = split_auth(auth, ret, e);
	}
	ret->identity_token = text_or_null(identity);
	ret->bearer = text_or_null(bearer);
	if (r == 0)
		r = check_clean(ret, e);
	/* logged out: the entry stays, with nothing in it */
	return r < 0 ? r : ret->user || ret->identity_token || ret->bearer;
}

int regcreds_from_json(const json_t *doc, bool bare, const char *host, const char *repository,
		       struct regcreds *ret, struct err *e)
{
	json_t *auths = NULL, *entry, *best = NULL;
	const char *key, *best_key = "";
	size_t best_fit = 0;
	int r = bare ? 0 : json_get_obj(doc, "", "auths", false, &auths, e);

	if (r < 0 || !json_is_object(doc))
		return r < 0 ? r : err_set(e, ERR_INPUT, EINVAL, "object expected");
	json_object_foreach(bare ? (json_t *)(uintptr_t)doc : auths, key, entry)
	{
		size_t fit = json_is_object(entry) ? fits(key, host, repository) : 0;

		if (fit > best_fit) {
			best = entry;
			best_key = key;
			best_fit = fit;
		}
	}
	if (!best)
		return 0;
	r = read_entry(best, "", ret, e);
	if (r < 0) {
		regcreds_done(ret);
		err_ctx(e, ".auths[\"%.200s\"]", best_key);
	}
	return r;
}

const char *regcreds_helper(const json_t *doc, const char *host)
{
	const json_t *per_host = json_member(doc, "credHelpers"), *store = json_member(doc, "credsStore");
	json_t *value;
	const char *key;

	json_object_foreach((json_t *)(uintptr_t)per_host, key, value)
	{
		if (fits(key, host, "") && json_is_string(value))
			return json_string_value(value);
	}
	return store && json_is_string(store) && *json_string_value(store) ? json_string_value(store) : NULL;
}

/* ---- places ---- */

/* 1 found, 0 no such file or nothing in it. */
static int ask_file(const char *path, bool bare, char *const *env, const char *host, const char *repository,
		    struct regcreds *ret, struct err *e)
{
	auto_buf text = BUF_INIT;
	int r = read_file_at(AT_FDCWD, path, FILE_MAX, &text);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0)
		return err_sys(e, -r, "read credentials %s", path);
	auto_json doc = json_parse(buf_str(&text), text.len, e);
	if (!doc)
		return err_ctx(e, "credentials %s", path);
	const char *helper = bare ? NULL : regcreds_helper(doc, host);
	r = helper ? regcreds_from_helper(helper, env, host, ret, e) : 0;
	if (r == 0)
		r = regcreds_from_json(doc, bare, host, repository, ret, e);
	return r < 0 ? err_ctx(e, "credentials %s", path) : r;
}

/* "$VAR/rest", or NULL when the variable is not an absolute path. */
static char *below(char *const *env, const char *var, const char *rest)
{
	const char *dir = env_get(env, var);

	return dir && dir[0] == '/' ? xasprintf("%s%s", dir, rest) : NULL;
}

static int from_config(const struct config *c, const char *host, struct regcreds *ret)
{
	const struct docker_auth_entry *d = c ? config_docker_auth(c, canonical(host)) : NULL;

	if (!d)
		return 0;
	ret->user = xstrdup(d->user);
	ret->password = xstrdup(d->password);
	return 1;
}

int regcreds_find(const struct config *c, char *const *env, const char *host, const char *repository,
		  struct regcreds *ret, struct err *e)
{
	static const struct {
		const char *var, *rest; /* the first of a place whose variable is set is the place */
		int place;
		bool bare;
	} files[] = {
		{ "DOCKER_CONFIG", "/config.json", 0, false },
		{ "HOME", "/.docker/config.json", 0, false },
		{ "REGISTRY_AUTH_FILE", "", 1, false },
		{ "XDG_RUNTIME_DIR", "/containers/auth.json", 1, false },
		{ "HOME", "/.dockercfg", 2, true },
	};
	int done = -1;

	*ret = (struct regcreds){ NULL, NULL, NULL, NULL };
	int r = from_config(c, host, ret);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(files); i++) {
		auto_free char *path = files[i].place == done ? NULL
							      : below(env, files[i].var, files[i].rest);

		if (!path)
			continue;
		done = files[i].place;
		r = ask_file(path, files[i].bare, env, host, repository, ret, e);
	}
	return r < 0 ? r : 0;
}
