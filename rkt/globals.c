/*
 * globals — see globals.h.
 */
#include "rkt/globals.h"

#include <strings.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strv.h"

#define INSECURE_ALL_RUN (INSECURE_CAPABILITIES | INSECURE_PATHS | INSECURE_SECCOMP)

/* Single bits first: insecure_names() prints those. */
static const struct {
	const char *name;
	unsigned int bits;
} insecure_words[] = {
	INSECURE_FETCH_WORDS,
	{ "capabilities", INSECURE_CAPABILITIES },
	{ "paths", INSECURE_PATHS },
	{ "seccomp", INSECURE_SECCOMP },
	{ "ondisk", INSECURE_ONDISK },
	{ "none", 0 },
	{ "all-fetch", INSECURE_ALL_FETCH },
	{ "all-run", INSECURE_ALL_RUN },
	{ "all", INSECURE_ALL_FETCH | INSECURE_ALL_RUN },
};
#define INSECURE_SINGLE 7 /* the first rows, without "ondisk", which nobody asks for */

static const char *const insecure_choices[] = { "none",      "image",        "tls",   "http",
						"pubkey",    "capabilities", "paths", "seccomp",
						"all-fetch", "all-run",      "all",   NULL };

static int insecure_word(const char *word, unsigned int *seen, unsigned int *bits, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(insecure_words); i++) {
		if (strcasecmp(word, insecure_words[i].name) != 0)
			continue;
		if (*seen & 1u << i)
			return err_set(e, ERR_USAGE, EINVAL,
				       "option --insecure-options: \"%s\" is given twice",
				       insecure_words[i].name);
		*seen |= 1u << i;
		*bits |= insecure_words[i].bits;
		return 0;
	}
	auto_buf quoted = BUF_INIT;
	buf_add_escaped(&quoted, word, strlen(word));
	return err_set(
		e, ERR_USAGE, EINVAL,
		"option --insecure-options: unknown value \"%s\"; known are none, image, tls, http, pubkey, "
		"capabilities, paths, seccomp, all-fetch, all-run and all",
		buf_str(&quoted));
}

/* A later occurrence replaces an earlier one. */
static int set_insecure(void *args, const struct opt *o, const char *value, struct err *e)
{
	(void)o;
	auto_strv words = strv_split(value, ',');
	unsigned int seen = 0, bits = 0;
	for (char **w = words; *w; w++) {
		int r = insecure_word(*w, &seen, &bits, e);
		if (r < 0)
			return r;
	}
	((struct globals *)args)->insecure = bits;
	return 0;
}

#define G(member) offsetof(struct globals, member)
/* clang-format off */
const struct opt global_opts[] = {
	{ .name = "debug", .kind = OPT_BOOL, .offset = G(debug), .dflt = "false",
	  .help = "print out more debug information to stderr" },
	{ .name = "dir", .kind = OPT_STR, .arg = "DIR", .offset = G(dir), .dflt = DEFAULT_DATA_DIR,
	  .help = "rkt data directory", .complete = COMP_DIR },
	{ .name = "help", .kind = OPT_BOOL, .offset = G(help), .help = "print this text" },
	{ .name = "insecure-options", .kind = OPT_CALL, .arg = "LIST", .dflt = "none", .call = set_insecure,
	  .help = "comma-separated list of security features to disable: none, image, tls, http, pubkey, "
		  "capabilities, paths, seccomp, all-fetch, all-run, all",
	  .choices = insecure_choices, .complete = COMP_CHOICES },
	{ .name = "local-config", .kind = OPT_STR, .arg = "DIR", .offset = G(local_config), .dflt = "/etc/rkt",
	  .help = "local configuration directory", .complete = COMP_DIR },
	{ .name = "system-config", .kind = OPT_STR, .arg = "DIR", .offset = G(system_config),
	  .dflt = "/usr/lib/rkt", .help = "system configuration directory", .complete = COMP_DIR },
	{ .name = "trust-keys-from-https", .kind = OPT_BOOL, .offset = G(trust_keys_from_https), .dflt = "false",
	  .help = "automatically trust gpg keys fetched from https" },
	{ .name = "user-config", .kind = OPT_STR, .arg = "DIR", .offset = G(user_config),
	  .help = "user configuration directory", .complete = COMP_DIR },
	{ .kind = OPT_END },
};
/* clang-format on */

static int make_absolute(char **dir, const char *name, struct err *e)
{
	if (!*dir)
		return 0;
	if (!**dir)
		return err_set(e, ERR_USAGE, EINVAL, "option --%s: an empty path is not a directory", name);
	char *abs = path_abs(*dir);
	if (!abs)
		return err_sys(e, errno, "option --%s: find the working directory", name);
	free(*dir);
	*dir = abs;
	return 0;
}

int globals_finish(struct globals *g, struct err *e)
{
	if (g->insecure & INSECURE_ONDISK)
		log_warn("--insecure-options=ondisk has no effect: rendered images are never checked before "
			 "a run");
	int r = make_absolute(&g->dir, "dir", e);
	if (r == 0)
		r = make_absolute(&g->system_config, "system-config", e);
	if (r == 0)
		r = make_absolute(&g->local_config, "local-config", e);
	if (r == 0)
		r = make_absolute(&g->user_config, "user-config", e);
	return r;
}

void globals_done(struct globals *g)
{
	opt_done(global_opts, g);
}

char **insecure_names(unsigned int bits)
{
	char **v = NULL;
	for (size_t i = 0; i < INSECURE_SINGLE; i++)
		if (bits & insecure_words[i].bits)
			strv_push(&v, insecure_words[i].name);
	return v;
}
