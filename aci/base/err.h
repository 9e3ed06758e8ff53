/*
 * err — the one error object: a class, a code and a text, owned by the caller.
 *
 * Every fallible function returns 0 (or a count or fd >= 0) on success and -errno on failure, and
 * takes a `struct err *e` as its last parameter, never NULL.  The text has a fixed size: no
 * allocation on the error path, usable after fork, and it fits one datagram between processes.
 * Wording: what was tried on what object, lower case, no full stop, no function names.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

enum err_class {
	ERR_NONE,
	ERR_USAGE, /* the command line is wrong */
	ERR_INPUT, /* a file, image, manifest or option value is wrong */
	ERR_STATE, /* the pod or image is not in a state that permits this */
	ERR_NET,   /* a peer did not answer, or answered wrongly */
	ERR_TRUST, /* a signature, a key or a digest does not satisfy the policy */
	ERR_SYS,   /* the kernel said no */
};

#define ERR_TEXT_MAX 504

struct err {
	int code; /* positive errno value; 0 = no error */
	int cls;  /* enum err_class */
	char text[ERR_TEXT_MAX];
};

#define ERR_INIT                                                                                             \
	{                                                                                                    \
		0, ERR_NONE, ""                                                                              \
	}

/* Set class, code and text.  @code positive errno.  Returns -code. */
int err_set(struct err *e, enum err_class cls, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Set an ERR_SYS error: text becomes "<fmt>: <strerror(errnum)>".  Returns -errnum. */
int err_sys(struct err *e, int errnum, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Put "<fmt>: " before the present text (context grows outward).  Returns -e->code. */
int err_ctx(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Add "; <fmt>" (a remedy or an observed fact) after the present text.  Returns -e->code. */
int err_hint(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Copy @from over @to (both may be the same).  Returns -to->code. */
int err_copy(struct err *to, const struct err *from);

/* Forget the error. */
void err_clear(struct err *e);
