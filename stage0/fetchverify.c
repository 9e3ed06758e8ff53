/*
 * fetchverify — the operation "verify": does the store still hold what was imported?
 *
 * The blob must hash to its name, its tar to the image id, and the tree must equal a fresh extraction of the
 * blob, entry by entry.
 */
#include "stage0/fetchjob.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fsat.h"
#include "stage0/import.h"
#include "stage0/treecmp.h"

/* 0 the same, 1 different with *detail. */
int verify_tree(struct job *j, const char *id, const struct work *fresh, char **detail, struct err *e)
{
	if (!store_has_tree(&j->store, id)) {
		*detail = xstrdup("the tree is missing");
		return 1;
	}
	auto_close int path_fd = store_tree_open(&j->store, id, e);
	if (path_fd < 0)
		return path_fd;
	auto_close int stored = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_close int wanted = openat(fresh->fd, "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (stored < 0 || wanted < 0)
		return err_sys(e, errno, "open a tree of image %s", id);
	return treecmp(stored, wanted, detail, e);
}

static int verify(struct job *j, const struct image_info *info, char **detail, struct err *e)
{
	auto_imported now = { 0 };
	auto_work fresh = WORK_INIT;
	auto_close int blob = store_blob_open(&j->store, info, e);

	if (blob == -ENOENT) {
		*detail = xstrdup("the blob is missing");
		return 1;
	}
	if (blob < 0)
		return blob;
	int r = work_open(j, &fresh, e);
	if (r < 0)
		return r;
	r = import_run(j->unpack, blob, fresh.fd, &now, e);
	if (r < 0 && e->cls == ERR_INPUT) {
		*detail = xasprintf("the blob cannot be extracted: %s", e->text);
		err_clear(e);
		return 1;
	}
	if (r < 0)
		return r;
	if (strcmp(now.blob_digest, info->blob_digest) != 0)
		*detail = xstrdup("the blob has another digest");
	else if (strcmp(now.digest, info->digest) != 0)
		*detail = xstrdup("the tar in the blob has another digest");
	else if (strlen(info->manifest) != now.manifest.len ||
		 memcmp(info->manifest, now.manifest.data, now.manifest.len) != 0)
		*detail = xstrdup("the manifest in the store is another");
	return *detail ? 1 : verify_tree(j, info->id, &fresh, detail, e);
}

int fetch_op_verify(struct job *j, json_t **reply, struct err *e)
{
	struct image_info info = { 0 };
	auto_free char *detail = NULL;
	const char *id = "";
	int r = json_get_str(j->request, "", "id", true, &id, e);

	if (r < 0)
		return err_ctx(e, "request");
	r = job_open(j, e);
	if (r >= 0)
		r = store_image_load(&j->store, id, &info, e);
	if (r >= 0)
		r = info.nlayers ? verify_layers(j, &info, &detail, e) : verify(j, &info, &detail, e);
	image_info_done(&info);
	if (r < 0)
		return r;
	*reply = json_pack("{s:b,s:s}", "ok", r == 0, "detail", detail ? detail : "");
	return 0;
}
