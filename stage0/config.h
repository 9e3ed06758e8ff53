/*
 * config — the merged configuration directories (cli.md section 14).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/json.h"
#include "stage0/lookaside.h"
#include "stage0/regconf.h"

enum auth_type { AUTH_BASIC, AUTH_OAUTH, AUTH_AWS };

struct auth_entry {
	char *domain; /* HOST or HOST:PORT */
	enum auth_type type;
	char *user, *password;                  /* basic */
	char *token;                            /* oauth */
	char *access_key, *secret_key, *region; /* aws; region may be NULL */
};

struct docker_auth_entry {
	char *registry, *user, *password;
};

struct config {
	struct auth_entry *auth;
	size_t nauth;
	struct docker_auth_entry *docker_auth;
	size_t ndocker_auth;
	struct registry_entry *registries;
	size_t nregistries;
	struct lookaside *lookasides;
	size_t nlookasides;
	char *data_dir;                                       /* or NULL */
	char *stage1_images;                                  /* or NULL */
	char *stage1_name, *stage1_version, *stage1_location; /* or NULL */
};

enum config_parts {
	CONFIG_ALL,
	CONFIG_LOCAL, /* without what only the network needs, auth.d and registries.d: every start pays for each directory */
};

/* Later layers override earlier ones per key; @user_dir may be NULL. */
int config_load(const char *system_dir, const char *local_dir, const char *user_dir, enum config_parts parts,
		struct config *ret, struct err *e);
void config_done(struct config *c);
/* {"stage0":[…]} of `rkt config`; new reference. */
json_t *config_to_json(const struct config *c);
/* Entry for exactly @registry, or NULL. */
const struct docker_auth_entry *config_docker_auth(const struct config *c, const char *registry);
/* What is known of @registry, or NULL. */
const struct registry_entry *config_registry(const struct config *c, const char *registry);
/* Entry for exactly @host (HOST or HOST:PORT as in the URL), or NULL. */
const struct auth_entry *config_auth(const struct config *c, const char *host);
