/* base64 — see base64.h. */
#include "base/base64.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const void *p, size_t n)
{
	const unsigned char *in = p;
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)in[i] << 16 | (i + 1 < n ? (uint32_t)in[i + 1] << 8 : 0) |
			     (i + 2 < n ? in[i + 2] : 0);

		buf_addc(&out, digits[v >> 18]);
		buf_addc(&out, digits[v >> 12 & 63]);
		buf_addc(&out, i + 1 < n ? digits[v >> 6 & 63] : '=');
		buf_addc(&out, i + 2 < n ? digits[v & 63] : '=');
	}
	return buf_steal(&out);
}

int base64_decode(const char *text, size_t n, struct buf *out)
{
	size_t was = out->len;
	uint32_t v = 0;

	if (n > 0 && n % 4 == 0 && text[n - 1] == '=')
		n -= text[n - 2] == '=' ? 2 : 1;
	for (size_t i = 0; i < n; i++) {
		const char *d = text[i] ? strchr(digits, text[i]) : NULL;

		if (!d || n % 4 == 1) {
			out->len = was;
			return -EINVAL;
		}
		v = v << 6 | (uint32_t)(d - digits);
		if (i % 4 == 3) {
			buf_addc(out, (char)(v >> 16));
			buf_addc(out, (char)(v >> 8));
			buf_addc(out, (char)v);
		}
	}
	if (n % 4 >= 2)
		buf_addc(out, (char)(n % 4 == 3 ? v >> 10 : v >> 4));
	if (n % 4 == 3)
		buf_addc(out, (char)(v >> 2));
	return 0;
}
