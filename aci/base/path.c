/*
 * path — lexical work on path strings.
 */
#include "base/path.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"

/* Drop the last component of out[0..n), which is a cleaned path; returns the new length. */
static size_t drop_last(const char *out, size_t n, size_t floor)
{
	while (n > floor && out[n - 1] != '/')
		n--;
	if (n > floor)
		n--; /* the slash */
	return n;
}

char *path_clean(const char *p)
{
	char *out = xmalloc(strlen(p) + 2);
	bool rooted = p[0] == '/';
	size_t n = 0;
	size_t floor; /* length below which ".." must not cut: "/" or a chain of ".." */

	if (rooted)
		out[n++] = '/';
	floor = n;
	while (*p) {
		size_t len = strcspn(p, "/");

		if (len == 0) {
			p++;
			continue;
		}
		if (len == 2 && p[0] == '.' && p[1] == '.' && (rooted || n > floor)) {
			n = drop_last(out, n, floor);
		} else if (len != 1 || p[0] != '.') {
			bool up = len == 2 && p[0] == '.' && p[1] == '.';

			if (n > (rooted ? 1u : 0u))
				out[n++] = '/';
			memcpy(out + n, p, len);
			n += len;
			if (up)
				floor = n;
		}
		p += len;
	}
	if (n == 0)
		out[n++] = '.';
	out[n] = '\0';
	return out;
}

char *path_join(const char *a, const char *b)
{
	size_t n = strlen(a);

	if (b[0] == '/' || n == 0)
		return xstrdup(b);
	while (n > 0 && a[n - 1] == '/')
		n--;
	return xasprintf("%.*s/%s", (int)n, a, b);
}

char *path_abs(const char *p)
{
	auto_free char *cwd = NULL, *joined = NULL;

	if (p[0] == '/')
		return path_clean(p);
	cwd = getcwd(NULL, 0);
	if (!cwd || cwd[0] != '/') /* "(unreachable)/…" is not a path */
		return NULL;
	joined = path_join(cwd, p);
	return path_clean(joined);
}

const char *path_base(const char *p)
{
	const char *slash = strrchr(p, '/');

	return slash ? slash + 1 : p;
}

bool path_below(const char *p, const char *top)
{
	size_t n = strlen(top);

	if (strncmp(p, top, n) != 0)
		return false;
	return p[n] == '\0' || p[n] == '/' || (n == 1 && top[0] == '/');
}

bool path_has_dotdot(const char *p)
{
	while (*p) {
		size_t len = strcspn(p, "/");

		if (len == 2 && p[0] == '.' && p[1] == '.')
			return true;
		p += len;
		p += *p == '/';
	}
	return false;
}
