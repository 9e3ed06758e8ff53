/*
 * download — the attempts and the partial file.
 *
 * An answer 206 is taken only if it starts where we asked and names the same version; 200 starts
 * over in place; 416 and a 206 that lies start over once.  The note is written before the first byte
 * it speaks of, so a kill at any point leaves either no data or data with the right note.
 */
#include "stage0/download.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/log.h"
#include "stage0/interrupt.h"
#include "stage0/partial.h"
#include "stage0/progress.h"

#define BYTES_MAX      (1LL << 40)
#define TRIES_IDLE_MAX 4   /* failures in a row without a single new byte */
#define TRIES_MAX      60  /* failures altogether */
#define PAUSE_FIRST_MS 200 /* doubled up to … */
#define PAUSE_MAX_MS   3000
#define NOTE_MAX       (64u << 10)

/* The partial file and the transfer that feeds it. */
struct part {
	struct download *d;
	char *name; /* below cas/tmp */
	int dir;    /* locked */
	int data;
	int64_t have;               /* bytes on disk */
	int64_t total;              /* of the whole, -1 unknown */
	char *etag, *last_modified; /* of the version the bytes are of */
	bool restart;               /* the bytes are not a beginning of what the server has */
	int status;
	struct progress progress;
};

/* ---- the directory ---- */

/* Open and lock cas/tmp/<name>; gc may delete it while we wait for the lock, hence the comparison. */
static int open_locked(const struct store *s, const char *name, struct err *e)
{
	for (int i = 0; i < 100; i++) {
		struct stat a, b;
		if (mkdirat(s->tmp_fd, name, 0700) < 0 && errno != EEXIST)
			return err_sys(e, errno, "create a directory for the download");
		auto_close int fd = openat(s->tmp_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return err_sys(e, errno, "open the directory of the download");
		int r = lock_fd(fd, LOCK_EXCL, 1);
		if (r == -EINTR && interrupted())
			return interrupt_check(e);
		if (r < 0)
			return err_sys(e, -r, "lock the directory of the download");
		if (fstat(fd, &a) == 0 && fstatat(s->tmp_fd, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
		    a.st_ino == b.st_ino && a.st_dev == b.st_dev)
			return steal_fd(&fd);
	}
	return err_set(e, ERR_SYS, EBUSY, "the directory of the download keeps vanishing");
}

static void forget(struct part *p)
{
	free(p->etag);
	free(p->last_modified);
	p->etag = p->last_modified = NULL;
	p->total = -1;
}

/* The note of an earlier attempt; without a usable one the bytes are worth nothing. */
static void read_note(struct part *p)
{
	struct err ignored = ERR_INIT;
	auto_buf text = BUF_INIT;
	const char *url = "", *etag = NULL, *modified = NULL;

	if (read_file_at(p->dir, "note", NOTE_MAX, &text) < 0)
		return;
	auto_json doc = json_parse(buf_str(&text), text.len, &ignored);
	if (!doc || json_get_str(doc, "", "url", true, &url, &ignored) < 0 || strcmp(url, p->d->url) != 0)
		return;
	(void)json_get_str(doc, "", "etag", false, &etag, &ignored);
	(void)json_get_str(doc, "", "lastModified", false, &modified, &ignored);
	p->etag = xstrdup(etag);
	p->last_modified = xstrdup(modified);
}

static int write_note(struct part *p, struct err *e)
{
	auto_json doc = json_pack("{s:s,s:s*,s:s*}", "url", p->d->url, "etag", p->etag, "lastModified",
				  p->last_modified);
	auto_free char *text = doc ? json_text(doc, JSON_LINE) : xstrdup("{}");
	int r = write_file_at(p->dir, "note", text, strlen(text), 0600, 0);
	return r < 0 ? err_sys(e, -r, "write beside the download") : 0;
}

static bool resumable(const struct part *p)
{
	return p->have > 0 && (http_etag_strong(p->etag) || p->last_modified);
}

static int truncate_part(struct part *p, struct err *e)
{
	if (ftruncate(p->data, 0) < 0 || lseek(p->data, 0, SEEK_SET) < 0)
		return err_sys(e, errno, "start the download over");
	p->have = 0;
	return 0;
}

static int open_part(struct part *p, struct err *e)
{
	struct stat st;
	char hex[HASH_HEX_MAX];
	struct hash *h = hash_new("sha256");

	hash_update(h, p->d->url, strlen(p->d->url));
	hash_hex(h, hex);
	hash_free(h);
	p->name = xasprintf(PARTIAL_DOWNLOAD "%s", hex);
	p->dir = open_locked(p->d->store, p->name, e);
	if (p->dir < 0)
		return p->dir;
	p->data = openat(p->dir, "data", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (p->data < 0 || fstat(p->data, &st) < 0)
		return err_sys(e, errno, "open the file of the download");
	p->have = st.st_size;
	read_note(p);
	if (p->d->fresh || !resumable(p)) {
		forget(p);
		return truncate_part(p, e);
	}
	p->d->resumed = true;
	log_debug("resuming at byte %lld", (long long)p->have);
	return lseek(p->data, 0, SEEK_END) < 0 ? err_sys(e, errno, "seek in the download") : 0;
}

static void close_part(struct part *p, bool keep)
{
	struct err ignored = ERR_INIT;

	if (p->dir >= 0 && !(keep && resumable(p)))
		(void)rm_tree_at(p->d->store->tmp_fd, p->name, &ignored);
	fd_close(&p->data);
	fd_close(&p->dir);
	forget(p);
	free(p->name);
}

/* ---- one answer ---- */

static bool same_text(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* Bytes from where we asked, of the version we have? */
static bool continues(const struct part *p, const struct http_head *h)
{
	if (h->range_from != p->have || (p->total >= 0 && h->range_total >= 0 && h->range_total != p->total))
		return false;
	if (p->etag && h->etag)
		return same_text(p->etag, h->etag);
	return !(p->last_modified && h->last_modified) || same_text(p->last_modified, h->last_modified);
}

static int begin_whole(struct part *p, const struct http_head *h, struct err *e)
{
	forget(p);
	p->d->resumed = false;
	p->etag = xstrdup(h->etag);
	p->last_modified = xstrdup(h->last_modified);
	p->total = h->length;
	int r = truncate_part(p, e);
	if (r >= 0)
		r = write_note(p, e);
	return r < 0 ? r : 1;
}

static int on_begin(void *arg, const struct http_head *h, struct err *e)
{
	struct part *p = arg;

	p->status = h->status;
	p->d->max_age = h->max_age;
	switch (h->status) {
	case 200:
		return begin_whole(p, h, e);
	case 206:
		if (p->have == 0 || !continues(p, h)) {
			p->restart = true;
			return err_set(e, ERR_NET, EAGAIN,
				       "the server sent another part than it was asked for");
		}
		p->total = h->range_total;
		return 1;
	case 416:
		p->restart = true;
		return 0;
	default:
		return 0;
	}
}

static int on_body(void *arg, const void *data, size_t n, struct err *e)
{
	struct part *p = arg;
	int r = write_full(p->data, data, n);

	if (r < 0)
		return err_sys(e, -r, "write the download to the store");
	p->have += (int64_t)n;
	if (p->have > BYTES_MAX)
		return err_set(e, ERR_NET, EFBIG, "the download is larger than %lld bytes", BYTES_MAX);
	return 0;
}

static void on_progress(void *arg, int64_t now, int64_t total)
{
	struct part *p = arg;

	(void)now;
	(void)total;
	progress_update(&p->progress, p->have, p->total > 0 ? p->total : 0);
}

static bool status_transient(int status)
{
	return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

/* 0 complete, -EAGAIN try again, else final. */
static int judge(const struct part *p, struct err *e)
{
	switch (p->status) {
	case 200:
	case 206:
		if (p->total >= 0 && p->have != p->total)
			return err_set(e, ERR_NET, EAGAIN, "got %lld of %lld bytes", (long long)p->have,
				       (long long)p->total);
		return 0;
	case 304:
		return 0;
	case 416:
		return err_set(e, ERR_NET, EAGAIN,
			       "the server ends before what it promised, and cannot continue at byte %lld",
			       (long long)p->have);
	case 404:
	case 410:
		return err_set(e, ERR_NET, ENOENT, "the server answered %d %s", p->status,
			       http_status_text(p->status));
	default:
		return err_set(e, ERR_NET, status_transient(p->status) ? EAGAIN : EPROTO,
			       "the server answered %d %s", p->status, http_status_text(p->status));
	}
}

static int attempt(struct part *p, struct err *e)
{
	struct http_head head;
	const char *if_range = http_etag_strong(p->etag) ? p->etag : p->last_modified;
	const struct http_request rq = {
		.url = p->d->url,
		.if_none_match = p->have ? NULL : p->d->if_none_match,
		.offset = p->have,
		.if_range = if_range,
		.begin = on_begin,
		.body = on_body,
		.progress = on_progress,
		.arg = p,
	};

	p->status = 0;
	http_head_init(&head);
	int r = http_get(p->d->http, &rq, &head, e);
	if (r >= 0)
		r = judge(p, e);
	if (r >= 0) {
		free(p->d->etag);
		p->d->etag = xstrdup(head.etag ? head.etag : p->etag);
		p->d->not_modified = p->status == 304;
	}
	http_head_done(&head);
	return r;
}

static void pause_ms(int64_t ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };
	(void)nanosleep(&t, NULL); /* a signal ends it early, the caller looks at the flag */
}

static int attempts(struct part *p, struct err *e)
{
	int idle = 0, restarts = 0;
	int64_t wait = PAUSE_FIRST_MS;

	for (int tries = 1;; tries++) {
		int64_t before = p->have;
		err_clear(e);
		int r = attempt(p, e);
		if (r != -EAGAIN)
			return r;
		if (p->restart) {
			p->restart = false;
			forget(p);
			r = truncate_part(p, e);
			if (r < 0 || ++restarts > 1)
				return r < 0 ? r : -e->code;
			continue;
		}
		/* What cannot be resumed starts over with the next attempt. */
		idle = p->have > before && resumable(p) ? 0 : idle + 1;
		if (!resumable(p) && truncate_part(p, e) < 0)
			return -e->code;
		if (idle >= TRIES_IDLE_MAX || tries >= TRIES_MAX)
			return err_hint(e, "gave up after %d attempts", tries);
		wait = idle ? wait : PAUSE_FIRST_MS;
		log_debug("%s; trying again", e->text);
		pause_ms(wait);
		wait = wait * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : wait * 2;
		if (interrupted())
			return interrupt_check(e);
	}
}

int download_run(struct download *d, int dirfd, const char *name, struct err *e)
{
	struct part p = { .d = d, .dir = FD_NONE, .data = FD_NONE, .total = -1 };
	int r = open_part(&p, e);

	if (r >= 0) {
		progress_start(&p.progress, "Downloading ACI", d->quiet);
		r = attempts(&p, e);
		progress_end(&p.progress);
	}
	if (r >= 0 && !d->not_modified && renameat(p.dir, "data", dirfd, name) < 0)
		r = err_sys(e, errno, "move the download");
	/* Only a broken connection, a signal or a full disk leave something worth keeping. */
	close_part(&p, r < 0 && (r == -EAGAIN || r == -EINTR || r == -ENOSPC || r == -EIO));
	return r < 0 ? r : 0;
}

void download_done(struct download *d)
{
	free(d->etag);
	d->etag = NULL;
}
