/*
 * app — what an image runs (formats.md section 4.2).
 */
#pragma once

#include "schema/isolator.h"
#include "schema/labels.h"
#include "schema/volume.h"

struct port {
	char *name;
	char *protocol; /* default "tcp" */
	uint32_t port;
	uint32_t count; /* default 1 */
	bool socket_activated;
};

struct ports {
	struct port *v;
	size_t n;
};

struct app {
	char **exec;
	char *user, *group;
	uint32_t *gids; /* supplementary */
	size_t ngids;
	char **pre_start; /* argv of the event handler, or NULL */
	char **post_stop;
	char *working_dir; /* absolute, or NULL for "/" */
	struct pairs env;
	struct mount_points mount_points;
	struct ports ports;
	struct isolators isolators;
	struct pairs user_annotations, user_labels;
};

/* One port object; on success *ret owns heap strings.  port_free frees a heap port, NULL accepted. */
int port_from_json(const json_t *obj, const char *where, struct port *ret, struct err *e);
json_t *port_to_json(const struct port *p);
void port_free(struct port *p);

struct app *app_new(void);
void app_free(struct app *a); /* accepts NULL */
struct app *app_copy(const struct app *a);

/* NULL and @e on error. */
struct app *app_from_json(const json_t *obj, const char *where, struct err *e);
json_t *app_to_json(const struct app *a);
