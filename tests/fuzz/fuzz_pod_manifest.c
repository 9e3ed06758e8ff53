/* fuzz_pod_manifest — the manifest of a pod from anywhere. */
#include "schema/pod.h"
#include "tests/fuzz/manifest.h"

FUZZ_MANIFEST(pod)
