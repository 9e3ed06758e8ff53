/* fuzz_inflate — compressed images of any content, within small limits. */
#include <stdint.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/fd.h"
#include "image/inflate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct inflate_limits limits = { .out_max = 1u << 20, .ratio_max = 256 };
	struct err e = ERR_INIT;
	auto_close int in = memfd_new("in");
	auto_close int out = memfd_new("out");

	if (in < 0 || out < 0 || write_full(in, data, size) < 0 || lseek(in, 0, SEEK_SET) < 0)
		return 0;
	uint64_t bytes = 0;

	(void)inflate_stream(in, out, &limits, &bytes, &e);
	return 0;
}
