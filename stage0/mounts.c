/*
 * mounts — reading /proc/self/mountinfo.
 */
#include "stage0/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/strv.h"

#define MOUNTINFO_MAX (64u << 20) /* bytes */

/* \040 and the like, in place. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' && s[3] >= '0' &&
		    s[3] <= '7') {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

int mounts_below(const char *dir, char ***ret)
{
	auto_close int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	auto_buf b = BUF_INIT;
	int r = fd < 0 ? -errno : fd_read_all(fd, MOUNTINFO_MAX, &b);
	char *next = NULL;

	if (r < 0)
		return r;
	for (char *line = b.data; line && *line; line = next) {
		char *field = line, *end = strchr(line, '\n');

		next = end ? end + 1 : NULL;
		if (end)
			*end = '\0';
		for (int i = 0; field && i < 4; i++) { /* the fifth field is the mount point */
			field = strchr(field, ' ');
			field = field ? field + 1 : NULL;
		}
		if (!field)
			continue;
		field[strcspn(field, " ")] = '\0';
		unescape(field);
		if (path_below(field, dir) && strcmp(field, dir) != 0)
			strv_push(ret, field);
	}
	return 0;
}
