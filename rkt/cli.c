/*
 * cli — see cli.h.
 *
 * How an invocation is read: the words before the first non-option token are options (of the
 * command too: `rkt --stage1-path=X run IMAGE` works); that token names a command, or a group, and
 * then the next one names the command in it.  All other tokens, in their order, are the command's.
 */
#include "rkt/cli.h"

#include <stdarg.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"

/* Names within this edit distance of an unknown one are suggested. */
#define SUGGEST_DISTANCE 2

int cli_usage(struct cli *c, struct err *e, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	auto_free char *text = xvasprintf(fmt, ap);
	va_end(ap);
	c->show_usage = true;
	return err_set(e, ERR_USAGE, EINVAL, "%s", text);
}

/* Rows of images store into the struct of an image, not into the command's. */
static bool is_app_table(const struct opt *table)
{
	return table->flags & OPT_APP;
}

size_t cli_opt_sets(const struct cli *c, struct opt_set ret[CLI_TABLES_MAX])
{
	size_t n = 0;
	for (size_t i = 0; c->cmd && c->cmd->tables && c->cmd->tables[i] && n < CLI_TABLES_MAX - 1; i++) {
		const struct opt *t = c->cmd->tables[i];
		ret[n++] = (struct opt_set){ .table = t, .args = is_app_table(t) ? NULL : c->args };
	}
	ret[n++] = (struct opt_set){ .table = global_opts, .args = (void *)&c->g };
	return n;
}

/* ---- finding the command -------------------------------------------------------------------------- */

static bool in_group(const struct command *c, const char *group)
{
	return group ? c->group && strcmp(c->group, group) == 0 : !c->group;
}

/* What the name could have meant: names that it begins, and for an unknown one those that are close. */
static void suggest(const char *group, const char *name, bool ambiguous, struct err *e)
{
	auto_strv names = NULL;
	size_t len = strlen(name);
	for (size_t i = 0; commands[i]; i++) {
		const struct command *c = commands[i];
		if (!in_group(c, group) || (c->flags & COMMAND_HIDDEN))
			continue;
		if ((len && strncmp(c->name, name, len) == 0) ||
		    (!ambiguous && len > SUGGEST_DISTANCE && opt_distance(c->name, name) <= SUGGEST_DISTANCE))
			strv_push(&names, c->name);
	}
	if (names) {
		auto_free char *list = strv_join(names, ", ");
		err_hint(e, "did you mean %s?", list);
	}
	err_hint(e, "see 'rkt %s%s--help'", group ? group : "", group ? " " : "");
}

const struct command *cli_find(const char *group, const char *name, struct err *e)
{
	const struct command *found = NULL;
	size_t n = 0;
	for (size_t i = 0; *name && commands[i]; i++) {
		if (!in_group(commands[i], group) || strncmp(commands[i]->name, name, strlen(name)) != 0)
			continue;
		if (commands[i]->name[strlen(name)] == '\0')
			return commands[i];
		found = commands[i];
		n++;
	}
	if (n == 1)
		return found;
	auto_buf quoted = BUF_INIT;
	buf_add_escaped(&quoted, name, strlen(name));
	err_set(e, ERR_INPUT, n ? ENOTUNIQ : ENOENT, "%s command \"%s%s%s\"", n ? "ambiguous" : "unknown",
		group ? group : "", group ? " " : "", buf_str(&quoted));
	suggest(group, name, n > 0, e);
	return NULL;
}

static bool row_takes_word(const struct opt *table, const char *name, bool *ret)
{
	for (; table->kind != OPT_END; table++) {
		if (strcmp(table->name, name) != 0)
			continue;
		*ret = table->kind != OPT_BOOL && table->kind != OPT_OPTVAL;
		return true;
	}
	return false;
}

/* Does the option token @tok, which stands before the command, take the next token as its value? */
static bool takes_next_word(const char *tok)
{
	bool takes = false;
	if (strchr(tok, '=') || strncmp(tok, "--", 2) != 0 || row_takes_word(global_opts, tok + 2, &takes))
		return takes;
	for (size_t i = 0; commands[i]; i++)
		for (size_t t = 0; commands[i]->tables && commands[i]->tables[t]; t++)
			if (row_takes_word(commands[i]->tables[t], tok + 2, &takes))
				return takes;
	return false;
}

/* Copy option tokens from @i on to @options; returns the index of the next word, or @argc. */
static int next_word(int argc, char *const *argv, int i, char ***options)
{
	for (; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
		strv_push(options, argv[i]);
		if (takes_next_word(argv[i]) && i + 1 < argc)
			strv_push(options, argv[++i]);
	}
	return i;
}

/* Fill c->cmd (NULL: none was named) and c->argv; -errno when the name is wrong. */
static int locate(struct cli *c, int argc, char *const *argv, struct err *e)
{
	int i = next_word(argc, argv, 1, &c->argv);
	while (i < argc) {
		const struct command *found = cli_find(c->cmd ? c->cmd->name : NULL, argv[i], e);
		if (!found)
			return -e->code;
		c->cmd = found;
		i++;
		if (!(found->flags & COMMAND_GROUP))
			break;
		i = next_word(argc, argv, i, &c->argv);
	}
	for (; i < argc; i++)
		strv_push(&c->argv, argv[i]);
	c->argc = (int)strv_len(c->argv);
	return 0;
}

/* ---- running it ----------------------------------------------------------------------------------- */

static int parse_common(struct cli *c, struct err *e)
{
	struct opt_set sets[CLI_TABLES_MAX];
	size_t n = cli_opt_sets(c, sets);
	bool stop = c->cmd && (c->cmd->flags & COMMAND_STOP);
	int i = 0;
	int r = opt_parse(sets, n, c->argc, c->argv, &i, stop ? OPT_STOP_POSITIONAL : OPT_STOP_NEVER,
			  &c->rest, e);
	if (r < 0)
		return r;
	for (; i < c->argc; i++)
		strv_push(&c->rest, c->argv[i]);
	return 0;
}

static int parse(struct cli *c, struct err *e)
{
	struct opt_set sets[CLI_TABLES_MAX];
	size_t n = cli_opt_sets(c, sets);
	int r = opt_defaults(sets, n, e);
	if (r < 0)
		return r;
	/* The default of --dir is only what help says: a configuration file may name another one. */
	free(c->g.dir);
	c->g.dir = NULL;
	r = c->cmd && c->cmd->parse ? c->cmd->parse(c, e) : parse_common(c, e);
	return r < 0 ? r : globals_finish(&c->g, e);
}

static int print_usage(const struct command *cmd)
{
	auto_buf text = BUF_INIT;
	cli_help(cmd, &text);
	return write_full(STDOUT_FILENO, buf_str(&text), text.len);
}

static int run_command(struct cli *c, struct err *e)
{
	if (!c->cmd)
		return cli_usage(c, e, "no command given; see 'rkt help'");
	if (c->cmd->flags & COMMAND_GROUP)
		return print_usage(c->cmd);
	if ((c->cmd->flags & COMMAND_ROOT) && getauxval(AT_EUID) != 0)
		return err_set(e, ERR_STATE, EPERM,
			       "cannot run as unprivileged user; run it as root, for example with sudo");
	return c->cmd->run(c, e);
}

static int execute(struct cli *c, int argc, char *const *argv, struct err *e)
{
	int r = locate(c, argc, argv, e);
	snprintf(c->prefix, sizeof(c->prefix), c->cmd ? "rkt: %s" : "rkt", c->cmd ? c->cmd->name : "");
	log_setup(c->prefix, LOG_NORMAL);
	if (r < 0)
		return r;
	if (c->cmd)
		c->args = xcalloc(1, c->cmd->args_size ? c->cmd->args_size : 1);
	r = parse(c, e);
	if (r == -ECANCELED)
		return print_usage(c->cmd);
	if (c->g.debug)
		log_setup(c->prefix, LOG_VERBOSE);
	/* A mistake behind an image is not shown with the usage, which would bury it. */
	c->show_usage = r < 0 && e->cls == ERR_USAGE;
	c->no_command = r == 0 && !c->cmd;
	return r < 0 ? r : run_command(c, e);
}

static int exit_status(const struct cli *c, int r, const struct err *e)
{
	if (r >= 0)
		return r;
	if (e->code)
		log_error("%s", e->text);
	else
		log_error("write standard output: %s", strerror(-r));
	if (c->show_usage)
		(void)print_usage(c->cmd);
	return c->no_command ? CLI_EXIT_NO_COMMAND : CLI_EXIT_FAILURE;
}

static void cli_done(struct cli *c)
{
	if (c->cmd && c->args) {
		if (c->cmd->done)
			c->cmd->done(c->args);
		for (size_t i = 0; c->cmd->tables && c->cmd->tables[i]; i++)
			if (!is_app_table(c->cmd->tables[i]))
				opt_done(c->cmd->tables[i], c->args);
	}
	free(c->args);
	strv_free(c->argv);
	strv_free(c->rest);
	globals_done(&c->g);
}

int cli_main(int argc, char *const *argv)
{
	struct cli c = { 0 };
	struct err e = ERR_INIT;
	int r = execute(&c, argc, argv, &e);
	int status = exit_status(&c, r, &e);
	cli_done(&c);
	return status;
}
