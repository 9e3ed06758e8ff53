/*
 * import — the pipeline of three processes, and publishing.
 *
 * Whose error is told: if the extractor went away while we still had data, its reason counts (the
 * decompressor then only saw a closed pipe); otherwise the decompressor's, because a truncated
 * stream makes the extractor complain too.
 */
#include "stage0/import.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/when.h"
#include "stage0/interrupt.h"

#define PUMP_BYTES (256u << 10)
#define PIPE_BYTES (1u << 20)
#define REPLY_MAX  (IMAGE_MANIFEST_MAX + (64u << 10))

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

void imported_done(struct imported *i)
{
	free(i->digest);
	free(i->blob_digest);
	buf_done(&i->manifest);
	*i = (struct imported){ 0 };
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

/* unpack extract: tar on 3, verdict and manifest to 4, directory 5. */
static int start_extract(struct child *c, const char *unpack, int dirfd, struct err *e)
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
	return start(c, unpack, "extract", fds, ARRAY_LEN(fds), e);
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
			return err_sys(e, -r, "write to \"unpack extract\"");
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

/* ---- the digest of the blob, beside the pipeline ---- */

struct blob_hash {
	pthread_t thread;
	int fd;
	int result;
	char hex[HASH_HEX_MAX];
	struct err err;
};

static void *blob_hash_main(void *arg)
{
	struct blob_hash *b = arg;
	b->result = hash_fd("sha512", b->fd, b->hex, &b->err);
	return NULL;
}

static int blob_hash_start(struct blob_hash *b, int blob_fd, struct err *e)
{
	auto_free char *self = xasprintf("/proc/self/fd/%d", blob_fd);
	sigset_t all, old;

	b->fd = open(self, O_RDONLY | O_CLOEXEC);
	if (b->fd < 0)
		return err_sys(e, errno, "open the image");
	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int r = pthread_create(&b->thread, NULL, blob_hash_main, b);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (r) {
		fd_close(&b->fd);
		return err_sys(e, r, "start a thread");
	}
	return 0;
}

static int blob_hash_join(struct blob_hash *b, struct err *e)
{
	pthread_join(b->thread, NULL);
	fd_close(&b->fd);
	return b->result < 0 ? err_copy(e, &b->err) : 0;
}

/* ---- all together ---- */

static int pipeline(const char *unpack, int blob_fd, int dirfd, struct hash *h, struct imported *out,
		    struct err *e)
{
	struct child inflate = CHILD_INIT, extract = CHILD_INIT;
	bool closed = false;
	int r = start_inflate(&inflate, unpack, blob_fd, e);

	if (r >= 0)
		r = start_extract(&extract, unpack, dirfd, e);
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
			finish(&extract, "extract", &out->manifest);
			if (extract.err.code)
				r = err_copy(e, &extract.err);
			else if (closed)
				r = err_set(e, ERR_SYS, EPIPE, "\"unpack extract\" stopped reading");
		}
	}
	child_done(&inflate);
	child_done(&extract);
	return r;
}

int import_run(const char *unpack, int blob_fd, int dirfd, struct imported *ret, struct err *e)
{
	auto_imported out = { 0 };
	struct blob_hash blob = { .fd = FD_NONE };
	struct hash *h = hash_new("sha512");
	char hex[HASH_HEX_MAX];
	struct stat st;

	if (fstat(blob_fd, &st) < 0) {
		hash_free(h);
		return err_sys(e, errno, "look at the image");
	}
	out.blob_size = (uint64_t)st.st_size;
	int r = blob_hash_start(&blob, blob_fd, e);
	if (r >= 0) {
		struct err joined = ERR_INIT;
		r = pipeline(unpack, blob_fd, dirfd, h, &out, e);
		int j = blob_hash_join(&blob, &joined);
		if (r >= 0 && j < 0)
			r = err_copy(e, &joined);
	}
	hash_hex(h, hex);
	hash_free(h);
	if (r < 0)
		return r;
	out.digest = xasprintf("sha512-%s", hex);
	out.blob_digest = xstrdup(blob.hex);
	(void)snprintf(out.id, sizeof(out.id), "%.*s", IMAGE_ID_LEN, out.digest);
	*ret = out;
	out = (struct imported){ 0 };
	return 0;
}

/* ---- publishing ---- */

static void fill_info(struct image_info *info, const struct imported *i, const struct import_origin *o,
		      const struct image_manifest *m, uint64_t tree_size)
{
	memcpy(info->id, i->id, sizeof(info->id));
	info->digest = xstrdup(i->digest);
	info->blob_algo = xstrdup("sha512");
	info->blob_digest = xstrdup(i->blob_digest);
	info->blob_size = i->blob_size;
	info->size = i->size;
	info->tree_size = tree_size;
	info->name = xstrdup(m->name);
	pairs_copy(&info->labels, &m->labels);
	info->manifest = xstrndup(i->manifest.data, i->manifest.len);
	info->origin = xstrdup(o->url);
	info->import_time = when_ns(when_now());
	info->nverified = o->nverified;
	info->verified = o->nverified ? xcalloc(o->nverified, sizeof(*info->verified)) : NULL;
	for (size_t k = 0; k < o->nverified; k++) {
		info->verified[k].fingerprint = xstrdup(o->verified[k].fingerprint);
		info->verified[k].scope = xstrdup(o->verified[k].scope);
	}
}

/* The very bytes that were verified before do not lose that by an import that did not look. */
static void keep_verification(struct image_info *info, struct image_info *before)
{
	if (info->nverified || strcmp(info->blob_digest, before->blob_digest) != 0)
		return;
	info->verified = steal_ptr(&before->verified);
	info->nverified = before->nverified;
	before->nverified = 0;
}

/* *made_tree: it was not there before, so nothing stands on it yet. */
static int publish_locked(const struct store *s, int blob_dirfd, const char *tree_tmp,
			  const struct image_info *info, bool *made_tree, struct err *e)
{
	/* until the document names the blob, this tells image gc that somebody will */
	auto_close int lock = store_lock(s, "blob", info->blob_digest, 1, e);
	int r = lock;

	if (r >= 0)
		r = store_publish_blob(s, blob_dirfd, "blob", info->blob_algo, info->blob_digest, e);
	if (r >= 0)
		r = store_publish_tree(s, tree_tmp, info->id, e);
	*made_tree = r == 0;
	if (r >= 0)
		r = store_publish_image(s, info, e);
	return r;
}

/* What a failed import of an image that was not there before has published. */
static void take_back(const struct store *s, const struct image_info *info, bool made_tree)
{
	struct err e = ERR_INIT;

	/* A tree that was there already is one that pods stand on, or image gc's to judge. */
	if (store_unpublish_image(s, info, &e) == 0 && made_tree)
		(void)store_remove_tree(s, info->id, &e);
}

int import_publish(const struct store *s, int blob_dirfd, const char *tree_tmp, const struct imported *i,
		   const struct import_origin *o, struct err *e)
{
	struct image_info info = { 0 }, before = { 0 };
	struct err other = ERR_INIT;
	uint64_t tree_size = 0;
	auto_image_manifest m = image_manifest_parse(i->manifest.data, i->manifest.len, e);

	if (!m)
		return err_ctx(e, "manifest");
	auto_free char *rootfs = xasprintf("%s/rootfs", tree_tmp);
	(void)tree_size_at(s->tmp_fd, rootfs, &tree_size); /* for display only */
	fill_info(&info, i, o, m, tree_size);
	auto_close int lock = store_lock(s, "image", i->id, 1, e);
	int r = lock < 0 ? lock : 0;
	bool made_tree = false, known = r >= 0 && store_image_load(s, i->id, &before, &other) >= 0;
	if (known)
		keep_verification(&info, &before);
	if (r >= 0)
		r = publish_locked(s, blob_dirfd, tree_tmp, &info, &made_tree, e);
	if (r < 0 && lock >= 0 && !known)
		take_back(s, &info, made_tree);
	image_info_done(&before);
	image_info_done(&info);
	return r;
}
