/*
 * regauth — how a registry lets us in (formats.md section 13.2, threats.md T38).
 *
 * Nothing is sent until the registry asks for it.  A password goes to the registry itself (Basic) or to the realm
 * that it names (Bearer), if that is on the registry's own site; never in clear.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "stage0/http.h"
#include "stage0/regcreds.h"

struct regauth {
	struct http *http;
	const struct config *config;
	char *const *env;              /* of the caller; borrowed */
	const char *host, *repository; /* borrowed */
	const char *actions;           /* "pull", "pull,push" */
	const struct http_tls *tls;    /* of the registry, for a realm on the same host; or NULL */
	bool clear;                    /* the registry speaks http: it is told nothing */
	bool anonymous;                /* a mirror: it gets no credentials of the registry */
	char **lines;                  /* strv: what to send as http_request.credentials; NULL nothing */
	bool known;                    /* regcreds were looked up */
	struct regcreds creds;
	int refused; /* times in a row that what we sent was not enough */
};

void regauth_done(struct regauth *a);
/* The registry answered 401 with @head: get what it wants into ->lines.  0 try again; -EACCES it is of no use. */
int regauth_answer(struct regauth *a, const struct http_head *head, struct err *e);
/* It answered something else. */
void regauth_accepted(struct regauth *a);
/* May credentials for @host go to @realm_host? */
bool regauth_same_site(const char *host, const char *realm_host);
/* Does @host (HOST or HOST:PORT) name this machine by a loopback address or as localhost? */
bool regauth_loopback(const char *host);
