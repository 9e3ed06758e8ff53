/*
 * completion — see completion.h.
 *
 * The script carries, as two associative arrays, the words of every command: its options ("--x=" when
 * a value must follow) and, for options and positionals whose kind is known, how to find candidates.
 * Pods and images are asked from rkt itself when they are needed.
 */
#include "rkt/completion.h"

#include "base/alloc.h"
#include "base/auto.h"
#include "rkt/cli.h"

/* enum opt_complete → the name of a function of the script. */
static const char *const source[] = {
	[COMP_NONE] = "none",
	[COMP_FILE] = "file",
	[COMP_DIR] = "dir",
	[COMP_IMAGE] = "image",
	[COMP_UUID_ANY] = "uuid ''",
	[COMP_UUID_PREPARED] = "uuid prepared",
	[COMP_UUID_RUNNING] = "uuid running",
	[COMP_UUID_STOPPED] = "uuid 'prepared|aborted prepare|exited|exited garbage'",
	[COMP_CHOICES] = "words",
};

static const char script_head[] =
	"# bash completion for rkt; written by rkt from its own tables of commands.\n"
	"\n"
	"__rkt_none() { :; }\n"
	"__rkt_file() { COMPREPLY+=($(compgen -f -- \"$cur\")); }\n"
	"__rkt_dir() { COMPREPLY+=($(compgen -d -- \"$cur\")); }\n"
	"__rkt_words() { COMPREPLY+=($(compgen -W \"$*\" -- \"$cur\")); }\n"
	"__rkt_image() {\n"
	"\tCOMPREPLY+=($(compgen -W \"$(\"$rkt\" image list --no-legend --fields=name 2>/dev/null)\" -- "
	"\"$cur\"))\n"
	"\t__rkt_file\n"
	"}\n"
	"# $1: extended regular expression of states, or empty\n"
	"__rkt_uuid() {\n"
	"\tCOMPREPLY+=($(compgen -W \"$(\"$rkt\" list --no-legend --full 2>/dev/null |\n"
	"\t\tawk -F '\\t+' -v want=\"^(${1:-.*})\\$\" '$1 != \"\" && $5 ~ want { print $1 }')\" -- "
	"\"$cur\"))\n"
	"}\n"
	"\n"
	"declare -A __rkt_options __rkt_values __rkt_positional __rkt_commands\n";

static const char script_tail[] =
	"\n"
	"__rkt() {\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} rkt=${COMP_WORDS[0]}\n"
	"\tlocal root=' ' cmd=' ' try option='' i\n"
	"\tCOMPREPLY=()\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\t[[ ${COMP_WORDS[i]} == -- ]] && { __rkt_file; return; }\n"
	"\t\t[[ ${COMP_WORDS[i]} == -* || ${COMP_WORDS[i]} == = || ${COMP_WORDS[i - 1]} == = ]] && continue\n"
	"\t\ttry=${COMP_WORDS[i]}\n"
	"\t\t[[ $cmd == \"$root\" ]] || try=\"$cmd $try\"\n"
	"\t\t[[ -n ${__rkt_options[$try]+x} ]] && cmd=$try\n"
	"\tdone\n"
	"\t# \"--option=value\" comes as three words, the last of which may be missing.\n"
	"\tif [[ $cur == = ]]; then\n"
	"\t\toption=$prev cur=''\n"
	"\telif [[ $prev == = ]]; then\n"
	"\t\toption=${COMP_WORDS[COMP_CWORD - 2]}\n"
	"\tfi\n"
	"\tif [[ -n $option ]]; then\n"
	"\t\teval \"__rkt_${__rkt_values[$cmd $option]:-${__rkt_values[$root $option]:-none}}\"\n"
	"\telif [[ $cur == -* ]]; then\n"
	"\t\t__rkt_words ${__rkt_options[$cmd]} ${__rkt_options[$root]}\n"
	"\t\t[[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null\n"
	"\telse\n"
	"\t\t[[ -n ${__rkt_commands[$cmd]} ]] && __rkt_words ${__rkt_commands[$cmd]}\n"
	"\t\teval \"__rkt_${__rkt_positional[$cmd]:-none}\"\n"
	"\tfi\n"
	"}\n"
	"\n"
	"complete -F __rkt rkt\n";

/* bash has no empty subscript: the words of rkt itself have the key " ". */
static char *key_of(const struct command *c)
{
	if (!c)
		return xstrdup(" ");
	return xasprintf("%s%s%s", c->group ? c->group : "", c->group ? " " : "", c->name);
}

static void add_source(struct buf *out, enum opt_complete kind, const char *const *choices)
{
	buf_adds(out, source[kind]);
	for (size_t i = 0; kind == COMP_CHOICES && choices && choices[i]; i++)
		if (*choices[i])
			buf_addf(out, " %s", choices[i]);
}

static void add_options(struct buf *out, const char *key, const struct opt *const *tables)
{
	auto_free struct opt *all = cli_merge_tables(tables);
	buf_addf(out, "__rkt_options['%s']='", key);
	for (const struct opt *o = all; o->kind != OPT_END; o++)
		buf_addf(out, "%s--%s%s", o == all ? "" : " ", o->name,
			 o->kind == OPT_BOOL || o->kind == OPT_OPTVAL ? "" : "=");
	buf_adds(out, "'\n");
	for (const struct opt *o = all; o->kind != OPT_END; o++) {
		if (o->complete == COMP_NONE)
			continue;
		buf_addf(out, "__rkt_values['%s --%s']=\"", key, o->name);
		add_source(out, o->complete, o->choices);
		buf_adds(out, "\"\n");
	}
}

static void add_subcommands(struct buf *out, const char *key, const char *group)
{
	buf_addf(out, "__rkt_commands['%s']='", key);
	const char *sep = "";
	for (size_t i = 0; commands[i]; i++) {
		const struct command *c = commands[i];
		bool inside = group ? c->group && strcmp(c->group, group) == 0 : !c->group;
		if (!inside || (c->flags & COMMAND_HIDDEN))
			continue;
		buf_addf(out, "%s%s", sep, c->name);
		sep = " ";
	}
	buf_adds(out, "'\n");
}

void completion_bash(struct buf *out)
{
	static const struct opt *const global_tables[] = { global_opts, NULL };
	buf_adds(out, script_head);
	add_options(out, " ", global_tables);
	add_subcommands(out, " ", NULL);
	for (size_t i = 0; commands[i]; i++) {
		const struct command *c = commands[i];
		auto_free char *key = key_of(c);
		if (c->flags & COMMAND_HIDDEN)
			continue;
		add_options(out, key, c->tables);
		if (c->flags & COMMAND_GROUP)
			add_subcommands(out, key, c->name);
		/* Choices that are not listed are the commands themselves: help. */
		if (c->complete == COMP_CHOICES && !c->choices)
			add_subcommands(out, key, NULL);
		if (c->complete == COMP_NONE)
			continue;
		buf_addf(out, "__rkt_positional['%s']=\"", key);
		add_source(out, c->complete, c->choices);
		buf_adds(out, "\"\n");
	}
	buf_adds(out, script_tail);
}
