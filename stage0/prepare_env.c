/*
 * prepare_env — the environment that is given for a whole pod: --inherit-env, --set-env-file and
 * --set-env (cli.md section 7.2).
 */
#include "stage0/prepmerge.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/strv.h"
#include "schema/ids.h"

#define ENV_FILE_MAX (1u << 20)

void app_env_done(struct app_env *env)
{
	pairs_done(&env->weaker);
	pairs_done(&env->stronger);
}

/* Names that no manifest may hold (exported shell functions …) are left out. */
static void inherit(struct pairs *to)
{
	for (char **v = environ; v && *v; v++) {
		const char *eq = strchr(*v, '=');
		auto_free char *name = eq ? xstrndup(*v, (size_t)(eq - *v)) : NULL;

		if (name && env_name_valid(name))
			pairs_set(to, name, eq + 1);
	}
}

/* Set NAME=VALUE in @to; @seen has the names that this kind of option gave already. */
static int set_once(const char *text, struct pairs *seen, struct pairs *to, struct err *e)
{
	const char *eq = strchr(text, '=');
	auto_free char *name = eq ? xstrndup(text, (size_t)(eq - text)) : NULL;

	if (!eq)
		return err_set(e, ERR_INPUT, EINVAL, "NAME=VALUE expected");
	if (!env_name_valid(name))
		return err_set(e, ERR_INPUT, EINVAL, "\"%.80s\" is not a name of an environment variable",
			       name);
	if (pairs_get(seen, name))
		return err_set(e, ERR_INPUT, EEXIST, "environment variable %.80s is set twice", name);
	pairs_set(seen, name, "");
	pairs_set(to, name, eq + 1);
	return 0;
}

static int read_env_file(const char *path, struct pairs *seen, struct pairs *to, struct err *e)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	auto_buf text = BUF_INIT;
	auto_strv lines = NULL;
	int r = fd < 0 ? -errno : fd_read_all(fd, ENV_FILE_MAX, &text);

	if (r < 0)
		return err_sys(e, -r, "--set-env-file: read %s", path);
	if (strlen(buf_str(&text)) != text.len)
		return err_set(e, ERR_INPUT, EINVAL, "--set-env-file %s: contains NUL", path);
	lines = strv_split(buf_str(&text), '\n');
	for (size_t i = 0; lines[i]; i++) {
		if (!lines[i][0] || lines[i][0] == '#' || lines[i][0] == ';')
			continue;
		if (set_once(lines[i], seen, to, e) < 0)
			return err_ctx(e, "--set-env-file %s, line %zu", path, i + 1);
	}
	return 0;
}

int app_env_load(const struct pod_request *r, struct app_env *ret, struct err *e)
{
	struct app_env env = { { NULL, 0 }, { NULL, 0 } };
	struct pairs in_files = { NULL, 0 }, in_options = { NULL, 0 };
	int ret_code = 0;

	if (r->inherit_env)
		inherit(&env.weaker);
	for (size_t i = 0; ret_code == 0 && r->set_env_files && r->set_env_files[i]; i++)
		ret_code = read_env_file(r->set_env_files[i], &in_files, &env.stronger, e);
	for (size_t i = 0; ret_code == 0 && r->set_env && r->set_env[i]; i++) {
		ret_code = set_once(r->set_env[i], &in_options, &env.stronger, e);
		if (ret_code < 0)
			(void)err_ctx(e, "--set-env");
	}
	pairs_done(&in_files);
	pairs_done(&in_options);
	if (ret_code == 0)
		*ret = env;
	else
		app_env_done(&env);
	return ret_code;
}
