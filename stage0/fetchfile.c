/*
 * fetchfile — a local image becomes a private copy in the store's temporary directory.
 *
 * Everything after this (signature, digest, extraction) reads the copy, so nobody can change the
 * file between two of these (threats.md T45).
 */
#include "stage0/fetchjob.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "stage0/interrupt.h"

#define STEP_BYTES (8u << 20) /* between looks at the interrupt flag */
#define BUF_BYTES  (256u << 10)

static int copy_by_hand(int from, int to, struct err *e)
{
	auto_free char *p = xmalloc(BUF_BYTES);

	for (;;) {
		int r = interrupt_check(e);
		if (r < 0)
			return r;
		ssize_t n = read(from, p, BUF_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, errno, "read the image file");
		if (n == 0)
			return 0;
		r = write_full(to, p, (size_t)n);
		if (r < 0)
			return err_sys(e, -r, "copy the image file to the store");
	}
}

/* Share the extents where the file system can, copy inside the kernel where it cannot, else by hand. */
static int copy_data(int from, int to, struct err *e)
{
	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	for (;;) {
		int r = interrupt_check(e);
		if (r < 0)
			return r;
		ssize_t n = copy_file_range(from, NULL, to, NULL, STEP_BYTES, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
			return err_sys(e, errno, "copy the image file to the store");
		/* Old kernels answer 0 for files of /proc and the like: let read decide. */
		if (n <= 0)
			return copy_by_hand(from, to, e);
	}
}

int acquire_file(const struct wanted *want, struct work *w, struct err *e)
{
	struct stat st;
	auto_close int from = open(want->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (from < 0)
		return err_sys(e, errno, "open \"%s\"", want->path);
	if (fstat(from, &st) < 0)
		return err_sys(e, errno, "look at \"%s\"", want->path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, EINVAL, "\"%s\" is not a regular file", want->path);
	auto_close int to = openat(w->fd, "blob", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (to < 0)
		return err_sys(e, errno, "create a file in the store");
	return copy_data(from, to, e);
}
