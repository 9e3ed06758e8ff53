/*
 * podfile — the manifests in a pod directory, read and parsed: what stage0 has left for whoever works on the pod
 * (CONTRACT.md).  Errors are ready for the user; NULL then, else the caller's.
 */
#pragma once

#include "base/err.h"
#include "schema/image.h"
#include "schema/pod.h"

struct pod_manifest *podfile_pod(int pod_fd, struct err *e);
/* That of the image of @app, where our stage0 writes it or where that of rkt 1.30 does. */
struct image_manifest *podfile_image(int pod_fd, const char *app, struct err *e);
