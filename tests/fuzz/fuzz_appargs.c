/*
 * Any argv (NUL-separated) through the grammar and the tables of `rkt run`: never a crash or a leak,
 * errors have a text, and every image that was taken has a name.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/log.h"
#include "base/strv.h"
#include "rkt/commands.h"
#include "rkt/podflags.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char **split(const uint8_t *data, size_t size)
{
	char **argv = NULL;
	for (size_t at = 0; at < size;) {
		const uint8_t *end = memchr(data + at, 0, size - at);
		size_t n = end ? (size_t)(end - (data + at)) : size - at;
		strv_push_take(&argv, xstrndup((const char *)data + at, n));
		at += n + 1;
	}
	return argv;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pod_args pod = { 0 };
	struct cli c = { .cmd = &cmd_run, .args = &pod };
	struct opt_set sets[CLI_TABLES_MAX];
	struct err e = ERR_INIT;
	auto_strv argv = split(data, size);

	if (size > 65536)
		return 0;
	log_setup("fuzz", LOG_QUIET);
	size_t n = cli_opt_sets(&c, sets);
	int r = opt_defaults(sets, n, &e);
	assert(r == 0);
	r = appargs_parse(sets, n, (int)strv_len(argv), argv, 0, &pod.apps, &e);
	assert((r < 0) == (e.code != 0));
	for (size_t i = 0; i < pod.apps.n; i++)
		assert(pod.apps.v[i].image && pod.apps.v[i].image[0]);
	if (r == 0)
		(void)pod_args_check(&c, &pod, &e);
	pod_args_done(&pod);
	for (size_t i = 0; i < n; i++)
		if (sets[i].args)
			opt_done(sets[i].table, sets[i].args);
	return 0;
}
