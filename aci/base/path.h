/*
 * path — lexical work on path strings; touches no file system.
 */
#pragma once

#include <stdbool.h>

/* Collapse "//", "." and ".." without looking at the file system; "" gives ".".  Heap. */
char *path_clean(const char *p);
/* "@a/@b", one slash; an absolute @b wins.  Heap. */
char *path_join(const char *a, const char *b);
/* Absolute, cleaned form of @p relative to the working directory.  Heap; NULL if getcwd fails. */
char *path_abs(const char *p);
/* Last component (borrowed from @p, no trailing slash handling). */
const char *path_base(const char *p);
/* Is @p equal to @top or below it, by whole components?  Both cleaned absolute paths or names. */
bool path_below(const char *p, const char *top);
/* Does any component equal ".."? */
bool path_has_dotdot(const char *p);
