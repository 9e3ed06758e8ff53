/*
 * capset — capability isolators of an app to one 64-bit set (internals.md section 5.10).
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "schema/app.h"

/* AUDIT_WRITE CHOWN DAC_OVERRIDE FSETID FOWNER KILL MKNOD NET_RAW NET_BIND_SERVICE SETUID SETGID
 * SETPCAP SETFCAP SYS_CHROOT: formats.md section 7. */
uint64_t capset_default(void);
/* What the calling process holds, which is the most that it can pass on. */
uint64_t capset_own(void);

/*
 * retain-set: exactly those; remove-set: the default less those; none: the default.  Names with and
 * without "CAP_".  -EINVAL: both kinds at once, or an unknown name (a retain-set must not silently
 * lose one; removing one that does not exist is refused too, as a misspelling).
 */
int capset_of_app(const struct app *a, uint64_t *ret, struct err *e);
