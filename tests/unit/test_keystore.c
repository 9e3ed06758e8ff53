/* keystore: scopes by whole components, masks, order, and what is no key file. */
#include "tests/unit/suite.h"

#include <sys/stat.h>

#include "stage0/keystore.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

struct place {
	int fd;
	char *path, *sys, *loc;
};

/* Keys of which kind, and where, in the running test. */
static enum key_kind kind = KEY_OPENPGP;
static struct place at;

static void make_place(void)
{
	at.fd = suite_make_dir(&at.path);
	ck_assert_int_ge(asprintf(&at.sys, "%s/sys", at.path), 0);
	ck_assert_int_ge(asprintf(&at.loc, "%s/loc", at.path), 0);
}

static void drop_place(void)
{
	suite_drop_dir(at.fd, at.path);
	free(at.sys);
	free(at.loc);
}

/* Write the file DIR/NAME with @text below the scratch directory. */
static void put(const char *dir, const char *name, const char *text)
{
	ck_assert_int_eq(mkdir_p_at(at.fd, dir, 0755), 0);
	int fd = openat(at.fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write_file_at(fd, name, text, strlen(text), 0644, 0), 0);
	ck_assert_int_eq(close(fd), 0);
}

/* "FIRST-LETTER:SCOPE=CONTENT;" of every key for @name, in order. */
static char *load(const char *name)
{
	struct keyring k = { NULL, 0 };
	struct err e = ERR_INIT;
	char *out = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&out, &n);

	ck_assert_msg(keystore_load(kind, at.sys, at.loc, name, &k, &e) == 0, "%s", e.text);
	for (size_t i = 0; i < k.n; i++)
		fprintf(f, "%c:%s=%.*s;", k.v[i].fingerprint[0], k.v[i].scope, (int)k.v[i].len,
			k.v[i].armored);
	ck_assert_int_eq(fclose(f), 0);
	keyring_done(&k);
	return out;
}

static void loads(const char *name, const char *want)
{
	char *got = load(name);

	ck_assert_str_eq(got, want);
	free(got);
}

START_TEST(no_directories_no_keys)
{
	loads("example.com/app", "");
	loads(NULL, "");
}
END_TEST

START_TEST(prefixes_are_whole_components)
{
	put("loc/trustedkeys/prefix.d/example.com/fo", A, "1");
	loads("example.com/foo", "");
	loads("example.com/fo", "a:prefix example.com/fo=1;");
	loads("example.com/fo/x/y", "a:prefix example.com/fo=1;");
	loads("example.com", "");
	loads("other.example.com/fo", "");
	loads(NULL, "a:prefix example.com/fo=1;");
}
END_TEST

START_TEST(later_places_override)
{
	put("sys/trustedkeys/root.d", A, "sysroot");
	loads("n.org/x", "a:root=sysroot;");
	put("loc/trustedkeys/root.d", A, "locroot");
	loads("n.org/x", "a:root=locroot;");
	put("sys/trustedkeys/prefix.d/n.org", A, "syspre");
	loads("n.org/x", "a:prefix n.org=syspre;");
	put("loc/trustedkeys/prefix.d/n.org", A, "locpre");
	loads("n.org/x", "a:prefix n.org=locpre;");
	put("sys/trustedkeys/prefix.d/n.org/x", A, "deeper in system comes before local");
	loads("n.org/x", "a:prefix n.org=locpre;");
	loads("m.org", "a:root=locroot;");
}
END_TEST

START_TEST(an_empty_file_masks_what_was_loaded_before)
{
	put("sys/trustedkeys/root.d", A, "key");
	put("sys/trustedkeys/root.d", B, "other");
	put("loc/trustedkeys/root.d", A, "");
	loads("n.org/x", "b:root=other;");
	put("loc/trustedkeys/prefix.d/n.org", B, "");
	loads("n.org/x", "");
	loads("m.org/x", "b:root=other;");
	put("loc/trustedkeys/prefix.d/n.org/x", A, "again");
	loads("n.org/x", "a:prefix n.org/x=again;");
	/* Every scope by itself: the mask of a prefix does not hide the root key. */
	loads(NULL, "b:root=other;a:prefix n.org/x=again;");
}
END_TEST

START_TEST(all_scopes_keep_the_same_key_apart)
{
	put("loc/trustedkeys/root.d", A, "k");
	put("loc/trustedkeys/prefix.d/n.org", A, "k");
	put("loc/trustedkeys/prefix.d/m.org/deep/er", A, "k");
	loads(NULL, "a:root=k;a:prefix n.org=k;a:prefix m.org/deep/er=k;");
}
END_TEST

static void refuses(const char *name, const char *why)
{
	struct keyring k = { NULL, 0 };
	struct err e = ERR_INIT;

	ck_assert_int_lt(keystore_load(kind, at.sys, at.loc, name, &k, &e), 0);
	ck_assert_msg(strstr(e.text, why) != NULL, "\"%s\" does not say \"%s\"", e.text, why);
	ck_assert_ptr_null(k.v);
}

START_TEST(what_is_no_key_file_is_an_error)
{
	put("loc/trustedkeys/prefix.d/a.org", "AAAAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "");
	refuses("a.org/x", "not a fingerprint");
	put("loc/trustedkeys/prefix.d/b.org", "README", "");
	refuses("b.org/x", "not a fingerprint");
	ck_assert_int_eq(mkdir_p_at(at.fd, "loc/trustedkeys/prefix.d/c.org", 0755), 0);
	ck_assert_int_eq(mkfifoat(at.fd, "loc/trustedkeys/prefix.d/c.org/" A, 0644), 0);
	refuses("c.org/x", "not a regular file");
	ck_assert_int_eq(symlinkat("/etc", at.fd, "loc/trustedkeys/prefix.d/d.org"), 0);
	refuses("d.org/x", "d.org");
	refuses(NULL, "not a fingerprint");
	loads("clean.org/x", "");
}
END_TEST

START_TEST(names_never_leave_the_directory)
{
	put("outside", A, "stolen");
	ck_assert_int_eq(mkdir_p_at(at.fd, "loc/trustedkeys/prefix.d", 0755), 0);
	refuses("../../../outside", "invalid image name");
	refuses("/etc", "invalid image name");
	refuses("", "invalid image name");
}
END_TEST

START_TEST(long_names_have_no_keys)
{
	char name[5000];

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(mkdir_p_at(at.fd, "loc/trustedkeys/prefix.d", 0755), 0);
	loads(name, "");
}
END_TEST

static void adds(const char *prefix, const char *fpr, const char *text, int want)
{
	struct err e = ERR_INIT;
	char *path = NULL;

	ck_assert_msg(keystore_add(kind, at.loc, prefix, fpr, text, &path, &e) == want, "%s", e.text);
	ck_assert_int_eq(path != NULL, want == 0);
	free(path);
}

START_TEST(add_writes_where_load_looks)
{
	struct stat st;

	adds(NULL, A, "rootkey", 0);
	adds("example.com/app", B, "appkey", 0);
	loads("example.com/app/x", "a:root=rootkey;b:prefix example.com/app=appkey;");
	ck_assert_int_eq(fstatat(at.fd, "loc/trustedkeys/prefix.d/example.com/app/" B, &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	ck_assert_int_eq(fstatat(at.fd, "loc/trustedkeys/prefix.d/example.com", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0755);
}
END_TEST

START_TEST(add_refuses_what_would_do_harm)
{
	struct stat st;

	adds("../../etc", A, "k", -EINVAL);
	adds("https://example.com", A, "k", -EINVAL);
	adds("example.com", "../../x", "k", -EINVAL);
	adds("example.com", A, "", -EINVAL);
	ck_assert_int_lt(fstatat(at.fd, "loc", &st, 0), 0);
}
END_TEST

#define C64 "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

START_TEST(the_kinds_do_not_see_each_other)
{
	adds("example.com", A, "pgp", 0);
	kind = KEY_PEM;
	loads("example.com/app", "");
	adds("example.com", A, "pem", -EINVAL);
	adds("example.com/app", C64, "pem", 0);
	adds(NULL, C64, "root", 0);
	loads("example.com/app", "c:prefix example.com/app=pem;");
	loads("example.com/apple", "c:root=root;");
	loads(NULL, "c:root=root;c:prefix example.com/app=pem;");
	put("loc/trustedkeys/pem-prefix.d/example.com/app/x", C64, "");
	loads("example.com/app/x", "");
	put("loc/trustedkeys/pem-prefix.d/d.org", A, "pgp");
	refuses("d.org/x", "64 lower-case");
	kind = KEY_OPENPGP;
	loads("example.com/app", "a:prefix example.com=pgp;");
	adds("example.com", C64, "pem", -EINVAL);
}
END_TEST

int main(void)
{
	(void)umask(022);
	return SUITE_RUN_BETWEEN(
		"keystore", make_place, drop_place, no_directories_no_keys, prefixes_are_whole_components,
		later_places_override, an_empty_file_masks_what_was_loaded_before,
		all_scopes_keep_the_same_key_apart, what_is_no_key_file_is_an_error,
		names_never_leave_the_directory, long_names_have_no_keys, add_writes_where_load_looks,
		add_refuses_what_would_do_harm, the_kinds_do_not_see_each_other);
}
