/*
 * unpack — decompress an image, or extract its tar stream, in a sandbox (stage0/UNPACK.md).
 *
 * The only program that parses untrusted archives.  Everything that opens files (the seed of the JSON
 * hash tables) happens before the sandbox closes.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/opt.h"
#include "base/strv.h"
#include "image/bundle.h"
#include "image/extract.h"
#include "image/inflate.h"
#include "image/layer.h"
#include "image/sandbox.h"

enum { FD_IN = 3, EXIT_USAGE = 2 };

struct args {
	int64_t bytes, entries, depth, path, xattr, ratio;
};

static const struct opt inflate_opts[] = {
	{ .name = "max-bytes",
	  .kind = OPT_I64,
	  .arg = "N",
	  .dflt = "42949672960",
	  .offset = offsetof(struct args, bytes),
	  .help = "bytes of output, 0 = no limit" },
	{ .name = "max-ratio",
	  .kind = OPT_I64,
	  .arg = "N",
	  .dflt = "256",
	  .offset = offsetof(struct args, ratio),
	  .help = "output per input once above 64 MiB, 0 = no limit" },
	{ .kind = OPT_END },
};

static const struct opt extract_opts[] = {
	{ .name = "max-bytes",
	  .kind = OPT_I64,
	  .arg = "N",
	  .dflt = "34359738368",
	  .offset = offsetof(struct args, bytes),
	  .help = "bytes of file data" },
	{ .name = "max-entries",
	  .kind = OPT_I64,
	  .arg = "N",
	  .dflt = "1000000",
	  .offset = offsetof(struct args, entries),
	  .help = "entries" },
	{ .name = "max-depth",
	  .kind = OPT_I64,
	  .arg = "N",
	  .dflt = "1024",
	  .offset = offsetof(struct args, depth),
	  .help = "components of a path" },
	{ .name = "max-path",
	  .kind = OPT_I64,
	  .arg = "N",
	  .dflt = "4095",
	  .offset = offsetof(struct args, path),
	  .help = "bytes of a path" },
	{ .name = "max-xattr",
	  .kind = OPT_I64,
	  .arg = "N",
	  .dflt = "1048576",
	  .offset = offsetof(struct args, xattr),
	  .help = "bytes of extended attributes of one entry" },
	{ .kind = OPT_END },
};

struct mode {
	const char *name;
	const struct opt *opts;
	int fd_reply, fd_last; /* descriptors FD_IN..fd_last are given */
	int (*run)(const struct args *a, json_t *reply, struct buf *tail, struct err *e);
};

static int run_inflate(const struct args *a, json_t *reply, struct buf *tail, struct err *e)
{
	const struct inflate_limits limits = { (uint64_t)a->bytes, (uint32_t)a->ratio };
	uint64_t bytes = 0;
	int r = sandbox_enter(SANDBOX_PIPE, NULL, e);

	(void)tail;
	if (r == 0)
		r = inflate_stream(FD_IN, 4, &limits, &bytes, e);
	if (r == 0)
		(void)json_object_set_new(reply, "bytes", json_integer((json_int_t)bytes));
	return r;
}

typedef int extract_fn(int in, int dirfd, const struct extract_limits *l, struct buf *tail,
		       struct extract_result *ret, struct err *e);

static int extract(extract_fn *how, const char *tail_name, const struct args *a, json_t *reply,
		   struct buf *tail, struct err *e)
{
	const struct extract_limits limits = { (uint64_t)a->bytes, (uint64_t)a->entries, (uint32_t)a->depth,
					       (uint32_t)a->path, (uint64_t)a->xattr };
	struct extract_result res = { 0 };
	int dirfd = 5;
	int r = sandbox_enter(SANDBOX_WRITE, &dirfd, e);

	if (r == 0)
		r = how(FD_IN, dirfd, &limits, tail, &res, e);
	if (r < 0)
		return r;
	(void)json_object_set_new(reply, "bytes", json_integer((json_int_t)res.bytes));
	(void)json_object_set_new(reply, "entries", json_integer((json_int_t)res.entries));
	(void)json_object_set_new(reply, tail_name, json_integer((json_int_t)tail->len));
	(void)json_object_set_new(reply, "xattrsSkipped", json_integer((json_int_t)res.xattrs_skipped));
	return 0;
}

static int run_extract(const struct args *a, json_t *reply, struct buf *tail, struct err *e)
{
	return extract(extract_aci, "manifest", a, reply, tail, e);
}

static int run_layer(const struct args *a, json_t *reply, struct buf *tail, struct err *e)
{
	return extract(extract_layer, "notes", a, reply, tail, e);
}

static int run_bundle(const struct args *a, json_t *reply, struct buf *tail, struct err *e)
{
	return extract(extract_bundle, "tail", a, reply, tail, e);
}

static const struct mode modes[] = {
	{ "bundle", extract_opts, 4, 5, run_bundle },
	{ "layer", extract_opts, 4, 5, run_layer },
	{ "inflate", inflate_opts, 5, 5, run_inflate },
	{ "extract", extract_opts, 4, 5, run_extract },
};

static int usage(const char *why)
{
	(void)fprintf(stderr, "unpack: %s; see stage0/UNPACK.md\n", why);
	return EXIT_USAGE;
}

static int check_limits(const struct args *a, struct err *e)
{
	const int64_t all[] = { a->bytes, a->entries, a->depth, a->path, a->xattr, a->ratio };

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i] < 0)
			return err_set(e, ERR_USAGE, EINVAL, "negative limit");
	}
	if (a->depth > INT32_MAX || a->path > INT32_MAX || a->ratio > INT32_MAX)
		return err_set(e, ERR_USAGE, EINVAL, "limit too large");
	return 0;
}

static const struct mode *parse(int argc, char **argv, struct args *a, struct err *e)
{
	const struct mode *m = NULL;
	auto_strv rest = NULL;
	int index = 2;

	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(modes); i++) {
		if (strcmp(argv[1], modes[i].name) == 0)
			m = &modes[i];
	}
	if (!m) {
		(void)err_set(e, ERR_USAGE, EINVAL,
			      "expected \"inflate\", \"extract\", \"layer\" or \"bundle\"");
		return NULL;
	}
	const struct opt_set set = { m->opts, a };
	if (opt_defaults(&set, 1, e) < 0 ||
	    opt_parse(&set, 1, argc, argv, &index, OPT_STOP_NEVER, &rest, e) < 0 || check_limits(a, e) < 0)
		return NULL;
	if (strv_len(rest) || index < argc) {
		(void)err_set(e, ERR_USAGE, EINVAL, "unexpected argument");
		return NULL;
	}
	return m;
}

static int write_reply(const struct mode *m, int r, json_t *ok, const struct buf *tail, const struct err *e)
{
	auto_json reply = r == 0 ? json_incref(ok)
				 : json_pack("{s:{s:i,s:i,s:s}}", "error", "code", e->code, "class", e->cls,
					     "text", e->text);
	auto_free char *text = NULL;
	int w;

	/* Text that is not UTF-8 cannot be packed; there is none, but a reply there must be. */
	if (!reply)
		reply = json_pack("{s:{s:i,s:i,s:s}}", "error", "code", e->code, "class", e->cls, "text",
				  "unprintable error");
	text = json_text(reply, JSON_LINE);
	w = write_full(m->fd_reply, text, strlen(text));
	if (w == 0)
		w = write_full(m->fd_reply, "\n", 1);
	if (w == 0 && r == 0)
		w = write_full(m->fd_reply, buf_str(tail), tail->len);
	return w;
}

int main(int argc, char **argv)
{
	const int keep[] = { 3, 4, 5 };
	struct args a = { 0 };
	struct err e = ERR_INIT;
	auto_buf manifest = BUF_INIT;
	const struct mode *m = parse(argc, argv, &a, &e);
	int r, w;

	if (!m)
		return usage(e.text);
	for (int fd = FD_IN; fd <= m->fd_last; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			return usage("a descriptor is missing");
	}
	if (fd_ensure_std() < 0 || fd_close_all_but(keep, ARRAY_LEN(keep)) < 0)
		return usage("cannot close descriptors");
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return usage("cannot ignore SIGPIPE");
	json_object_seed(0);
	auto_json ok = json_pack("{s:b}", "ok", 1);
	r = m->run(&a, ok, &manifest, &e);
	w = write_reply(m, r, ok, &manifest, &e);
	return r < 0 || w < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
