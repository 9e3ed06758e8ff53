#include "oci/platform.h"

#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/strv.h"

static const struct {
	const char *appc, *oci, *variant;
} archs[] = {
	{ "amd64", "amd64", NULL },         { "i386", "386", NULL },    { "aarch64", "arm64", "v8" },
	{ "armv7l", "arm", "v7" },          { "armv6l", "arm", "v6" },  { "ppc64", "ppc64", NULL },
	{ "ppc64le", "ppc64le", NULL },     { "s390x", "s390x", NULL }, { "riscv64", "riscv64", NULL },
	{ "loongarch64", "loong64", NULL },
};

/* The level of x86-64 that this processor has. */
static const char *processor_level(void)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (!__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("popcnt"))
		return "v1";
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2") ||
	    !__builtin_cpu_supports("fma"))
		return "v2";
	if (!__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512dq") ||
	    !__builtin_cpu_supports("avx512vl"))
		return "v3";
	return "v4";
#else
	return NULL;
#endif
}

int oci_platform_make(const char *arch, struct oci_platform *ret, struct err *e)
{
	const char *name = arch ? arch : host_arch();
	const char *level = strcmp(name, host_arch()) == 0 ? processor_level() : NULL;

	*ret = (struct oci_platform){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(archs); i++) {
		if (strcmp(name, archs[i].appc) != 0 && strcmp(name, archs[i].oci) != 0)
			continue;
		level = archs[i].variant ? archs[i].variant : level;
		ret->os = xstrdup("linux");
		ret->architecture = xstrdup(archs[i].oci);
		ret->variant = level ? xstrdup(level) : NULL;
		return 0;
	}
	return err_set(e, ERR_INPUT, EINVAL, "architecture \"%s\" is not one that OCI images have", name);
}

const char *oci_platform_appc_arch(const struct oci_platform *p)
{
	const char *variant = p->variant ? p->variant : "v7";

	for (size_t i = 0; i < ARRAY_LEN(archs); i++) {
		if (strcmp(p->architecture, archs[i].oci) != 0)
			continue;
		/* Only arm has a name for each variant; below 6 it has none. */
		if (strcmp(p->architecture, "arm") != 0 || strcmp(variant, archs[i].variant) == 0)
			return archs[i].appc;
	}
	return NULL;
}

/* 7 of "v7"; what is left out when there is no variant; -1 for another spelling. */
static int variant_number(const struct oci_platform *p)
{
	const char *v = p->variant;

	if (v)
		return v[0] == 'v' && v[1] >= '1' && v[1] <= '9' && v[2] == '\0' ? v[1] - '0' : -1;
	if (strcmp(p->architecture, "arm") == 0)
		return 7;
	if (strcmp(p->architecture, "arm64") == 0)
		return 8;
	return strcmp(p->architecture, "amd64") == 0 ? 1 : 0;
}

int oci_platform_rank(const struct oci_platform *want, const struct oci_platform *have)
{
	int w, h;

	if (!have->os || !have->architecture || strcmp(want->os, have->os) != 0 ||
	    strcmp(want->architecture, have->architecture) != 0)
		return -1;
	w = variant_number(want);
	h = variant_number(have);
	if (w < 0 || h < 0)
		return want->variant && have->variant && strcmp(want->variant, have->variant) == 0 ? 0 : -1;
	return h <= w ? w - h : -1;
}

/* Signatures and notes about images that lie between the images. */
static bool is_image(const struct oci_descriptor *d)
{
	const char *type = pairs_get(&d->annotations, "vnd.docker.reference.type");

	return (d->media == OCI_MEDIA_INDEX || d->media == OCI_MEDIA_MANIFEST) &&
	       !(type && strcmp(type, "attestation-manifest") == 0);
}

static int nothing_fits(const struct oci_document *index, const struct oci_platform *want, struct err *e)
{
	auto_strv seen = NULL;
	auto_buf line = BUF_INIT, shown = BUF_INIT;

	for (size_t i = 0; i < index->n; i++) {
		const struct oci_platform *p = &index->entries[i].platform;

		if (!is_image(&index->entries[i]) || !p->os)
			continue;
		auto_free char *text = xasprintf("%s/%s%s%s", p->os, p->architecture, p->variant ? "/" : "",
						 p->variant ? p->variant : "");
		if (!strv_has(seen, text) && line.len < 200)
			strv_push_take(&seen, steal_ptr(&text));
	}
	auto_free char *list = strv_join(seen, ", ");
	buf_add_line(&shown, list, strnlen(list, 300));
	return err_set(e, ERR_INPUT, ENOENT, "no image for %s/%s%s%s; there is %s", want->os,
		       want->architecture, want->variant ? "/" : "", want->variant ? want->variant : "",
		       shown.len ? buf_str(&shown) : "none at all");
}

int oci_platform_pick(const struct oci_document *index, const struct oci_platform *want, size_t *ret,
		      struct err *e)
{
	int best = INT_MAX;

	for (size_t i = 0; i < index->n; i++) {
		const struct oci_platform *have = &index->entries[i].platform;
		int rank = have->os ? oci_platform_rank(want, have) : INT_MAX - 1;

		if (!is_image(&index->entries[i]) || rank < 0 || rank >= best)
			continue;
		best = rank;
		*ret = i;
	}
	return best == INT_MAX ? nothing_fits(index, want, e) : 0;
}
