/* userns — see userns.h. */
#include "stage0/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fsat.h"
#include "base/lock.h"
#include "base/num.h"
#include "stage0/dirs.h"

/* rkt 1.30 took multiples of 65536 up to here; the lowest ones are where people and login.defs put theirs. */
#define SLOT_FIRST 8u
#define SLOTS      0x7fffu
#define TEXT_MAX   64u
#define LOCK_NAME  DIR_LOCKS "/private-users"

static int parse(const char *text, uint32_t *ret_slot)
{
	const char *colon = strchr(text, ':');
	auto_free char *first = colon ? xstrndup(text, (size_t)(colon - text)) : NULL;
	uint32_t shift = 0, count = 0;

	if (!first || parse_id(first, &shift) < 0 || parse_id(colon + 1, &count) < 0 || !shift ||
	    shift % USERNS_COUNT || count != USERNS_COUNT || shift / USERNS_COUNT > SLOTS)
		return -EINVAL;
	*ret_slot = shift / USERNS_COUNT;
	return 0;
}

static int read_record(int pod_fd, char **ret)
{
	auto_buf b = BUF_INIT;
	int r = read_file_at(pod_fd, POD_FILE_USERNS, TEXT_MAX, &b);

	if (r < 0)
		return r;
	*ret = buf_steal(&b);
	(*ret)[strcspn(*ret, "\n")] = '\0';
	return 0;
}

int userns_of_pod(const struct pod *p, char **ret, struct err *e)
{
	auto_free char *text = NULL;
	uint32_t slot;
	int r = read_record(p->fd, &text);

	*ret = NULL;
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = parse(text, &slot);
	if (r < 0)
		return err_sys(e, -r, "read the id range of pod %s", p->uuid);
	*ret = steal_ptr(&text);
	return 0;
}

/* Mark the slots of all pods, in whatever state. */
static int mark_used(const struct datadir *d, unsigned char *used, struct err *e)
{
	struct pod_places all = { NULL, 0, 0 };
	int r = pods_scan(d, ~0u, &all, e);

	for (size_t i = 0; r == 0 && i < all.n; i++) {
		auto_pod p = POD_INIT;
		struct err gone = ERR_INIT;
		auto_free char *text = NULL;
		uint32_t slot;

		if (pod_open_place(d, &all.v[i], &p, &gone) == 0 && read_record(p.fd, &text) == 0 &&
		    parse(text, &slot) == 0)
			used[slot / 8] |= (unsigned char)(1u << slot % 8);
	}
	free(all.v);
	return r;
}

/* A free slot, looked for from anywhere, so that what an old pod left behind is not met by the next one; 0 none. */
static uint32_t choose(const unsigned char *used)
{
	uint32_t start = 0;

	if (getrandom(&start, sizeof(start), 0) != (ssize_t)sizeof(start))
		start = 0;
	for (uint32_t i = 0; i < SLOTS - SLOT_FIRST; i++) {
		uint32_t slot = SLOT_FIRST + (start % (SLOTS - SLOT_FIRST) + i) % (SLOTS - SLOT_FIRST);

		if (!(used[slot / 8] >> slot % 8 & 1))
			return slot;
	}
	return 0;
}

int userns_allocate(const struct pod *p, uint32_t *ret_shift, struct err *e)
{
	auto_free unsigned char *used = xcalloc(SLOTS / 8 + 2, 1);
	auto_close int lock = lock_file_at(p->data->fd, LOCK_NAME, LOCK_EXCL, 1);

	if (lock < 0)
		return err_sys(e, -lock, "lock the id ranges");
	int r = mark_used(p->data, used, e);
	uint32_t slot = r == 0 ? choose(used) : 0;
	if (r == 0 && slot == 0)
		return err_set(e, ERR_STATE, EUSERS,
			       "option --private-users: every range of ids is taken by a pod");
	if (r < 0)
		return r;
	*ret_shift = slot * USERNS_COUNT;
	auto_free char *text = xasprintf("%u:%u\n", *ret_shift, USERNS_COUNT);
	r = write_file_at(p->fd, POD_FILE_USERNS, text, strlen(text), 0644, 0);
	return r < 0 ? err_sys(e, -r, "record the id range of pod %s", p->uuid) : 0;
}
