/* mergeaci — see mergeaci.h. */
#include "stage0/mergeaci.h"

#include <errno.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/strv.h"
#include "image/inflate.h"
#include "image/writer.h"
#include "stage0/imagelayers.h"
#include "stage0/interrupt.h"
#include "stage0/layersgc.h"

struct packing {
	int out;
	uint64_t bytes; /* of the tar so far */
	bool too_dense; /* who reads it as it is now would think that it never ends */
};

static int watch(void *arg, const void *p, size_t n, struct err *e)
{
	struct packing *k = arg;

	(void)p;
	k->bytes += n;
	if (k->bytes > INFLATE_RATIO_FLOOR &&
	    k->bytes / INFLATE_RATIO > (uint64_t)lseek(k->out, 0, SEEK_CUR)) {
		k->too_dense = true;
		return err_set(e, ERR_INPUT, E2BIG, "it is nearly nothing when compressed");
	}
	return interrupt_check(e);
}

static int check_interrupt(void *arg, const void *p, size_t n, struct err *e)
{
	(void)arg;
	(void)p;
	(void)n;
	return interrupt_check(e);
}

/* Compressed, unless a reader would take it for a bomb. */
static int pack_aci(const struct merge *tree, const char *manifest, int out, struct err *e)
{
	struct packing k = { .out = out };
	int r = aci_write_merged(tree, manifest, out, COMP_GZIP, watch, &k, e);

	if (!k.too_dense)
		return r;
	err_clear(e);
	if (lseek(out, 0, SEEK_SET) < 0 || ftruncate(out, 0) < 0)
		return err_sys(e, errno, "start anew");
	return aci_write_merged(tree, manifest, out, COMP_PLAIN, check_interrupt, NULL, e);
}

/* Nobody takes a layer away meanwhile. */
int merge_aci(struct job *j, const struct image_info *i, int out, struct err *e)
{
	auto_close int lock = layers_lock(&j->store, e);
	auto_strv roots = NULL;

	if (lock < 0)
		return lock;
	if (!store_has_trees(&j->store, i))
		return err_set(e, ERR_STATE, ENOENT, "layers of it are missing; fetch it again");
	for (size_t k = 0; k < i->nlayers; k++)
		strv_pushf(&roots, "tree/%s/rootfs", i->layers[k].tree);
	const struct merge tree = { .dirfd = j->store.cas_fd,
				    .roots = (const char *const *)roots,
				    .n = i->nlayers,
				    .top = i->root_layer,
				    .layers = true };
	return pack_aci(&tree, i->manifest, out, e);
}
