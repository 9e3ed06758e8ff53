/*
 * cmd_status — `rkt status`: what one pod is and was, as key=value lines or JSON; waiting for it.
 */
#include "rkt/commands.h"

#include "base/auto.h"
#include "base/num.h"
#include "base/strv.h"
#include "base/when.h"
#include "rkt/host.h"
#include "rkt/output.h"
#include "rkt/uuidarg.h"
#include "stage0/status.h"

#define WAIT_FOREVER (-1)
#define WAIT_NOT     0
/* What rkt 1.30 prints for a pod without a time of creation. */
#define NO_TIME "0001-01-01 00:00:00 +0000 UTC"

struct status_args {
	char *wait, *wait_ready, *format, *uuid_file;
};

/* "true" or a negative time is for ever, "false" or zero is not at all. */
static int wait_time(struct cli *c, const char *option, const char *text, int64_t *ret, struct err *e)
{
	bool b;
	int64_t ns;
	if (parse_bool(text, &b) == 0) {
		*ret = b ? WAIT_FOREVER : WAIT_NOT;
		return 0;
	}
	if (parse_duration(text, &ns) < 0)
		return cli_usage(c, e,
				 "option --%s: \"%s\" is neither true, false nor a time such as 10s or 1m30s",
				 option, text);
	*ret = ns < 0 ? WAIT_FOREVER : ns;
	return 0;
}

static bool is_after_run(enum pod_state s)
{
	return s == POD_RUNNING || s == POD_EXITED || s == POD_EXITED_GARBAGE || s == POD_EXITED_DELETING ||
	       s == POD_DELETING;
}

static void add_time(struct buf *out, const char *key, struct timespec t)
{
	auto_free char *text = when_long(t);
	buf_addf(out, "%s=%s\n", key, text);
}

static void status_text(const struct pod_snapshot *s, pid_t pid, struct buf *out)
{
	buf_addf(out, "state=%s\n", pod_state_name(s->state));
	if (s->has_created)
		add_time(out, "created", s->created);
	else
		buf_adds(out, "created=" NO_TIME "\n");
	if (s->has_started)
		add_time(out, "started", s->started);
	if (s->state == POD_RUNNING || s->state == POD_EXITED)
		buf_addf(out, "networks=%s\n", s->networks ? s->networks : "");
	if (!is_after_run(s->state))
		return;
	if (pid > 0)
		buf_addf(out, "pid=%d\n", (int)pid);
	buf_addf(out, "exited=%s\n",
		 s->state == POD_EXITED || s->state == POD_EXITED_GARBAGE ? "true" : "false");
	for (size_t i = 0; s->state != POD_RUNNING && i < s->napps; i++)
		if (s->apps[i].has_exit)
			buf_addf(out, "app-%s=%d\n", s->apps[i].name, s->apps[i].exit_code);
	for (size_t i = 0; i < s->napps; i++)
		if (s->apps[i].restarts)
			buf_addf(out, "restarts-%s=%d\n", s->apps[i].name, s->apps[i].restarts);
}

/* Which keys or digests satisfied which rules for the image of an app; new reference, empty if the image is not there. */
static json_t *verified_by(const struct host *h, const char *image_id)
{
	struct image_info i = { .id = "" };
	struct err ignored = ERR_INIT;
	json_t *arr = json_array();
	if (image_id_valid(image_id))
		(void)store_image_load(&h->store, image_id, &i, &ignored);
	for (size_t k = 0; k < i.nverified; k++)
		json_array_append_new(arr, json_pack("{s:s, s:s}", "fingerprint", i.verified[k].fingerprint,
						     "scope", i.verified[k].scope));
	image_info_done(&i);
	return arr;
}

static void verified_text(const struct host *h, const struct pod_snapshot *s, struct buf *out)
{
	for (size_t i = 0; i < s->napps; i++) {
		auto_json by = verified_by(h, s->apps[i].image_id);
		const json_t *v;
		size_t k;
		json_array_foreach(by, k, v)
		{
			buf_addf(out, "verified-%s=%s (%s)\n", s->apps[i].name,
				 json_string_value(json_object_get(v, "fingerprint")),
				 json_string_value(json_object_get(v, "scope")));
		}
	}
}

static void verified_json(const struct host *h, const struct pod_snapshot *s, json_t *doc)
{
	json_t *apps = json_object_get(doc, "apps");
	for (size_t i = 0; i < json_array_size(apps) && i < s->napps; i++) {
		json_t *by = verified_by(h, s->apps[i].image_id);
		if (json_array_size(by))
			json_object_set(json_array_get(apps, i), "verified", by);
		json_decref(by);
	}
}

static int print_status(const struct host *h, const struct pod *p, enum output_format format, struct err *e)
{
	struct pod_snapshot s = { .state = POD_GONE };
	auto_buf text = BUF_INIT;
	int r;
	pod_snapshot_take(p, &s);
	pod_snapshot_restarts(p, &s);
	if (format == OUTPUT_TEXT) {
		pid_t pid = 0;
		status_text(&s, s.has_started && pod_pid(p, &pid) == 0 ? pid : 0, &text);
		verified_text(h, &s, &text);
		r = output_write(&text, e);
	} else {
		json_t *doc = pod_snapshot_json(&s);
		verified_json(h, &s, doc);
		r = output_json(doc, format, e);
	}
	pod_snapshot_done(&s);
	return r;
}

static int wait_for(struct pod *p, bool ready, int64_t timeout, struct err *e)
{
	if (timeout == WAIT_NOT)
		return 0;
	int r = pod_wait(p, ready, timeout, e);
	return r < 0 ? err_ctx(e, "wait for pod %s", p->uuid) : 0;
}

static int status_run(struct cli *c, struct err *e)
{
	const struct status_args *a = c->args;
	int64_t ready = WAIT_NOT, finished = WAIT_NOT;
	auto_strv uuids = NULL;
	auto_host h = { 0 };
	auto_pod p = POD_INIT;

	int r = wait_time(c, "wait-ready", a->wait_ready, &ready, e);
	if (r == 0)
		r = wait_time(c, "wait", a->wait, &finished, e);
	if (r == 0)
		r = uuid_args(c, a->uuid_file, false, &uuids, e);
	if (r == 0)
		r = host_open(&c->g, HOST_STORE, &h, e);
	if (r == 0)
		r = pod_open_prefix(&h.data, uuids[0], &p, e);
	if (r == 0)
		r = wait_for(&p, true, ready, e);
	if (r == 0)
		r = wait_for(&p, false, finished, e);
	if (r == 0 && (ready || finished))
		r = pod_refresh(&p, e);
	if (r == 0 && p.state == POD_GONE)
		r = err_set(e, ERR_STATE, ENOENT, "pod %s was deleted meanwhile", p.uuid);
	return r < 0 ? r : print_status(&h, &p, output_format_of(a->format), e);
}

#define S(member) offsetof(struct status_args, member)
static const struct opt status_opts[] = {
	{ .name = "format",
	  .kind = OPT_STR,
	  .arg = "FORMAT",
	  .offset = S(format),
	  .choices = output_formats,
	  .complete = COMP_CHOICES,
	  .help = "choose the output format: json or json-pretty" },
	{ .name = "uuid-file",
	  .kind = OPT_STR,
	  .arg = "FILE",
	  .offset = S(uuid_file),
	  .complete = COMP_FILE,
	  .help = "read the pod's UUID from a file instead of the argument" },
	{ .name = "wait",
	  .kind = OPT_OPTVAL,
	  .arg = "TIME",
	  .offset = S(wait),
	  .dflt = "false",
	  .implied = "true",
	  .help = "wait for the pod to exit, at most so long" },
	{ .name = "wait-ready",
	  .kind = OPT_OPTVAL,
	  .arg = "TIME",
	  .offset = S(wait_ready),
	  .dflt = "false",
	  .implied = "true",
	  .help = "wait until the pod's apps were started, at most so long" },
	{ .kind = OPT_END },
};
static const struct opt *const status_tables[] = { status_opts, NULL };

const struct command cmd_status = {
	.name = "status",
	.args = "UUID",
	.summary = "Check the status of a rkt pod",
	.description =
		"Prints the pod's state, its times, its supervisor, the exit status of every app that ended\n"
		"and which keys vouched for its image, as key=value lines. The UUID may be abbreviated. "
		"Waiting for the end succeeds\n"
		"whatever the apps' exit status; waiting longer than asked for is an error.",
	.tables = status_tables,
	.args_size = sizeof(struct status_args),
	.complete = COMP_UUID_ANY,
	.run = status_run,
};
