#include "oci/whiteout.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/path.h"

#define PREFIX ".wh."

static bool marked(const char *name)
{
	return strncmp(name, PREFIX, strlen(PREFIX)) == 0;
}

/* ".wh.a/b": what lies in a whiteout would be neither there nor gone. */
static bool inside_whiteout(const char *path)
{
	for (const char *slash; (slash = strchr(path, '/')); path = slash + 1) {
		if (marked(path))
			return true;
	}
	return false;
}

int oci_whiteout_of(const char *path, enum oci_whiteout *ret, const char **ret_name, struct err *e)
{
	const char *name = path_base(path), *gone = name + strlen(PREFIX);

	*ret = OCI_NO_WHITEOUT;
	*ret_name = NULL;
	if (inside_whiteout(path))
		return err_set(e, ERR_INPUT, EINVAL, "lies in a whiteout");
	if (!marked(name))
		return 0;
	if (*gone == '\0' || strcmp(gone, ".") == 0 || strcmp(gone, "..") == 0)
		return err_set(e, ERR_INPUT, EINVAL, "is a whiteout of no name");
	if (strcmp(gone, PREFIX ".opq") == 0) {
		*ret = OCI_OPAQUE;
		return 0;
	}
	if (marked(gone)) {
		*ret = OCI_SKIP;
		return 0;
	}
	*ret = OCI_REMOVE;
	*ret_name = gone;
	return 0;
}
