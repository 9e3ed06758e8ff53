/*
 * outputarg — where an image is written to, and as what.
 */
#pragma once

#include "base/err.h"

/*
 * @arg is PATH or, as image references begin, FORMAT:PATH with one of @formats (NULL-terminated); @format is what --format
 * said, or NULL.  @ret_format: one of @formats, the first without any word of it; borrowed.  @ret_path: absolute; heap.
 * -EINVAL: both say a format and not the same one, or PATH behind a format has a colon, where readers expect a name.
 */
int output_arg(const char *arg, const char *format, const char *const *formats, const char **ret_format,
	       char **ret_path, struct err *e);
