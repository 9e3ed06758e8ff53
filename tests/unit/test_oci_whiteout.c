/* oci/whiteout: which names take away, which are skipped, which are refused (formats.md section 17, number 55). */
#include "tests/unit/suite.h"

#include "oci/whiteout.h"

static const struct {
	const char *path;
	int kind; /* -1 refused */
	const char *name;
} rows[] = {
	{ "", OCI_NO_WHITEOUT, NULL },
	{ "a/b", OCI_NO_WHITEOUT, NULL },
	{ "a/.wh", OCI_NO_WHITEOUT, NULL },
	{ "a/.whx", OCI_NO_WHITEOUT, NULL },
	{ "a/x.wh.b", OCI_NO_WHITEOUT, NULL },
	{ ".wh.a", OCI_REMOVE, "a" },
	{ "d/e/.wh.a", OCI_REMOVE, "a" },
	{ "d/.wh....", OCI_REMOVE, "..." },
	{ "d/.wh. ", OCI_REMOVE, " " },
	{ "d/.wh..hidden", OCI_REMOVE, ".hidden" },
	{ "d/.wh..opq", OCI_REMOVE, ".opq" },
	{ ".wh..wh..opq", OCI_OPAQUE, NULL },
	{ "d/.wh..wh..opq", OCI_OPAQUE, NULL },
	{ "d/.wh..wh..opqx", OCI_SKIP, NULL },
	{ "d/.wh..wh.plnk", OCI_SKIP, NULL },
	{ "d/.wh..wh.aufs", OCI_SKIP, NULL },
	{ "d/.wh..wh.", OCI_SKIP, NULL },
	{ ".wh.", -1, NULL },
	{ "d/.wh.", -1, NULL },
	{ "d/.wh..", -1, NULL },
	{ "d/.wh...", -1, NULL },
	{ ".wh.a/b", -1, NULL },
	{ "d/.wh.a/b/c", -1, NULL },
	{ "d/.wh..wh..opq/c", -1, NULL },
	{ "d/.wh.a/.wh.b", -1, NULL },
};

START_TEST(names)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum oci_whiteout kind = OCI_NO_WHITEOUT;
		const char *name = NULL;
		struct err e = ERR_INIT;
		int r = oci_whiteout_of(rows[i].path, &kind, &name, &e);

		ck_assert_msg(r == (rows[i].kind < 0 ? -EINVAL : 0), "\"%s\": %d", rows[i].path, r);
		if (r < 0)
			continue;
		ck_assert_msg((int)kind == rows[i].kind, "\"%s\" is %d", rows[i].path, (int)kind);
		ck_assert_msg(!name == !rows[i].name && (!name || strcmp(name, rows[i].name) == 0),
			      "\"%s\" takes %s", rows[i].path, name ? name : "nothing");
	}
}
END_TEST

int main(void)
{
	return SUITE_RUN("oci_whiteout", names);
}
