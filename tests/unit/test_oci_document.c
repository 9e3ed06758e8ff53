/* oci/document, oci/platform, oci/imageconfig: what is read, what is refused and why, what is picked. */
#include "tests/unit/suite.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/strv.h"
#include "oci/document.h"
#include "oci/imageconfig.h"
#include "oci/platform.h"
#include "tests/unit/schemacheck.h"

#define D "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define T_INDEX    "application/vnd.oci.image.index.v1+json"
#define T_LIST     "application/vnd.docker.distribution.manifest.list.v2+json"
#define T_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define T_DOCKER   "application/vnd.docker.distribution.manifest.v2+json"
#define T_CONFIG   "application/vnd.oci.image.config.v1+json"
#define T_LAYER    "application/vnd.oci.image.layer.v1.tar+gzip"

#define DESC(type)  "{'mediaType':'" type "','digest':'" D "','size':7}"
#define CONFIG      "'config':" DESC(T_CONFIG)
#define MANIFEST(x) "{'schemaVersion':2," x CONFIG ",'layers':[" DESC(T_LAYER) "]}"
#define ENTRY(os, a)                                                                                         \
	"{'mediaType':'" T_MANIFEST "','digest':'" D "','size':7,'platform':{'os':'" os                      \
	"','architecture':'" a "'}}"
#define ARM(v)                                                                                               \
	"{'mediaType':'" T_MANIFEST "','digest':'" D                                                         \
	"','size':7,'platform':{'os':'linux','architecture':'arm','variant':'" v "'}}"
#define INDEX(list) "{'schemaVersion':2,'manifests':[" list "]}"

static int parse(const char *text, const char *type, struct oci_document *d, struct err *e)
{
	auto_free char *s = quoted(text);

	return oci_document_parse(s, strlen(s), type, d, e);
}

START_TEST(a_manifest_of_signatures)
{
	struct oci_document d;
	struct err e = ERR_INIT;
	auto_free char *s = quoted("{'schemaVersion':2,'config':" DESC(
		"application/vnd.oci.empty.v1+json") ",'layers':[" DESC("application/vnd.dev.x+json") "]}");
	auto_free char *index = quoted(INDEX(""));

	OK(oci_artifact_parse(s, strlen(s), T_MANIFEST, &d, &e));
	ck_assert_uint_eq(d.n, 1);
	ck_assert_str_eq(d.entries[0].media_type, "application/vnd.dev.x+json");
	oci_document_done(&d);
	ck_assert_int_eq(oci_document_parse(s, strlen(s), T_MANIFEST, &d, &e), -EINVAL);
	ck_assert_int_eq(oci_artifact_parse(index, strlen(index), NULL, &d, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "not an index"));
}
END_TEST

START_TEST(a_manifest)
{
	struct oci_document d;
	struct err e = ERR_INIT;

	OK(parse(MANIFEST("'mediaType':'" T_DOCKER "',"), T_DOCKER "; charset=utf-8", &d, &e));
	ck_assert_int_eq(d.media, OCI_MEDIA_MANIFEST);
	ck_assert_uint_eq(d.n, 1);
	ck_assert_str_eq(d.config.digest, D);
	ck_assert_int_eq(d.entries[0].media, OCI_MEDIA_LAYER);
	ck_assert_int_eq(d.entries[0].size, 7);
	oci_document_done(&d);
	OK(parse("{'schemaVersion':2," CONFIG ",'layers':[],'manifests':null}", NULL, &d, &e));
	ck_assert_uint_eq(d.n, 0);
	oci_document_done(&d);
}
END_TEST

static const struct {
	const char *text, *type, *why;
} bad[] = {
	{ "[]", NULL, "object expected" },
	{ "{", NULL, "line 1" },
	{ "{'schemaVersion':2,'schemaVersion':2," CONFIG ",'layers':[]}", NULL, "duplicate" },
	{ "{'schemaVersion':1,'fsLayers':[]}", NULL, "obsolete" },
	{ "{'schemaVersion':3," CONFIG ",'layers':[]}", NULL, ".schemaVersion: 2 expected" },
	{ "{" CONFIG ",'layers':[]}", NULL, ".schemaVersion" },
	{ "{'schemaVersion':2}", NULL, "neither an index nor a manifest" },
	{ "{'schemaVersion':2,'manifests':[]," CONFIG ",'layers':[]}", NULL,
	  "an index and a manifest at once" },
	{ "{'schemaVersion':2,'manifests':[],'layers':[]}", NULL, "an index and a manifest at once" },
	{ MANIFEST("'mediaType':'" T_INDEX "',"), NULL, "not the media type of a manifest" },
	{ MANIFEST(""), T_INDEX, "not the media type of a manifest" },
	{ MANIFEST(""), "text/html", "not the media type of a manifest" },
	{ MANIFEST("'mediaType':'" T_DOCKER "',"), T_MANIFEST, "under which the document was sent" },
	{ INDEX(""), T_MANIFEST, "not the media type of an index" },
	{ "{'schemaVersion':2,'layers':[]}", NULL, "config" },
	{ "{'schemaVersion':2," CONFIG "}", NULL, "layers" },
	{ "{'schemaVersion':2,'config':" DESC("application/vnd.oci.empty.v1+json") ",'layers':[]}", NULL,
	  ".config.mediaType" },
	{ "{'schemaVersion':2," CONFIG ",'layers':[" DESC(T_LAYER "+encrypted") "]}", NULL,
	  ".layers[0].mediaType" },
	{ "{'schemaVersion':2," CONFIG ",'layers':[7]}", NULL, ".layers[0]" },
	{ "{'schemaVersion':2," CONFIG ",'layers':[{'mediaType':'x','digest':'sha256:../../x','size':1}]}",
	  NULL, ".layers[0].digest" },
	{ "{'schemaVersion':2," CONFIG ",'layers':[{'mediaType':'x','digest':'" D "','size':-1}]}", NULL,
	  ".layers[0].size" },
	{ "{'schemaVersion':2," CONFIG ",'layers':[{'mediaType':'x','digest':'" D "'}]}", NULL,
	  ".layers[0].size" },
	{ "{'schemaVersion':2," CONFIG ",'layers':[{'mediaType':'" T_LAYER "','digest':'" D
	  "','size':9223372036854775807}," DESC(T_LAYER) "]}",
	  NULL, "the sum" },
	{ INDEX("{'mediaType':'" T_MANIFEST "','digest':'" D "','size':1,'platform':{'os':'linux'}}"), NULL,
	  ".manifests[0].platform.architecture" },
};

/* threats.md T41, and what else a document must not be. */
START_TEST(refused_documents)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct oci_document d;
		struct err e = ERR_INIT;

		ck_assert_msg(parse(bad[i].text, bad[i].type, &d, &e) == -EINVAL, "taken: %s", bad[i].text);
		ck_assert_msg(strstr(e.text, bad[i].why) != NULL, "%s: %s", bad[i].text, e.text);
		ck_assert_ptr_null(d.entries);
	}
}
END_TEST

START_TEST(ten_thousand_layers)
{
	auto_buf b = BUF_INIT;
	struct oci_document d;
	struct err e = ERR_INIT;

	buf_adds(&b, "{'schemaVersion':2," CONFIG ",'layers':[" DESC(T_LAYER));
	for (int i = 1; i < 10000; i++)
		buf_adds(&b, "," DESC(T_LAYER));
	buf_adds(&b, "]}");
	ck_assert_int_eq(parse(buf_str(&b), NULL, &d, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.text, "10000 entries, at most 500"));
}
END_TEST

/* ---- platforms ---- */

/* Which entry of @list is for @arch; -1 none, with @why. */
static int picked(const char *list, const char *arch, const char *why)
{
	struct oci_platform want;
	struct oci_document d;
	struct err e = ERR_INIT;
	size_t i = 0;
	int r;

	OK(parse(list, T_LIST, &d, &e));
	OK(oci_platform_make(arch, &want, &e));
	r = oci_platform_pick(&d, &want, &i, &e);
	if (r < 0)
		ck_assert_msg(why && strstr(e.text, why) != NULL, "%s", e.text);
	oci_platform_done(&want);
	oci_document_done(&d);
	return r < 0 ? -1 : (int)i;
}

START_TEST(platforms)
{
	static const char both[] = INDEX(ENTRY("windows", "amd64") "," ENTRY("linux", "amd64") "," ENTRY(
		"linux", "arm64") "," ENTRY("linux", "amd64"));
	static const char arms[] = INDEX(ARM("v5") "," ARM("v7") "," ARM("v6") "," ARM("v8"));

	ck_assert_int_eq(picked(both, "amd64", NULL), 1);
	ck_assert_int_eq(picked(both, "aarch64", NULL), 2);
	ck_assert_int_eq(picked(both, "arm64", NULL), 2);
	ck_assert_int_eq(picked(both, "s390x",
				"no image for linux/s390x; there is windows/amd64, linux/amd64, "
				"linux/arm64"),
			 -1);
	ck_assert_int_eq(picked(arms, "armv7l", NULL), 1);
	ck_assert_int_eq(picked(arms, "armv6l", NULL), 2);
	ck_assert_int_eq(picked(INDEX(ENTRY("linux", "arm")), "armv7l", NULL), 0);
	ck_assert_int_eq(picked(INDEX(ENTRY("linux", "arm")), "armv6l", "linux/arm"), -1);
	ck_assert_int_eq(picked(INDEX(""), "amd64", "there is none at all"), -1);
}
END_TEST

START_TEST(entries_that_are_no_images)
{
	static const char list[] = INDEX(DESC("application/vnd.example.sbom") "," ENTRY(
		"unknown",
		"unknown") ","
			   "{'mediaType':'" T_MANIFEST "','digest':'" D
			   "','size':7,'platform':{'os':'linux','architecture':'amd64'},"
			   "'annotations':{'vnd.docker.reference.type':'attestation-manifest'}}," DESC(
				   T_MANIFEST) "," ENTRY("linux", "amd64"));

	ck_assert_int_eq(picked(list, "amd64", NULL), 4);
	ck_assert_int_eq(picked(list, "s390x", NULL), 3);
}
END_TEST

START_TEST(the_level_of_a_processor)
{
	static const struct {
		const char *want, *have;
		int rank;
	} levels[] = { { "v3", NULL, 2 },  { "v3", "v3", 0 }, { "v3", "v4", -1 },  { NULL, NULL, 0 },
		       { NULL, "v2", -1 }, { "v3", "v1", 2 }, { "v3", "odd", -1 }, { "odd", "odd", 0 } };

	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		char os[] = "linux", arch[] = "amd64", want[4] = "", have[4] = "";
		struct oci_platform w = { os, arch, NULL }, h = { os, arch, NULL };

		if (levels[i].want)
			w.variant = memcpy(want, levels[i].want, strlen(levels[i].want));
		if (levels[i].have)
			h.variant = memcpy(have, levels[i].have, strlen(levels[i].have));
		ck_assert_msg(oci_platform_rank(&w, &h) == levels[i].rank, "row %zu", i);
	}
}
END_TEST

/* ---- configs ---- */

static int read_config(const char *text, struct oci_config *c, struct err *e)
{
	auto_free char *s = quoted(text);

	return oci_config_parse(s, strlen(s), c, e);
}

#define LINUX  "'os':'linux','architecture':'amd64'"
#define ROOTFS "'rootfs':{'type':'layers','diff_ids':['" D "']}"

START_TEST(a_config)
{
	struct oci_config c;
	struct err e = ERR_INIT;

	OK(read_config(
		"{" LINUX "," ROOTFS ",'author':'','created':'2020-01-01T00:00:00Z','config':{'User':'bob',"
		"'Env':['A=1','B'],'Entrypoint':[''],'Cmd':['a','b'],'WorkingDir':'','StopSignal':'9',"
		"'Volumes':{'/z':{},'/a':{}},'ExposedPorts':{'80/tcp':{}},'Labels':{'x':'y'},'OnBuild':7,"
		"'Healthcheck':{'Test':['NONE']}}}",
		&c, &e));
	ck_assert(c.runs);
	ck_assert_str_eq(c.user, "bob");
	ck_assert_ptr_null(c.working_dir);
	ck_assert_ptr_null(c.author);
	ck_assert_ptr_null(c.entrypoint);
	ck_assert_uint_eq(strv_len(c.cmd), 2);
	ck_assert_str_eq(c.env[1], "B");
	ck_assert_str_eq(c.volumes[0], "/a");
	ck_assert_str_eq(c.ports[0], "80/tcp");
	ck_assert_str_eq(c.stop_signal, "9");
	ck_assert_str_eq(pairs_get(&c.labels, "x"), "y");
	ck_assert_str_eq(c.healthcheck, "{\"Test\":[\"NONE\"]}");
	ck_assert_str_eq(c.diff_ids[0], D);
	oci_config_done(&c);
	OK(read_config("{" LINUX "," ROOTFS ",'config':null}", &c, &e));
	ck_assert(!c.runs);
	oci_config_done(&c);
}
END_TEST

START_TEST(refused_configs)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "7", "object expected" },
		{ "{" LINUX "}", "rootfs" },
		{ "{" ROOTFS ",'os':'linux'}", "architecture" },
		{ "{" LINUX ",'rootfs':{'type':'squashfs','diff_ids':[]}}", ".rootfs.type" },
		{ "{" LINUX ",'rootfs':{'type':'layers'}}", ".rootfs.diff_ids" },
		{ "{" LINUX ",'rootfs':{'type':'layers','diff_ids':['sha256:x']}}", ".rootfs.diff_ids[0]" },
		{ "{" LINUX "," ROOTFS ",'config':[]}", ".config" },
		{ "{" LINUX "," ROOTFS ",'config':{'Cmd':'sh'}}", ".config.Cmd" },
		{ "{" LINUX "," ROOTFS ",'config':{'Env':[1]}}", ".config.Env[0]" },
		{ "{" LINUX "," ROOTFS ",'config':{'Volumes':['/a']}}", ".config.Volumes" },
		{ "{" LINUX "," ROOTFS ",'config':{'Labels':{'a':1}}}", ".config.Labels" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct oci_config c;
		struct err e = ERR_INIT;

		ck_assert_msg(read_config(rows[i].text, &c, &e) == -EINVAL, "taken: %s", rows[i].text);
		ck_assert_msg(strstr(e.text, rows[i].why) != NULL, "%s: %s", rows[i].text, e.text);
	}
}
END_TEST

static void check_config(const char *text, const char *why)
{
	struct oci_platform want;
	struct oci_document d;
	struct oci_config c;
	struct err e = ERR_INIT;

	OK(parse(MANIFEST(""), NULL, &d, &e));
	OK(read_config(text, &c, &e));
	OK(oci_platform_make("amd64", &want, &e));
	ck_assert_int_eq(oci_config_check(&c, &d, &want, &e), why ? -EINVAL : 0);
	ck_assert_msg(!why || strstr(e.text, why), "%s", e.text);
	oci_platform_done(&want);
	oci_document_done(&d);
	oci_config_done(&c);
}

START_TEST(a_config_and_its_manifest)
{
	check_config("{" LINUX "," ROOTFS "}", NULL);
	check_config("{" LINUX ",'rootfs':{'type':'layers','diff_ids':[]}}", "0 layers, the manifest has 1");
	check_config("{'os':'windows','architecture':'amd64'," ROOTFS "}", "is not linux");
	check_config("{'os':'linux','architecture':'s390x'," ROOTFS "}", ".architecture: \"s390x\"");
}
END_TEST

int main(void)
{
	return SUITE_RUN("oci_document", a_manifest_of_signatures, a_manifest, refused_documents,
			 ten_thousand_layers, platforms, entries_that_are_no_images, the_level_of_a_processor,
			 a_config, refused_configs, a_config_and_its_manifest);
}
