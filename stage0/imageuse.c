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
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/fsat.h"
#include "base/strv.h"
#include "schema/ids.h"
#include "stage0/pod.h"

#define ID_FILE_MAX (64u << 10) /* bytes */

static void add_once(char ***ids, const char *id)
{
	if (!strv_has(*ids, id))
		strv_push(ids, id);
}

static void read_ids(struct image_uses *u, int dirfd, const char *name, bool live)
{
	auto_buf text = BUF_INIT;
	int r = record_read_at(dirfd, name, ID_FILE_MAX, &text);

	if (r < 0) {
		u->all |= r != -ENOENT;
		return;
	}
	auto_strv lines = strv_split(buf_str(&text), '\n');
	for (char **l = lines; l && *l; l++) {
		/* rkt 1.30 has ids of trees that are not ids of images */
		if (!image_id_valid(*l))
			continue;
		add_once(&u->trees, *l);
		if (live)
			add_once(&u->live, *l);
	}
}

static void read_apps(struct image_uses *u, const struct pod *p, bool live)
{
	auto_close int fd = openat(p->fd, POD_DIR_APPSINFO, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_closedir DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		u->all |= fd >= 0 || errno != ENOENT;
		return;
	}
	int dirfd_borrowed = steal_fd(&fd);
	for (const struct dirent *de; (de = readdir(dir));) {
		char path[NAME_MAX + sizeof("/" POD_APP_TREES)];

		if (de->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/" POD_APP_TREES, de->d_name);
		read_ids(u, dirfd_borrowed, path, live);
	}
}

static void read_pod(struct image_uses *u, const struct pod *p)
{
	bool live = p->state == POD_PREPARING || p->state == POD_PREPARED || p->state == POD_RUNNING;

	read_ids(u, p->fd, POD_FILE_STAGE1_TREE, live);
	read_apps(u, p, live);
}

int image_uses_scan(const struct datadir *d, struct image_uses *ret, struct err *e)
{
	struct image_uses u = { NULL, NULL, false };
	struct pod_places all = { NULL, 0, 0 };
	int r = pods_scan(d, PODS_MOST, &all, e);

	for (size_t i = 0; r == 0 && i < all.n; i++) {
		auto_pod p = POD_INIT;

		r = pod_open_place(d, &all.v[i], &p, e);
		if (r == 0) {
			read_pod(&u, &p);
		} else if (r == -ENOENT) { /* deleted since the directory was read */
			err_clear(e);
			r = 0;
		}
	}
	free(all.v);
	if (r < 0)
		image_uses_done(&u);
	else
		*ret = u;
	return r;
}

bool image_uses_tree(const struct image_uses *u, const char *id)
{
	return u->all || strv_has(u->trees, id);
}

bool image_uses_live(const struct image_uses *u, const char *id)
{
	return u->all || strv_has(u->live, id);
}

void image_uses_done(struct image_uses *u)
{
	strv_free(u->trees);
	strv_free(u->live);
	*u = (struct image_uses){ NULL, NULL, false };
}
