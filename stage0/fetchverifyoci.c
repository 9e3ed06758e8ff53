/*
 * fetchverifyoci — the operation "verify" of an image with layers.
 *
 * Every blob must hash to its name; every layer, unpacked anew and settled on those below it in the store, must equal its tree.
 */
#include "stage0/fetchjob.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/strv.h"
#include "oci/digest.h"
#include "stage0/imagelayers.h"
#include "stage0/settle.h"
#include "stage0/unpackrun.h"

static int verify_blob(struct job *j, const char *what, const char *digest, char **detail, struct err *e)
{
	char hex[HASH_HEX_MAX];
	auto_close int fd = store_blob_fd(&j->store, digest);

	if (fd == -ENOENT) {
		*detail = xasprintf("the %s %s is missing", what, digest);
		return 1;
	}
	if (fd < 0)
		return err_sys(e, -fd, "open %s", digest);
	int r = hash_fd(oci_digest_algo(digest), fd, hex, e);
	if (r < 0)
		return r;
	if (strcmp(hex, oci_digest_hex(digest)) == 0)
		return 0;
	*detail = xasprintf("the %s %s has another digest", what, digest);
	return 1;
}

/* Unpack layer @l into @fresh, on top of @k. */
static int unpack_again(struct job *j, const struct image_layer *l, struct stack *k, const struct work *fresh,
			char **detail, struct err *e)
{
	auto_unpacked u = { .tail = BUF_INIT };
	auto_close int blob = store_blob_fd(&j->store, l->digest), own = FD_NONE;
	int r = blob < 0 ? err_sys(e, -blob, "open %s", l->digest) : 0;

	if (r >= 0)
		r = unpack_run(j->unpack, "layer", oci_digest_algo(l->diff_id), blob, fresh->fd, &u, e);
	if (r >= 0 && strcmp(u.hex, oci_digest_hex(l->diff_id)) != 0) {
		*detail = xasprintf("the tar in layer %s has another digest", l->digest);
		return 1;
	}
	if (r >= 0)
		own = openat(fresh->fd, "rootfs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (r >= 0 && own < 0)
		r = err_sys(e, errno, "open the tree");
	k->own = own;
	return r < 0 ? r : settle_layer(k, buf_str(&u.tail), u.tail.len, e);
}

static int verify_layer(struct job *j, const struct image_layer *l, struct stack *k, char **detail,
			struct err *e)
{
	auto_work fresh = WORK_INIT;
	int r = verify_blob(j, "layer", l->digest, detail, e);

	if (r != 0)
		return r;
	r = work_open(j, &fresh, e);
	if (r >= 0)
		r = unpack_again(j, l, k, &fresh, detail, e);
	if (r < 0 && e->cls == ERR_INPUT) {
		*detail = xasprintf("layer %s cannot be extracted: %s", l->digest, e->text);
		err_clear(e);
		return 1;
	}
	return r != 0 ? r : verify_tree(j, l->tree, &fresh, detail, e);
}

int verify_layers(struct job *j, const struct image_info *info, char **detail, struct err *e)
{
	auto_free char *manifest = xasprintf("%s:%s", info->blob_algo, info->blob_digest);
	struct stack k = { .s = &j->store, .own = FD_NONE };
	int r = verify_blob(j, "manifest", manifest, detail, e);

	if (r == 0)
		r = verify_blob(j, "config", info->config_digest, detail, e);
	for (size_t i = 0; r == 0 && i < info->nlayers; i++) {
		r = verify_layer(j, &info->layers[i], &k, detail, e);
		strv_pushf(&k.roots, "tree/%s/rootfs", info->layers[i].tree);
		k.n++;
	}
	strv_free(k.roots);
	return r;
}
