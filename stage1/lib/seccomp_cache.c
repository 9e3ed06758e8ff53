/* seccomp_cache — see seccomp_cache.h. */
#include "stage1/lib/seccomp_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/fsat.h"

#define MAGIC         0x42504352u /* "RCPB" */
#define FILE_SIZE_MAX (64u << 10)

struct head {
	uint32_t magic, key_len; /* the policy follows, then @insns instructions */
	uint32_t insns, pad;
	uint64_t sum; /* of everything behind this struct */
};

/* FNV-1a, 64 bits: against torn writes and for names; nobody but root can choose the contents. */
static uint64_t sum_of(const void *data, size_t n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (const unsigned char *p = data; n > 0; n--, p++)
		h = (h ^ *p) * UINT64_C(0x100000001b3);
	return h;
}

static void name_of(const struct seccomp_policy *p, char name[24])
{
	(void)snprintf(name, 24, "%016llx", (unsigned long long)sum_of(p, seccomp_policy_size(p)));
}

/* Only we can have written there. */
static bool ours(const struct stat *st, mode_t type)
{
	return (st->st_mode & S_IFMT) == type && st->st_uid == geteuid() &&
	       (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* The directory, or -errno. */
static int open_dir(int pod_fd, bool make)
{
	struct stat st;
	auto_close int data = openat(pod_fd, "../../..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* not where pods of a data directory lie: an rkt that is not ours calls us */
	if (data < 0 || fstat(data, &st) < 0 || !ours(&st, S_IFDIR) || faccessat(data, "cas", F_OK, 0) < 0)
		return -ENOENT;
	if (make && mkdirat(data, SECCOMP_CACHE_DIR, 0700) < 0 && errno != EEXIST)
		return -errno;
	auto_close int dir = openat(data, SECCOMP_CACHE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || fstat(dir, &st) < 0 || !ours(&st, S_IFDIR))
		return -ENOENT;
	return steal_fd(&dir);
}

/* Does @b hold the program of @p, whole? */
static bool holds(const struct buf *b, const struct seccomp_policy *p, struct head *h)
{
	size_t key = seccomp_policy_size(p);

	if (b->len < sizeof(*h))
		return false;
	memcpy(h, b->data, sizeof(*h));
	return h->magic == MAGIC && h->key_len == key && h->insns > 0 && h->insns <= BPF_MAXINSNS &&
	       b->len == sizeof(*h) + key + h->insns * sizeof(struct sock_filter) &&
	       memcmp(b->data + sizeof(*h), p, key) == 0 &&
	       sum_of(b->data + sizeof(*h), b->len - sizeof(*h)) == h->sum;
}

int seccomp_cache_load(int pod_fd, const struct seccomp_policy *p, struct bpf *ret)
{
	char name[24];
	struct stat st;
	struct head h;
	auto_buf b = BUF_INIT;
	auto_close int dir = open_dir(pod_fd, false);

	name_of(p, name);
	auto_close int fd = dir < 0 ? -1 : openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !ours(&st, S_IFREG) || st.st_nlink != 1 ||
	    fd_read_all(fd, FILE_SIZE_MAX, &b) < 0 || !holds(&b, p, &h))
		return -ENOENT;
	ret->n = h.insns;
	ret->owned = xmemdup(b.data + sizeof(h) + h.key_len, h.insns * sizeof(struct sock_filter));
	ret->insn = ret->owned;
	return 0;
}

/* Images choose policies: their number must not grow for ever. */
static void drop_when_full(int dir)
{
	DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	size_t n = 0;

	if (!d)
		return;
	while (readdir(d))
		n++;
	rewinddir(d);
	for (struct dirent *f; n > SECCOMP_CACHE_MAX && (f = readdir(d));) {
		if (f->d_name[0] != '.')
			(void)unlinkat(dir, f->d_name, 0);
	}
	(void)closedir(d);
}

void seccomp_cache_save(int pod_fd, const struct seccomp_policy *p, const struct bpf *b)
{
	char name[24];
	auto_buf out = BUF_INIT;
	struct head h = { MAGIC, (uint32_t)seccomp_policy_size(p), (uint32_t)b->n, 0, 0 };
	auto_close int dir = open_dir(pod_fd, true);

	if (dir < 0)
		return;
	buf_add(&out, &h, sizeof(h));
	buf_add(&out, p, h.key_len);
	buf_add(&out, b->insn, b->n * sizeof(*b->insn));
	h.sum = sum_of(out.data + sizeof(h), out.len - sizeof(h));
	memcpy(out.data, &h, sizeof(h));
	name_of(p, name);
	drop_when_full(dir);
	(void)write_file_at(dir, name, out.data, out.len, 0600, 0);
}
