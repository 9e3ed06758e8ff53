/* fuzz_oci_whiteout — any name of an entry: what is taken away is one component below the entry's own directory. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "image/entryname.h"
#include "oci/whiteout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *raw = xstrndup((const char *)data, size);
	auto_buf path = BUF_INIT;
	enum oci_whiteout kind = OCI_NO_WHITEOUT;
	const char *name = NULL;
	struct err e = ERR_INIT;

	if (entryname_clean(raw, 4095, 1024, &path, &e) < 0)
		return 0;
	if (oci_whiteout_of(buf_str(&path), &kind, &name, &e) < 0) {
		if (!strstr(buf_str(&path), ".wh.") || e.code == 0)
			abort();
		return 0;
	}
	if ((kind == OCI_REMOVE) != (name != NULL))
		abort();
	if (name && (*name == '\0' || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0))
		abort();
	return 0;
}
