/*
 * regcreds — who are we for a registry (formats.md section 13.3)?
 *
 * Asked in this order, the first that knows the registry answers:
 *   dockerAuth of auth.d; $DOCKER_CONFIG/config.json or ~/.docker/config.json, its credential helpers included;
 *   $REGISTRY_AUTH_FILE or $XDG_RUNTIME_DIR/containers/auth.json; ~/.dockercfg.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "stage0/config.h"

struct regcreds {
	char *user, *password; /* both or neither */
	char *identity_token;  /* to be changed into an access token at the realm */
	char *bearer;          /* to be sent as it is */
};

/*
 * Credentials for @host (HOST or HOST:PORT; registry-1.docker.io for Docker Hub) and @repository; nothing set when
 * nobody knows any.  @env: the caller's environment, for the files and for the helpers' PATH.
 * Errors: a file that cannot be read or parsed, a helper that fails for another reason than not knowing.
 */
int regcreds_find(const struct config *c, char *const *env, const char *host, const char *repository,
		  struct regcreds *ret, struct err *e);
void regcreds_done(struct regcreds *c);

/* One file's answer: 1 found, 0 not there; @doc is config.json, auth.json or (with @bare) .dockercfg.  No helpers. */
int regcreds_from_json(const json_t *doc, bool bare, const char *host, const char *repository,
		       struct regcreds *ret, struct err *e);
/* The credential helper that @doc names for @host, borrowed; NULL when none. */
const char *regcreds_helper(const json_t *doc, const char *host);
/* What helper docker-credential-@suffix says about @host: 1 found, 0 it knows none. */
int regcreds_from_helper(const char *suffix, char *const *env, const char *host, struct regcreds *ret,
			 struct err *e);
