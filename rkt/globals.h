/*
 * globals — the options that every command takes (cli.md section 3).
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/opt.h"
#include "stage0/fetchclient.h"

/* The rest of enum insecure: bits of --insecure-options that matter when a pod runs. */
enum insecure_run {
	INSECURE_CAPABILITIES = 16,
	INSECURE_PATHS = 32,
	INSECURE_SECCOMP = 64,
	INSECURE_ONDISK = 128, /* nothing left to switch off */
};

struct globals {
	bool debug;
	bool help; /* for the help screen: the parser itself knows --help */
	bool trust_keys_from_https;
	char *dir; /* NULL: not given, see host.h */
	char *system_config;
	char *local_config;
	char *user_config;     /* NULL: none */
	unsigned int insecure; /* enum insecure */
};

#define DEFAULT_DATA_DIR "/var/lib/rkt"

extern const struct opt global_opts[];

/* After the parser: make the directories absolute, refuse empty ones. */
int globals_finish(struct globals *g, struct err *e);
void globals_done(struct globals *g);

/* The single bits as names, for the fetch program; strv, the caller frees. */
char **insecure_names(unsigned int bits);
