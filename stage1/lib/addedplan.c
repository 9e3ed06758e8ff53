/* addedplan — see addedplan.h. */
#include "stage1/lib/addedplan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/num.h"
#include "stage1/contract.h"
#include "stage2/plan.h"

/* An app's name comes from a manifest or from the command line and becomes a path here. */
static int path_of(const char *app, char **ret, struct err *e)
{
	if (!*app || *app == '.' || strchr(app, '/'))
		return err_set(e, ERR_INPUT, EINVAL, "\"%s\" is not a name of an app", app);
	*ret = xasprintf("%s/%s", CONTRACT_DIR_PLANS, app);
	return 0;
}

static int slot_of(const struct buf *b, uint32_t *ret)
{
	const char *root = plan_str(b->data, plan_app(b->data, 0)->root);

	if (strncmp(root, "/a", 2) != 0 || parse_u32(root + 2, ret) < 0 || *ret >= PLAN_APPS_MAX)
		return -EINVAL;
	return 0;
}

int addedplan_load(int pod_fd, const char *app, struct buf *ret, uint32_t *ret_slot, struct err *e)
{
	auto_free char *path = NULL;
	uint32_t slot;
	int r = path_of(app, &path, e);

	if (r == 0)
		r = read_file_at(pod_fd, path, PLAN_SIZE_MAX, ret);
	else
		return r;
	if (r == -ENOENT)
		return err_set(e, ERR_INPUT, ENOENT, "app \"%s\" is not in the pod", app);
	if (r < 0)
		return err_sys(e, -r, "read %s", path);
	/* buffers of this size are aligned; plan_check wants 8 bytes */
	if (plan_check(ret->data, ret->len) < 0 || plan_head(ret->data)->napps != 1 ||
	    slot_of(ret, &slot) < 0)
		return err_set(e, ERR_STATE, EINVAL, "%s is damaged or of another version", path);
	if (ret_slot)
		*ret_slot = slot;
	return 0;
}

int addedplan_save(int pod_fd, const char *app, const struct buf *b, struct err *e)
{
	auto_free char *path = NULL;
	int r = path_of(app, &path, e);

	if (r < 0)
		return r;
	r = write_file_at(pod_fd, path, b->data, b->len, 0600, 0);
	return r < 0 ? err_sys(e, -r, "write %s", path) : 0;
}

int addedplan_remove(int pod_fd, const char *app, struct err *e)
{
	auto_free char *path = NULL;
	int r = path_of(app, &path, e);

	if (r == 0 && unlinkat(pod_fd, path, 0) < 0 && errno != ENOENT)
		r = err_sys(e, errno, "remove %s", path);
	return r;
}

int addedplan_free_slot(int pod_fd, uint32_t *ret, struct err *e)
{
	bool used[PLAN_APPS_MAX] = { false };
	auto_close int fd = openat(pod_fd, CONTRACT_DIR_PLANS,
				   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_closedir DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		return err_sys(e, errno, "open %s", CONTRACT_DIR_PLANS);
	(void)steal_fd(&fd);
	for (const struct dirent *de; (de = readdir(d));) {
		auto_buf b = BUF_INIT;
		uint32_t slot;

		if (de->d_name[0] == '.')
			continue;
		int r = addedplan_load(pod_fd, de->d_name, &b, &slot, e);
		if (r < 0)
			return r;
		used[slot] = true;
	}
	for (uint32_t i = 0; i < PLAN_APPS_MAX; i++) {
		if (!used[i]) {
			*ret = i;
			return 0;
		}
	}
	return err_set(e, ERR_INPUT, E2BIG, "the pod has %u apps already", PLAN_APPS_MAX);
}

int addedplan_seal(const struct buf *b, struct err *e)
{
	auto_close int fd = memfd_new("rkt-plan");
	int r = fd < 0 ? fd : write_full(fd, b->data, b->len);

	if (r == 0)
		r = memfd_seal(fd);
	return r < 0 ? err_sys(e, -r, "memory for the plan") : steal_fd(&fd);
}
