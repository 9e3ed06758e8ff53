/*
 * login — what else an image's own files say of a user, for images of docker's kind (formats.md section 14).
 *
 * Such an image names a user, and everybody else takes group, further groups and home from its /etc/passwd and /etc/group then.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define LOGIN_GROUPS_MAX 64 /* further ones are left out */

struct login {
	uint32_t gid; /* 0 for a user that the files do not know */
	char *home;   /* absolute, or NULL */
	uint32_t *groups;
	size_t ngroups;
};
void login_done(struct login *l);

/* @user, a name or number with the number @uid, in the root @root_fd.  Malformed lines do not count.  Errors: files that are none. */
int login_find(int root_fd, const char *user, uint32_t uid, struct login *ret, struct err *e);
