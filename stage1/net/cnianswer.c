/* cnianswer — what a plugin answered to ADD (cni.h). */
#include "stage1/net/cni.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "stage1/net/cniversion.h"
#include "stage1/net/exact.h"

enum shape { SHAPE_OLD, SHAPE_WITH_VERSIONS, SHAPE_PLAIN };

static enum shape shape_of(int version)
{
	return version <= CNI_0_2_0 ? SHAPE_OLD : version <= CNI_0_4_0 ? SHAPE_WITH_VERSIONS : SHAPE_PLAIN;
}

static bool is_blank(const struct buf *out)
{
	for (size_t i = 0; i < out->len; i++) {
		if (!isspace((unsigned char)out->data[i]))
			return false;
	}
	return true;
}

/* Does it say anything at all?  A network without addresses still names its version. */
static bool says_something(const json_t *j)
{
	static const char *const members[] = { "cniVersion", "interfaces", "ips", "ip4",
					       "ip6",        "routes",     "dns" };

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		if (json_member(j, members[i]))
			return true;
	}
	return false;
}

/* ips[].version: "4" or "6", gone since 1.0.0. */
static void convert_ips(json_t *ips, enum shape to)
{
	json_t *ip;
	size_t i;

	json_array_foreach(ips, i, ip)
	{
		const char *address = json_string_value(json_member(ip, "address"));

		if (to == SHAPE_PLAIN)
			(void)json_object_del(ip, "version");
		else if (address)
			(void)json_object_set_new(ip, "version",
						  json_string(strchr(address, ':') ? "6" : "4"));
	}
}

static int convert(json_t *j, const char *version, struct err *e)
{
	const char *said = version;
	struct err why = ERR_INIT;
	int from, to = cni_version_parse(version, e);

	if (to < 0)
		return to;
	if (json_get_str(j, "", "cniVersion", false, &said, e) < 0)
		return -e->code;
	from = cni_version_parse(said, &why);
	if (from < 0 || (shape_of(from) == SHAPE_OLD) != (shape_of(to) == SHAPE_OLD))
		return err_set(e, ERR_NET, EPROTO,
			       "answered in version \"%.40s\" to a configuration of version %s", said,
			       version);
	if (shape_of(from) != shape_of(to))
		convert_ips(json_member(j, "ips"), shape_of(to));
	return json_object_set_new(j, "cniVersion", json_string(version));
}

json_t *cni_answer(const struct buf *out, const char *version, struct err *e)
{
	auto_json j = is_blank(out) ? NULL : exact_parse(buf_str(out), out->len, e);
	const char *msg;

	if (!j && !e->code) {
		(void)err_set(e, ERR_NET, EPROTO, "exited 0 with no result");
	} else if (!j) {
		e->code = EPROTO;
		(void)err_ctx(e, "exited 0 with a result that is no JSON");
	} else if (!json_is_object(j)) {
		(void)err_set(e, ERR_NET, EPROTO, "exited 0 with a result that is no object");
	} else if (json_is_integer(json_member(j, "code")) &&
		   json_integer_value(json_member(j, "code")) != 0) {
		msg = json_string_value(json_member(j, "msg"));
		(void)err_set(e, ERR_NET, EPROTO, "exited 0 with an error: %.200s", msg ? msg : "");
	} else if (!says_something(j)) {
		(void)err_set(e, ERR_NET, EPROTO, "exited 0 with no result");
	} else if (convert(j, version, e) == 0) {
		return steal_ptr(&j);
	}
	return NULL;
}
