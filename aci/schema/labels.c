/*
 * labels — name=value lists and the os/arch pair (schema/labels.h).
 */
#include "schema/labels.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/strv.h"
#include "schema/check.h"
#include "schema/ids.h"

void pairs_done(struct pairs *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->v[i].name);
		free(p->v[i].value);
	}
	free(p->v);
	p->v = NULL;
	p->n = 0;
}

static struct pair *find(const struct pairs *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->v[i].name, name) == 0)
			return &p->v[i];
	}
	return NULL;
}

const char *pairs_get(const struct pairs *p, const char *name)
{
	const struct pair *found = find(p, name);

	return found ? found->value : NULL;
}

/* Room grows by powers of two: the array is full whenever n is one. */
static void append(struct pairs *p, const char *name, const char *value)
{
	if ((p->n & (p->n - 1)) == 0)
		p->v = xreallocarray(p->v, p->n ? p->n * 2 : 1, sizeof(p->v[0]));
	p->v[p->n].name = xstrdup(name);
	p->v[p->n].value = xstrdup(value);
	p->n++;
}

void pairs_set(struct pairs *p, const char *name, const char *value)
{
	struct pair *found = find(p, name);
	char *copy;

	if (!found) {
		append(p, name, value);
		return;
	}
	copy = xstrdup(value);
	free(found->value);
	found->value = copy;
}

void pairs_copy(struct pairs *to, const struct pairs *from)
{
	*to = (struct pairs){ NULL, 0 };
	for (size_t i = 0; i < from->n; i++)
		append(to, from->v[i].name, from->v[i].value);
}

static int check_unique(const struct pairs *p, const char *where, struct err *e)
{
	auto_free const char **names = xcalloc(p->n + 1, sizeof(names[0]));
	const char *twice;

	for (size_t i = 0; i < p->n; i++)
		names[i] = p->v[i].name;
	twice = duplicate_name(names, p->n);
	return twice ? bad_value(e, where, twice, "is given twice") : 0;
}

/* What the names of a list must be, and an extra test of name and value (0, or -errno with @e set). */
struct pair_rule {
	bool (*valid)(const char *);
	const char *rule;
	int (*extra)(const char *where, const char *name, const char *value, struct err *e);
};

static int list_from_json(const json_t *arr, const char *where, const struct pair_rule *rule,
			  struct pairs *ret, struct err *e)
{
	struct pairs got = { NULL, 0 };
	size_t n = json_array_size(arr);
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		char at[WHERE_MAX];
		const char *name = NULL, *value = "";
		const json_t *o = need_object(arr, where, i, e);

		if (!o) {
			r = -e->code;
			break;
		}
		(void)where_index(at, where, i);
		r = need_valid(o, at, "name", rule->valid, rule->rule, &name, e);
		if (r == 0)
			r = json_get_str(o, at, "value", false, &value, e);
		if (r == 0 && rule->extra)
			r = rule->extra(at, name, value, e);
		if (r == 0)
			append(&got, name, value);
	}
	if (r == 0)
		r = check_unique(&got, where, e);
	if (r == 0)
		*ret = got;
	else
		pairs_done(&got);
	return r;
}

static int label_extra(const char *where, const char *name, const char *value, struct err *e)
{
	char at[WHERE_MAX];

	(void)value;
	if (strcmp(name, "name") == 0)
		return bad_value(e, where_key(at, where, "name"), name, "cannot be a label");
	return 0;
}

static int annotation_extra(const char *where, const char *name, const char *value, struct err *e)
{
	static const struct {
		const char *name;
		bool (*valid)(const char *);
		const char *rule;
	} known[] = {
		{ "created", timestamp_valid, "is not an RFC 3339 time" },
		{ "homepage", http_url_valid, "is not an http or https URL" },
		{ "documentation", http_url_valid, "is not an http or https URL" },
	};
	char at[WHERE_MAX];

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strcmp(name, known[i].name) == 0 && !known[i].valid(value))
			return bad_value(e, where_key(at, where, "value"), value, known[i].rule);
	}
	return 0;
}

int labels_from_json(const json_t *arr, const char *where, struct pairs *ret, struct err *e)
{
	static const struct pair_rule rule = { ac_identifier_valid, RULE_IDENTIFIER, label_extra };

	return list_from_json(arr, where, &rule, ret, e);
}

int annotations_from_json(const json_t *arr, const char *where, struct pairs *ret, struct err *e)
{
	static const struct pair_rule rule = { ac_identifier_valid, RULE_IDENTIFIER, annotation_extra };

	return list_from_json(arr, where, &rule, ret, e);
}

int environment_from_json(const json_t *arr, const char *where, struct pairs *ret, struct err *e)
{
	static const struct pair_rule rule = { env_name_valid, "is not a name of an environment variable",
					       NULL };

	return list_from_json(arr, where, &rule, ret, e);
}

json_t *pairs_to_json(const struct pairs *p)
{
	json_t *arr = json_array();

	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(arr,
				      json_pack("{s:s, s:s}", "name", p->v[i].name, "value", p->v[i].value));
	return arr;
}

int string_map_from_json(const json_t *obj, const char *where, struct pairs *ret, struct err *e)
{
	struct pairs got = { NULL, 0 };
	const char *key;
	json_t *value;

	/* jansson's iterators want a pointer to non-const; nothing is changed. */
	json_object_foreach((json_t *)(uintptr_t)obj, key, value)
	{
		if (!json_is_string(value)) {
			(void)bad_value(e, where, key, "has a value that is not a string");
			pairs_done(&got);
			return -EINVAL;
		}
		append(&got, key, json_string_value(value));
	}
	*ret = got;
	return 0;
}

int user_maps_from_json(const json_t *obj, const char *where, struct pairs *annotations, struct pairs *labels,
			struct err *e)
{
	json_t *map[2] = { NULL, NULL };
	char at[WHERE_MAX];
	int r = json_get_obj(obj, where, "userAnnotations", false, &map[0], e);

	if (r == 0)
		r = json_get_obj(obj, where, "userLabels", false, &map[1], e);
	if (r == 0 && map[0])
		r = string_map_from_json(map[0], where_key(at, where, "userAnnotations"), annotations, e);
	if (r == 0 && map[1])
		r = string_map_from_json(map[1], where_key(at, where, "userLabels"), labels, e);
	return r;
}

json_t *string_map_to_json(const struct pairs *p)
{
	json_t *obj = json_object();
	auto_strv names = NULL;

	for (size_t i = 0; i < p->n; i++)
		strv_push(&names, p->v[i].name);
	strv_sort(names); /* as Go writes maps */
	for (size_t i = 0; i < p->n; i++)
		json_object_set_new(obj, names[i], json_string(pairs_get(p, names[i])));
	return obj;
}

/* ---- os and arch ---- */

/* riscv64 and loong64 are not in the specification. */
static const char *const linux_arch[] = { "amd64",   "i386",    "aarch64", "aarch64_be", "armv6l",
					  "armv7l",  "armv7b",  "ppc64",   "ppc64le",    "s390x",
					  "riscv64", "loong64", NULL };
static const char *const freebsd_arch[] = { "amd64", "i386", "arm", NULL };
static const char *const darwin_arch[] = { "x86_64", "i386", NULL };

static const struct os {
	const char *name;
	const char *const *arch;
} systems[] = { { "linux", linux_arch }, { "freebsd", freebsd_arch }, { "darwin", darwin_arch } };

static bool listed(const char *const *list, const char *s)
{
	for (; *list; list++) {
		if (strcmp(*list, s) == 0)
			return true;
	}
	return false;
}

/* `bad WHAT "VALUE": WHY`; the first words are what scripts look for. */
static int bad_platform(struct err *e, const char *what, const char *value, const char *why)
{
	auto_buf shown = BUF_INIT;

	buf_add_escaped(&shown, value, strnlen(value, 80));
	return err_set(e, ERR_INPUT, EINVAL, "bad %s \"%s\": %s", what, buf_str(&shown), why);
}

int labels_check_os_arch(const struct pairs *labels, struct err *e)
{
	const char *os = pairs_get(labels, "os"), *arch = pairs_get(labels, "arch");

	if (!os)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(systems); i++) {
		if (strcmp(os, systems[i].name) != 0)
			continue;
		if (!arch || listed(systems[i].arch, arch))
			return 0;
		return bad_platform(e, "arch", arch, "not one that this os has");
	}
	return bad_platform(e, "os", os, "must be linux, freebsd or darwin");
}

const char *host_arch(void)
{
#if defined(__x86_64__)
	return "amd64";
#elif defined(__i386__)
	return "i386";
#elif defined(__aarch64__)
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? "aarch64_be" : "aarch64";
#elif defined(__arm__)
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? "armv7b" : __ARM_ARCH >= 7 ? "armv7l" : "armv6l";
#elif defined(__powerpc64__)
	return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? "ppc64" : "ppc64le";
#elif defined(__s390x__)
	return "s390x";
#elif defined(__riscv) && __riscv_xlen == 64
	return "riscv64";
#elif defined(__loongarch64)
	return "loong64";
#else
#error "no App Container name for this architecture"
#endif
}

int labels_check_host(const struct pairs *labels, struct err *e)
{
	/* What a kernel of the first runs besides its own. */
	static const char *const also[][2] = {
		{ "amd64", "i386" },
		{ "aarch64", "armv7l" },
		{ "aarch64", "armv6l" },
		{ "armv7l", "armv6l" },
	};
	const char *os = pairs_get(labels, "os"), *arch = pairs_get(labels, "arch"), *host = host_arch();
	char why[64];

	if (!os)
		return err_set(e, ERR_INPUT, EINVAL, "missing os label in the image manifest");
	if (!arch)
		return err_set(e, ERR_INPUT, EINVAL, "missing arch label in the image manifest");
	if (strcmp(os, "linux") != 0)
		return bad_platform(e, "os", os, "this machine runs linux");
	if (strcmp(arch, host) == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(also); i++) {
		if (strcmp(host, also[i][0]) == 0 && strcmp(arch, also[i][1]) == 0)
			return 0;
	}
	(void)snprintf(why, sizeof(why), "this machine runs %s", host);
	return bad_platform(e, "arch", arch, why);
}
