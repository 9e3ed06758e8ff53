/* netspec — see netspec.h. */
#include "schema/netspec.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/strv.h"

static const struct {
	const char *name;
	enum net_kind kind;
} special[] = {
	{ "all", NETS_ALL },
	{ "none", NETS_NONE },
	{ "host", NETS_HOST },
};

bool net_name_valid(const char *s)
{
	if (!isalnum((unsigned char)*s))
		return false;
	while (isalnum((unsigned char)*s) || (*s && strchr("_.-", *s)))
		s++;
	return *s == '\0';
}

static bool args_valid(const char *args)
{
	auto_strv pairs = strv_split(args, ';');

	for (char **p = pairs; *p; p++) {
		const char *eq = strchr(*p, '=');

		if (!eq || eq == *p)
			return false;
		for (const char *c = *p; *c; c++)
			if (iscntrl((unsigned char)*c))
				return false;
	}
	return true;
}

char *net_args_get(const char *args, const char *key)
{
	auto_strv pairs = strv_split(args, ';');
	const char *v = env_get(pairs, key);

	return v ? xstrdup(v) : NULL;
}

static const struct net_spec *find(const struct net_specs *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i].name, name) == 0)
			return &s->v[i];
	return NULL;
}

static int add(struct net_specs *s, const char *value, struct err *e)
{
	const char *colon = strchr(value, ':');
	size_t len = colon ? (size_t)(colon - value) : strlen(value);
	auto_free char *name = xstrndup(value, len);

	if (!net_name_valid(name))
		return err_set(e, ERR_USAGE, EINVAL, "network name \"%s\": letters, digits and _.- expected",
			       name);
	if (find(s, name))
		return err_set(e, ERR_USAGE, EINVAL, "network \"%s\" is given twice", name);
	if (colon && !args_valid(colon + 1))
		return err_set(e, ERR_USAGE, EINVAL,
			       "network \"%s\": arguments \"%s\": KEY=VALUE;... expected", name, colon + 1);
	for (size_t i = 0; i < ARRAY_LEN(special); i++) {
		if (strcmp(name, special[i].name) != 0)
			continue;
		if (colon)
			return err_set(e, ERR_USAGE, EINVAL, "network \"%s\" takes no arguments", name);
		if (special[i].kind > s->kind)
			s->kind = special[i].kind;
	}
	s->v = xreallocarray(s->v, s->n + 1, sizeof(*s->v));
	s->v[s->n++] = (struct net_spec){ .name = steal_ptr(&name), .args = xstrdup(colon ? colon + 1 : "") };
	return 0;
}

int net_specs_parse(char *const *values, struct net_specs *ret, struct err *e)
{
	int r = 0;

	*ret = (struct net_specs){ NETS_NAMED, NULL, 0 };
	if (!values || !*values)
		return add(ret, "default", e);
	for (; *values && r == 0; values++)
		r = add(ret, *values, e);
	if (r < 0)
		net_specs_done(ret);
	return r;
}

void net_specs_done(struct net_specs *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].name);
		free(s->v[i].args);
	}
	free(s->v);
	*s = (struct net_specs){ NETS_NAMED, NULL, 0 };
}
