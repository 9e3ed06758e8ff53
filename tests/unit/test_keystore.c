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

static struct place make_place(void)
{
	struct place p;

	p.fd = suite_make_dir(&p.path);
	ck_assert_int_ge(asprintf(&p.sys, "%s/sys", p.path), 0);
	ck_assert_int_ge(asprintf(&p.loc, "%s/loc", p.path), 0);
	return p;
}

static void drop_place(struct place *p)
{
	suite_drop_dir(p->fd, p->path);
	free(p->sys);
	free(p->loc);
}

/* Write the file DIR/NAME with @text below the scratch directory. */
static void put(const struct place *p, const char *dir, const char *name, const char *text)
{
	ck_assert_int_eq(mkdir_p_at(p->fd, dir, 0755), 0);
	int fd = openat(p->fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write_file_at(fd, name, text, strlen(text), 0644, 0), 0);
	ck_assert_int_eq(close(fd), 0);
}

/* "FIRST-LETTER:SCOPE=CONTENT;" of every key for @name, in order. */
static char *load(const struct place *p, const char *name)
{
	struct keyring k = { NULL, 0 };
	struct err e = ERR_INIT;
	char *out = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&out, &n);

	ck_assert_msg(keystore_load(p->sys, p->loc, name, &k, &e) == 0, "%s", e.text);
	for (size_t i = 0; i < k.n; i++)
		fprintf(f, "%c:%s=%.*s;", k.v[i].fingerprint[0], k.v[i].scope, (int)k.v[i].len,
			k.v[i].armored);
	ck_assert_int_eq(fclose(f), 0);
	keyring_done(&k);
	return out;
}

static void loads(const struct place *p, const char *name, const char *want)
{
	char *got = load(p, name);

	ck_assert_str_eq(got, want);
	free(got);
}

START_TEST(no_directories_no_keys)
{
	struct place p = make_place();

	loads(&p, "example.com/app", "");
	loads(&p, NULL, "");
	drop_place(&p);
}
END_TEST

START_TEST(prefixes_are_whole_components)
{
	struct place p = make_place();

	put(&p, "loc/trustedkeys/prefix.d/example.com/fo", A, "1");
	loads(&p, "example.com/foo", "");
	loads(&p, "example.com/fo", "a:prefix example.com/fo=1;");
	loads(&p, "example.com/fo/x/y", "a:prefix example.com/fo=1;");
	loads(&p, "example.com", "");
	loads(&p, "other.example.com/fo", "");
	loads(&p, NULL, "a:prefix example.com/fo=1;");
	drop_place(&p);
}
END_TEST

START_TEST(later_places_override)
{
	struct place p = make_place();

	put(&p, "sys/trustedkeys/root.d", A, "sysroot");
	loads(&p, "n.org/x", "a:root=sysroot;");
	put(&p, "loc/trustedkeys/root.d", A, "locroot");
	loads(&p, "n.org/x", "a:root=locroot;");
	put(&p, "sys/trustedkeys/prefix.d/n.org", A, "syspre");
	loads(&p, "n.org/x", "a:prefix n.org=syspre;");
	put(&p, "loc/trustedkeys/prefix.d/n.org", A, "locpre");
	loads(&p, "n.org/x", "a:prefix n.org=locpre;");
	put(&p, "sys/trustedkeys/prefix.d/n.org/x", A, "deeper in system comes before local");
	loads(&p, "n.org/x", "a:prefix n.org=locpre;");
	loads(&p, "m.org", "a:root=locroot;");
	drop_place(&p);
}
END_TEST

START_TEST(an_empty_file_masks_what_was_loaded_before)
{
	struct place p = make_place();

	put(&p, "sys/trustedkeys/root.d", A, "key");
	put(&p, "sys/trustedkeys/root.d", B, "other");
	put(&p, "loc/trustedkeys/root.d", A, "");
	loads(&p, "n.org/x", "b:root=other;");
	put(&p, "loc/trustedkeys/prefix.d/n.org", B, "");
	loads(&p, "n.org/x", "");
	loads(&p, "m.org/x", "b:root=other;");
	put(&p, "loc/trustedkeys/prefix.d/n.org/x", A, "again");
	loads(&p, "n.org/x", "a:prefix n.org/x=again;");
	/* Every scope by itself: the mask of a prefix does not hide the root key. */
	loads(&p, NULL, "b:root=other;a:prefix n.org/x=again;");
	drop_place(&p);
}
END_TEST

START_TEST(all_scopes_keep_the_same_key_apart)
{
	struct place p = make_place();

	put(&p, "loc/trustedkeys/root.d", A, "k");
	put(&p, "loc/trustedkeys/prefix.d/n.org", A, "k");
	put(&p, "loc/trustedkeys/prefix.d/m.org/deep/er", A, "k");
	loads(&p, NULL, "a:root=k;a:prefix n.org=k;a:prefix m.org/deep/er=k;");
	drop_place(&p);
}
END_TEST

static void refuses(const struct place *p, const char *name, const char *why)
{
	struct keyring k = { NULL, 0 };
	struct err e = ERR_INIT;

	ck_assert_int_lt(keystore_load(p->sys, p->loc, name, &k, &e), 0);
	ck_assert_msg(strstr(e.text, why) != NULL, "\"%s\" does not say \"%s\"", e.text, why);
	ck_assert_ptr_null(k.v);
}

START_TEST(what_is_no_key_file_is_an_error)
{
	struct place p = make_place();

	put(&p, "loc/trustedkeys/prefix.d/a.org", "AAAAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "");
	refuses(&p, "a.org/x", "not a fingerprint");
	put(&p, "loc/trustedkeys/prefix.d/b.org", "README", "");
	refuses(&p, "b.org/x", "not a fingerprint");
	ck_assert_int_eq(mkdir_p_at(p.fd, "loc/trustedkeys/prefix.d/c.org", 0755), 0);
	ck_assert_int_eq(mkfifoat(p.fd, "loc/trustedkeys/prefix.d/c.org/" A, 0644), 0);
	refuses(&p, "c.org/x", "not a regular file");
	ck_assert_int_eq(symlinkat("/etc", p.fd, "loc/trustedkeys/prefix.d/d.org"), 0);
	refuses(&p, "d.org/x", "d.org");
	refuses(&p, NULL, "not a fingerprint");
	loads(&p, "clean.org/x", "");
	drop_place(&p);
}
END_TEST

START_TEST(names_never_leave_the_directory)
{
	struct place p = make_place();

	put(&p, "outside", A, "stolen");
	ck_assert_int_eq(mkdir_p_at(p.fd, "loc/trustedkeys/prefix.d", 0755), 0);
	refuses(&p, "../../../outside", "invalid image name");
	refuses(&p, "/etc", "invalid image name");
	refuses(&p, "", "invalid image name");
	drop_place(&p);
}
END_TEST

START_TEST(long_names_have_no_keys)
{
	struct place p = make_place();
	char name[5000];

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	ck_assert_int_eq(mkdir_p_at(p.fd, "loc/trustedkeys/prefix.d", 0755), 0);
	loads(&p, name, "");
	drop_place(&p);
}
END_TEST

static void adds(const struct place *p, const char *prefix, const char *fpr, const char *text, int want)
{
	struct err e = ERR_INIT;
	char *path = NULL;

	ck_assert_msg(keystore_add(p->loc, prefix, fpr, text, &path, &e) == want, "%s", e.text);
	ck_assert_int_eq(path != NULL, want == 0);
	free(path);
}

START_TEST(add_writes_where_load_looks)
{
	struct place p = make_place();
	struct stat st;

	adds(&p, NULL, A, "rootkey", 0);
	adds(&p, "example.com/app", B, "appkey", 0);
	loads(&p, "example.com/app/x", "a:root=rootkey;b:prefix example.com/app=appkey;");
	ck_assert_int_eq(fstatat(p.fd, "loc/trustedkeys/prefix.d/example.com/app/" B, &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	ck_assert_int_eq(fstatat(p.fd, "loc/trustedkeys/prefix.d/example.com", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0755);
	drop_place(&p);
}
END_TEST

START_TEST(add_refuses_what_would_do_harm)
{
	struct place p = make_place();
	struct stat st;

	adds(&p, "../../etc", A, "k", -EINVAL);
	adds(&p, "https://example.com", A, "k", -EINVAL);
	adds(&p, "example.com", "../../x", "k", -EINVAL);
	adds(&p, "example.com", A, "", -EINVAL);
	ck_assert_int_lt(fstatat(p.fd, "loc", &st, 0), 0);
	drop_place(&p);
}
END_TEST

int main(void)
{
	(void)umask(022);
	return SUITE_RUN("keystore", no_directories_no_keys, prefixes_are_whole_components,
			 later_places_override, an_empty_file_masks_what_was_loaded_before,
			 all_scopes_keep_the_same_key_apart, what_is_no_key_file_is_an_error,
			 names_never_leave_the_directory, long_names_have_no_keys,
			 add_writes_where_load_looks, add_refuses_what_would_do_harm);
}
