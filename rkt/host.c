/*
 * host — see host.h.
 */
#include "rkt/host.h"

#include <limits.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/path.h"
#include "base/strv.h"

/* <directory of this program>/../lib/rkt, the same in the build tree and when installed. */
static int find_lib_dir(char **ret, struct err *e)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n < 0)
		return err_sys(e, errno, "find this program: readlink /proc/self/exe");
	self[n] = '\0';
	auto_free char *lib = path_join(self, "../../lib/rkt");
	*ret = path_clean(lib);
	return 0;
}

static void fill_fetch_env(struct host *h)
{
	h->insecure = insecure_names(h->g->insecure);
	h->fetch = (struct fetch_env){
		.lib_dir = h->lib_dir,
		.data_dir = h->data_dir,
		.system_config = h->g->system_config,
		.local_config = h->g->local_config,
		.user_config = h->g->user_config,
		.insecure = h->insecure,
		.debug = h->g->debug,
	};
}

static int open_store(struct host *h, unsigned int need, struct err *e)
{
	int (*const open)(const struct datadir *, struct store *,
			  struct err *) = need & HOST_READS ? store_open_to_read : store_open;
	int r = open(&h->data, &h->store, e);

	if (r != -ENOENT || !(need & HOST_CREATE))
		return r;
	/* somebody removed a part of the data directory: it is the only part that is lost */
	err_clear(e);
	r = datadir_repair(&h->data, e);
	return r < 0 ? r : open(&h->data, &h->store, e);
}

int host_open(const struct globals *g, unsigned int need, struct host *ret, struct err *e)
{
	ret->g = g;
	int r = config_load(g->system_config, g->local_config, g->user_config, CONFIG_LOCAL, &ret->config, e);
	if (r < 0)
		return r;
	const char *dir = g->dir ? g->dir : ret->config.data_dir ? ret->config.data_dir : DEFAULT_DATA_DIR;
	ret->data_dir = xstrdup(dir);
	r = find_lib_dir(&ret->lib_dir, e);
	if (r < 0)
		return r;
	fill_fetch_env(ret);
	r = datadir_open(dir, need & HOST_CREATE, &ret->data, e);
	if (r == -ENOENT && (need & HOST_OPTIONAL)) {
		err_clear(e);
		return 0;
	}
	if (r < 0)
		return r;
	ret->has_data = true;
	ret->fetch.data_dir = ret->data.path;
	if (need & HOST_STORE) {
		r = open_store(ret, need, e);
		if (r < 0)
			return r;
		ret->has_store = true;
	}
	return 0;
}

void host_done(struct host *h)
{
	if (h->has_store)
		store_done(&h->store);
	if (h->has_data)
		datadir_done(&h->data);
	config_done(&h->config);
	free(h->data_dir);
	free(h->lib_dir);
	strv_free(h->insecure);
	*h = (struct host){ 0 };
}
