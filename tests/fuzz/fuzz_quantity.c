/*
 * Any text as a quantity: never a crash or an undefined shift, a result is never negative, and a
 * thousand times the scale gives between 1000 (n - 1) and 1000 n.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "schema/isolator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *text = xstrndup((const char *)data, size);
	struct err e = ERR_INIT;
	int64_t whole = -1, milli = -1;

	if (quantity_parse(text, 1, &whole, &e) < 0) {
		if (whole != -1 || !e.text[0] || quantity_parse(text, 1000, &milli, &e) == 0)
			abort();
		return 0;
	}
	if (whole < 0)
		abort();
	if (quantity_parse(text, 1000, &milli, &e) < 0)
		return whole > INT64_MAX / 1000 ? 0 : (abort(), 0);
	if (milli < 0 || milli / 1000 > whole || (milli % 1000 && milli / 1000 == whole) ||
	    (whole && milli <= (whole - 1) * 1000))
		abort();
	return 0;
}
