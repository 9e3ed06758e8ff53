/* layernote — see layernote.h. */
#include "image/layernote.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "image/entryname.h"

#define PATH_BYTES 4095
#define PATH_DEPTH 1024

/* The string at *at, which must be clean; NULL if it is not. */
static const char *take_path(const char *notes, size_t n, size_t *at)
{
	const char *s = notes + *at, *end = *at < n ? memchr(s, '\0', n - *at) : NULL;
	auto_buf clean = BUF_INIT;
	struct err ignored = ERR_INIT;

	if (!end)
		return NULL;
	*at += (size_t)(end - s) + 1;
	if (*s && (entryname_clean(s, PATH_BYTES, PATH_DEPTH, &clean, &ignored) < 0 ||
		   strcmp(buf_str(&clean), s) != 0))
		return NULL;
	return s;
}

int layer_note_next(const char *notes, size_t n, size_t *at, enum layer_note *kind, const char **path,
		    const char **target)
{
	static const char kinds[] = { LAYER_IMPLIED, LAYER_REMOVE, LAYER_OPAQUE, LAYER_LINK, LAYER_ROOT };

	if (*at == n)
		return 0;
	if (!memchr(kinds, notes[*at], sizeof(kinds)))
		return -EINVAL;
	*kind = (enum layer_note)notes[(*at)++];
	*path = take_path(notes, n, at);
	*target = *kind == LAYER_LINK && *path ? take_path(notes, n, at) : "";
	if (!*path || !*target || (*kind == LAYER_LINK && (!**path || !**target)))
		return -EINVAL;
	return 1;
}
