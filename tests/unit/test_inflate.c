/* inflate: the kind by its first bytes, every limit, every way a stream can end. */
#include "tests/unit/suite.h"

#include "base/buf.h"
#include "base/fd.h"
#include "image/inflate.h"

static const char text[] = "hello hello hello\n";

/* That text as each tool packs it. */
/* clang-format off */
static const unsigned char gzip_data[] = {
	0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57,
	0xc8, 0x40, 0x90, 0x5c, 0x00, 0x3b, 0x7c, 0x8a, 0xdf, 0x12, 0x00, 0x00, 0x00,
};
static const unsigned char bzip2_data[] = {
	0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0xe5, 0xb5, 0xf3, 0x09, 0x00, 0x00,
	0x04, 0x51, 0x00, 0x00, 0x10, 0x40, 0x00, 0x02, 0x44, 0xa0, 0x00, 0x21, 0xb5, 0x18, 0x0c, 0x02,
	0x90, 0x69, 0xc2, 0xa3, 0x0b, 0xb9, 0x22, 0x9c, 0x28, 0x48, 0x72, 0xda, 0xf9, 0x84, 0x80,
};
static const unsigned char xz_data[] = {
	0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00, 0x00, 0x04, 0xe6, 0xd6, 0xb4, 0x46, 0x02, 0x00, 0x21, 0x01,
	0x16, 0x00, 0x00, 0x00, 0x74, 0x2f, 0xe5, 0xa3, 0xe0, 0x00, 0x11, 0x00, 0x0c, 0x5d, 0x00, 0x34,
	0x19, 0x49, 0xee, 0x8d, 0xe9, 0x4f, 0x7e, 0x21, 0x21, 0xb0, 0x00, 0x00, 0x1f, 0x01, 0xd9, 0xc8,
	0x87, 0xc1, 0x43, 0xc8, 0x00, 0x01, 0x28, 0x12, 0xc9, 0x6a, 0x62, 0x8e, 0x1f, 0xb6, 0xf3, 0x7d,
	0x01, 0x00, 0x00, 0x00, 0x00, 0x04, 0x59, 0x5a,
};
static const unsigned char zstd_data[] = {
	0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x6d, 0x00, 0x00, 0x38, 0x68, 0x65, 0x6c, 0x6c, 0x6f, 0x20,
	0x0a, 0x01, 0x00, 0x31, 0x4a, 0x11, 0xa3, 0xaa, 0x74, 0xce,
};
/* clang-format on */

static const struct sample {
	const char *name;
	enum compression kind;
	const unsigned char *data;
	size_t len;
} samples[] = {
	{ "gzip", COMP_GZIP, gzip_data, sizeof(gzip_data) },
	{ "bzip2", COMP_BZIP2, bzip2_data, sizeof(bzip2_data) },
	{ "xz", COMP_XZ, xz_data, sizeof(xz_data) },
	{ "zstd", COMP_ZSTD, zstd_data, sizeof(zstd_data) },
};

/* What inflate_stream answers to @n bytes at @p and @m more at @q; what came out is in @out. */
static int inflate(const void *p, size_t n, const void *q, size_t m, const struct inflate_limits *l,
		   struct buf *out, struct err *e)
{
	auto_close int from = memfd_new("in");
	auto_close int to = memfd_new("out");
	uint64_t bytes = 0;

	ck_assert_int_eq(write_full(from, p, n), 0);
	ck_assert_int_eq(write_full(from, q, m), 0);
	ck_assert_int_eq(lseek(from, 0, SEEK_SET), 0);
	err_clear(e);
	int r = inflate_stream(from, to, l, &bytes, e);
	ck_assert_int_eq(lseek(to, 0, SEEK_SET), 0);
	ck_assert_int_eq(fd_read_all(to, 1 << 24, out), 0);
	if (r == 0)
		ck_assert_uint_eq(bytes, out->len);
	return r;
}

START_TEST(the_kind_is_in_the_first_bytes)
{
	enum compression kind = COMP_PLAIN;
	struct err e = ERR_INIT;
	unsigned char tar[512] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		OK(compression_sniff(samples[i].data, samples[i].len, &kind, &e));
		ck_assert_int_eq(kind, samples[i].kind);
	}
	memcpy(tar + 257, "ustar", 6);
	OK(compression_sniff(tar, sizeof(tar), &kind, &e));
	ck_assert_int_eq(kind, COMP_PLAIN);
	ck_assert_int_eq(compression_sniff((const unsigned char *)text, sizeof(text), &kind, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "unknown image filetype"));
	ck_assert_int_eq(compression_sniff(tar, 0, &kind, &e), -EINVAL);
}
END_TEST

START_TEST(all_members_come_out)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		const struct sample *s = &samples[i];
		auto_buf out = BUF_INIT;

		OK(inflate(s->data, s->len, s->data, s->len, &inflate_limits_default, &out, &e));
		ck_assert_uint_eq(out.len, 2 * (sizeof(text) - 1));
		ck_assert_int_eq(memcmp(out.data, text, sizeof(text) - 1), 0);
		ck_assert_int_eq(memcmp(out.data + sizeof(text) - 1, text, sizeof(text) - 1), 0);
	}
}
END_TEST

START_TEST(every_shorter_stream_is_refused)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		for (size_t n = 0; n < samples[i].len; n++) {
			auto_buf out = BUF_INIT;
			int r = inflate(samples[i].data, n, "", 0, &inflate_limits_default, &out, &e);

			ck_assert_msg(r == -EINVAL, "%s cut to %zu bytes: %d", samples[i].name, n, r);
			ck_assert_int_eq(e.cls, ERR_INPUT);
		}
	}
}
END_TEST

START_TEST(garbage_behind_is_refused)
{
	struct err e = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		auto_buf out = BUF_INIT;
		int r = inflate(samples[i].data, samples[i].len, "garbage!", 8, &inflate_limits_default, &out,
				&e);

		ck_assert_msg(r == -EINVAL, "%s: %d", samples[i].name, r);
	}
}
END_TEST

START_TEST(the_limit_counts_what_comes_out)
{
	struct err e = ERR_INIT;
	const struct inflate_limits fits = { .out_max = sizeof(text) - 1 },
				    less = { .out_max = sizeof(text) - 2 };

	for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
		auto_buf all = BUF_INIT, cut = BUF_INIT;

		OK(inflate(samples[i].data, samples[i].len, "", 0, &fits, &all, &e));
		ck_assert_int_eq(inflate(samples[i].data, samples[i].len, "", 0, &less, &cut, &e), -E2BIG);
		ck_assert_uint_le(cut.len, less.out_max);
	}
}
END_TEST

START_TEST(a_reader_that_went_away)
{
	struct err e = ERR_INIT;
	int p[2];
	auto_close int from = memfd_new("in");

	ck_assert_ptr_ne(signal(SIGPIPE, SIG_IGN), SIG_ERR);
	ck_assert_int_eq(pipe2(p, O_CLOEXEC), 0);
	ck_assert_int_eq(close(p[0]), 0);
	ck_assert_int_eq(write_full(from, gzip_data, sizeof(gzip_data)), 0);
	ck_assert_int_eq(lseek(from, 0, SEEK_SET), 0);
	ck_assert_int_eq(inflate_stream(from, p[1], &inflate_limits_default, NULL, &e), -EPIPE);
	ck_assert_int_eq(close(p[1]), 0);
}
END_TEST

int main(void)
{
	return SUITE_RUN("inflate", the_kind_is_in_the_first_bytes, all_members_come_out,
			 every_shorter_stream_is_refused, garbage_behind_is_refused,
			 the_limit_counts_what_comes_out, a_reader_that_went_away);
}
