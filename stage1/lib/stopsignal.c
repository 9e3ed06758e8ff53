/* stopsignal — see stopsignal.h. */
#include "stage1/lib/stopsignal.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"

/* From RTMIN and RTMAX as the kernel's users count them: 34 and 64. */
static int real_time(const char *text)
{
	uint32_t n = 0;
	int r = text[5] ? parse_u32(text + 6, &n) : 0;

	if (r < 0 || n > 30)
		return -EINVAL;
	if (strncasecmp(text, "RTMIN", 5) == 0 && (!text[5] || text[5] == '+'))
		return 34 + (int)n;
	return strncasecmp(text, "RTMAX", 5) == 0 && (!text[5] || text[5] == '-') ? 64 - (int)n : -EINVAL;
}

int stopsignal_number(const char *text)
{
	uint32_t n;

	if (parse_u32(text, &n) == 0)
		return n >= 1 && n <= 64 ? (int)n : -EINVAL;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (int i = 1; i < 32; i++) {
		const char *name = sigabbrev_np(i);

		if (name && strcasecmp(name, text) == 0)
			return i;
	}
	return strlen(text) >= 5 ? real_time(text) : -EINVAL;
}
