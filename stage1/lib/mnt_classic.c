/*
 * mnt_classic — a new file system where fsopen(2) is missing or forbidden and mount(2) is not (kernels before 5.2,
 * outer seccomp filters); see mnt.h.
 *
 * mount(2) needs a place.  We take one that every Linux host has and that nobody of ours looks at meanwhile, in the
 * mount namespace of the child, whose mounts are slaves by then: nothing of it shows on the host.  The place is
 * left at once; what remains is a detached copy, as from fsmount(2).
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "stage1/lib/mnt.h"

#define PLACE "/sys"

static unsigned long ms_flags(unsigned int flags)
{
	static const struct {
		unsigned int ours;
		unsigned long ms;
	} map[] = {
		{ MNT_RO, MS_RDONLY },
		{ MNT_NOSUID, MS_NOSUID },
		{ MNT_NODEV_, MS_NODEV },
		{ MNT_NOEXEC_, MS_NOEXEC },
	};
	unsigned long r = 0;

	for (size_t i = 0; i < ARRAY_LEN(map); i++)
		r |= flags & map[i].ours ? map[i].ms : 0;
	return r;
}

int mnt_new_classic(const char *fstype, const struct mnt_opt *opts, unsigned int flags, struct err *e)
{
	auto_buf o = BUF_INIT;

	for (; opts && opts->key; opts++)
		buf_addf(&o, "%s%s%s%s", o.len ? "," : "", opts->key, opts->value ? "=" : "",
			 opts->value ? opts->value : "");
	if (mount(fstype, PLACE, fstype, ms_flags(flags), buf_str(&o)) < 0)
		return err_sys(e, errno, "mount a new %s", fstype);
	int fd = mnt_clone(AT_FDCWD, PLACE, false, e);
	if (umount2(PLACE, MNT_DETACH) < 0) {
		fd_close(&fd);
		return err_sys(e, errno, "take the new %s off " PLACE, fstype);
	}
	return fd;
}
