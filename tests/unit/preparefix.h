/*
 * preparefix — a store with one image, made by hand, and a request that names it, for the tests of prepare.
 */
#pragma once

#include <sys/stat.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "stage0/prepare.h"
#include "tests/unit/datafix.h"
#include "tests/unit/schemacheck.h"

#define PREPARE_ID(last) "sha512-000000000000000000000000000000000000000000000000000000000000000" last
#define PREPARE_APP                                                                                          \
	",'app':{'exec':['/bin/a','x'],'user':'1','group':'2','environment':["                               \
	"{'name':'A','value':'image'},{'name':'B','value':'image'}]}"

struct preparefix {
	struct store s;
	struct app_request app[2]; /* both of the first image */
	struct pod_request req;    /* of the first of these apps */
};

static struct preparefix pf __attribute__((unused));

/* Publish image PREPARE_ID(@last) "ex.com/img" with the members @more in its manifest (written with '). */
static inline void prepare_image(const char *last, const char *os, const char *more)
{
	struct image_info i = { .size = 1 };
	struct err e = ERR_INIT;
	auto_free char *text = xasprintf(
		"{'acKind':'ImageManifest','acVersion':'0.8.11','name':'ex.com/img'%s}", more);
	auto_free char *root = NULL;

	(void)snprintf(i.id, sizeof(i.id), PREPARE_ID("%s"), last);
	i.digest = xasprintf("sha512-%0127d%s", 0, last);
	i.blob_algo = xstrdup("sha512");
	i.blob_digest = xasprintf("%0127d%s", 0, last);
	i.name = xstrdup("ex.com/img");
	i.manifest = quoted(text);
	pairs_set(&i.labels, "os", os);
	pairs_set(&i.labels, "arch", host_arch());
	OK(store_publish_image(&pf.s, &i, &e));
	root = xasprintf(DIR_TREE "/%s/rootfs", i.id);
	ck_assert_int_eq(mkdir_p_at(fx.d.fd, root, 0700), 0);
	ck_assert_int_eq(fchmodat(fx.d.fd, root, 0751, 0), 0);
	image_info_done(&i);
}

/* Image PREPARE_ID("1") has PREPARE_APP and a file. */
static inline void prepare_before(void)
{
	struct err e = ERR_INIT;

	datafix_before();
	OK(store_open(&fx.d, &pf.s, &e));
	prepare_image("1", "linux", PREPARE_APP);
	ck_assert_int_eq(write_file_at(fx.d.fd, DIR_TREE "/" PREPARE_ID("1") "/rootfs/file", "x", 1, 0644, 0),
			 0);
	for (int i = 0; i < 2; i++)
		pf.app[i] = (struct app_request){ .read_only = TRI_UNSET,
						  .image_id = xstrdup(PREPARE_ID("1")) };
	pf.req = (struct pod_request){ .apps = pf.app, .napps = 1, .accept_unsigned = true };
}

static inline void prepare_after(void)
{
	for (int i = 0; i < 2; i++)
		app_request_done(&pf.app[i]);
	pf.req.apps = NULL;
	pf.req.napps = 0;
	pod_request_done(&pf.req);
	store_done(&pf.s);
	datafix_after();
}

static inline struct pod_manifest *prepare_well(void)
{
	struct err e = ERR_INIT;
	struct pod_manifest *m = prepare_manifest(&pf.req, &pf.s, &e);

	ck_assert_msg(m != NULL, "%s", e.text);
	return m;
}

/* The request is refused with @why (written with '). */
static inline void prepare_refused(const char *why)
{
	struct err e = ERR_INIT;

	ck_assert_ptr_null(prepare_manifest(&pf.req, &pf.s, &e));
	expect_error(&e, why);
}

/* The path of a file of the scratch directory with this content; heap. */
static inline char *prepare_file(const char *name, const char *text, size_t len)
{
	ck_assert_int_eq(write_file_at(fx.fd, name, text, len, 0644, 0), 0);
	return xasprintf("%s/%s", fx.path, name);
}
