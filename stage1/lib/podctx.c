/* podctx — see podctx.h. */
#include "stage1/lib/podctx.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/fsat.h"
#include "base/log.h"
#include "base/num.h"
#include "base/opt.h"
#include "base/strv.h"
#include "stage1/contract.h"
#include "stage1/lib/podfile.h"

#define ARGS_MAX (1u << 20) /* bytes of CONTRACT_FILE_ARGS */

#define ROW(k, member, nm, ar, hl)                                                                           \
	{                                                                                                    \
		.name = nm, .kind = k, .offset = offsetof(struct podctx, member), .arg = ar, .help = hl      \
	}

/* Interface versions 1 to 6, one row a flag; unknown flags are errors. */
static const struct opt run_opts[] = {
	ROW(OPT_BOOL, debug, "debug", NULL, "verbose diagnostics"),
	{ .name = "net",
	  .kind = OPT_CSV,
	  .offset = offsetof(struct podctx, net),
	  .arg = "NETS",
	  .help = "networks of the pod" },
	ROW(OPT_STR, mds_token, "mds-token", "TOKEN", "metadata service token"),
	ROW(OPT_BOOL, interactive, "interactive", NULL, "the caller's terminal is the app's"),
	ROW(OPT_STR, local_config, "local-config", "DIR", "local configuration directory"),
	ROW(OPT_STR, private_users, "private-users", "SHIFT:COUNT", "user namespace range"),
	ROW(OPT_STR, hostname, "hostname", "NAME", "host name of the pod"),
	ROW(OPT_BOOL, no_caps, "disable-capabilities-restriction", NULL, "keep all capabilities"),
	ROW(OPT_BOOL, no_paths, "disable-paths", NULL, "no masked or read-only kernel paths"),
	ROW(OPT_BOOL, no_seccomp, "disable-seccomp", NULL, "no system call filter"),
	ROW(OPT_STR, dns_mode, "dns-conf-mode", "MODE", "who writes resolv.conf and hosts"),
	ROW(OPT_BOOL, mutable_pod, "mutable", NULL, "apps may be added later"),
	ROW(OPT_STR, ipc, "ipc", "MODE", "auto, private or parent"),
	{ .kind = OPT_END },
};

static int parse_args(struct podctx *c, int argc, char **argv, struct err *e)
{
	struct opt_set set = { run_opts, c };
	auto_strv rest = NULL;
	int index = 1;
	int r = opt_defaults(&set, 1, e);

	if (r == 0)
		r = opt_parse(&set, 1, argc, argv, &index, OPT_STOP_NEVER, &rest, e);
	if (r < 0)
		return r;
	if (strv_len(rest) != 1 || uuid_parse(rest[0], c->uuid) < 0)
		return err_set(e, ERR_USAGE, EINVAL, "the last argument must be the pod's UUID");
	return 0;
}

/* The lock must not leak into anything that outlives us. */
static int take_lock_fd(struct podctx *c, struct err *e)
{
	const char *text = getenv(CONTRACT_LOCK_FD);
	uint32_t fd;

	if (!text || parse_u32(text, &fd) < 0 || fd > 1u << 20)
		return err_set(e, ERR_STATE, EINVAL, "environment variable %s missing or malformed",
			       CONTRACT_LOCK_FD);
	c->lock_fd = (int)fd;
	if (fd_set_cloexec(c->lock_fd, true) < 0)
		return err_sys(e, errno, "pod lock descriptor %d", c->lock_fd);
	return 0;
}

static int load_manifest(struct podctx *c, struct err *e)
{
	c->manifest = podfile_pod(c->pod_fd, e);
	return c->manifest ? 0 : -e->code;
}

/* Layers are recorded lowest first; overlay wants the topmost first.  Ids become paths, so they are
 * checked.  A root that lies ready comes first: rkt 1.30 writes the file as well, with ids of its own. */
static int load_layers(struct podctx *c, struct pod_app *a, struct err *e)
{
	auto_free char *ready = xasprintf("%s/%s/rootfs", CONTRACT_DIR_STAGE2, a->rt->name);
	auto_free char *file = xasprintf("appsinfo/%s/treeStoreID", a->rt->name);
	auto_buf b = BUF_INIT;

	/* our own stage0 has removed the file where a root lies ready */
	if (!c->own_stage0 && faccessat(c->pod_fd, ready, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	int r = record_read_at(c->pod_fd, file, 1u << 20, &b);
	if (r == -ENOENT && faccessat(c->pod_fd, ready, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	if (r == -ENOENT)
		return err_set(e, ERR_STATE, ENOENT, "app \"%s\" has neither layers nor a root file system",
			       a->rt->name);
	if (r < 0)
		return err_sys(e, -r, "read %s", file);
	auto_strv lines = strv_split(buf_str(&b), '\n');
	for (size_t i = strv_len(lines); i-- > 0;) {
		if (!*lines[i])
			continue;
		if (!image_id_valid(lines[i]))
			return err_set(e, ERR_INPUT, EINVAL, "%s: not an image id", file);
		strv_push(&a->layers, lines[i]);
	}
	return 0;
}

static int load_app(struct podctx *c, struct pod_app *a, const struct runtime_app *rt, struct err *e)
{
	a->rt = rt;
	a->image = podfile_image(c->pod_fd, rt->name, e);
	if (!a->image)
		return -e->code;
	a->app = rt->app ? rt->app : a->image->app;
	if (!a->app)
		return err_set(e, ERR_INPUT, EINVAL,
			       "app \"%s\": neither the pod nor its image says what to run", rt->name);
	if (strv_len(a->app->exec) == 0)
		return err_set(e, ERR_INPUT, EINVAL, "app \"%s\" has an empty exec; use --exec", rt->name);
	a->docker = pairs_get(&a->image->annotations, "appc.io/docker/repository") != NULL;
	return load_layers(c, a, e);
}

/* What app/add will need to know; written before anybody can ask for it. */
static int save_args(const struct podctx *c, int argc, char **argv, struct err *e)
{
	auto_buf b = BUF_INIT;

	for (int i = 1; i < argc; i++)
		buf_add(&b, argv[i], strlen(argv[i]) + 1);
	int r = write_file_at(c->pod_fd, CONTRACT_FILE_ARGS, buf_str(&b), b.len, 0600, 0);
	if (r == 0 && mkdirat(c->pod_fd, CONTRACT_DIR_PLANS, 0700) < 0 && errno != EEXIST)
		r = -errno;
	return r < 0 ? err_sys(e, -r, "record the arguments of the pod") : 0;
}

int podctx_load(int argc, char **argv, struct podctx *ret, struct err *e)
{
	struct podctx *c = ret;
	int r;

	*c = (struct podctx){ .pod_fd = FD_NONE, .lock_fd = FD_NONE };
	r = parse_args(c, argc, argv, e);
	if (r == 0)
		r = take_lock_fd(c, e);
	if (r < 0)
		return r;
	log_setup(log_get_prefix(), c->debug ? LOG_VERBOSE : LOG_NORMAL);
	c->own_stage0 = getenv(CONTRACT_FRESH) != NULL;
	c->pod_fd = c->lock_fd; /* it is the pod directory */
	r = load_manifest(c, e);
	if (r == 0 && c->mutable_pod)
		r = save_args(c, argc, argv, e);
	if (r < 0)
		return r;
	c->napps = c->manifest->napps;
	c->apps = xcalloc(c->napps ? c->napps : 1, sizeof(*c->apps));
	for (size_t i = 0; i < c->napps && r == 0; i++)
		r = load_app(c, &c->apps[i], &c->manifest->apps[i], e);
	return r;
}

static int load_args(struct podctx *c, struct err *e)
{
	auto_buf b = BUF_INIT;
	auto_strv argv = NULL;
	int r = read_file_at(c->pod_fd, CONTRACT_FILE_ARGS, ARGS_MAX, &b);

	if (r < 0)
		return err_sys(e, -r, "read the arguments of the pod");
	strv_push(&argv, "run");
	for (size_t i = 0; i < b.len; i += strlen(b.data + i) + 1)
		strv_push(&argv, b.data + i);
	return parse_args(c, (int)strv_len(argv), argv, e);
}

int podctx_load_app(const char *app, struct podctx *ret, struct err *e)
{
	struct podctx *c = ret;
	int r;

	*c = (struct podctx){ .pod_fd = FD_NONE, .lock_fd = FD_NONE, .own_stage0 = true };
	c->pod_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->pod_fd < 0)
		return err_sys(e, errno, "open the pod directory");
	r = load_args(c, e);
	if (r == 0)
		r = load_manifest(c, e);
	if (r < 0)
		return r;
	const struct runtime_app *rt = pod_manifest_app(c->manifest, app);
	if (!rt)
		return err_set(e, ERR_INPUT, ENOENT, "the pod has no app \"%s\"", app);
	c->apps = xcalloc(1, sizeof(*c->apps));
	c->napps = 1;
	return load_app(c, &c->apps[0], rt, e);
}

void podctx_done(struct podctx *c)
{
	for (size_t i = 0; i < c->napps && c->apps; i++) {
		image_manifest_free(c->apps[i].image);
		strv_free(c->apps[i].layers);
	}
	free(c->apps);
	pod_manifest_free(c->manifest);
	opt_done(run_opts, c);
	if (c->lock_fd != c->pod_fd)
		fd_close(&c->lock_fd);
	fd_close(&c->pod_fd);
}
