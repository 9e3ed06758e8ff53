/*
 * datafix — a data directory for one test, and what tests do by hand to the pods in it.
 */
#pragma once

#include "stage0/pod.h"
#include "tests/unit/suite.h"

struct datafix {
	char *path; /* of the data directory, which is also the scratch directory */
	int fd;
	struct datadir d;
};

/* A whole program's, for SUITE_RUN_BETWEEN(..., datafix_before, datafix_after, ...). */
static struct datafix fx __attribute__((unused));

static inline struct datafix datafix_new(void)
{
	struct datafix f;
	struct err e = ERR_INIT;

	f.fd = suite_make_dir(&f.path);
	OK(datadir_open(f.path, true, &f.d, &e));
	return f;
}

static inline void datafix_done(struct datafix *f)
{
	datadir_done(&f->d);
	suite_drop_dir(f->fd, f->path);
}

static inline void datafix_before(void)
{
	fx = datafix_new();
}

static inline void datafix_after(void)
{
	datafix_done(&fx);
}

/* POD_GONE when there is no pod @uuid. */
static inline enum pod_state datafix_state(const struct datafix *f, const char *uuid)
{
	auto_pod p = POD_INIT;
	struct err e = ERR_INIT;

	return pod_open(&f->d, uuid, &p, &e) == 0 ? p.state : POD_GONE;
}

/* Write the file @name of pod @p. */
static inline void datafix_put(const struct pod *p, const char *name, const char *text)
{
	ck_assert_int_eq(write_file_at(p->fd, name, text, strlen(text), 0644, 0), 0);
}
