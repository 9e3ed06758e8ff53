/* lookaside — see lookaside.h. */
#include "stage0/lookaside.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/path.h"
#include "base/strv.h"

void lookasides_free(struct lookaside *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].prefix);
		free(v[i].url);
	}
	free(v);
}

static struct lookaside *find_exact(struct lookaside *v, size_t n, const char *prefix)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(v[i].prefix, prefix) == 0)
			return &v[i];
	}
	return NULL;
}

/* Docker Hub is known by several names; references have one. */
static char *one_spelling(const char *prefix)
{
	static const char *const hub[] = { "docker.io", "index.docker.io" };
	size_t n = strcspn(prefix, "/");

	for (size_t i = 0; i < ARRAY_LEN(hub); i++) {
		if (strlen(hub[i]) == n && strncmp(prefix, hub[i], n) == 0)
			return xasprintf("registry-1.docker.io%s", prefix + n);
	}
	return xstrdup(prefix);
}

/* No user, query or fragment, and nothing that leaves the directory. */
static bool url_valid(const char *url)
{
	static const char *const schemes[] = { "https://", "http://", "file:///" };

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		size_t n = strlen(schemes[i]);

		if (strncmp(url, schemes[i], n) == 0)
			return url[n] && url[n] != '/' && !strpbrk(url + n, "@?#") &&
			       !path_has_dotdot(url + n);
	}
	return false;
}

static void add(struct lookaside **v, size_t *n, char *prefix, char *url)
{
	*v = xreallocarray(*v, *n + 1, sizeof(**v));
	(*v)[(*n)++] = (struct lookaside){ prefix, url };
}

int lookasides_read(const json_t *doc, struct lookaside **v, size_t *n, struct err *e)
{
	auto_strv prefixes = NULL;
	const char *url = "";
	int r = json_get_strv(doc, "", "prefixes", true, &prefixes, e);

	if (r == 0)
		r = json_get_str(doc, "", "url", true, &url, e);
	if (r < 0)
		return r;
	if (strv_len(prefixes) == 0)
		return err_set(e, ERR_INPUT, EINVAL, ".prefixes: empty");
	if (!url_valid(url))
		return err_set(e, ERR_INPUT, EINVAL,
			       ".url: \"%.200s\" is not https://HOST/…, http://HOST/… or file:///…", url);
	size_t len = strlen(url);
	while (url[len - 1] == '/')
		len--;
	for (size_t i = 0; prefixes[i]; i++) {
		auto_free char *prefix = one_spelling(prefixes[i]);

		if (!*prefix || *prefix == '/' || prefix[strlen(prefix) - 1] == '/' || strstr(prefix, "//"))
			return err_set(e, ERR_INPUT, EINVAL,
				       ".prefixes[%zu]: \"%.200s\" is not HOST or HOST/REPOSITORY", i,
				       prefixes[i]);
		if (find_exact(*v, *n, prefix))
			return err_set(e, ERR_INPUT, EEXIST,
				       ".prefixes[%zu]: \"%.200s\" is described in this directory already", i,
				       prefixes[i]);
		add(v, n, steal_ptr(&prefix), xstrndup(url, len));
	}
	return 0;
}

void lookasides_merge(struct lookaside **v, size_t *n, struct lookaside **more, size_t *nmore)
{
	for (size_t i = 0; i < *nmore; i++) {
		struct lookaside *m = &(*more)[i], *old = find_exact(*v, *n, m->prefix);

		if (old) {
			free(old->url);
			old->url = steal_ptr(&m->url);
		} else {
			add(v, n, steal_ptr(&m->prefix), steal_ptr(&m->url));
		}
	}
	lookasides_free(*more, *nmore);
	*more = NULL;
	*nmore = 0;
}

const struct lookaside *lookaside_find(const struct lookaside *v, size_t n, const char *host,
				       const char *repository)
{
	auto_free char *name = xasprintf("%s/%s", host, repository);
	const struct lookaside *best = NULL;

	for (size_t i = 0; i < n; i++) {
		if (path_below(name, v[i].prefix) && (!best || strlen(v[i].prefix) > strlen(best->prefix)))
			best = &v[i];
	}
	return best;
}
