/* config: layers, kinds and the ways a configuration directory can be wrong. */
#include "tests/unit/suite.h"

#include <sys/stat.h>

#include "stage0/config.h"
#include "tests/unit/schemacheck.h"

struct fix {
	char *path, *dir[3]; /* system, local, user */
	int fd;
};

static struct fix setup(void)
{
	static const char *const names[] = { "system", "local", "user" };
	struct fix f;

	f.fd = suite_make_dir(&f.path);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		f.dir[i] = xasprintf("%s/%s", f.path, names[i]);
	return f;
}

static void teardown(struct fix *f)
{
	for (size_t i = 0; i < ARRAY_LEN(f->dir); i++)
		free(f->dir[i]);
	suite_drop_dir(f->fd, f->path);
}

/* Write @text (with ' for ") as LAYER/NAME, e.g. "system/auth.d/a.json". */
static void put(struct fix *f, const char *name, const char *text)
{
	auto_free char *s = quoted(text), *dir = xstrdup(name);

	*strrchr(dir, '/') = 0;
	ck_assert_int_eq(mkdir_p_at(f->fd, dir, 0755), 0);
	ck_assert_int_eq(write_file_at(f->fd, name, s, strlen(s), 0644, 0), 0);
}

static int load(const struct fix *f, struct config *c, struct err *e)
{
	return config_load(f->dir[0], f->dir[1], f->dir[2], CONFIG_ALL, c, e);
}

static void load_well(const struct fix *f, struct config *c)
{
	struct err e = ERR_INIT;

	ck_assert_msg(load(f, c, &e) == 0, "%s", e.text);
}

#define V "'rktVersion':'v1'"
#define BASIC(d, u)                                                                                          \
	"{" V ",'rktKind':'auth','domains':[" d "],'type':'basic','credentials':{'user':'" u                 \
	"','password':'p'}}"
#define DOCKER(r, u)                                                                                         \
	"{" V ",'rktKind':'dockerAuth','registries':[" r "],'credentials':{'user':'" u "','password':'p'}}"
#define PATHS(m)    "{" V ",'rktKind':'paths'" m "}"
#define ASIDE(p, u) "{" V ",'rktKind':'lookaside','prefixes':[" p "],'url':'" u "'}"
#define STAGE1(m)   "{" V ",'rktKind':'stage1'" m "}"

START_TEST(nothing_there)
{
	struct fix f = setup();
	struct config c;

	load_well(&f, &c);
	expect_text(
		config_to_json(&c),
		"{'stage0':[{'rktKind':'paths','rktVersion':'v1'},{'rktKind':'stage1','rktVersion':'v1'}]}");
	config_done(&c);
	ck_assert_int_eq(config_load(f.dir[0], f.dir[1], NULL, CONFIG_ALL, &c, &(struct err)ERR_INIT), 0);
	config_done(&c);
	teardown(&f);
}
END_TEST

START_TEST(later_layers_override_by_key)
{
	struct fix f = setup();
	struct config c;

	put(&f, "system/auth.d/a.json", BASIC("'a.com','b.com:8443'", "system"));
	put(&f, "system/auth.d/d.json", DOCKER("'registry-1.docker.io'", "system"));
	put(&f, "system/paths.d/p.json", PATHS(",'data':'/sys/data','stage1-images':'/sys/images'"));
	put(&f, "system/stage1.d/s.json",
	    STAGE1(",'name':'example.com/s','version':'1','location':'/a.aci'"));
	put(&f, "local/auth.d/zzz.json", BASIC("'b.com:8443'", "local"));
	put(&f, "local/paths.d/p.json", PATHS(",'data':'/local/data'"));
	put(&f, "user/auth.d/d.json", DOCKER("'registry-1.docker.io'", "user"));
	put(&f, "user/stage1.d/s.json", STAGE1(",'location':'https://example.com/x.aci','other':1"));
	load_well(&f, &c);
	ck_assert_str_eq(config_auth(&c, "a.com")->user, "system");
	ck_assert_str_eq(config_auth(&c, "b.com:8443")->user, "local");
	ck_assert_ptr_null(config_auth(&c, "b.com"));
	ck_assert_uint_eq(c.nauth, 2);
	ck_assert_uint_eq(c.ndocker_auth, 1);
	ck_assert_str_eq(c.docker_auth[0].user, "user");
	ck_assert_str_eq(c.data_dir, "/local/data");
	ck_assert_str_eq(c.stage1_images, "/sys/images");
	ck_assert_str_eq(c.stage1_name, "example.com/s");
	ck_assert_str_eq(c.stage1_location, "https://example.com/x.aci");
	config_done(&c);
	teardown(&f);
}
END_TEST

START_TEST(all_kinds_of_credentials_print)
{
	struct fix f = setup();
	struct config c;

	put(&f, "local/auth.d/1.json", BASIC("'a'", "u"));
	put(&f, "local/auth.d/2.json",
	    "{" V ",'rktKind':'auth','domains':['b'],'type':'oauth','credentials':{'token':'t'}}");
	put(&f, "local/auth.d/3.json",
	    "{" V ",'rktKind':'auth','domains':['c'],'type':'aws',"
	    "'credentials':{'accessKeyID':'k','secretAccessKey':'s','awsRegion':'r'}}");
	load_well(&f, &c);
	expect_text(config_to_json(&c),
		    "{'stage0':["
		    "{'rktKind':'auth','rktVersion':'v1','domains':['a'],'type':'basic','credentials':{'user'"
		    ":'u','password':'p'}},"
		    "{'rktKind':'auth','rktVersion':'v1','domains':['b'],'type':'oauth','credentials':{'"
		    "token':'t'}},"
		    "{'rktKind':'auth','rktVersion':'v1','domains':['c'],'type':'aws',"
		    "'credentials':{'accessKeyID':'k','secretAccessKey':'s','awsRegion':'r'}},"
		    "{'rktKind':'paths','rktVersion':'v1'},{'rktKind':'stage1','rktVersion':'v1'}]}");
	config_done(&c);
	teardown(&f);
}
END_TEST

START_TEST(other_files_are_ignored)
{
	struct fix f = setup();
	struct config c;

	put(&f, "local/auth.d/README", "not JSON");
	put(&f, "local/auth.d/.json", "not JSON");
	put(&f, "local/auth.d/a.json.bak", "not JSON");
	put(&f, "local/auth.d/sub.json/x.json", "not JSON");
	put(&f, "local/other.d/a.json", "not JSON");
	ck_assert_int_eq(symlinkat("README", f.fd, "local/auth.d/link.json"), 0);
	ck_assert_int_eq(mkfifoat(f.fd, "local/auth.d/fifo.json", 0600), 0);
	load_well(&f, &c);
	ck_assert_uint_eq(c.nauth, 0);
	config_done(&c);
	teardown(&f);
}
END_TEST

/* The URL for HOST/REPOSITORY, or "none". */
static const char *aside(const struct config *c, const char *host, const char *repository)
{
	const struct lookaside *l = lookaside_find(c->lookasides, c->nlookasides, host, repository);

	return l ? l->url : "none";
}

START_TEST(lookasides)
{
	struct fix f = setup();
	struct config c;

	put(&f, "system/registries.d/a.json",
	    ASIDE("'r.org','r.org:5000/a','docker.io/library'", "https://sys/"));
	put(&f, "local/registries.d/a.json", ASIDE("'r.org/team'", "file:///srv"));
	put(&f, "local/registries.d/b.json", ASIDE("'index.docker.io/library'", "http://loc"));
	load_well(&f, &c);
	ck_assert_str_eq(aside(&c, "r.org", "x"), "https://sys");
	ck_assert_str_eq(aside(&c, "r.org", "team/app"), "file:///srv");
	ck_assert_str_eq(aside(&c, "r.org", "teams/app"), "https://sys");
	ck_assert_str_eq(aside(&c, "r.org:5000", "a"), "https://sys");
	ck_assert_str_eq(aside(&c, "r.org:5000", "b"), "none");
	ck_assert_str_eq(aside(&c, "r.org.evil", "team"), "none");
	ck_assert_str_eq(aside(&c, "registry-1.docker.io", "library/x"), "http://loc");
	auto_json shown = config_to_json(&c);
	auto_free char *text = json_text(shown, JSON_LINE);
	ck_assert_ptr_nonnull(strstr(text, "\"prefixes\":[\"r.org/team\"],\"url\":\"file:///srv\""));
	config_done(&c);
	teardown(&f);
}
END_TEST

static const struct {
	const char *name, *text, *error;
} wrong[] = {
	{ "auth.d/a.json", "{", "line 1" },
	{ "auth.d/a.json", "[]", "document: object expected" },
	{ "auth.d/a.json", "{" V "}", ".rktKind: missing" },
	{ "auth.d/a.json", "{'rktKind':'auth'}", ".rktVersion: missing" },
	{ "auth.d/a.json", "{'rktKind':'auth','rktVersion':'v2'}", ".rktVersion: 'v2' is not v1" },
	{ "auth.d/a.json", PATHS(""), ".rktKind: 'paths' belongs into paths.d" },
	{ "paths.d/a.json", BASIC("'a'", "u"), ".rktKind: 'auth' belongs into auth.d" },
	{ "auth.d/a.json", "{" V ",'rktKind':'other'}", ".rktKind: 'other' is not one of" },
	{ "auth.d/a.json", BASIC("", "u"), ".domains: empty" },
	{ "auth.d/a.json", BASIC("''", "u"), ".domains[0]: empty" },
	{ "auth.d/a.json", BASIC("'a','a'", "u"), ".domains[1]: 'a' has credentials" },
	{ "auth.d/a.json", BASIC("'a'", ""), ".credentials.user: empty" },
	{ "auth.d/a.json", "{" V ",'rktKind':'auth','domains':['a'],'credentials':{}}", ".type: missing" },
	{ "auth.d/a.json", "{" V ",'rktKind':'auth','domains':['a'],'type':'digest','credentials':{}}",
	  ".type: 'digest'" },
	{ "auth.d/a.json", "{" V ",'rktKind':'auth','domains':['a'],'type':'basic'}",
	  ".credentials: missing" },
	{ "auth.d/a.json",
	  "{" V ",'rktKind':'auth','domains':['a'],'type':'oauth','credentials':{'token':7}}",
	  ".credentials.token: string expected" },
	{ "auth.d/a.json",
	  "{" V ",'rktKind':'auth','domains':['a'],'type':'aws','credentials':{'accessKeyID':'k'}}",
	  ".credentials.secretAccessKey: missing" },
	{ "auth.d/a.json", DOCKER("", "u"), ".registries: empty" },
	{ "auth.d/a.json", DOCKER("'r'", ""), ".credentials.user: empty" },
	{ "registries.d/a.json", ASIDE("", "https://s"), ".prefixes: empty" },
	{ "registries.d/a.json", ASIDE("'/a'", "https://s"), ".prefixes[0]: '/a' is not HOST" },
	{ "registries.d/a.json", ASIDE("'a/'", "https://s"), ".prefixes[0]: 'a/' is not HOST" },
	{ "registries.d/a.json", ASIDE("'docker.io/x','registry-1.docker.io/x'", "https://s"),
	  ".prefixes[1]: " },
	{ "registries.d/a.json", ASIDE("'a'", "ftp://s"), ".url: 'ftp://s' is not" },
	{ "registries.d/a.json", ASIDE("'a'", "https://u@s"), ".url: " },
	{ "registries.d/a.json", ASIDE("'a'", "file://srv"), ".url: " },
	{ "registries.d/a.json", ASIDE("'a'", "file:///srv/../etc"), ".url: " },
	{ "registries.d/a.json", ASIDE("'a'", "https://"), ".url: " },
	{ "auth.d/a.json", ASIDE("'a'", "https://s"), ".rktKind: 'lookaside' belongs into registries.d" },
	{ "paths.d/a.json", PATHS(",'data':'x'"), ".data: 'x' is not an absolute path" },
	{ "paths.d/a.json", PATHS(",'stage1-images':'./x'"), ".stage1-images: './x' is not" },
	{ "stage1.d/a.json", STAGE1(",'name':'a'"), ".name and .version: both or neither" },
	{ "stage1.d/a.json", STAGE1(",'version':'a'"), ".name and .version: both or neither" },
	{ "stage1.d/a.json", STAGE1(",'name':'A','version':'1'"), ".name: 'A' is not an AC identifier" },
	{ "stage1.d/a.json", STAGE1(",'location':'x.aci'"),
	  "default stage1 image location is either a relative path or a URL without scheme" },
};

START_TEST(wrong_files)
{
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct fix f = setup();
		struct config c;
		struct err e = ERR_INIT;
		auto_free char *name = xasprintf("local/%s", wrong[i].name);

		put(&f, name, wrong[i].text);
		ck_assert_msg(load(&f, &c, &e) < 0, "%s", wrong[i].text);
		expect_error(&e, wrong[i].error);
		ck_assert_msg(strstr(e.text, name) != NULL, "%s", e.text);
		teardown(&f);
	}
}
END_TEST

static const struct {
	const char *dir, *first, *second, *error;
} twice[] = {
	{ "auth.d", BASIC("'a'", "u"), BASIC("'b','a'", "v"),
	  ".domains[1]: 'a' has credentials in this directory already" },
	{ "auth.d", DOCKER("'a'", "u"), DOCKER("'a'", "u"), ".registries[0]: 'a' has credentials" },
	{ "paths.d", PATHS(",'data':'/a'"), PATHS(",'data':'/a'"), ".data: set by another file" },
	{ "stage1.d", STAGE1(",'location':'/a'"), STAGE1(",'location':'/b'"),
	  ".location: set by another file" },
	{ "stage1.d", STAGE1(",'name':'a','version':'1'"), STAGE1(",'name':'b','version':'1'"),
	  ".name: set by another file" },
};

START_TEST(a_key_twice_in_one_layer)
{
	for (size_t i = 0; i < ARRAY_LEN(twice); i++) {
		struct fix f = setup();
		struct config c;
		struct err e = ERR_INIT;
		auto_free char *one = xasprintf("system/%s/1.json", twice[i].dir),
			       *two = xasprintf("system/%s/2.json", twice[i].dir);

		put(&f, one, twice[i].first);
		put(&f, two, twice[i].second);
		ck_assert_msg(load(&f, &c, &e) < 0, "%s", twice[i].second);
		expect_error(&e, twice[i].error);
		ck_assert_ptr_nonnull(strstr(e.text, two));
		teardown(&f);
	}
}
END_TEST

START_TEST(secrets_stay_out_of_messages)
{
	struct fix f = setup();
	struct config c;
	struct err e = ERR_INIT;

	put(&f, "local/auth.d/1.json", BASIC("'a'", "hush"));
	put(&f, "local/auth.d/2.json", BASIC("'a'", "hush"));
	ck_assert_int_lt(load(&f, &c, &e), 0);
	ck_assert_ptr_null(strstr(e.text, "hush"));
	teardown(&f);
}
END_TEST

START_TEST(a_file_instead_of_a_directory)
{
	struct fix f = setup();
	struct config c;
	struct err e = ERR_INIT;

	put(&f, "local/auth.d", "");
	ck_assert_int_eq(load(&f, &c, &e), -ENOTDIR);
	teardown(&f);
	f = setup();
	ck_assert_int_eq(write_file_at(f.fd, "user", "", 0, 0644, 0), 0);
	ck_assert_int_eq(load(&f, &c, &e), -ENOTDIR);
	teardown(&f);
}
END_TEST

int main(void)
{
	return SUITE_RUN("config", lookasides, nothing_there, later_layers_override_by_key,
			 all_kinds_of_credentials_print, other_files_are_ignored, wrong_files,
			 a_key_twice_in_one_layer, secrets_stay_out_of_messages,
			 a_file_instead_of_a_directory);
}
