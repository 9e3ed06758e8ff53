/*
 * stage1_app — the calls for mutable pods across the contract (internals.md section 2.4).
 *
 * The entrypoints run on the host with a small environment.
 */
#include "stage0/stage1.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/proc.h"
#include "base/strv.h"
#include "schema/image.h"
#include "stage0/entrypoint.h"
#include "stage1/contract.h"

static const struct {
	const char *annotation, *prefix;
} calls[] = {
	[STAGE1_APP_ADD] = { CONTRACT_APP_ADD, "rkt: app add: " },
	[STAGE1_APP_START] = { CONTRACT_APP_START, "rkt: app start: " },
	[STAGE1_APP_STOP] = { CONTRACT_APP_STOP, "rkt: app stop: " },
	[STAGE1_APP_RM] = { CONTRACT_APP_RM, "rkt: app rm: " },
};

int stage1_require_mutable(const struct stage1 *s, struct err *e)
{
	auto_image_manifest m = image_manifest_parse(s->manifest, strlen(s->manifest), e);

	if (!m)
		return err_ctx(e, "manifest of stage1 %s", s->dir);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		if (!pairs_get(&m->annotations, calls[i].annotation)) {
			err_set(e, ERR_STATE, ENOTSUP, "stage1 %s does not support mutable pods", m->name);
			return err_hint(e, "use --stage1-name=coreos.com/rkt/stage1-ns");
		}
	}
	return 0;
}

static int environment(const struct stage1 *s, const struct pod *p, char ***ret, struct err *e)
{
	auto_free char *enter = NULL;
	const char *path = getenv("PATH");
	pid_t pid = 0;
	int r = stage1_safe_entrypoint(s, CONTRACT_ENTER, &enter, e);

	if (r == 0)
		r = pod_init_pid(p, &pid, e);
	if (r < 0)
		return r;
	strv_pushf(ret, CONTRACT_ENTERCMD "=%s", enter);
	strv_pushf(ret, CONTRACT_ENTERPID "=%d", (int)pid);
	if (path)
		strv_pushf(ret, "PATH=%s", path);
	return 0;
}

int stage1_call_app(const struct stage1 *s, const struct pod *p, enum stage1_app_call what, const char *app,
		    bool debug, struct err *e)
{
	auto_free char *path = NULL;
	auto_strv argv = NULL;
	auto_strv env = NULL;
	int status = 0;
	int r = stage1_safe_entrypoint(s, calls[what].annotation, &path, e);

	if (r == 0)
		r = environment(s, p, &env, e);
	if (r < 0)
		return r;
	strv_push(&argv, path);
	strv_pushf(&argv, "--debug=%s", debug ? "true" : "false");
	if (what == STAGE1_APP_ADD)
		strv_pushf(&argv, "--uuid=%s", p->uuid);
	strv_pushf(&argv, "--app=%s", app);
	struct spawn how = { .path = path, .argv = argv, .env = env, .cwd_fd = p->fd };
	r = entrypoint_run(&how, calls[what].prefix, &status, e);
	if (what == STAGE1_APP_STOP && status == CONTRACT_EXIT_NOT_RUNNING) {
		err_clear(e);
		return 1;
	}
	return r;
}

int stage1_exec_attach(const struct stage1 *s, const struct pod *p, const char *app, bool debug,
		       char *const *mode, struct err *e)
{
	auto_free char *path = NULL;
	auto_strv argv = NULL;
	auto_strv env = NULL;
	int r = stage1_safe_entrypoint(s, CONTRACT_ATTACH, &path, e);

	if (r == 0)
		r = environment(s, p, &env, e);
	if (r < 0)
		return r;
	strv_push(&argv, path);
	strv_push_all(&argv, mode);
	strv_pushf(&argv, "--app=%s", app);
	strv_pushf(&argv, "--debug=%s", debug ? "true" : "false");
	for (char **v = env; *v; v++) {
		if (putenv(*v) != 0)
			return err_sys(e, errno, "set the environment of stage1");
	}
	if (fchdir(p->fd) < 0)
		return err_sys(e, errno, "enter the directory of pod %s", p->uuid);
	(void)execv(path, argv);
	return err_sys(e, errno, "start stage1 %s", path);
}
