/*
 * fetch — the program that rkt asks for images and keys (protocol: stage0/fetchclient.h).
 *
 * One request, one reply, then exit: JSON on descriptor 3, JSON to descriptor 4.  Everything that
 * speaks to the network or runs gpg is in this process; everything that parses an image is in its
 * children (unpack).
 */
#include "stage0/fetchjob.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"
#include "stage0/interrupt.h"

#define REQUEST_FD  3
#define REPLY_FD    4
#define REQUEST_MAX (1u << 20) /* bytes */

static const struct {
	const char *name;
	unsigned int bits;
} insecure_words[] = {
	INSECURE_FETCH_WORDS,
	{ "all-fetch", INSECURE_ALL_FETCH },
	{ "all", INSECURE_ALL_FETCH },
};

static const struct {
	const char *name;
	int (*run)(struct job *j, json_t **reply, struct err *e);
} ops[] = {
	{ "fetch", fetch_op_image }, { "keys", fetch_op_keys }, { "verify", fetch_op_verify },
	{ "save", fetch_op_save },   { "push", fetch_op_push }, { "build", fetch_op_build },
};

/* unpack is our neighbour. */
static int find_unpack(struct job *j, struct err *e)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		return err_sys(e, errno, "read /proc/self/exe");
	self[n] = '\0';
	char *slash = strrchr(self, '/');
	j->unpack = xasprintf("%.*s/unpack", slash ? (int)(slash - self) : 0, self);
	return 0;
}

static int parse_insecure(struct job *j, struct err *e)
{
	auto_strv words = NULL;
	int r = json_get_strv(j->request, "", "insecure", false, &words, e);

	for (char **w = words; r >= 0 && w && *w; w++) {
		for (size_t i = 0; i < ARRAY_LEN(insecure_words); i++) {
			if (strcasecmp(*w, insecure_words[i].name) == 0)
				j->insecure |= insecure_words[i].bits;
		}
	}
	return r;
}

static int parse_request(struct job *j, const char **op, struct err *e)
{
	const json_t *q = j->request;
	const struct {
		const char *key;
		bool required;
		const char **to;
	} strings[] = {
		{ "op", true, op },
		{ "dataDir", true, &j->data_dir },
		{ "systemConfig", true, &j->system_config },
		{ "localConfig", true, &j->local_config },
		{ "userConfig", false, &j->user_config },
	};
	int64_t stall = 0;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_LEN(strings); i++)
		r = json_get_str(q, "", strings[i].key, strings[i].required, strings[i].to, e);
	if (r >= 0)
		r = json_get_bool(q, "", "debug", false, &j->debug, e);
	if (r >= 0)
		r = json_get_bool(q, "", "quiet", false, &j->quiet, e);
	if (r >= 0)
		r = json_get_int(q, "", "stallSeconds", false, 1, 3600, &stall, e);
	if (r >= 0)
		r = parse_insecure(j, e);
	j->stall_s = (int)stall;
	return r;
}

static int run_op(struct job *j, const char *op, json_t **reply, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(ops); i++) {
		if (strcmp(op, ops[i].name) == 0)
			return ops[i].run(j, reply, e);
	}
	return err_set(e, ERR_USAGE, EINVAL, "unknown operation \"%s\"", op);
}

static int serve(json_t **reply, struct err *e)
{
	auto_buf text = BUF_INIT;
	struct job j = { .opened = false };
	const char *op = "";
	int r = fd_read_all(REQUEST_FD, REQUEST_MAX, &text);

	if (r < 0)
		return err_sys(e, -r, "read the request on descriptor %d", REQUEST_FD);
	auto_json rq = json_parse(buf_str(&text), text.len, e);
	if (!rq)
		return err_ctx(e, "request");
	j.request = rq;
	r = parse_request(&j, &op, e);
	if (r < 0)
		return err_ctx(e, "request");
	log_setup("image", j.debug ? LOG_VERBOSE : j.quiet ? LOG_QUIET : LOG_NORMAL);
	r = find_unpack(&j, e);
	if (r >= 0)
		r = run_op(&j, op, reply, e);
	job_close(&j);
	return r;
}

static json_t *error_reply(const struct err *e)
{
	auto_buf clean = BUF_INIT;

	/* The text may carry bytes from outside, JSON wants UTF-8. */
	buf_add_line(&clean, e->text, strlen(e->text));
	return json_pack("{s:{s:i,s:i,s:s}}", "error", "code", e->code, "class", e->cls, "text",
			 buf_str(&clean));
}

int main(void)
{
	struct err e = ERR_INIT;
	json_t *reply = NULL;

	if (fd_ensure_std() < 0 || fcntl(REQUEST_FD, F_GETFD) < 0 || fcntl(REPLY_FD, F_GETFD) < 0) {
		log_setup("fetch", LOG_NORMAL);
		log_error("started by rkt with a request on descriptor %d; not a command of its own",
			  REQUEST_FD);
		return 254;
	}
	(void)fd_set_cloexec(REQUEST_FD, true);
	(void)fd_set_cloexec(REPLY_FD, true);
	umask(022);
	interrupt_setup();
	if (serve(&reply, &e) < 0)
		reply = error_reply(&e);
	auto_json doc = reply;
	auto_free char *text = doc ? json_text(doc, JSON_LINE) : NULL;
	if (!text || write_full(REPLY_FD, text, strlen(text)) < 0)
		return 1;
	return 0;
}
