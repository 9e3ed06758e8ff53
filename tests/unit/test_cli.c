/* cli: finding commands, the help screens, and that all tables are sound. */
#include "tests/unit/suite.h"

#include "base/log.h"
#include "base/strv.h"
#include "rkt/commands.h"
#include "rkt/completion.h"
#include "rkt/podflags.h"

static const struct command *find(const char *group, const char *name)
{
	struct err e = ERR_INIT;
	return cli_find(group, name, &e);
}

START_TEST(exact_names_win_and_prefixes_work)
{
	ck_assert_ptr_eq(find(NULL, "run"), &cmd_run);
	ck_assert_ptr_eq(find(NULL, "run-"), &cmd_run_prepared);
	ck_assert_ptr_eq(find(NULL, "cat"), &cmd_cat_manifest);
	ck_assert_ptr_eq(find("image", "li"), &cmd_image_list);
	ck_assert_ptr_eq(find("image", "fetch"), &cmd_image_fetch);
	ck_assert_ptr_null(find(NULL, "image list"));
	ck_assert_ptr_null(find("list", "image"));
}
END_TEST

START_TEST(unknown_names_get_suggestions)
{
	struct err e = ERR_INIT;
	ck_assert_ptr_null(cli_find(NULL, "lst", &e));
	ck_assert_int_eq(e.code, ENOENT);
	ck_assert_ptr_nonnull(strstr(e.text, "did you mean list, net?"));
	ck_assert_ptr_null(cli_find(NULL, "st", &e));
	ck_assert_int_eq(e.code, ENOTUNIQ);
	ck_assert_ptr_nonnull(strstr(e.text, "status, stop"));
	ck_assert_ptr_null(cli_find(NULL, "frobnicate", &e));
	ck_assert_ptr_null(strstr(e.text, "did you mean"));
	ck_assert_ptr_null(cli_find(NULL, "", &e));
	ck_assert_ptr_null(cli_find(NULL, "a\033[2J", &e));
	ck_assert_ptr_null(strchr(e.text, '\033'));
}
END_TEST

START_TEST(commands_are_sorted_and_complete)
{
	for (size_t i = 0; commands[i]; i++) {
		const struct command *c = commands[i];
		ck_assert_ptr_nonnull(c->name);
		ck_assert_ptr_nonnull(c->summary);
		ck_assert_ptr_nonnull(c->description);
		ck_assert_msg((c->flags & COMMAND_GROUP) || (c->run && c->args), "%s does nothing", c->name);
		ck_assert_msg(!c->tables || c->args_size, "%s: options without a struct", c->name);
		if (c->group)
			ck_assert(find(NULL, c->group)->flags & COMMAND_GROUP);
	}
}
END_TEST

static void assert_sound(const struct command *c, const struct opt *o)
{
	ck_assert_msg(o->help || (o->flags & (OPT_HIDDEN | OPT_DEPRECATED)), "%s --%s: no help", c->name,
		      o->name);
	ck_assert_msg((o->kind == OPT_CALL) <= !!o->call, "%s --%s: nobody stores it", c->name, o->name);
	ck_assert_msg(o->arg || o->kind == OPT_BOOL || (o->flags & OPT_DEPRECATED), "%s --%s: no placeholder",
		      c->name, o->name);
	ck_assert_msg((o->complete == COMP_CHOICES) == !!o->choices || o->choices == NULL,
		      "%s --%s: choices that nobody sees", c->name, o->name);
}

START_TEST(options_are_sound_and_named_once)
{
	for (size_t i = 0; commands[i]; i++) {
		auto_strv seen = NULL;
		for (const struct opt *g = global_opts; g->kind != OPT_END; g++)
			strv_push(&seen, g->name);
		for (size_t t = 0; commands[i]->tables && commands[i]->tables[t]; t++)
			for (const struct opt *o = commands[i]->tables[t]; o->kind != OPT_END; o++) {
				assert_sound(commands[i], o);
				ck_assert_msg(!strv_has(seen, o->name), "%s: two --%s", commands[i]->name,
					      o->name);
				strv_push(&seen, o->name);
			}
	}
}
END_TEST

START_TEST(app_tables_hold_nothing_else)
{
	const struct opt *const tables[] = { podflags_app, podflags_isolators, podflags_signature };
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (const struct opt *o = tables[t]; o->kind != OPT_END; o++) {
			ck_assert_msg(o->flags & OPT_APP, "--%s", o->name);
			ck_assert_msg(!o->dflt, "--%s has a default, which would go to no image", o->name);
		}
}
END_TEST

START_TEST(help_shows_every_visible_option_and_no_other)
{
	for (size_t i = 0; commands[i]; i++) {
		auto_buf text = BUF_INIT;
		cli_help(commands[i], &text);
		for (size_t t = 0; commands[i]->tables && commands[i]->tables[t]; t++)
			for (const struct opt *o = commands[i]->tables[t]; o->kind != OPT_END; o++) {
				char want[64];
				snprintf(want, sizeof(want), "\t--%s", o->name);
				bool shown = strstr(buf_str(&text), want) != NULL;
				bool hidden = o->flags & OPT_HIDDEN;
				ck_assert_msg(shown || hidden || (o->flags & OPT_DEPRECATED), "%s %s",
					      commands[i]->name, want);
			}
	}
}
END_TEST

START_TEST(sections_come_in_order)
{
	static const char *const titles[] = { "NAME:\n\tlist - ", "\nUSAGE:\n\trkt list [flags]\n",
					      "\nDESCRIPTION:\n\t", "\nOPTIONS:\n\t--",
					      "\nGLOBAL OPTIONS:\n\t--debug" };
	auto_buf text = BUF_INIT;
	cli_help(&cmd_list, &text);
	const char *at = buf_str(&text);
	for (size_t i = 0; i < ARRAY_LEN(titles); i++) {
		at = strstr(at, titles[i]);
		ck_assert_msg(at != NULL, "no %s", titles[i]);
	}
}
END_TEST

START_TEST(completion_knows_the_options)
{
	auto_buf text = BUF_INIT;
	completion_bash(&text);
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "__rkt_options['image list']='--fields= "));
	ck_assert_ptr_nonnull(
		strstr(buf_str(&text), "__rkt_values['run --ipc']=\"words auto private parent\""));
	ck_assert_ptr_nonnull(strstr(buf_str(&text), "__rkt_positional['run-prepared']=\"uuid prepared\""));
	ck_assert_ptr_null(strstr(buf_str(&text), "store-only"));
}
END_TEST

START_TEST(insecure_words_become_bits)
{
	struct globals g = { 0 };
	const struct opt_set sets[] = { { global_opts, &g } };
	const struct {
		const char *text;
		int bits; /* -1: refused */
	} cases[] = { { "none", 0 },
		      { "image", INSECURE_IMAGE },
		      { "Image,TLS", INSECURE_IMAGE | INSECURE_TLS },
		      { "all-fetch", INSECURE_IMAGE | INSECURE_TLS | INSECURE_HTTP | INSECURE_PUBKEY },
		      { "all-run", INSECURE_CAPABILITIES | INSECURE_PATHS | INSECURE_SECCOMP },
		      { "image,image", -1 },
		      { "", -1 },
		      { "odd", -1 } };
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = ERR_INIT;
		char option[64], *argv[] = { option, NULL };
		const struct opt *o = NULL;
		int index = 0;
		snprintf(option, sizeof(option), "--insecure-options=%s", cases[i].text);
		int r = opt_parse_one(sets, 1, NULL, 1, argv, &index, &o, &e);
		ck_assert_msg((r < 0) == (cases[i].bits < 0), "%s: %s", option, e.text);
		ck_assert_msg(r < 0 || (int)g.insecure == cases[i].bits, "%s: %u", option, g.insecure);
	}
	auto_strv names = insecure_names(INSECURE_TLS | INSECURE_PATHS);
	auto_free char *joined = strv_join(names, ",");
	ck_assert_str_eq(joined, "tls,paths");
	globals_done(&g);
}
END_TEST

START_TEST(pull_policies_and_their_old_names)
{
	char policy_new[] = "new", policy_never[] = "never";
	struct err e = ERR_INIT;
	enum pull_policy p;
	ck_assert_int_eq(pull_policy_of(&(struct pull_args){ .policy = policy_new }, &p, &e), 0);
	ck_assert_int_eq(p, PULL_NEW);
	ck_assert_int_eq(pull_policy_of(&(struct pull_args){ .policy = policy_never }, &p, &e), 0);
	ck_assert_int_eq(p, PULL_NEVER);
	ck_assert_int_eq(
		pull_policy_of(&(struct pull_args){ .policy = policy_never, .no_store = true }, &p, &e), 0);
	ck_assert_int_eq(p, PULL_UPDATE);
	ck_assert_int_lt(pull_policy_of(&(struct pull_args){ policy_new, true, true }, &p, &e), 0);
}
END_TEST

int main(void)
{
	log_setup("test", LOG_QUIET);
	return SUITE_RUN("cli", exact_names_win_and_prefixes_work, unknown_names_get_suggestions,
			 commands_are_sorted_and_complete, options_are_sound_and_named_once,
			 app_tables_hold_nothing_else, help_shows_every_visible_option_and_no_other,
			 sections_come_in_order, completion_knows_the_options, insecure_words_become_bits,
			 pull_policies_and_their_old_names);
}
