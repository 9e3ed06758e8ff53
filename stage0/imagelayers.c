/* imagelayers — see imagelayers.h. */
#include "stage0/imagelayers.h"

#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fsat.h"
#include "base/strv.h"
#include "oci/digest.h"

char *image_info_tree_list(const struct image_info *i)
{
	auto_buf list = BUF_INIT;

	if (!i->nlayers)
		buf_addf(&list, "%s\n", i->id);
	for (size_t k = 0; k < i->nlayers; k++)
		buf_addf(&list, "%s\n", i->layers[k].tree);
	return buf_steal(&list);
}

const char *image_info_root_tree(const struct image_info *i)
{
	return i->nlayers ? i->layers[i->root_layer].tree : i->id;
}

bool store_has_trees(const struct store *s, const struct image_info *i)
{
	bool all = i->nlayers || store_has_tree(s, i->id);

	for (size_t k = 0; all && k < i->nlayers; k++)
		all = store_has_tree(s, i->layers[k].tree);
	return all;
}

char *store_blob_path(const char *digest)
{
	const char *hex = oci_digest_hex(digest);

	return xasprintf("blob/%s/%.2s/%s", oci_digest_algo(digest), hex, hex);
}

int store_blob_fd(const struct store *s, const char *digest)
{
	auto_free char *path = store_blob_path(digest);

	return open_beneath(s->cas_fd, path, O_RDONLY, 0);
}

void image_info_blobs(const struct image_info *i, char ***ret)
{
	strv_pushf(ret, "blob/%s/%.2s/%s", i->blob_algo, i->blob_digest, i->blob_digest);
	if (i->config_digest)
		strv_push_take(ret, store_blob_path(i->config_digest));
	for (size_t k = 0; k < i->nlayers; k++)
		strv_push_take(ret, store_blob_path(i->layers[k].digest));
}
