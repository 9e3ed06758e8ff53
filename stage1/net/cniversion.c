/* cniversion — see cniversion.h. */
#include "stage1/net/cniversion.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"

static const char *const versions[] = {
	[CNI_0_1_0] = "0.1.0", [CNI_0_2_0] = "0.2.0", [CNI_0_3_0] = "0.3.0",
	[CNI_0_3_1] = "0.3.1", [CNI_0_4_0] = "0.4.0", [CNI_1_0_0] = "1.0.0",
};

int cni_version_parse(const char *text, struct err *e)
{
	unsigned int major = 0, minor = 0, patch = 0;

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		if (strcmp(text, versions[i]) == 0)
			return (int)i;
	}
	/* Only for the choice of words: what does not fit wraps or fails, and is refused in either case. */
	if (strlen(text) < 16 && sscanf(text, "%5u.%5u.%5u", &major, &minor, &patch) == 3 && major >= 1)
		return err_set(e, ERR_INPUT, EPROTONOSUPPORT,
			       "version %s of CNI is newer than 1.0.0, the last one that rkt speaks", text);
	return err_set(e, ERR_INPUT, EPROTONOSUPPORT,
		       "\"%.40s\" is not one of the versions 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0 of CNI",
		       text);
}

const char *cni_version_text(enum cni_version v)
{
	return versions[v];
}
