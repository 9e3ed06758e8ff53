/*
 * fetchwork — what every operation of the fetch program opens, and its temporary directories.
 */
#include "stage0/fetchjob.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fsat.h"

int job_open(struct job *j, struct err *e)
{
	if (j->opened)
		return 0;
	int r = config_load(j->system_config, j->local_config, j->user_config, CONFIG_ALL, &j->config, e);
	if (r < 0)
		return err_ctx(e, "read configuration");
	r = datadir_open(j->data_dir, true, &j->data, e);
	if (r < 0) {
		config_done(&j->config);
		return r;
	}
	r = datadir_repair(&j->data, e);
	if (r == 0)
		r = store_open(&j->data, &j->store, e);
	if (r < 0) {
		datadir_done(&j->data);
		config_done(&j->config);
		return r;
	}
	j->opened = true;
	return 0;
}

void job_close(struct job *j)
{
	if (j->opened) {
		store_done(&j->store);
		datadir_done(&j->data);
		config_done(&j->config);
	}
	free(j->unpack);
}

int work_open(struct job *j, struct work *ret, struct err *e)
{
	struct work w = WORK_INIT;
	int fd = store_tmp_dir(&j->store, &w.name, e);

	if (fd < 0)
		return fd;
	w.fd = fd;
	w.store = &j->store;
	w.path = xasprintf("%s/%s/%s", j->data.path, DIR_CAS_TMP, w.name);
	*ret = w;
	return 0;
}

void work_done(struct work *w)
{
	struct err ignored = ERR_INIT;

	/* Published trees are no longer at this name. */
	if (w->name && w->store)
		(void)rm_tree_at(w->store->tmp_fd, w->name, &ignored);
	fd_close(&w->fd);
	free(w->name);
	free(w->path);
	*w = (struct work)WORK_INIT;
}
