/*
 * sandbox — what a child does to itself before it touches untrusted bytes (threats.md R17).
 */
#pragma once

#include "base/err.h"

enum sandbox_kind {
	SANDBOX_PIPE,  /* read and write given descriptors only: no files, no privileges */
	SANDBOX_WRITE, /* create files below one directory and nothing else */
};

/*
 * Confine the calling process for good: rlimits, own mount, network, ipc and uts namespaces,
 * capabilities reduced (SANDBOX_WRITE keeps CHOWN DAC_OVERRIDE FOWNER FSETID MKNOD SETFCAP),
 * no_new_privs, Landlock where the kernel has it, a seccomp allow-list whose breach kills the process.
 * SANDBOX_WRITE makes *dirfd a nodev, nosuid, noexec clone of the directory and the process's root;
 * the descriptor is replaced.  SANDBOX_PIPE ignores @dirfd.  Descriptors that are open stay open.
 * Every step that fails is an error, but for Landlock on kernels without it (before 5.19, which is
 * when it learned about hard links).  Needs CAP_SYS_ADMIN.
 */
int sandbox_enter(enum sandbox_kind k, int *dirfd, struct err *e);
