/*
 * seccomp — the system call filter of an app, compiled to BPF outside the pod (internals.md 5.10).
 *
 * The default filter is compiled at build time (build/gen/seccomp_default.h), so an ordinary start
 * compiles nothing.  Denied calls return EPERM, calls newer than the table and clone3 return ENOSYS
 * (so that libc falls back); nothing is killed unless the image asks for it.
 */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "schema/app.h"

struct bpf {
	const struct sock_filter *insn; /* NULL: no filter */
	size_t n;
	struct sock_filter *owned; /* heap behind insn, or NULL for the built-in one */
};

void bpf_done(struct bpf *b);

/*
 * By the app's isolators; without any the built-in default; @ret empty if the app wants no filter.  Names are
 * calls or sets ("@systemd/mount", seccomp_named.h); an unknown one is -EINVAL, in a retain-set and a
 * remove-set alike.  @pod_fd: the pod directory, in whose data directory compiled filters are kept
 * (seccomp_cache.h), or -1.
 */
int seccomp_of_app(const struct app *a, int pod_fd, struct bpf *ret, struct err *e);

/* Compile the default filter (the build uses this to make the header). */
int seccomp_compile_default(struct bpf *ret, struct err *e);
