/*
 * treecmp — are two directory trees the same?  Types, modes, owners, sizes, times, link targets,
 * device numbers, extended attributes, hard link counts and contents.
 */
#pragma once

#include "base/err.h"

/*
 * Compare what is below the directories @a and @b (readable descriptors), themselves included.
 * 0 equal; 1 different, with the first difference in *detail (heap); -errno when one cannot be read.
 */
int treecmp(int a, int b, char **detail, struct err *e);
