/* rlimit — see rlimit.h. */
#include "schema/rlimit.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/num.h"

static const struct {
	const char *name;
	int resource;
} names[] = {
	{ "as", RLIMIT_AS },           { "core", RLIMIT_CORE },         { "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },       { "fsize", RLIMIT_FSIZE },       { "locks", RLIMIT_LOCKS },
	{ "memlock", RLIMIT_MEMLOCK }, { "msgqueue", RLIMIT_MSGQUEUE }, { "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE },   { "nproc", RLIMIT_NPROC },       { "rss", RLIMIT_RSS },
	{ "rtprio", RLIMIT_RTPRIO },   { "rttime", RLIMIT_RTTIME },     { "sigpending", RLIMIT_SIGPENDING },
	{ "stack", RLIMIT_STACK },
};

static int resource_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i].name, name) == 0)
			return names[i].resource;
	}
	return -1;
}

static int one_value(const char *s, uint64_t *ret)
{
	if (strcmp(s, "unlimited") == 0) {
		*ret = UINT64_MAX;
		return 0;
	}
	return parse_u64(s, ret);
}

int rlimit_parse(const char *name, const char *value, struct rlimit_value *ret, struct err *e)
{
	auto_free char *soft = xstrndup(value, strcspn(value, ":"));
	const char *colon = strchr(value, ':');

	ret->resource = resource_of(name);
	if (ret->resource < 0)
		return err_set(e, ERR_INPUT, EINVAL, "resource limit \"%.40s\" is unknown", name);
	if (one_value(soft, &ret->soft) < 0 || one_value(colon ? colon + 1 : soft, &ret->hard) < 0)
		return err_set(e, ERR_INPUT, EINVAL,
			       "resource limit %s: \"%.60s\" is not SOFT[:HARD], numbers or \"unlimited\"",
			       name, value);
	if (ret->soft > ret->hard)
		return err_set(e, ERR_INPUT, EINVAL,
			       "resource limit %s: the soft limit is above the hard one: %s", name, value);
	return 0;
}
