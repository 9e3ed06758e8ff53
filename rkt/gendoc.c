/*
 * gendoc — writes the man pages and the completion script from the same tables that rkt parses with.
 *
 *	gendoc man DIR [FRAGMENTS]	rkt.1 and one page a command; FRAGMENTS/NAME.inc (default
 *					rkt/man) holds hand-written sections such as EXAMPLES
 *	gendoc completion		bash completion on standard output
 */
#include <stdlib.h>
#include <unistd.h>
#include <fcntl.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/log.h"
#include "base/path.h"
#include "rkt/cli.h"
#include "rkt/completion.h"
#include "version.h"

#define FRAGMENT_MAX (256u << 10) /* bytes */

/* Text for roff: backslashes, dashes, and dots or quotes that begin a line. */
static void add_roff(struct buf *out, const char *s)
{
	bool start = true;
	for (; *s; s++) {
		if (start && (*s == '.' || *s == '\''))
			buf_adds(out, "\\&");
		if (*s == '\\')
			buf_adds(out, "\\e");
		else if (*s == '-')
			buf_adds(out, "\\-");
		else
			buf_addc(out, *s);
		start = *s == '\n';
	}
}

/* Paragraphs: an empty line becomes a .PP. */
static void add_paragraphs(struct buf *out, const char *s)
{
	while (*s) {
		size_t n = strcspn(s, "\n");
		if (n) {
			auto_free char *line = xstrndup(s, n);
			add_roff(out, line);
		} else {
			buf_adds(out, ".PP");
		}
		buf_addc(out, '\n');
		s += n + (s[n] == '\n');
	}
}

static void add_options(struct buf *out, const char *title, const struct opt *const *tables)
{
	auto_free struct opt *all = cli_merge_tables(tables);
	if (all[0].kind != OPT_END)
		buf_addf(out, ".SH %s\n", title);
	for (const struct opt *o = all; o->kind != OPT_END; o++) {
		bool optional = o->kind == OPT_BOOL || o->kind == OPT_OPTVAL;
		const char *arg = o->arg ? o->arg : "BOOL";
		buf_adds(out, ".TP\n\\fB");
		if (strcmp(o->name, "help") == 0)
			buf_adds(out, "\\-h\\fR, \\fB");
		add_roff(out, "--");
		add_roff(out, o->name);
		buf_adds(out, "\\fR");
		if (strcmp(o->name, "help") != 0) {
			buf_adds(out, optional ? "[=\\fI" : "=\\fI");
			add_roff(out, arg);
			buf_adds(out, optional ? "\\fR]" : "\\fR");
		}
		buf_addc(out, '\n');
		add_roff(out, o->help);
		if (o->dflt) {
			buf_adds(out, " (default: ");
			add_roff(out, o->dflt);
			buf_addc(out, ')');
		}
		buf_adds(out, ".\n");
	}
}

static char *page_name(const struct command *c)
{
	if (!c)
		return xstrdup("rkt");
	return xasprintf("rkt-%s%s%s", c->group ? c->group : "", c->group ? "-" : "", c->name);
}

static bool has_page(const struct command *c)
{
	return !(c->flags & COMMAND_HIDDEN);
}

/* Commands with their summaries: of rkt, or of a group. */
static void add_commands(struct buf *out, const char *group)
{
	buf_adds(out, ".SH COMMANDS\n");
	for (size_t i = 0; commands[i]; i++) {
		const struct command *c = commands[i];
		if (!has_page(c) || (c->flags & COMMAND_GROUP) ||
		    (group && (!c->group || strcmp(c->group, group) != 0)))
			continue;
		auto_free char *name = page_name(c);
		buf_adds(out, ".TP\n\\fB");
		add_roff(out, name);
		buf_adds(out, "\\fR(1)\n");
		add_roff(out, c->summary);
		buf_adds(out, ".\n");
	}
}

static int add_fragment(struct buf *out, const char *dir, const char *name, struct err *e)
{
	auto_free char *path = xasprintf("%s/%s.inc", dir, name);
	auto_buf text = BUF_INIT;
	int r = read_file_at(AT_FDCWD, path, FRAGMENT_MAX, &text);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_sys(e, -r, "read %s", path);
	buf_add(out, buf_str(&text), text.len);
	return 0;
}

static void add_head(struct buf *out, const struct command *c, const char *name)
{
	buf_addf(out, ".\\\" Written by gendoc from the option tables; do not edit.\n.TH \"");
	add_roff(out, name);
	buf_addf(out, "\" 1 \"\" \"rkt %s\" \"rkt\"\n.SH NAME\n", RKT_VERSION);
	add_roff(out, name);
	buf_adds(out, " \\- ");
	add_roff(out, c ? c->summary : "run verified container images as pods");
	buf_adds(out, "\n.SH SYNOPSIS\n\\fBrkt");
	if (c && c->group)
		buf_addf(out, " %s", c->group);
	if (c) {
		buf_addc(out, ' ');
		add_roff(out, c->name);
	}
	buf_adds(out, "\\fR ");
	bool group = !c || (c->flags & COMMAND_GROUP);
	add_roff(out, group ? "[OPTION...] COMMAND [ARG...]" : "[OPTION...] ");
	add_roff(out, group ? "" : c->args);
	buf_adds(out, "\n.SH DESCRIPTION\n");
}

static int page_text(const struct command *c, const char *name, const char *fragments, struct buf *out,
		     struct err *e)
{
	static const struct opt *const global_tables[] = { global_opts, NULL };
	add_head(out, c, name);
	if (c)
		add_paragraphs(out, c->description);
	if (!c || (c->flags & COMMAND_GROUP))
		add_commands(out, c ? c->name : NULL);
	if (c)
		add_options(out, "OPTIONS", c->tables);
	add_options(out, "GLOBAL OPTIONS", global_tables);
	int r = add_fragment(out, fragments, c ? name + strlen("rkt-") : name, e);
	if (r == 0 && c)
		buf_adds(out, ".SH SEE ALSO\n\\fBrkt\\fR(1)\n");
	return r;
}

static int write_page(const struct command *c, const char *dir, const char *fragments, struct err *e)
{
	auto_free char *name = page_name(c);
	auto_free char *path = xasprintf("%s/%s.1", dir, name);
	auto_buf text = BUF_INIT;
	int r = page_text(c, name, fragments, &text, e);
	if (r < 0)
		return r;
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_sys(e, errno, "create %s", path);
	r = write_full(fd, text.data, text.len);
	return r < 0 ? err_sys(e, -r, "write %s", path) : 0;
}

static int write_pages(const char *dir, const char *fragments, struct err *e)
{
	int r = write_page(NULL, dir, fragments, e);
	for (size_t i = 0; r == 0 && commands[i]; i++)
		if (has_page(commands[i]))
			r = write_page(commands[i], dir, fragments, e);
	return r;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	int r;
	log_setup("gendoc", LOG_NORMAL);
	if ((argc == 3 || argc == 4) && strcmp(argv[1], "man") == 0) {
		r = write_pages(argv[2], argc == 4 ? argv[3] : "rkt/man", &e);
	} else if (argc == 2 && strcmp(argv[1], "completion") == 0) {
		auto_buf script = BUF_INIT;
		completion_bash(&script);
		r = write_full(STDOUT_FILENO, script.data, script.len);
	} else {
		r = err_set(&e, ERR_USAGE, EINVAL, "usage: gendoc man DIR [FRAGMENTS] | gendoc completion");
	}
	if (r < 0)
		log_error("%s", e.code ? e.text : strerror(-r));
	return r < 0 ? 1 : 0;
}
