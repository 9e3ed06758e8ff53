/*
 * Any bytes as a signature file: never a crash; a refusal has a text; what is accepted is binary
 * packets that, parsed again, are the same packets.
 */
#include <stdint.h>

#include "stage0/sigfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sigfile a = { BUF_INIT, 0, 0 }, b = { BUF_INIT, 0, 0 };
	struct err e = ERR_INIT;

	if (sigfile_parse(data, size, &a, &e) < 0) {
		if (e.code == 0 || e.text[0] == '\0' || a.packets.data)
			abort();
		return 0;
	}
	if (sigfile_parse(a.packets.data, a.packets.len, &b, &e) < 0 || a.n != b.n || b.nweak != 0 ||
	    a.packets.len != b.packets.len || memcmp(a.packets.data, b.packets.data, a.packets.len) != 0)
		abort();
	sigfile_done(&a);
	sigfile_done(&b);
	return 0;
}
