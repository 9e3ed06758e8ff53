/*
 * plugin — run one CNI plugin once (plugin.h).
 *
 * The configuration is a sealed file in memory on the plugin's standard input, so that nobody waits for anybody while it is
 * written.  Standard output and error are pipes that are read while it runs: of the first everything up to a
 * limit, of the second the end.  What a descendant that holds the pipes writes later is not waited for.
 */
#include "stage1/net/plugin.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/num.h"
#include "base/proc.h"
#include "base/strv.h"
#include "base/ticks.h"
#include "stage1/net/left.h"

#define PLUGIN_ENV_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define TAIL_MAX        300 /* of standard error, in messages */
#define PIPE_SIZE       65536
#define NO_PIDFD_MS     20 /* between looks at a process where the kernel has no pidfd */

static const char *const directories[] = { "/usr/lib/rkt/plugins/net", "/usr/lib/cni", "/opt/cni/bin" };

struct run {
	const struct plugin_call *call;
	struct proc proc;
	int out_fd, err_fd; /* our ends, FD_NONE at EOF */
	struct buf *out;
	struct buf tail; /* of standard error */
	int64_t deadline;
	uint32_t timeout_ms;
};

bool plugin_type_valid(const char *type)
{
	if (*type == '.' || *type == '\0')
		return false;
	while (isalnum((unsigned char)*type) || (*type && strchr("._-", *type)))
		type++;
	return *type == '\0';
}

char **plugin_path(void)
{
	const char *ours = getenv("CNI_PATH");
	auto_strv given = strv_split(ours ? ours : "", ':');
	char **path = NULL;

	for (size_t i = 0; given[i]; i++) {
		if (given[i][0] == '/') /* plugins have another working directory than the caller */
			strv_push(&path, given[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(directories); i++)
		strv_push(&path, directories[i]);
	return path;
}

/* ---- before it runs ---- */

/* The program as a heap string, and the directories as CNI_PATH. */
static int find(const struct plugin_call *c, char **ret, char **ret_path, struct err *e)
{
	auto_strv dirs = NULL;
	auto_free char *all = NULL;
	struct stat st;

	if (!plugin_type_valid(c->type))
		return err_set(e, ERR_INPUT, EINVAL, "plugin \"%.80s\": not the name of a plugin", c->type);
	if (c->dir)
		strv_push(&dirs, c->dir);
	strv_push_all(&dirs, c->path);
	all = strv_join(dirs, ":");
	for (size_t i = 0; dirs && dirs[i]; i++) {
		auto_free char *file = xasprintf("%s/%s", dirs[i], c->type);

		if (stat(file, &st) == 0 && S_ISREG(st.st_mode) && access(file, X_OK) == 0) {
			*ret = steal_ptr(&file);
			*ret_path = steal_ptr(&all);
			return 0;
		}
	}
	return err_set(e, ERR_INPUT, ENOENT, "plugin %s: in none of the directories %s", c->type, all);
}

static char **environment(const struct plugin_call *c, const char *path)
{
	char **env = NULL;

	strv_push(&env, "PATH=" PLUGIN_ENV_PATH);
	strv_pushf(&env, "CNI_COMMAND=%s", c->command);
	strv_pushf(&env, "CNI_CONTAINERID=%s", c->uuid);
	strv_pushf(&env, "CNI_NETNS=%s", c->netns);
	strv_pushf(&env, "CNI_IFNAME=%s", c->ifname);
	strv_pushf(&env, "CNI_ARGS=%s", c->args);
	strv_pushf(&env, "CNI_PATH=%s", path);
	return env;
}

static int make_input(const struct plugin_call *c, struct err *e)
{
	auto_close int fd = memfd_new("cni");
	int r = fd < 0 ? fd : write_full(fd, c->config, c->config_len);

	if (r == 0)
		r = memfd_seal(fd);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	return r < 0 ? err_sys(e, -r, "plugin %s: configuration", c->type) : steal_fd(&fd);
}

static uint32_t timeout_ms(void)
{
	const char *text = getenv("RKT_CNI_TIMEOUT_MS");
	uint32_t ms = 0;

	return text && parse_u32(text, &ms) == 0 && ms > 0 ? ms : PLUGIN_TIMEOUT_MS;
}

static int start(struct run *r, struct err *e)
{
	auto_free char *file = NULL, *path = NULL;
	auto_strv env = NULL;
	auto_close int in = FD_NONE, root = FD_NONE, out_w = FD_NONE, err_w = FD_NONE;
	const char *argv[] = { r->call->type, NULL };
	int out[2], err[2];

	if (find(r->call, &file, &path, e) < 0)
		return -e->code;
	env = environment(r->call, path);
	in = make_input(r->call, e);
	if (in < 0)
		return in;
	root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || pipe2(out, O_CLOEXEC) < 0)
		return err_sys(e, errno, "plugin %s: start", r->call->type);
	r->out_fd = out[0];
	out_w = out[1];
	if (pipe2(err, O_CLOEXEC) < 0)
		return err_sys(e, errno, "plugin %s: start", r->call->type);
	r->err_fd = err[0];
	err_w = err[1];
	(void)fcntl(r->out_fd, F_SETFL, O_NONBLOCK);
	(void)fcntl(r->err_fd, F_SETFL, O_NONBLOCK);

	const struct proc_fd fds[] = { { in, 0 }, { out_w, 1 }, { err_w, 2 } };
	const struct spawn s = { .path = file,
				 .argv = (char *const *)argv,
				 .env = env,
				 .fds = fds,
				 .nfds = ARRAY_LEN(fds),
				 .cwd_fd = root,
				 .death_signal = SIGKILL,
				 .new_session = true };
	return proc_spawn(&s, &r->proc, e);
}

/* ---- while it runs ---- */

/* Once from @fd: bytes, 0 if there is nothing now, -1 with *@fd closed at the end. */
static ssize_t read_some(int *fd, char *room, size_t size)
{
	ssize_t n = *fd < 0 ? -1 : read(*fd, room, size);

	if (n > 0)
		return n;
	if (*fd >= 0 && n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	fd_close(fd);
	return -1;
}

static int take_output(struct run *r)
{
	ssize_t n;

	while ((n = read_some(&r->out_fd, buf_reserve(r->out, PIPE_SIZE), PIPE_SIZE)) > 0) {
		r->out->len += (size_t)n;
		if (r->out->len > PLUGIN_OUTPUT_MAX)
			return -EFBIG;
	}
	return 0;
}

/* Not for ever: who writes faster than we read is met again after a look at the time. */
static void take_errors(struct run *r)
{
	char some[4096];
	ssize_t n = 1;

	for (size_t done = 0; n > 0 && done < PIPE_SIZE; done += (size_t)n) {
		n = read_some(&r->err_fd, some, sizeof(some));
		if (n <= 0)
			return;
		buf_add(&r->tail, some, (size_t)n);
		if (r->tail.len > TAIL_MAX) {
			memmove(r->tail.data, r->tail.data + r->tail.len - TAIL_MAX, TAIL_MAX + 1);
			r->tail.len = TAIL_MAX;
		}
	}
}

/* Until it has ended: 0, -ETIMEDOUT or -EFBIG. */
static int attend(struct run *r, int *ret_status, struct err *e)
{
	for (;;) {
		int64_t left = r->deadline - ticks_ms();

		if (take_output(r) < 0)
			return err_set(e, ERR_NET, EFBIG, "wrote more than %u bytes and was killed",
				       PLUGIN_OUTPUT_MAX);
		take_errors(r);
		if (proc_wait(&r->proc, 0, ret_status, e) == 0)
			return 0;
		if (e->code != ETIMEDOUT)
			return -e->code;
		err_clear(e);
		if (left <= 0)
			return err_set(e, ERR_NET, ETIMEDOUT, "did not end within %u ms and was killed",
				       r->timeout_ms);
		if (r->proc.pidfd < 0 && left > NO_PIDFD_MS)
			left = NO_PIDFD_MS;

		struct pollfd p[] = { { r->out_fd, POLLIN, 0 },
				      { r->err_fd, POLLIN, 0 },
				      { r->proc.pidfd, POLLIN, 0 } };
		(void)poll(p, ARRAY_LEN(p), (int)left); /* the loop looks at everything in any case */
	}
}

/* ---- when it has ended ---- */

/* Its own words, safe for a terminal and on one line. */
static void add_words(struct buf *line, const char *text, size_t n)
{
	while (n && isspace((unsigned char)text[n - 1]))
		n--;
	while (n && isspace((unsigned char)*text)) {
		text++;
		n--;
	}
	while (n) {
		const char *end = memchr(text, '\n', n);
		size_t len = end ? (size_t)(end - text) : n;

		buf_add_line(line, text, len);
		if (end) {
			buf_adds(line, "; ");
			len++;
		}
		text += len;
		n -= len;
	}
}

/* {code, msg, details} on standard output, which is how plugins fail. */
static bool add_told(struct buf *line, const struct buf *out)
{
	struct err ignored = ERR_INIT;
	auto_json j = json_parse(buf_str(out), out->len, &ignored);
	const char *msg = json_string_value(json_member(j, "msg"));
	const char *details = json_string_value(json_member(j, "details"));
	const json_t *code = json_member(j, "code");

	if (!msg || !*msg)
		return false;
	add_words(line, msg, strlen(msg));
	if (details && *details) {
		buf_adds(line, ": ");
		add_words(line, details, strlen(details));
	}
	if (json_is_integer(code))
		buf_addf(line, " (code %lld)", (long long)json_integer_value(code));
	return true;
}

static int failed(struct run *r, int status, struct err *e)
{
	auto_buf line = BUF_INIT;

	if (!add_told(&line, r->out))
		add_words(&line, buf_str(&r->tail), r->tail.len);
	if (line.len)
		return err_set(e, ERR_NET, EPROTO, "%s", buf_str(&line));
	if (status > 128)
		return err_set(e, ERR_NET, EPROTO, "was ended by signal %d", status - 128);
	return err_set(e, ERR_NET, EPROTO, "exited %d without a word", status);
}

static int run(struct run *r, struct err *e)
{
	struct left left;
	int status = -1, ret = left_begin(&left, e);
	pid_t session;

	if (ret < 0)
		return ret;
	ret = start(r, e);
	session = r->proc.pid;
	if (ret == 0) {
		r->deadline = ticks_ms() + r->timeout_ms;
		ret = attend(r, &status, e);
		/* While it is not reaped its number is nobody else's; after that only a member of its group can have kept it. */
		if (r->proc.pid > 0)
			(void)kill(-session, SIGKILL);
		proc_kill(&r->proc);
		left_kill(&left);
		if (ret == 0 && take_output(r) < 0)
			ret = err_set(e, ERR_NET, EFBIG, "wrote more than %u bytes", PLUGIN_OUTPUT_MAX);
		take_errors(r);
		if (ret == 0 && status != 0)
			ret = failed(r, status, e);
		if (ret < 0)
			(void)err_ctx(e, "plugin %s: %s", r->call->type, r->call->command);
	}
	left_end(&left);
	return ret;
}

int plugin_find(const struct plugin_call *c, struct err *e)
{
	auto_free char *file = NULL, *path = NULL;

	return find(c, &file, &path, e);
}

int plugin_run(const struct plugin_call *c, struct buf *out, struct err *e)
{
	struct run r = { .call = c,
			 .proc = { 0, FD_NONE },
			 .out_fd = FD_NONE,
			 .err_fd = FD_NONE,
			 .out = out,
			 .timeout_ms = timeout_ms() };
	int ret = run(&r, e);

	fd_close(&r.out_fd);
	fd_close(&r.err_fd);
	buf_done(&r.tail);
	return ret;
}
