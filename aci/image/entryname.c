/*
 * entryname — names in archives, made into paths that are safe to use.
 *
 * A ".." is refused even where it stays inside: readers that clean and readers that do not would
 * see two different files.
 */
#include "image/entryname.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/auto.h"

int entryname_clean(const char *raw, uint32_t path_len, uint32_t depth, struct buf *out, struct err *e)
{
	uint32_t components = 0;

	buf_clear(out);
	if (!*raw)
		return err_set(e, ERR_INPUT, EINVAL, "empty name");
	if (*raw == '/')
		return err_set(e, ERR_INPUT, EINVAL, "absolute name");
	if (strlen(raw) > path_len)
		return err_set(e, ERR_INPUT, E2BIG, "name longer than the limit of %u bytes", path_len);
	for (const char *at = raw; *at;) {
		size_t n = strcspn(at, "/");

		if (n == 2 && at[0] == '.' && at[1] == '.')
			return err_set(e, ERR_INPUT, EINVAL, "name with a \"..\" component");
		if (n > NAME_MAX)
			return err_set(e, ERR_INPUT, EINVAL, "name with a component of more than %d bytes",
				       NAME_MAX);
		if (n > 0 && !(n == 1 && at[0] == '.')) {
			if (++components > depth)
				return err_set(e, ERR_INPUT, E2BIG,
					       "name deeper than the limit of %u directories", depth);
			if (out->len)
				buf_addc(out, '/');
			buf_add(out, at, n);
		}
		at += n + (at[n] == '/');
	}
	return 0;
}

void entryname_quote(struct buf *out, const char *raw)
{
	size_t n = strlen(raw), max = 160;

	buf_addc(out, '"');
	buf_add_escaped(out, raw, n < max ? n : max);
	buf_adds(out, n > max ? "…\"" : "\"");
}
