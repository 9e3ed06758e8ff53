/* partial — see partial.h. */
#include "stage0/partial.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/fd.h"
#include "base/lock.h"

bool partial_is(const char *name)
{
	static const char *const prefixes[] = { PARTIAL_DOWNLOAD, PARTIAL_UPLOAD };

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	}
	return false;
}

int partial_lock(const struct store *s, const char *name, int *ret, struct err *e)
{
	struct stat a, b;

	if (mkdirat(s->tmp_fd, name, 0700) < 0 && errno != EEXIST)
		return err_sys(e, errno, "create a directory for the transfer");
	auto_close int fd = openat(s->tmp_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "open the directory of the transfer");
	int r = lock_fd(fd, LOCK_EXCL, 0);
	if (r == -EWOULDBLOCK)
		return 0;
	if (r < 0)
		return err_sys(e, -r, "lock the directory of the transfer");
	/* its owner, or gc, may have taken it away just before */
	if (fstat(fd, &a) < 0 || fstatat(s->tmp_fd, name, &b, AT_SYMLINK_NOFOLLOW) < 0 ||
	    a.st_ino != b.st_ino)
		return 0;
	*ret = steal_fd(&fd);
	return 1;
}
