/*
 * uuidarg — see uuidarg.h.
 */
#include "rkt/uuidarg.h"

#include <ctype.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"

#define UUID_FILE_MAX 4096 /* bytes, white space included */

static int read_uuid_file(const char *path, char ***ret, struct err *e)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno, "read UUID file %s", path);
	auto_buf text = BUF_INIT;
	int r = fd_read_all(fd, UUID_FILE_MAX, &text);
	if (r < 0)
		return err_sys(e, -r, "read UUID file %s", path);
	const char *s = buf_str(&text);
	while (isspace((unsigned char)*s))
		s++;
	size_t n = strlen(s);
	while (n && isspace((unsigned char)s[n - 1]))
		n--;
	strv_push_take(ret, xstrndup(s, n));
	return 0;
}

int uuid_args(struct cli *c, const char *uuid_file, bool many, char ***ret, struct err *e)
{
	size_t n = strv_len(c->rest);
	if (uuid_file && n)
		return cli_usage(c, e, "give either UUIDs or --uuid-file, not both");
	if (uuid_file)
		return read_uuid_file(uuid_file, ret, e);
	if (n == 0)
		return cli_usage(c, e, "must provide %s UUID", many ? "at least one" : "a");
	if (n > 1 && !many)
		return cli_usage(c, e, "must provide exactly one UUID");
	*ret = strv_copy(c->rest);
	return 0;
}

int uuid_args_each(struct cli *c, const char *uuid_file,
		   int (*act)(const struct cli *c, const struct host *h, const char *uuid, struct err *e),
		   struct err *e)
{
	auto_strv uuids = NULL;
	auto_host h = { 0 };
	int status = 0;
	int r = uuid_args(c, uuid_file, true, &uuids, e);

	if (r == 0)
		r = host_open(&c->g, 0, &h, e);
	for (char **u = uuids; r == 0 && u && *u; u++) {
		struct err pe = ERR_INIT;
		if (act(c, &h, *u, &pe) == 0)
			continue;
		log_error("%s", pe.text);
		status = CLI_EXIT_FAILURE;
	}
	return r < 0 ? r : status;
}
