/* login — see login.h. */
#include "stage1/lib/login.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/num.h"
#include "base/strv.h"
#include "stage1/lib/users.h"

enum { FIELD_NAME, FIELD_PASSWORD, FIELD_ID, FIELD_GID, FIELD_COMMENT, FIELD_HOME, PASSWD_FIELDS };
enum { FIELD_MEMBERS = 3, GROUP_FIELDS };

void login_done(struct login *l)
{
	free(l->home);
	free(l->groups);
	*l = (struct login){ 0 };
}

static char **lines_of(int root_fd, const char *file, int *r, struct err *e)
{
	auto_buf text = BUF_INIT;

	*r = users_read(root_fd, file, &text, e);
	if (*r == -ENOENT)
		*r = 0;
	return *r < 0 ? NULL : strv_split(buf_str(&text), '\n');
}

/* Of the line of @user in passwd: its name (heap), group and home; NULL if there is none. */
static char *find_user(char *const *lines, const char *user, uint32_t uid, struct login *ret)
{
	uint32_t number;
	bool by_number = parse_id(user, &number) == 0;

	for (; lines && *lines; lines++) {
		auto_strv f = strv_split(*lines, ':');
		uint32_t id, gid;

		if (strv_len(f) < PASSWD_FIELDS || parse_id(f[FIELD_ID], &id) < 0 || id != uid ||
		    (!by_number && strcmp(f[FIELD_NAME], user) != 0) || parse_id(f[FIELD_GID], &gid) < 0)
			continue;
		ret->gid = gid;
		ret->home = f[FIELD_HOME][0] == '/' ? xstrdup(f[FIELD_HOME]) : NULL;
		return xstrdup(f[FIELD_NAME]);
	}
	return NULL;
}

static void find_groups(char *const *lines, const char *name, struct login *ret)
{
	for (; lines && *lines && ret->ngroups < LOGIN_GROUPS_MAX; lines++) {
		auto_strv f = strv_split(*lines, ':');
		uint32_t gid;

		if (strv_len(f) < GROUP_FIELDS || parse_id(f[FIELD_ID], &gid) < 0)
			continue;
		auto_strv members = strv_split(f[FIELD_MEMBERS], ',');
		if (!strv_has(members, name))
			continue;
		ret->groups = xreallocarray(ret->groups, ret->ngroups + 1, sizeof(*ret->groups));
		ret->groups[ret->ngroups++] = gid;
	}
}

int login_find(int root_fd, const char *user, uint32_t uid, struct login *ret, struct err *e)
{
	int r;

	*ret = (struct login){ 0 };
	auto_strv users = lines_of(root_fd, "etc/passwd", &r, e);
	auto_free char *name = r == 0 ? find_user(users, user, uid, ret) : NULL;
	if (!name)
		return r;
	auto_strv groups = lines_of(root_fd, "etc/group", &r, e);
	find_groups(groups, name, ret);
	return r;
}
