/* confs: files of two directories and the built-in networks; what is valid; who is picked; records. */
#include "stage1/net/confs.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/strv.h"
#include "stage1/net/exact.h"
#include "suite.h"

#define TYPED "\"type\":\"ptp\""

static struct net_conf *parse(const char *text, const char *base, struct err *e)
{
	return net_conf_parse(text, strlen(text), base, e);
}

START_TEST(valid)
{
	static const struct {
		const char *base, *text, *version;
		size_t plugins;
	} rows[] = {
		{ "a.conf", "{\"name\":\"x\"," TYPED "}", "0.1.0", 1 },
		{ "a.conf", "{\"name\":\"x\",\"cniVersion\":\"\"," TYPED ",\"ipam\":{}}", "0.1.0", 1 },
		{ "a.json", "{\"name\":\"x\",\"cniVersion\":\"0.2.0\"," TYPED "}", "0.2.0", 1 },
		{ "a.json", "{\"name\":\"x\",\"cniVersion\":\"0.3.0\",\"plugins\":[{" TYPED "}]}", "0.3.0",
		  1 },
		{ "a.conflist",
		  "{\"name\":\"x\",\"cniVersion\":\"0.3.1\",\"plugins\":[{" TYPED
		  ",\"cniVersion\":\"0.3.1\"},{\"type\":\"a.b_c-1\"}]}",
		  "0.3.1", 2 },
		{ "a.conf", "{\"name\":\"x\",\"cniVersion\":\"0.4.0\"," TYPED ",\"unknown\":[1.50]}", "0.4.0",
		  1 },
		{ "a.conf",
		  "{\"name\":\"x\",\"cniVersion\":\"1.0.0\",\"cniVersions\":[\"0.4.0\",\"1.1.0\"]," TYPED "}",
		  "1.0.0", 1 },
		{ "a.conf",
		  "{\"name\":\"x\",\"cniVersion\":\"1.1.0\",\"cniVersions\":[\"0.4.0\",\"1.1.0\",\"0.3.1\"]"
		  "," TYPED "}",
		  "0.4.0", 1 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = ERR_INIT;
		struct net_conf *c = parse(rows[i].text, rows[i].base, &e);

		ck_assert_msg(c != NULL, "%s: %s", rows[i].text, e.text);
		ck_assert_str_eq(c->name, "x");
		ck_assert_str_eq(c->version, rows[i].version);
		ck_assert_uint_eq(json_array_size(c->plugins), rows[i].plugins);
		ck_assert_str_eq(c->base, rows[i].base);
		net_conf_free(c);
	}
}
END_TEST

START_TEST(refused)
{
	static const struct {
		const char *base, *text, *why;
	} rows[] = {
		{ "a.conf", "{", "line 1, column" },
		{ "a.conf", "[]", "object expected" },
		{ "a.conf", "{" TYPED "}", ".name: missing" },
		{ "a.conf", "{\"name\":\"\"," TYPED "}", ".name: \"\": letters" },
		{ "a.conf", "{\"name\":\"../x\"," TYPED "}", ".name: \"../x\": letters" },
		{ "a.conf", "{\"name\":7," TYPED "}", ".name: string expected" },
		{ "a.conf", "{\"name\":\"none\"," TYPED "}", "something else" },
		{ "a.conf", "{\"name\":\"x\"}", ".type: missing" },
		{ "a.conf", "{\"name\":\"x\",\"type\":\"../../bin/sh\"}", "not the name of a plugin" },
		{ "a.conf", "{\"name\":\"x\",\"type\":\"a/b\"}", "not the name of a plugin" },
		{ "a.conf", "{\"name\":\"x\",\"type\":\"..\"}", "not the name of a plugin" },
		{ "a.conf", "{\"name\":\"x\",\"type\":\"\"}", "not the name of a plugin" },
		{ "a.conf", "{\"name\":\"x\"," TYPED ",\"ipam\":{\"type\":\"../x\"}}",
		  ".ipam.type: \"../x\" is not" },
		{ "a.conf", "{\"name\":\"x\"," TYPED ",\"ipam\":[]}", ".ipam: object expected" },
		{ "a.conf", "{\"name\":\"x\"," TYPED ",\"cniVersion\":\"1.1.0\"}",
		  "1.1.0 of CNI is newer than 1.0.0" },
		{ "a.conf", "{\"name\":\"x\"," TYPED ",\"cniVersion\":\"0.5.0\"}",
		  "\"0.5.0\" is not one of" },
		{ "a.conf", "{\"name\":\"x\"," TYPED ",\"cniVersion\":\"new\"}", "\"new\" is not one of" },
		{ "a.conf", "{\"name\":\"x\"," TYPED ",\"cniVersions\":[]}", "empty" },
		{ "a.conf", "{\"name\":\"x\"," TYPED ",\"cniVersions\":[1]}", ".cniVersions[0]: string" },
		{ "a.conf", "{\"name\":\"x\"," TYPED ",\"capabilities\":{\"ips\":1}}",
		  ".capabilities.ips: true or false" },
		{ "a.conf", "{\"name\":\"x\"," TYPED ",\"ipMasq\":\"yes\"}", ".ipMasq: true or false" },
		{ "a.conflist", "{\"name\":\"x\"," TYPED "}", ".plugins: missing" },
		{ "a.conflist", "{\"name\":\"x\",\"plugins\":[]}", ".plugins: empty" },
		{ "a.conflist", "{\"name\":\"x\",\"plugins\":[{" TYPED "},5]}",
		  ".plugins[1]: object expected" },
		{ "a.conflist", "{\"name\":\"x\",\"plugins\":[{" TYPED ",\"cniVersion\":\"0.3.1\"}]}",
		  ".plugins[0].cniVersion: \"0.3.1\", but the list is of version 0.1.0" },
		{ "a.conflist", "{\"name\":\"x\",\"disableCheck\":1,\"plugins\":[{" TYPED "}]}",
		  ".disableCheck: true" },
		{ "a.conflist", "{\"name\":\"x\",\"plugins\":[{" TYPED "},{\"type\":\"rkt-ptp\"}]}",
		  "has no company" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e = ERR_INIT;

		ck_assert_msg(parse(rows[i].text, rows[i].base, &e) == NULL, "%s", rows[i].text);
		ck_assert_msg(strstr(e.text, rows[i].why) != NULL, "%s: %s", rows[i].text, e.text);
		ck_assert_int_ne(e.code, 0);
	}
}
END_TEST

START_TEST(record)
{
	static const char text[] =
		"{\"name\":\"x\",\"cniVersion\":\"1.0.0\",\"disableCheck\":true,\"plugins\":["
		"{\"type\":\"bridge\",\"ipMasq\":true,\"real\":1.0},{\"type\":\"portmap\",\"capabilities\":{"
		"\"portMappings\":true,\"mac\":false}}]}";
	struct err e = ERR_INIT;
	struct net_conf *c = parse(text, "a.conflist", &e), *copy, *again;

	ck_assert_msg(c != NULL, "%s", e.text);
	c->file = strdup("/x/net.d/a.conflist");
	copy = net_conf_copy(c);
	auto_json saved = net_conf_save(copy);
	auto_free char *on_disk = json_text(saved, JSON_LINE);
	auto_json read = json_parse(on_disk, strlen(on_disk), &e);
	again = net_conf_load(read, &e);
	ck_assert_msg(again != NULL, "%s", e.text);
	ck_assert_str_eq(again->name, "x");
	ck_assert_str_eq(again->version, "1.0.0");
	ck_assert_str_eq(again->file, c->file);
	ck_assert_ptr_null(again->dir);
	ck_assert_str_eq(again->base, "a.conflist");
	ck_assert(again->disable_check);
	ck_assert(json_equal(again->plugins, c->plugins));
	auto_free char *plugin = exact_text(json_array_get(again->plugins, 0));
	ck_assert_str_eq(plugin, "{\"type\":\"bridge\",\"ipMasq\":true,\"real\":1.0}");
	ck_assert(net_conf_can(again, "portMappings"));
	ck_assert(!net_conf_can(again, "mac"));
	ck_assert(!net_conf_can(again, "ips"));
	ck_assert(net_conf_masquerades(again));
	/* A record that somebody damaged is not believed. */
	(void)json_object_set_new(json_array_get(json_object_get(read, "plugins"), 1), "type",
				  json_string("../x"));
	ck_assert_ptr_null(net_conf_load(read, &e));
	ck_assert_ptr_nonnull(strstr(e.text, ".plugins[1].type"));
	net_conf_free(c);
	net_conf_free(copy);
	net_conf_free(again);
}
END_TEST

/* ---- directories ---- */

static char *top;
static int top_fd;

static void before(void)
{
	top_fd = suite_make_dir(&top);
	ck_assert_int_eq(mkdirat(top_fd, "local", 0755) | mkdirat(top_fd, "system", 0755), 0);
	ck_assert_int_eq(mkdirat(top_fd, "local/net.d", 0755) | mkdirat(top_fd, "system/net.d", 0755), 0);
}

static void after(void)
{
	suite_drop_dir(top_fd, top);
}

static void put(const char *file, const char *name, const char *more)
{
	auto_free char *dir = strdup(file), *text = NULL;
	auto_close int fd = FD_NONE;

	*strrchr(dir, '/') = '\0';
	fd = openat(top_fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(asprintf(&text, "{\"name\":\"%s\",\"type\":\"bridge\"%s}", name, more), 0);
	ck_assert_int_eq(write_file_at(fd, strrchr(file, '/') + 1, text, strlen(text), 0644, 0), 0);
}

static int load(struct net_confs *l, struct err *e)
{
	auto_free char *local = NULL, *system_dir = NULL;

	ck_assert_int_ge(asprintf(&local, "%s/local", top), 0);
	ck_assert_int_ge(asprintf(&system_dir, "%s/system", top), 0);
	return net_confs_load(local, system_dir, l, e);
}

static char *names(const struct net_confs *l)
{
	auto_strv v = NULL;

	for (size_t i = 0; i < l->n; i++)
		strv_push(&v, l->v[i]->name);
	return strv_join(v, " ");
}

START_TEST(order_and_override)
{
	struct err e = ERR_INIT;
	struct net_confs l;

	put("local/net.d/50-b.conf", "b", "");
	put("local/net.d/60-a.json", "a", "");
	put("local/net.d/70-again.conf", "a", ",\"ipMasq\":true"); /* the second of a name in one directory */
	put("system/net.d/10-a.conflist.conf", "a", ",\"ipMasq\":true"); /* overridden */
	put("system/net.d/50-b.conf", "c", "");                    /* same base name: after the local one */
	put("system/net.d/99-z.conf", "default", ",\"mtu\":9000"); /* instead of the built-in one */
	put("local/net.d/05-x.conf.bak", "x", "");
	put("local/net.d/.05-x.conf", "x", "");
	put("local/net.d/.conf", "x", "");
	ck_assert_int_eq(symlinkat("50-b.conf", top_fd, "local/net.d/01-link.conf"), 0);
	OK(load(&l, &e));
	auto_free char *got = names(&l);
	ck_assert_str_eq(got, "b c a default-restricted default");
	ck_assert(!net_conf_masquerades(l.v[2]));
	ck_assert_ptr_null(l.v[3]->file);
	ck_assert_ptr_nonnull(strstr(l.v[4]->file, "/system/net.d/99-z.conf"));
	ck_assert_ptr_nonnull(strstr(l.v[0]->dir, "/local/net.d"));
	net_confs_done(&l);
}
END_TEST

START_TEST(built_in)
{
	struct err e = ERR_INIT;
	struct net_confs l;

	ck_assert_int_eq(unlinkat(top_fd, "local/net.d", AT_REMOVEDIR), 0);
	OK(load(&l, &e));
	auto_free char *got = names(&l);
	ck_assert_str_eq(got, "default-restricted default");
	for (size_t i = 0; i < l.n; i++) {
		const json_t *p = json_array_get(l.v[i]->plugins, 0);
		bool restricted = i == 0;

		ck_assert_str_eq(json_string_value(json_member(p, "type")), NET_TYPE_BUILTIN);
		ck_assert_int_eq(net_conf_masquerades(l.v[i]), !restricted);
		ck_assert_int_eq(json_is_true(json_member(p, "defaultRoute")), !restricted);
		ck_assert_uint_eq(json_array_size(json_member(p, "subnets")), 2);
	}
	net_confs_done(&l);
}
END_TEST

START_TEST(bad_file_is_named)
{
	struct err e = ERR_INIT;
	struct net_confs l;

	put("system/net.d/10-good.conf", "good", "");
	put("system/net.d/20-bad.conf", "bad", ",");
	ck_assert_int_eq(load(&l, &e), -EINVAL);
	ck_assert_int_eq(e.cls, ERR_INPUT);
	ck_assert_ptr_nonnull(strstr(e.text, "/system/net.d/20-bad.conf: line 1"));
	ck_assert_ptr_null(strchr(e.text, '\n'));
	ck_assert_int_eq(unlinkat(top_fd, "system/net.d/20-bad.conf", 0), 0);
	/* Sparse: no byte is ever read. */
	auto_close int fd = openat(top_fd, "local/net.d/huge.conf", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ck_assert_int_eq(ftruncate(fd, 1L << 30), 0);
	ck_assert_int_eq(load(&l, &e), -EFBIG);
	ck_assert_ptr_nonnull(strstr(e.text, "/local/net.d/huge.conf: read: File too large"));
}
END_TEST

/* Names and arguments of what @value picks, or NULL. */
static char *pick(const struct net_confs *l, const char *value, struct err *e)
{
	const char *values[] = { value, NULL, NULL };
	char *second = strchr(value, '+');
	auto_free char *first = second ? strndup(value, (size_t)(second - value)) : NULL;
	auto_free const struct net_conf **confs = NULL;
	auto_free const char **args = NULL;
	auto_strv out = NULL;
	struct net_specs s;
	size_t n = 0;
	int r;

	if (second) {
		values[0] = first;
		values[1] = second + 1;
	}
	ck_assert_int_eq(net_specs_parse((char *const *)values, &s, e), 0);
	r = net_confs_pick(l, &s, &confs, &args, &n, e);
	for (size_t i = 0; i < n; i++)
		strv_pushf(&out, "%s(%s)", confs[i]->name, args[i]);
	net_specs_done(&s);
	return r < 0 ? NULL : strv_join(out, " ");
}

START_TEST(picking)
{
	static const struct {
		const char *net, *want;
	} rows[] = {
		{ "default", "default()" },
		{ "b:IP=10.0.0.1;X=y+a", "a() b(IP=10.0.0.1;X=y)" },
		{ "none", "" },
		{ "host", "" },
		{ "all", "a() b() default-restricted() default()" },
		{ "a+all", "a() b() default-restricted() default()" },
	};
	struct err e = ERR_INIT;
	struct net_confs l;

	put("local/net.d/10-x.conf", "a", "");
	put("local/net.d/20-x.conf", "b", "");
	OK(load(&l, &e));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *got = pick(&l, rows[i].net, &e);

		ck_assert_msg(got != NULL, "%s: %s", rows[i].net, e.text);
		ck_assert_str_eq(got, rows[i].want);
	}
	ck_assert_ptr_null(pick(&l, "a+other", &e));
	ck_assert_int_eq(e.code, ENOENT);
	ck_assert_str_eq(e.text,
			 "network \"other\" is not configured; there are: a, b, default-restricted, default");
	net_confs_done(&l);
}
END_TEST

int main(void)
{
	return SUITE_RUN_BETWEEN("confs", before, after, valid, refused, record, order_and_override, built_in,
				 bad_file_is_named, picking);
}
