/* fuzz_volume_arg — the texts of --volume and --mount, and quantities. */
#include <stdint.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "schema/isolator.h"
#include "schema/volume.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);
	struct err e = ERR_INIT;
	struct volume v = { .name = NULL };
	struct mounts l = { NULL, 0 };
	struct mount m = { .volume = NULL };
	int64_t q;

	if (volume_from_arg(text, &v, &e) == 0)
		volume_done(&v);
	if (mount_from_arg(text, &m, &e) == 0)
		mounts_push_take(&l, &m);
	mounts_done(&l);
	(void)quantity_parse(text, 1000, &q, &e);
	return 0;
}
