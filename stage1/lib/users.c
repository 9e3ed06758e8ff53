/* users — see users.h. */
#include "stage1/lib/users.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/num.h"

#define DB_MAX (1u << 20)

struct db {
	const char *file; /* in the image */
	const char *what; /* for messages */
};

static const struct db passwd_db = { "etc/passwd", "user" };
static const struct db group_db = { "etc/group", "group" };

/* Both files have the name in field 0 and the number in field 2. */
static int line_number(const char *line, size_t len, const char *name, uint32_t *ret)
{
	const char *stop = line + len, *num, *end;
	size_t n = strlen(name);
	char digits[16];

	if (len <= n || memcmp(line, name, n) != 0 || line[n] != ':')
		return -ENOENT;
	const char *pw = line + n + 1;
	num = memchr(pw, ':', (size_t)(stop - pw));
	if (!num)
		return -EINVAL;
	num++;
	end = memchr(num, ':', (size_t)(stop - num));
	size_t dn = (size_t)((end ? end : stop) - num);
	if (dn == 0 || dn >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, num, dn);
	digits[dn] = '\0';
	return parse_id(digits, ret);
}

int users_read(int root_fd, const char *file, struct buf *out, struct err *e)
{
	struct stat st;
	auto_close int fd = open_in_root(root_fd, file, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);

	if (fd == -ENOENT)
		return -ENOENT;
	if (fd < 0)
		return err_sys(e, -fd, "open the image's /%s", file);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, EINVAL, "the image's /%s is not a regular file", file);
	int r = fd_read_all(fd, DB_MAX, out);
	return r < 0 ? err_sys(e, -r, "read the image's /%s", file) : 0;
}

static int by_name(int root_fd, const struct db *d, const char *name, uint32_t *ret, struct err *e)
{
	auto_buf b = BUF_INIT;
	int r = users_read(root_fd, d->file, &b, e);

	if (r < 0 && r != -ENOENT)
		return r;
	/* a name with a separator would match across fields */
	if (name[strcspn(name, ":\n")])
		r = -ENOENT;
	for (const char *p = buf_str(&b), *stop = p + b.len; r == 0 && p < stop;) {
		const char *nl = memchr(p, '\n', (size_t)(stop - p));
		size_t len = nl ? (size_t)(nl - p) : (size_t)(stop - p);
		int q = line_number(p, len, name, ret);

		if (q == 0)
			return 0;
		if (q != -ENOENT)
			return err_set(e, ERR_INPUT, EINVAL, "\"%s\": malformed line in the image's /%s",
				       name, d->file);
		p += len + 1;
	}
	return err_set(e, ERR_INPUT, ENOENT, "\"%s\" %s not found in the image's /%s", name, d->what,
		       d->file);
}

static int by_file(int root_fd, const char *path, bool gid, uint32_t *ret, struct err *e)
{
	struct stat st;
	auto_close int fd = open_in_root(root_fd, path, O_PATH | O_NOFOLLOW, 0);

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, fd < 0 ? -fd : errno, "owner of %s in the image", path);
	*ret = gid ? st.st_gid : st.st_uid;
	return 0;
}

static int resolve(int root_fd, const struct db *d, const char *s, bool gid, uint32_t *ret, struct err *e)
{
	bool numeric = s && (isdigit((unsigned char)*s) || *s == '-' || *s == '+' || *s == ' ');

	if (!s || !*s)
		return err_set(e, ERR_INPUT, EINVAL, "empty %s", d->what);
	if (strcmp(s, "root") == 0) {
		*ret = 0;
		return 0;
	}
	if (*s == '/')
		return by_file(root_fd, s, gid, ret, e);
	if (parse_id(s, ret) == 0)
		return 0;
	if (numeric && strspn(s + 1, "0123456789xX") == strlen(s + 1))
		return err_set(e, ERR_INPUT, EINVAL, "\"%s\": not a plain decimal %s id below 2^32-1", s,
			       d->what);
	return by_name(root_fd, d, s, ret, e);
}

int users_uid(int root_fd, const char *user, uint32_t *ret, struct err *e)
{
	return resolve(root_fd, &passwd_db, user, false, ret, e);
}

int users_gid(int root_fd, const char *group, uint32_t *ret, struct err *e)
{
	return resolve(root_fd, &group_db, group, true, ret, e);
}
