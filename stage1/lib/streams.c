/* streams — see streams.h. */
#include "stage1/lib/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "stage1/contract.h"
#include "stage1/lib/podctx.h"

static const char *const annotation[3] = { CONTRACT_STDIN, CONTRACT_STDOUT, CONTRACT_STDERR };

static const struct {
	const char *name;
	enum stream_mode mode;
	bool in, out;
} words[] = {
	{ "null", STREAM_NULL, true, true },        { "log", STREAM_LOG, false, true },
	{ "stream", STREAM_ATTACH, true, true },    { "tty", STREAM_TTY, true, true },
	{ "interactive", STREAM_PASS, true, true },
};

bool streams_any(const struct app_streams *s, enum stream_mode m)
{
	return s->mode[0] == m || s->mode[1] == m || s->mode[2] == m;
}

/* What nobody chose: input is init's, which is /dev/null or the caller's; output is lines if they need names. */
static enum stream_mode by_default(const struct podctx *c, int stream)
{
	return stream > 0 && (c->napps > 1 || c->mutable_pod) ? STREAM_LOG : STREAM_PASS;
}

static int choose_one(const struct podctx *c, const char *text, int stream, enum stream_mode *ret,
		      struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(text, words[i].name) != 0 || !(stream ? words[i].out : words[i].in))
			continue;
		*ret = words[i].mode == STREAM_LOG ? by_default(c, stream) : words[i].mode;
		return 0;
	}
	return err_set(e, ERR_INPUT, EINVAL, "annotation %s: \"%.40s\" is not one of %s", annotation[stream],
		       text, stream ? "log, null, stream, tty" : "null, stream, tty");
}

static int check(const struct podctx *c, const struct app_streams *s, bool ttys, struct err *e)
{
	bool attach = streams_any(s, STREAM_ATTACH), tty = streams_any(s, STREAM_TTY);

	if (attach && tty)
		return err_set(e, ERR_INPUT, EINVAL,
			       "an app cannot have both streams and a terminal to attach to");
	if ((attach || tty) && c->interactive)
		return err_set(
			e, ERR_INPUT, EINVAL,
			"an app with --interactive has the caller's terminal, and nothing to attach to");
	if (tty && !ttys)
		return err_set(e, ERR_INPUT, ENOTSUP, "this stage1 has no terminals for apps");
	return 0;
}

int streams_choose(const struct podctx *c, unsigned int i, bool ttys, struct app_streams *ret, struct err *e)
{
	struct app_streams s = APP_STREAMS_INIT;
	int r = 0;

	for (int stream = 0; stream < 3 && r == 0; stream++) {
		const char *text = pairs_get(&c->apps[i].rt->annotations, annotation[stream]);

		s.mode[stream] = by_default(c, stream);
		if (text)
			r = choose_one(c, text, stream, &s.mode[stream], e);
	}
	if (r == 0)
		r = check(c, &s, ttys, e);
	*ret = s;
	return r < 0 ? err_ctx(e, "app \"%s\"", c->apps[i].rt->name) : 0;
}

static int connect_one(struct app_streams *s, int stream, struct err *e)
{
	int p[2];

	if (s->mode[stream] == STREAM_NULL) {
		s->inner[stream] = open("/dev/null", (stream ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
		return s->inner[stream] < 0 ? err_sys(e, errno, "open /dev/null") : 0;
	}
	if (s->mode[stream] != STREAM_LOG && s->mode[stream] != STREAM_ATTACH)
		return 0;
	if (pipe2(p, O_CLOEXEC) < 0)
		return err_sys(e, errno, "pipe");
	s->inner[stream] = p[stream ? 1 : 0];
	s->outer[stream] = p[stream ? 0 : 1];
	/* the file status is of our end only: the app's reads and writes wait as ever */
	return fcntl(s->outer[stream], F_SETFL, O_NONBLOCK | (stream ? 0 : O_WRONLY)) < 0
		       ? err_sys(e, errno, "prepare a pipe")
		       : 0;
}

int streams_connect(struct app_streams *s, struct err *e)
{
	int r = 0;

	for (int stream = 0; stream < 3 && r == 0; stream++)
		r = connect_one(s, stream, e);
	return r;
}

int streams_inner(const struct app_streams *s, int stream, int none)
{
	int fd = s->mode[stream] == STREAM_TTY ? s->tty_inner : s->inner[stream];

	return fd >= 0 ? fd : none;
}

void streams_hand_over(struct app_streams *s)
{
	for (int stream = 0; stream < 3; stream++)
		fd_close(&s->inner[stream]);
	fd_close(&s->tty_inner);
}

void streams_done(struct app_streams *s)
{
	streams_hand_over(s);
	for (int stream = 0; stream < 3; stream++)
		fd_close(&s->outer[stream]);
	fd_close(&s->tty_outer);
}
