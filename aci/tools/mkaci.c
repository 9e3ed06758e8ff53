/*
 * mkaci — pack a directory that holds "manifest" and "rootfs/" as an image.
 *
 * The output appears under its name only when it is complete.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/err.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/strv.h"
#include "image/writer.h"

struct args {
	char *compression;
};

static const char *const compressions[] = { "none", "gzip", "bzip2", "xz", "zstd", NULL };
static const enum compression kinds[] = { COMP_PLAIN, COMP_GZIP, COMP_BZIP2, COMP_XZ, COMP_ZSTD };

static const struct opt opts[] = {
	{ .name = "compression",
	  .kind = OPT_STR,
	  .arg = "KIND",
	  .dflt = "gzip",
	  .choices = compressions,
	  .complete = COMP_CHOICES,
	  .offset = offsetof(struct args, compression),
	  .help = "none, gzip, bzip2, xz or zstd" },
	{ .kind = OPT_END },
};

static enum compression kind_of(const char *name)
{
	for (size_t i = 0; compressions[i]; i++) {
		if (strcmp(name, compressions[i]) == 0)
			return kinds[i];
	}
	return COMP_GZIP;
}

static int pack(const char *dir, const char *out, enum compression c, struct err *e)
{
	auto_close int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_free char *tmp = xasprintf("%s.new", out);
	auto_close int fd = FD_NONE;
	int r;

	if (dirfd < 0)
		return err_sys(e, errno, "open %s", dir);
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_sys(e, errno, "create %s", tmp);
	r = aci_write(dirfd, fd, c, e);
	if (r == 0 && rename(tmp, out) < 0)
		r = err_sys(e, errno, "rename %s to %s", tmp, out);
	else if (r < 0)
		err_ctx(e, "pack %s", dir);
	if (r < 0)
		(void)unlink(tmp);
	return r;
}

static int run(int argc, char **argv, struct args *a, struct err *e)
{
	const struct opt_set set = { opts, a };
	auto_strv rest = NULL;
	int index = 1, r = opt_defaults(&set, 1, e);

	if (r == 0)
		r = opt_parse(&set, 1, argc, argv, &index, OPT_STOP_NEVER, &rest, e);
	for (; r == 0 && index < argc; index++)
		strv_push(&rest, argv[index]);
	if (r == -ECANCELED) {
		auto_buf help = BUF_INIT;
		opt_help(opts, &help);
		(void)printf("usage: mkaci [--compression=KIND] DIR OUT.aci\n\n%s", buf_str(&help));
		return 0;
	}
	if (r < 0)
		return r;
	if (strv_len(rest) != 2)
		return err_set(e, ERR_USAGE, EINVAL, "usage: mkaci [--compression=KIND] DIR OUT.aci");
	return pack(rest[0], rest[1], kind_of(a->compression), e);
}

int main(int argc, char **argv)
{
	struct args a = { 0 };
	struct err e = ERR_INIT;
	int r;

	log_setup("mkaci", LOG_NORMAL);
	r = run(argc, argv, &a, &e);
	if (r < 0)
		log_error("%s", e.text);
	opt_done(opts, &a);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
