/* fetchknown — see fetchknown.h. */
#include "stage0/fetchknown.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/log.h"
#include "base/when.h"
#include "stage0/imagelayers.h"
#include "stage0/interrupt.h"

#define S_NS 1000000000LL

void known_init(struct known *k, struct job *j, const struct wanted *want)
{
	*k = (struct known){ .j = j, .want = want, .came = when_ns(when_now()) };
}

void known_done(struct known *k)
{
	url_info_done(&k->record);
	k->record = (struct url_info){ 0 };
}

/* Is what the store has of the URL good enough for this caller? */
static void look_up(struct known *k)
{
	struct image_info i = { 0 };
	struct err ignored = ERR_INIT;
	const struct store *s = &k->j->store;

	known_done(k);
	k->good = false;
	if (store_url_load(s, k->want->url, &k->record, &ignored) < 0)
		return;
	if (store_image_load(s, k->record.image_id, &i, &ignored) >= 0 && store_has_trees(s, &i))
		k->good = wanted_unsigned(k->j, k->want) || i.nverified > 0;
	image_info_done(&i);
}

int known_take(struct known *k, char ret_id[IMAGE_ID_LEN + 1])
{
	log_debug("using image from local store for url %s", k->want->url);
	memcpy(ret_id, k->record.image_id, IMAGE_ID_LEN + 1);
	(void)store_touch(&k->j->store, ret_id);
	return 0;
}

static bool still_fresh(const struct known *k)
{
	const struct url_info *u = &k->record;
	int64_t now = when_ns(when_now());

	return k->pinned || (u->max_age > 0 && now >= u->fetched && (now - u->fetched) / S_NS < u->max_age);
}

/* The policy, before anything is asked of the network: 1 use the store. */
static int from_store(struct known *k, struct err *e)
{
	const char *policy = k->want->policy;

	look_up(k);
	if (strcmp(policy, "never") == 0)
		return k->good ? 1
			       : err_set(e, ERR_STATE, ENOENT,
					 "not in the store, and --pull-policy=never forbids to fetch it");
	if (strcmp(policy, "update") == 0)
		return k->good && still_fresh(k);
	return k->good;
}

/* The lock of the URL; *waited when somebody else had it. */
static int queue_up(struct known *k, bool *waited, struct err *e)
{
	int fd = store_lock(&k->j->store, "url", k->want->url, 0, e);

	*waited = fd == -EWOULDBLOCK;
	if (!*waited)
		return fd;
	log_info("another rkt is fetching \"%s\", waiting for it", k->want->url);
	err_clear(e);
	fd = store_lock(&k->j->store, "url", k->want->url, 1, e);
	if (fd == -EINTR)
		return interrupt_check(e) < 0 ? -EINTR : fd;
	return fd;
}

int known_or_queue(struct known *k, int *lock, struct err *e)
{
	bool waited = false;
	int r = from_store(k, e);

	if (r != 0)
		return r;
	*lock = queue_up(k, &waited, e);
	if (*lock < 0)
		return *lock;
	if (waited) {
		look_up(k);
		return k->good && k->record.fetched >= k->came;
	}
	return 0;
}
