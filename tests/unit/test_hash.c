/* hash: known answers (FIPS 180-4 examples), streaming, files. */
#include "tests/unit/suite.h"

#include "base/hash.h"

#define ABC256   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define EMPTY256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC512                                                                                               \
	"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"                                   \
	"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"

START_TEST(known_answers)
{
	char hex[HASH_HEX_MAX];
	struct hash *h = hash_new("sha256");

	hash_hex(h, hex);
	ck_assert_str_eq(hex, EMPTY256);
	hash_update(h, "a", 1);
	hash_hex(h, hex);
	hash_update(h, "bc", 2); /* goes on after a look */
	hash_hex(h, hex);
	ck_assert_str_eq(hex, ABC256);
	hash_freep(&h);
	ck_assert_ptr_null(h);
	h = hash_new("sha512");
	hash_update(h, "abc", 3);
	hash_hex(h, hex);
	ck_assert_str_eq(hex, ABC512);
	hash_free(h);
	hash_free(NULL);
}
END_TEST

START_TEST(unknown_algorithms)
{
	struct err e = ERR_INIT;
	char hex[HASH_HEX_MAX];

	ck_assert_ptr_null(hash_new("md5"));
	ck_assert_ptr_null(hash_new("SHA256"));
	ck_assert_ptr_null(hash_new(""));
	ck_assert_int_eq(hash_fd("sha1", 0, hex, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "sha1"));
}
END_TEST

START_TEST(file_from_its_offset)
{
	struct err e = ERR_INIT;
	char hex[HASH_HEX_MAX], *path;
	int dir = suite_make_dir(&path), fd;

	ck_assert_int_eq(write_file_at(dir, "f", "xxabc", 5, 0600, 0), 0);
	fd = openat(dir, "f", O_RDONLY);
	ck_assert_int_eq((int)lseek(fd, 2, SEEK_SET), 2);
	ck_assert_int_eq(hash_fd("sha256", fd, hex, &e), 0);
	ck_assert_str_eq(hex, ABC256);
	ck_assert_int_eq(hash_fd("sha256", fd, hex, &e), 0);
	ck_assert_str_eq(hex, EMPTY256);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(hash_fd("sha256", dir, hex, &e), -EISDIR);
	suite_drop_dir(dir, path);
}
END_TEST

int main(void)
{
	return SUITE_RUN("hash", known_answers, unknown_algorithms, file_from_its_offset);
}
