/*
 * imageuse — see imageuse.h.
 *
 * A pod says which trees it stands on in appsinfo/<app>/treeStoreID (one id a line) and in
 * stage1TreeStoreID.  A file that cannot be read counts as naming every image: keeping is safe.
 */
#include "stage0/imageuse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/auto.h"
#include "base/fsat.h"
#include "base/strv.h"
#include "stage0/pod.h"

#define ID_FILE_MAX (64u << 10) /* bytes */

static bool file_names(int dirfd, const char *name, const char *image_id)
{
	auto_buf text = BUF_INIT;
	int r = read_file_at(dirfd, name, ID_FILE_MAX, &text);
	if (r < 0)
		return r != -ENOENT;
	auto_strv lines = strv_split(buf_str(&text), '\n');
	return strv_has(lines, image_id);
}

static bool apps_name(const struct pod *p, const char *image_id)
{
	auto_close int fd = openat(p->fd, POD_DIR_APPSINFO, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno != ENOENT;
	auto_closedir DIR *dir = fdopendir(fd);
	if (!dir)
		return true;
	int dirfd_borrowed = steal_fd(&fd);
	for (const struct dirent *de; (de = readdir(dir));) {
		if (de->d_name[0] == '.')
			continue;
		auto_close int app = openat(dirfd_borrowed, de->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (app >= 0 && file_names(app, "treeStoreID", image_id))
			return true;
	}
	return false;
}

int image_in_use(const struct datadir *d, const char *image_id, struct err *e)
{
	auto_strv uuids = NULL;
	int r = pods_list(d, PODS_MOST, &uuids, e);
	for (char **u = uuids; r == 0 && u && *u; u++) {
		auto_pod p = POD_INIT;
		r = pod_open(d, *u, &p, e);
		if (r == -ENOENT) { /* deleted since the directory was read */
			err_clear(e);
			r = 0;
			continue;
		}
		if (r == 0 && (file_names(p.fd, POD_FILE_STAGE1_TREE, image_id) || apps_name(&p, image_id)))
			return 1;
	}
	return r;
}
