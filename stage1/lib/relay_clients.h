/*
 * relay_clients — those who attached; internal to relay.
 */
#pragma once

#include "base/buf.h"
#include "stage1/lib/attach.h"
#include "stage1/lib/lines.h"
#include "stage1/lib/relay.h"

#define RELAY_RING 16384 /* bytes of the last output that who attaches is shown */

/* One of the caller's descriptors, where log lines go. */
struct outlet {
	int fd;
	bool tty, dead;
	size_t from; /* of pending: written up to here */
	struct buf pending;
};

/* An output of an app. */
struct source {
	unsigned int app;
	enum attach_bit bit;
	int fd;                /* FD_NONE: over, or not there yet */
	struct outlet *outlet; /* NULL: for those who attach */
	struct lines lines;
	char *ring; /* RELAY_RING bytes, on first use */
	size_t ring_len, ring_at;
};

/* The input of an app. */
struct inlet {
	int fd; /* a pipe; FD_NONE none, or the terminal of the source */
	struct buf pending;
};

struct relayed {
	const char *name; /* NULL: nobody */
	char *own_name;   /* the same, if it is ours */
	bool early;       /* lines may come before the pid */
	bool ended;       /* nobody attaches any more */
	uint32_t offered; /* enum attach_bit */
};

#define RELAY_SOURCES 3 /* an app: standard output, standard error, terminal */

struct client {
	int fd;
	unsigned int app;
	uint32_t bits;  /* 0: has not asked yet */
	bool closing;   /* when ->out is empty */
	size_t from;    /* of ->out: sent up to here */
	struct buf out; /* frames it has not taken yet, each after its length (uint32_t) */
};

struct relay {
	unsigned int napps;
	struct relayed *apps;
	struct source *sources; /* RELAY_SOURCES an app */
	size_t nsources;
	struct inlet *inlets; /* one an app */
	struct outlet outlets[2];
	int listen_fd;
	struct client clients[RELAY_CLIENTS];
};

int clients_listen(struct relay *r, struct err *e);
void clients_close(struct relay *r);
/* Is there anything that a client has not taken yet? */
bool clients_pending(const struct relay *r);
nfds_t clients_poll(struct relay *r, struct pollfd *p);
void clients_react(struct relay *r, const struct pollfd *p, nfds_t n);
/* To everybody who wants @s. */
void clients_data(struct relay *r, struct source *s, const char *p, size_t n);
void clients_app_ended(struct relay *r, unsigned int app);
