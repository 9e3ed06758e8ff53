/*
 * cli — from argv to one command: the tree of commands, its options, help, and the exit status.
 *
 * Every command is one const struct in a file of its own (cmd_*.c), listed in commands.c.  Its
 * option tables feed the parser, --help, the completion script and the man pages (gendoc.c), so
 * these cannot disagree.  Option grammar and help layout: cli.md section 2.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/opt.h"
#include "rkt/globals.h"

/* Exit status of every failure of rkt itself, but "rkt" without a command, which is 2. */
#define CLI_EXIT_FAILURE    254
#define CLI_EXIT_NO_COMMAND 2
/* Tables of one command, the globals included. */
#define CLI_TABLES_MAX 14

enum command_flag {
	COMMAND_ROOT = 1,   /* refuses to run unless the effective uid is 0 */
	COMMAND_HIDDEN = 2, /* works, but is not in help, completion and man pages */
	COMMAND_STOP = 4,   /* options end at the first positional: the rest belongs to somebody else */
	COMMAND_GROUP = 8,  /* a word before others ("image"); does nothing itself */
};

struct cli;

struct command {
	const char *group; /* NULL, or the name of the COMMAND_GROUP it belongs to */
	const char *name;
	const char *args;    /* positionals, for the usage line: "UUID [COMMAND [ARG...]]" */
	const char *summary; /* one line */
	const char *description;
	const struct opt *const *tables; /* NULL-terminated; all of them fill the same struct */
	size_t args_size;                /* of that struct, which starts zeroed */
	unsigned int flags;              /* enum command_flag */
	enum opt_complete complete;      /* what the positionals are */
	const char *const *choices;      /* COMP_CHOICES: the words */
	/* Parse cli->argv instead of the common parser (multi-app argv); NULL = the common one. */
	int (*parse)(struct cli *c, struct err *e);
	/* Do it: exit status 0..255, or -errno with @e, which becomes one line and status 254. */
	int (*run)(struct cli *c, struct err *e);
	/* Free what OPT_CALL rows or .parse put into the struct; may be NULL. */
	void (*done)(void *args);
};

/* commands.c: all commands, sorted by group and name, then NULL. */
extern const struct command *const commands[];

/* One invocation. */
struct cli {
	const struct command *cmd;
	struct globals g;
	void *args;      /* the command's struct */
	int argc;        /* tokens that are neither the command's name nor before it, options included */
	char **argv;     /* strv */
	char **rest;     /* strv: positionals, filled by the common parser */
	char prefix[48]; /* of messages: "rkt: run" */
	bool no_command; /* nothing but options */
	bool show_usage; /* the error is about the shape of the command line */
};

/* The option tables of the invocation, the globals last; returns how many (at most CLI_TABLES_MAX). */
size_t cli_opt_sets(const struct cli *c, struct opt_set ret[CLI_TABLES_MAX]);

/* Whole program after the process was made sane; returns the exit status. */
int cli_main(int argc, char *const *argv);

/* The command called @name (exact, or an unambiguous prefix) in @group, or NULL; then @e says what
 * was meant, or which ones it could be. */
const struct command *cli_find(const char *group, const char *name, struct err *e);

/* All visible rows of @tables in one table sorted by name, ending with OPT_END; the caller frees. */
struct opt *cli_merge_tables(const struct opt *const *tables);

/* Help screen of @cmd, or of rkt itself when NULL. */
void cli_help(const struct command *cmd, struct buf *out);

/* A wrong number or kind of positionals: ERR_USAGE, and the usage will go to standard output. */
int cli_usage(struct cli *c, struct err *e, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
