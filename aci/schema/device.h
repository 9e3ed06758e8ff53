/*
 * device — a device of the host that an app is given, "HOST[:TARGET][:rwm]" or the JSON of rkt.io/devices.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

enum device_access { DEVICE_READ = 1, DEVICE_WRITE = 2, DEVICE_MKNOD = 4 };

/* Everything borrowed from the JSON. */
struct device {
	const char *source;  /* absolute path on the host */
	const char *target;  /* absolute path in the app; the same when not given */
	unsigned int access; /* enum device_access; "rwm" when not given */
};

/* {"source": PATH, "target": PATH, "access": "rwm"}.  -EINVAL: a path that is not absolute or goes up, letters that
 * are not of "rwm", no read and no write. */
int device_from_json(const json_t *o, const char *where, struct device *ret, struct err *e);

/* The option's text to that JSON (a new reference), or NULL and @e.  A last part of the letters r, w and m alone is the
 * access; paths are absolute, so they cannot be mistaken for it. */
json_t *device_json_from_arg(const char *arg, struct err *e);
