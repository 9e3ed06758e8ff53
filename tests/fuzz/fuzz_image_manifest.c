/* fuzz_image_manifest — the manifest of an image from anywhere. */
#include "schema/image.h"
#include "tests/fuzz/manifest.h"

FUZZ_MANIFEST(image)
