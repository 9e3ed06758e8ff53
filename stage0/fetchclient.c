/*
 * fetchclient — start the fetch program, hand it the request, read its reply.
 *
 * The request travels in a memfd: it is complete before the program starts, so neither side can
 * block the other.  The program dies with us (parent death signal) and cleans up on its way out.
 */
#include "stage0/fetchclient.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/strv.h"

#define REPLY_MAX (16u << 20) /* bytes */

static json_t *build_request(const struct fetch_env *env, const char *op, json_t *op_members)
{
	json_t *rq = json_object(), *insecure = json_array();

	json_object_set_new(rq, "op", json_string(op));
	json_object_set_new(rq, "dataDir", json_string(env->data_dir));
	json_object_set_new(rq, "systemConfig", json_string(env->system_config));
	json_object_set_new(rq, "localConfig", json_string(env->local_config));
	if (env->user_config && *env->user_config)
		json_object_set_new(rq, "userConfig", json_string(env->user_config));
	json_object_set_new(rq, "debug", json_boolean(env->debug));
	json_object_set_new(rq, "quiet", json_boolean(env->quiet));
	for (char *const *i = env->insecure; i && *i; i++)
		json_array_append_new(insecure, json_string(*i));
	json_object_set_new(rq, "insecure", insecure);
	if (op_members)
		json_object_update_missing(rq, op_members);
	json_decref(op_members);
	return rq;
}

/* The request as a file to be read from its start; fd or -errno with @e. */
static int request_fd(json_t *rq, struct err *e)
{
	auto_free char *text = json_text(rq, JSON_LINE);
	if (!text) /* a path or an option that is not UTF-8 */
		return err_set(e, ERR_USAGE, EILSEQ, "a path or name in the request is not valid UTF-8");
	auto_close int fd = memfd_new("rkt-fetch-request");
	if (fd < 0)
		return err_sys(e, -fd, "create a request");
	int r = write_full(fd, text, strlen(text));
	if (r < 0)
		return err_sys(e, -r, "write a request");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, errno, "rewind a request");
	return steal_fd(&fd);
}

/* The reply, or the error that it carries. */
static json_t *judge_reply(const struct buf *text, int status, struct err *e)
{
	if (text->len == 0) {
		if (status > 128)
			err_set(e, ERR_SYS, EPIPE, "the fetch program was ended by signal %d", status - 128);
		else
			err_set(e, ERR_SYS, EPIPE, "the fetch program ended with status %d and no reply",
				status);
		return NULL;
	}
	auto_json reply = json_parse(text->data, text->len, e);
	if (!reply) {
		err_ctx(e, "reply of the fetch program");
		return NULL;
	}
	json_t *error = json_member(reply, "error");
	if (!error) {
		json_t *ret = reply;
		reply = NULL;
		return ret;
	}
	int64_t code = EIO, cls = ERR_SYS;
	const char *what = "unknown error";
	struct err ignored = ERR_INIT;
	(void)json_get_int(error, "", "code", false, 1, 4095, &code, &ignored);
	(void)json_get_int(error, "", "class", false, ERR_USAGE, ERR_SYS, &cls, &ignored);
	(void)json_get_str(error, "", "text", false, &what, &ignored);
	err_set(e, (enum err_class)cls, (int)code, "%s", what);
	return NULL;
}

static int exchange(const char *path, int request, struct buf *reply, int *status, struct err *e)
{
	int pair[2];
	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_sys(e, errno, "create a pipe");
	auto_close int rd = pair[0], wr = pair[1];
	char *const argv[] = { (char *)path, NULL };
	const struct proc_fd fds[] = { { FD_NONE, 0 }, { request, 3 }, { wr, 4 } };
	const struct spawn s = {
		.path = path,
		.argv = argv,
		.env = environ,
		.fds = fds,
		.nfds = ARRAY_LEN(fds),
		.death_signal = SIGTERM,
	};
	struct proc p;
	int r = proc_spawn(&s, &p, e);
	if (r < 0)
		return err_ctx(e, "start the fetch program");
	fd_close(&wr);
	r = fd_read_all(rd, REPLY_MAX, reply);
	if (r < 0) {
		proc_kill(&p);
		return err_sys(e, -r, "read the reply of the fetch program");
	}
	return proc_wait(&p, -1, status, e);
}

json_t *fetch_call(const struct fetch_env *env, const char *op, json_t *op_members, struct err *e)
{
	auto_free char *path = path_join(env->lib_dir, "stage0/fetch");
	auto_json rq = build_request(env, op, op_members);
	auto_close int request = request_fd(rq, e);
	auto_buf reply = BUF_INIT;
	int status = 0;

	if (request < 0 || exchange(path, request, &reply, &status, e) < 0)
		return NULL;
	return judge_reply(&reply, status, e);
}
