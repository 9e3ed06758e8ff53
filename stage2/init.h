/*
 * init — pid 1 of a pod: what its files share.
 *
 *	init.c          start-up, the event loop, the end
 *	init_apps.c     one app: pre-start, main, post-stop; the fate rule
 *	init_cgroup.c   make, limit and remove cgroups
 *	init_kill.c     end processes: of one app, of the pod
 *	init_mutable.c  apps that come later: start and stop one
 *	init_control.c  the socket to the supervisor
 *
 * One process, one thread, no heap: everything is in the one static struct pod of init.c.  Once the
 * first app runs init does not end on any error; it reports and carries on.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "stage2/launch.h"
#include "stage2/plan.h"

/* Every app sends at most six messages (two failed handlers, one failed launch each, started, exited). */
#define QUEUE_MAX (PLAN_APPS_MAX * 8)

/* Exit status of a pod that failed without an app's doing. */
#define EXIT_POD_FAILED 254

enum pod_phase {
	POD_WAIT, /* for MSG_GO */
	POD_RUN,
	POD_STOP,  /* SIGTERM was sent; apps and post-stop handlers end */
	POD_END,   /* no app left: leftovers are killed and reaped */
	POD_SWEEP, /* no process left: cgroups are removed */
	POD_GONE,
};

enum app_state {
	APP_WAIT,
	APP_PRE,
	APP_MAIN,
	APP_POST,
	APP_PAUSE /* before it is started again */,
	APP_DONE
};

struct app {
	const void *plan; /* mapped and checked: the pod's, or in a mutable pod its own; NULL = free slot */
	uint32_t index;   /* in that plan */
	enum app_state state;
	pid_t pid;                /* of the present process; 0 = none */
	int stdio[3];             /* of its processes; from 3 on in a mutable pod it is ours to close */
	int err_fd;               /* its launch report; -1 = has come */
	bool launch_failed;       /* the report was a failure, already told */
	bool ending;              /* it was told to stop */
	bool swept;               /* its cgroup has been killed once: see clone_app */
	bool again;               /* it will be started again */
	bool counted;             /* in pod.started */
	uint32_t restarts, quick; /* in all; since it last ran for a while */
	int64_t began;            /* monotonic ms of its last start */
	int64_t deadline;         /* monotonic ms for SIGKILL, in APP_PAUSE for the next start; 0 = none */
};

struct pod {
	int plan_fd;      /* where it came from; closed by now */
	const void *plan; /* copied and checked */
	int proc_fd;      /* a procfs of ours */
	int sig_fd;
	struct launch_inherited inherited;
	bool is_init;   /* pid 1 of a pid namespace of its own: kill(-1) reaches the pod and nothing else */
	bool gone;      /* the supervisor died */
	bool childless; /* wait4 said so last time */
	bool is_mutable;
	uint32_t napps; /* entries of apps that may be in use */
	enum pod_phase phase;
	int status;                      /* exit status of the pod */
	uint32_t running, started;       /* apps that are not done; main processes that were executed */
	int64_t next;                    /* monotonic ms of the next round of POD_END and POD_SWEEP */
	int64_t give_up;                 /* end of POD_SWEEP */
	int pause;                       /* ms between rounds, growing */
	int cgroup_fd[PLAN_CGROUPS_MAX]; /* the pod's directories; -1 = not made */
	struct app apps[PLAN_APPS_MAX];
	struct plan_msg queue[QUEUE_MAX]; /* messages that did not fit the socket, or wait for the next one */
	uint32_t queue_from, queue_to;
};

static inline const struct plan_app *app_plan(const struct pod *p, uint32_t i)
{
	return plan_app(p->apps[i].plan, p->apps[i].index);
}

/* init_control.c ------------------------------------------------------------------------------ */

/* init_devices.c: attach the program that decides which devices app @app may open to its v2 cgroup @dir; nothing for an
 * app without one.  Told to the supervisor when it fails. */
int devices_attach(struct pod *p, uint32_t app, int dir);

/* Send or queue; never blocks.  @text may be NULL. */
void control_send(struct pod *p, uint32_t type, int32_t app, int32_t value, int32_t code, const char *text);
/* Queue only: it goes with the next one, or when the loop comes round. */
void control_put(struct pod *p, uint32_t type, int32_t app, int32_t value, int32_t code);
/* Send what is queued, as far as the socket takes it. */
void control_flush(struct pod *p);
/* Take one message off the socket and obey it. */
void control_receive(struct pod *p);

/* Monotonic clock, ms (init.c). */
int64_t now_ms(void);

/* init_apps.c --------------------------------------------------------------------------------- */

/* Start every app (its pre-start handler, if it has one). */
void apps_start(struct pod *p);
/* The same for one, which counts as running from here on. */
void app_begin(struct pod *p, uint32_t i);
/* It has ended, or never began: what that means for the pod. */
void app_done(struct pod *p, uint32_t i);
/* SIGTERM to every app, SIGKILL after the grace time; the second call does nothing. */
void apps_stop(struct pod *p);
/* The same for one; one that does not run is left alone. */
void app_term(struct pod *p, uint32_t i);
/* Forward a signal to the main processes. */
void apps_signal(struct pod *p, int sig);
/* The launch report of app @i has come, or its end of file. */
void app_launched(struct pod *p, uint32_t i, bool empty);
/* A child ended. */
void apps_reaped(struct pod *p, pid_t pid, int status);
/* SIGKILL to those whose time is over. */
void apps_overdue(struct pod *p);

/* init_cgroup.c ------------------------------------------------------------------------------- */

#define APP_DIR_MAX 300
/* "app-NAME", for openat below pod.cgroup_fd, with "/@file" if that is not NULL. */
void cgroup_app_path(const struct pod *p, uint32_t app, const char *file, char out[APP_DIR_MAX]);
/* Make all directories, copy cpusets, write the limits; on failure reports and returns -errno. */
int cgroups_make(struct pod *p);
/* The same for one app that came later. */
int cgroups_make_app(struct pod *p, uint32_t app);
/* Remove them; 0, or -EBUSY while processes are in one (*ret_dir = which). */
int cgroups_remove(struct pod *p, const char **ret_dir);

/* init_mutable.c ------------------------------------------------------------------------------ */

#define START_FDS 4 /* that come with a MSG_APP_START at most: the plan, three streams */
/* MSG_APP_START: @fds (taken over) are the plan of the app in slot @i and the streams that it names. */
void mutable_start(struct pod *p, uint32_t i, int *fds, uint32_t n);
/* The app has ended: its streams are closed. */
void mutable_over(struct pod *p, uint32_t i);
/* MSG_APP_STOP. */
void mutable_stop(struct pod *p, uint32_t i);
/* Map and check a sealed plan; 0 or -errno (init.c). */
int map_plan(int fd, const void **ret);

/* init_kill.c --------------------------------------------------------------------------------- */

/* SIGKILL to the app's process and to everything in its cgroup. */
void kill_app(const struct pod *p, uint32_t app);
/* Only what is in its cgroup, if it has one. */
void kill_app_leftovers(const struct pod *p, uint32_t app);
/* SIGKILL to every process of the pod but init. */
void kill_pod(const struct pod *p);
