/*
 * opt — option tables: one row an option; parser, --help, completion and man page come from it.
 *
 * Grammar (cli.md section 2): GNU long options only, "-h" the one short one; "--name=value" or
 * "--name value", except that options whose value is optional (booleans, OPT_OPTVAL) take it only
 * after "=".  Values land in a caller-owned struct by offset; defaults are text in the table.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct opt;

enum opt_kind {
	OPT_END = 0,
	OPT_BOOL,     /* bool */
	OPT_STR,      /* char *: heap copy, the last one wins */
	OPT_LIST,     /* char **: strv, each occurrence appended */
	OPT_CSV,      /* char **: strv, comma-separated parts of each occurrence appended */
	OPT_I64,      /* int64_t */
	OPT_DURATION, /* int64_t nanoseconds */
	OPT_OPTVAL,   /* char *: as OPT_STR; bare "--name" means .implied */
	OPT_CALL,     /* .call decides; value mandatory */
};

enum opt_flag {
	OPT_HIDDEN = 1,
	OPT_DEPRECATED = 2, /* works; a warning names .instead (the one thing here that logs) */
	OPT_APP = 4,        /* belongs to the image before it; a table has only such rows or none */
	OPT_REQUIRE_ABS = 8 /* value must be an absolute path */
};

/* What the value of an option or a positional argument is, for completion. */
enum opt_complete {
	COMP_NONE,
	COMP_FILE,
	COMP_DIR,
	COMP_IMAGE,
	COMP_UUID_ANY,
	COMP_UUID_PREPARED,
	COMP_UUID_RUNNING,
	COMP_UUID_STOPPED,
	COMP_CHOICES,
};

struct opt {
	const char *name;
	enum opt_kind kind;
	const char *arg;  /* placeholder in help and man page: "PATH" */
	const char *help; /* one line */
	/* Text of the default, put into the struct by opt_defaults; NULL = zero.  Lists start empty
	 * all the same: there it is what --help shows for "none given". */
	const char *dflt;
	size_t offset;              /* offsetof(args struct, member) */
	unsigned int flags;         /* enum opt_flag */
	const char *implied;        /* OPT_OPTVAL: value of the bare form */
	const char *instead;        /* OPT_DEPRECATED */
	const char *const *choices; /* NULL-terminated closed set for OPT_STR/OPT_CSV, or NULL */
	enum opt_complete complete;
	/* Stores the value itself, for OPT_CALL and for any other kind that has it: @args is the args
	 * struct (or the app's, for OPT_APP); 0 or -errno with @e set.  Its owner frees, not opt_done. */
	int (*call)(void *args, const struct opt *o, const char *value, struct err *e);
};

/* Several tables searched in order (command, then globals); each ends with a row of kind OPT_END. */
struct opt_set {
	const struct opt *table;
	void *args; /* where the values go; NULL for a table of OPT_APP rows */
};

enum opt_stop {
	OPT_STOP_NEVER,      /* options and positionals may be mixed; all after "--" is positional */
	OPT_STOP_POSITIONAL, /* stop at the first positional */
};

/* Put the defaults of every table that has a struct into it. */
int opt_defaults(const struct opt_set *sets, size_t nsets, struct err *e);

/*
 * Parse argv[*index..argc).  Positionals are appended to *rest (strv).  OPT_STOP_POSITIONAL stops
 * before the first positional or after "--"; *index is then the first token not consumed.
 * Errors: -EINVAL unknown option (with "did you mean"), missing or malformed value (ERR_USAGE), an
 * OPT_APP row; -ECANCELED when --help or -h was met.
 */
int opt_parse(const struct opt_set *sets, size_t nsets, int argc, char *const *argv, int *index,
	      enum opt_stop stop, char ***rest, struct err *e);

/*
 * Parse one option token at argv[*index] (which starts with '-'); for grammars that walk tokens
 * themselves (multi-app argv).  Advances *index past it and its value.  *ret_opt tells which row
 * (never NULL on success).  OPT_APP rows store into @app_args; NULL there makes them an error.
 * --help is -ECANCELED, with *index past it.
 */
int opt_parse_one(const struct opt_set *sets, size_t nsets, void *app_args, int argc, char *const *argv,
		  int *index, const struct opt **ret_opt, struct err *e);

/* Rows of a help section: TAB, "--name=DEFAULT", TABs, help; hidden and deprecated ones omitted.
 * Without a default the placeholder stands there; a row named "help" reads "-h, --help". */
void opt_help(const struct opt *table, struct buf *out);

/* Free the heap values that the table put into @args. */
void opt_done(const struct opt *table, void *args);

/* Edit distance, for suggestions. */
size_t opt_distance(const char *a, const char *b);
