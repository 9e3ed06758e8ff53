/* regconf — see regconf.h. */
#include "stage0/regconf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/strv.h"

void registry_entry_done(struct registry_entry *r)
{
	free(r->registry);
	strv_free(r->mirrors);
	free(r->ca_file);
	free(r->cert_file);
	free(r->key_file);
	*r = (struct registry_entry){ .registry = NULL };
}

struct registry_entry *registry_entry_find(struct registry_entry *v, size_t n, const char *registry)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(v[i].registry, registry) == 0)
			return &v[i];
	}
	return NULL;
}

static int check_mirrors(char *const *mirrors, struct err *e)
{
	for (size_t i = 0; mirrors && mirrors[i]; i++) {
		const char *m = mirrors[i], *host = strstr(m, "://");

		if ((strncmp(m, "https://", 8) != 0 && strncmp(m, "http://", 7) != 0) || !host[3] ||
		    strpbrk(host + 3, "/@?#"))
			return err_set(
				e, ERR_INPUT, EINVAL,
				".mirrors[%zu]: \"%.200s\" is not https://HOST[:PORT] or http://HOST[:PORT]",
				i, m);
	}
	return 0;
}

static int read_path(const json_t *doc, const char *key, char **ret, struct err *e)
{
	const char *s = "";
	int r = json_get_str(doc, "", key, false, &s, e);

	if (r < 0 || !*s)
		return r;
	if (*s != '/')
		return err_set(e, ERR_INPUT, EINVAL, ".%s: \"%.200s\" is not an absolute path", key, s);
	*ret = xstrdup(s);
	return 0;
}

static int read_all(const json_t *doc, struct registry_entry *ret, struct err *e)
{
	int r = json_get_strv(doc, "", "mirrors", false, &ret->mirrors, e);

	if (r == 0)
		r = check_mirrors(ret->mirrors, e);
	if (r == 0)
		r = read_path(doc, "caFile", &ret->ca_file, e);
	if (r == 0)
		r = read_path(doc, "certFile", &ret->cert_file, e);
	if (r == 0)
		r = read_path(doc, "keyFile", &ret->key_file, e);
	if (r == 0)
		r = json_get_bool(doc, "", "allowHTTP", false, &ret->allow_http, e);
	if (r == 0 && !ret->cert_file != !ret->key_file)
		r = err_set(e, ERR_INPUT, EINVAL, ".certFile and .keyFile: both or neither expected");
	return r;
}

static struct registry_entry copy_of(const struct registry_entry *from, const char *registry)
{
	return (struct registry_entry){ xstrdup(registry),       strv_copy(from->mirrors),
					xstrdup(from->ca_file),  xstrdup(from->cert_file),
					xstrdup(from->key_file), from->allow_http };
}

int registry_entries_read(const json_t *doc, struct registry_entry **v, size_t *n, struct err *e)
{
	auto_strv names = NULL;
	struct registry_entry entry = { .registry = NULL };
	int r = json_get_strv(doc, "", "registries", true, &names, e);

	if (r == 0 && strv_len(names) == 0)
		r = err_set(e, ERR_INPUT, EINVAL, ".registries: empty");
	if (r == 0)
		r = read_all(doc, &entry, e);
	for (size_t i = 0; r == 0 && names[i]; i++) {
		if (!*names[i])
			r = err_set(e, ERR_INPUT, EINVAL, ".registries[%zu]: empty", i);
		else if (registry_entry_find(*v, *n, names[i]))
			r = err_set(e, ERR_INPUT, EEXIST,
				    ".registries[%zu]: \"%.200s\" is described in this directory already", i,
				    names[i]);
		if (r < 0)
			break;
		*v = xreallocarray(*v, *n + 1, sizeof(**v));
		(*v)[(*n)++] = copy_of(&entry, names[i]);
	}
	registry_entry_done(&entry);
	return r;
}

json_t *registry_entry_to_json(const struct registry_entry *r)
{
	json_t *o = json_pack("{s:[s]}", "registries", r->registry), *mirrors = json_array();

	for (char **m = r->mirrors; m && *m; m++)
		json_array_append_new(mirrors, json_string(*m));
	json_object_set_new(o, "mirrors", mirrors);
	if (r->ca_file)
		json_object_set_new(o, "caFile", json_string(r->ca_file));
	if (r->cert_file)
		json_object_set_new(o, "certFile", json_string(r->cert_file));
	if (r->key_file)
		json_object_set_new(o, "keyFile", json_string(r->key_file));
	if (r->allow_http)
		json_object_set_new(o, "allowHTTP", json_true());
	return o;
}
