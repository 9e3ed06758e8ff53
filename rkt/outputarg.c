/* outputarg — see outputarg.h. */
#include "rkt/outputarg.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/path.h"

/* The one of @formats that @arg begins with, and a colon. */
static const char *prefix_of(const char *arg, const char *const *formats)
{
	for (size_t n; *formats; formats++) {
		n = strlen(*formats);
		if (strncmp(arg, *formats, n) == 0 && arg[n] == ':')
			return *formats;
	}
	return NULL;
}

int output_arg(const char *arg, const char *format, const char *const *formats, const char **ret_format,
	       char **ret_path, struct err *e)
{
	const char *prefix = prefix_of(arg, formats);
	const char *path = prefix ? arg + strlen(prefix) + 1 : arg;

	if (prefix && format && strcmp(prefix, format) != 0)
		return err_set(e, ERR_USAGE, EINVAL, "output \"%.200s\": --format says %s", arg, format);
	if (!*path || (prefix && strchr(path, ':')))
		return err_set(e, ERR_USAGE, EINVAL, "output \"%.200s\": a path%s expected", arg,
			       *path ? " without a colon" : "");
	*ret_path = path_abs(path);
	if (!*ret_path)
		return err_sys(e, errno, "working directory");
	*ret_format = prefix ? prefix : format ? format : formats[0];
	return 0;
}
