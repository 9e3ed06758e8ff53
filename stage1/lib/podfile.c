/* podfile — see podfile.h. */
#include "stage1/lib/podfile.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fsat.h"
#include "stage1/contract.h"

struct pod_manifest *podfile_pod(int pod_fd, struct err *e)
{
	auto_buf b = BUF_INIT;
	int r = read_own_file_at(pod_fd, "pod", POD_MANIFEST_MAX, &b);

	if (r < 0) {
		err_sys(e, -r, "read the pod manifest");
		return NULL;
	}
	struct pod_manifest *m = pod_manifest_parse(buf_str(&b), b.len, e);
	if (!m)
		err_ctx(e, "pod manifest");
	return m;
}

struct image_manifest *podfile_image(int pod_fd, const char *app, struct err *e)
{
	auto_free char *ours = xasprintf(CONTRACT_DIR_APPS "/%s/manifest", app);
	auto_free char *classic = xasprintf(CONTRACT_DIR_STAGE2 "/%s/manifest", app);
	auto_buf b = BUF_INIT;
	int r = read_own_file_at(pod_fd, ours, IMAGE_MANIFEST_MAX, &b);

	if (r == -ENOENT)
		r = read_file_at(pod_fd, classic, IMAGE_MANIFEST_MAX, &b);
	if (r < 0) {
		err_sys(e, -r, "read the image manifest of app \"%s\"", app);
		return NULL;
	}
	struct image_manifest *m = image_manifest_parse(buf_str(&b), b.len, e);
	if (!m)
		err_ctx(e, "image manifest of app \"%s\"", app);
	return m;
}
