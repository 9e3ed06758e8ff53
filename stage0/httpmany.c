/*
 * httpmany — transfers side by side over libcurl's multi interface; see http.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "stage0/httphop.h"
#include "stage0/interrupt.h"

/* One transfer; the list holds those under way. */
struct one {
	struct one *next;
	struct http_hop hop;
	struct http_head head;
	http_ended *ended;
};

struct http_many {
	struct http *h;
	CURLM *multi;
	struct one *list;
};

struct http_many *http_many_new(struct http *h, struct err *e)
{
	struct http_many *m = xcalloc(1, sizeof(*m));

	m->h = h;
	m->multi = curl_multi_init();
	if (m->multi)
		return m;
	free(m);
	err_set(e, ERR_SYS, EIO, "initialise libcurl");
	return NULL;
}

static void release(struct http_many *m, struct one *o)
{
	(void)curl_multi_remove_handle(m->multi, o->hop.curl);
	curl_easy_cleanup(o->hop.curl);
	http_hop_done(&o->hop);
	http_head_done(&o->head);
	free(o);
}

void http_many_free(struct http_many *m)
{
	if (!m)
		return;
	while (m->list) {
		struct one *o = m->list;

		m->list = o->next;
		release(m, o);
	}
	(void)curl_multi_cleanup(m->multi);
	free(m);
}

int http_many_start(struct http_many *m, const struct http_request *rq, http_ended *ended, struct err *e)
{
	struct one *o = xcalloc(1, sizeof(*o));
	CURL *curl = curl_easy_init();
	int r = curl ? http_hop_start(&o->hop, m->h, curl, rq, &o->head, e)
		     : err_set(e, ERR_SYS, EIO, "initialise libcurl");

	o->hop.curl = curl;
	o->ended = ended;
	if (r == 0) {
		curl_easy_setopt(curl, CURLOPT_PRIVATE, o);
		if (curl_multi_add_handle(m->multi, curl) != CURLM_OK)
			r = err_set(e, ERR_SYS, EIO, "start a transfer");
	}
	if (r < 0) {
		release(m, o);
		return r;
	}
	o->next = m->list;
	m->list = o;
	return 0;
}

static void unlist(struct http_many *m, const struct one *o)
{
	for (struct one **at = &m->list; *at; at = &(*at)->next) {
		if (*at == o) {
			*at = o->next;
			return;
		}
	}
}

/* One hop is over: on to the next, or tell the caller. */
static int hop_over(struct http_many *m, CURL *curl, CURLcode c)
{
	struct one *o = NULL;
	struct err e = ERR_INIT;

	(void)curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&o);
	(void)curl_multi_remove_handle(m->multi, curl);
	int r = http_hop_next(&o->hop, c, &e);
	if (r > 0) {
		curl_easy_setopt(curl, CURLOPT_PRIVATE, o); /* the options were reset */
		if (curl_multi_add_handle(m->multi, curl) == CURLM_OK)
			return 0;
		r = err_set(&e, ERR_SYS, EIO, "go on with a transfer");
	}
	unlist(m, o);
	o->ended(o->hop.rq->arg, r, &o->head, &e);
	release(m, o);
	return 1;
}

static int collect(struct http_many *m)
{
	int left = 0, ended = 0;
	const CURLMsg *msg;

	while ((msg = curl_multi_info_read(m->multi, &left))) {
		if (msg->msg == CURLMSG_DONE)
			ended += hop_over(m, msg->easy_handle, msg->data.result);
	}
	return ended;
}

static int under_way(const struct http_many *m)
{
	int n = 0;

	for (const struct one *o = m->list; o; o = o->next)
		n++;
	return n;
}

int http_many_turn(struct http_many *m, int ms, struct err *e)
{
	int running = 0;

	if (interrupted())
		return interrupt_check(e);
	CURLMcode c = curl_multi_perform(m->multi, &running);
	if (c == CURLM_OK && collect(m) == 0) {
		c = curl_multi_poll(m->multi, NULL, 0, ms, NULL);
		if (c == CURLM_OK)
			c = curl_multi_perform(m->multi, &running);
		(void)collect(m);
	}
	return c == CURLM_OK ? under_way(m) : err_set(e, ERR_SYS, EIO, "%s", curl_multi_strerror(c));
}
