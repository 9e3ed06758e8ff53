/*
 * unpackrun — the children and the pump between them.
 *
 * Whose error is told: if the extractor went away while we still had data, its reason counts (the
 * decompressor then only saw a closed pipe); otherwise the decompressor's, because a truncated
 * stream makes the extractor complain too.
 */
#include "stage0/unpackrun.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/proc.h"
#include "image/layernote.h"
#include "stage0/interrupt.h"

#define PUMP_BYTES (256u << 10)
#define PIPE_BYTES (1u << 20)
#define REPLY_MAX  (LAYER_NOTES_MAX + (64u << 10)) /* the longest tail, and the verdict */

/* One unpack child: its data pipe and its reply pipe, our ends. */
struct child {
	struct proc proc;
	bool running;
	int data, reply;
	int status;
	struct err err;
};

#define CHILD_INIT                                                                                           \
	{                                                                                                    \
		.proc = { 0, FD_NONE }, .data = FD_NONE, .reply = FD_NONE, .err = ERR_INIT                   \
	}

static void child_done(struct child *c)
{
	if (c->running)
		proc_kill(&c->proc);
	c->running = false;
	fd_close(&c->data);
	fd_close(&c->reply);
}

static int start(struct child *c, const char *unpack, const char *mode, const struct proc_fd *fds,
		 size_t nfds, struct err *e)
{
	char *const argv[] = { (char *)"unpack", (char *)mode, NULL };
	const struct spawn s = {
		.path = unpack, .argv = argv, .env = NULL, .fds = fds, .nfds = nfds, .death_signal = SIGKILL
	};
	int r = proc_spawn(&s, &c->proc, e);

	if (r < 0)
		return err_ctx(e, "start \"unpack %s\"", mode);
	c->running = true;
	return 0;
}

static int make_pipe(int *rd, int *wr, struct err *e)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(e, errno, "create a pipe");
	(void)fcntl(p[1], F_SETPIPE_SZ, PIPE_BYTES); /* a wish: the default works too */
	*rd = p[0];
	*wr = p[1];
	return 0;
}

/* unpack inflate: compressed bytes on 3, tar to 4, verdict to 5. */
static int start_inflate(struct child *c, const char *unpack, int blob_fd, struct err *e)
{
	auto_close int data_w = FD_NONE, reply_w = FD_NONE;
	auto_free char *self = xasprintf("/proc/self/fd/%d", blob_fd);
	/* A description of its own: the offset is not shared with whoever else reads the blob. */
	auto_close int in = open(self, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		return err_sys(e, errno, "open the image");
	int r = make_pipe(&c->data, &data_w, e);
	if (r >= 0)
		r = make_pipe(&c->reply, &reply_w, e);
	if (r < 0)
		return r;
	const struct proc_fd fds[] = {
		{ FD_NONE, 0 }, { FD_NONE, 1 }, { in, 3 }, { data_w, 4 }, { reply_w, 5 }
	};
	return start(c, unpack, "inflate", fds, ARRAY_LEN(fds), e);
}

/* unpack extract, layer …: tar on 3, verdict and what else there is to say to 4, directory 5. */
static int start_extract(struct child *c, const char *unpack, const char *mode, int dirfd, struct err *e)
{
	auto_close int data_r = FD_NONE, reply_w = FD_NONE;
	int r = make_pipe(&data_r, &c->data, e);

	if (r >= 0)
		r = make_pipe(&c->reply, &reply_w, e);
	if (r < 0)
		return r;
	const struct proc_fd fds[] = {
		{ FD_NONE, 0 }, { FD_NONE, 1 }, { data_r, 3 }, { reply_w, 4 }, { dirfd, 5 }
	};
	return start(c, unpack, mode, fds, ARRAY_LEN(fds), e);
}

static ssize_t read_some(int fd, char *p, size_t n, struct err *e)
{
	for (;;) {
		int r = interrupt_check(e);
		if (r < 0)
			return r;
		ssize_t got = read(fd, p, n);
		if (got >= 0)
			return got;
		if (errno != EINTR)
			return err_sys(e, errno, "read from \"unpack inflate\"");
	}
}

/* Copy @in to @out and hash; *closed when the reader of @out went away. */
static int pump(int in, int out, struct hash *h, uint64_t *total, bool *closed, struct err *e)
{
	auto_free char *p = xmalloc(PUMP_BYTES);

	for (;;) {
		ssize_t n = read_some(in, p, PUMP_BYTES, e);
		if (n <= 0)
			return (int)n;
		hash_update(h, p, (size_t)n);
		*total += (uint64_t)n;
		int r = write_full(out, p, (size_t)n);
		if (r == -EPIPE) {
			*closed = true;
			return 0;
		}
		if (r < 0)
			return err_sys(e, -r, "write to \"unpack\"");
	}
}

/* Take the verdict of a child that has seen the end of its input; its error goes to c->err. */
static void finish(struct child *c, const char *mode, struct buf *rest)
{
	auto_buf text = BUF_INIT;
	struct err *e = &c->err, ignored = ERR_INIT;
	int r = fd_read_all(c->reply, REPLY_MAX, &text);

	if (r < 0)
		err_sys(e, -r, "read the verdict of \"unpack %s\"", mode);
	else if (proc_wait(&c->proc, -1, &c->status, e) >= 0)
		c->running = false;
	if (e->code)
		return;
	const char *nl = text.len ? memchr(text.data, '\n', text.len) : NULL;
	size_t line = nl ? (size_t)(nl - text.data) : text.len;
	auto_json doc = line ? json_parse(text.data, line, &ignored) : NULL;
	json_t *error = doc ? json_member(doc, "error") : NULL;
	if (error) {
		int64_t code = EINVAL, cls = ERR_INPUT;
		const char *what = "refused";
		(void)json_get_int(error, "", "code", false, 1, 4095, &code, &ignored);
		(void)json_get_int(error, "", "class", false, ERR_USAGE, ERR_SYS, &cls, &ignored);
		(void)json_get_str(error, "", "text", false, &what, &ignored);
		err_set(e, (enum err_class)cls, (int)code, "%s", what);
	} else if (c->status != 0 || !doc) {
		err_set(e, ERR_SYS, EPIPE,
			c->status > 128 ? "\"unpack %s\" was ended by signal %d"
					: "\"unpack %s\" ended with status %d and no verdict",
			mode, c->status > 128 ? c->status - 128 : c->status);
	} else if (rest && nl) {
		buf_add(rest, nl + 1, text.len - line - 1);
	}
}

static int pipeline(const char *unpack, const char *mode, int blob_fd, int dirfd, struct hash *h,
		    struct unpacked *out, struct err *e)
{
	struct child inflate = CHILD_INIT, extract = CHILD_INIT;
	bool closed = false;
	int r = start_inflate(&inflate, unpack, blob_fd, e);

	if (r >= 0)
		r = start_extract(&extract, unpack, mode, dirfd, e);
	if (r >= 0)
		r = pump(inflate.data, extract.data, h, &out->size, &closed, e);
	if (r >= 0) {
		/* First the reader's end goes, so that a decompressor with data left can stop. */
		fd_close(&inflate.data);
		finish(&inflate, "inflate", NULL);
		/* What the decompressor could not finish must not look finished. */
		if (inflate.err.code && !closed) {
			r = err_copy(e, &inflate.err);
		} else {
			fd_close(&extract.data);
			finish(&extract, mode, &out->tail);
			if (extract.err.code)
				r = err_copy(e, &extract.err);
			else if (closed)
				r = err_set(e, ERR_SYS, EPIPE, "\"unpack %s\" stopped reading", mode);
		}
	}
	child_done(&inflate);
	child_done(&extract);
	return r;
}

void unpacked_done(struct unpacked *u)
{
	buf_done(&u->tail);
	*u = (struct unpacked){ .tail = BUF_INIT };
}

int unpack_run(const char *unpack, const char *mode, const char *algo, int blob_fd, int dirfd,
	       struct unpacked *ret, struct err *e)
{
	struct unpacked out = { .tail = BUF_INIT };
	struct hash *h = hash_new(algo);
	int r = pipeline(unpack, mode, blob_fd, dirfd, h, &out, e);

	hash_hex(h, out.hex);
	hash_free(h);
	if (r < 0)
		unpacked_done(&out);
	*ret = out;
	return r;
}
