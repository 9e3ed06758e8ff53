/*
 * plan — what stage1 hands to stage2: one file, flat, no text to parse (stage2/PLAN.md).
 *
 * The file is a struct plan_header, arrays of fixed structs, and NUL-terminated strings, all found
 * by 32-bit offsets from the start.  Offset 0 means "absent".  Every offset, count and string end is
 * checked by plan_check before anything is used; afterwards the accessors cannot fail.  Native byte
 * order: writer and reader are the same build on the same machine (version + size say so).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PLAN_MAGIC   0x504b5452u /* "RTKP" */
#define PLAN_VERSION 3u

/* Limits, also those of the decoder's static tables. */
#define PLAN_SIZE_MAX    (16u << 20)
#define PLAN_APPS_MAX    64u
#define PLAN_LISTEN_MAX  64u
#define PLAN_ARGS_MAX    16384u /* argv or env entries of one app */
#define PLAN_GROUPS_MAX  65536u
#define PLAN_CGROUPS_MAX 16u
#define PLAN_WRITES_MAX  512u
#define PLAN_RLIMITS_MAX 16u
#define PLAN_BPF_MAX     4096u /* instructions, of either kind */
#define PLAN_PATHS_MAX   256u

/* Descriptors that init finds open. */
#define PLAN_FD_CONTROL 3 /* SOCK_SEQPACKET to the supervisor; its end of file means "die" */
#define PLAN_FD_PLAN    4 /* unless the first argument is another number */
/* Further descriptors (cgroup parents, stdio) are named by number in the plan. */

/* In plan_app.stdio of a plan that comes with MSG_APP_START: the next descriptor that came behind the plan.  No number
 * that can be open.  Any other stream of such a plan is init's own one of the same number. */
#define PLAN_FD_SENT INT32_MAX

enum plan_pod_flag {
	PLAN_PIDNS = 1,   /* init is pid 1 of a pid namespace: kill(-1) is safe and ends everything */
	PLAN_USERS = 4,   /* in a user namespace: the pod's cgroup directories are the supervisor's */
	PLAN_MUTABLE = 2, /* apps come by MSG_APP_START and go; the pod lasts until it is stopped */
};

enum plan_app_flag {
	PLAN_APP_NNP = 1,       /* no_new_privs */
	PLAN_APP_TTY = 2,       /* stdin is a terminal that becomes the controlling one */
	PLAN_APP_KEEP_CAPS = 4, /* leave the capability sets alone (fly, --insecure-options=capabilities) */
	PLAN_APP_RESTART_FAILED = 8,  /* start it again when it ends with anything but 0 */
	PLAN_APP_RESTART_ALWAYS = 16, /* start it again however it ends */
};

/* Above this bit of the flags: how often it is started again; 0 = any number of times. */
#define PLAN_RESTART_SHIFT 16
#define PLAN_RESTART_MAX   0xffffu

struct plan_vec { /* array of @n string offsets at @off */
	uint32_t off, n;
};

struct plan_rlimit {
	uint32_t resource, pad;
	uint64_t soft, hard;
};

/* A path in the app's root that it may use; any other is denied (Landlock). */
struct plan_path {
	uint32_t path;   /* string, absolute */
	uint32_t access; /* enum plan_access */
};

enum plan_access { PLAN_PATH_READ = 1, PLAN_PATH_WRITE = 2, PLAN_PATH_EXEC = 4 };

/* One file to write below a cgroup directory once it is made. */
struct plan_write {
	uint32_t cgroup;      /* index into cgroups */
	int32_t app;          /* index, or -1 for the pod's own directory */
	uint32_t file, value; /* strings */
};

struct plan_cgroup {
	int32_t parent_fd;    /* open directory in which @dir is made */
	uint32_t dir;         /* string: "rkt-UUID" */
	uint32_t v2;          /* 1: unified hierarchy (cgroup.kill, CLONE_INTO_CGROUP) */
	uint32_t copy_cpuset; /* 1: v1 cpuset, copy cpus and mems down before use */
};

struct plan_app {
	uint32_t name;  /* string; its cgroup directory is "app-" + name */
	uint32_t root;  /* string: directory in init's mount namespace that becomes "/" */
	uint32_t cwd;   /* string, absolute, inside the root */
	uint32_t flags; /* enum plan_app_flag */
	struct plan_vec argv;
	struct plan_vec env;
	struct plan_vec pre_start; /* argv, n = 0: none */
	struct plan_vec post_stop;
	struct plan_vec search; /* directories in which a bare argv[0] is looked for */
	uint32_t uid, gid;
	uint32_t groups_off, ngroups; /* uint32_t each */
	uint64_t caps;                /* bounding = permitted = effective (for uid 0) set */
	uint64_t ambient;
	uint32_t bpf_off, bpf_n; /* struct sock_filter each (8 bytes); n = 0: no filter */
	uint32_t rlimits_off, nrlimits;
	int32_t oom_score_adj;
	uint32_t has_oom;
	int32_t stdio[3]; /* descriptors in init, or PLAN_FD_SENT */
	uint32_t umask;
	uint32_t devices_off,
		ndevices; /* struct bpf_insn each (8 bytes): which devices open (v2); n = 0: no program */
	uint32_t paths_off, npaths;   /* struct plan_path; n = 0: all */
	uint32_t listen_off, nlisten; /* int32_t: descriptors in init that are 3, 4 … of the app itself */
	uint32_t listen_names;        /* string: LISTEN_FDNAMES; 0: none */
	uint32_t stop_signal;         /* asks it to end; 0: SIGTERM */
};

struct plan_header {
	uint32_t magic, version;
	uint32_t size;  /* of the whole file */
	uint32_t flags; /* enum plan_pod_flag */
	uint32_t napps, apps_off;
	uint32_t ncgroups, cgroups_off;
	uint32_t nwrites, writes_off;
	uint32_t grace_ms; /* between SIGTERM and SIGKILL */
	uint32_t uuid;     /* string */
};

_Static_assert(sizeof(struct plan_header) == 48, "plan_header layout");
_Static_assert(sizeof(struct plan_app) == 160, "plan_app layout");

/*
 * 0, or -EINVAL; @p must be readable for @size bytes and 8-byte aligned.  Arrays of struct plan_app and
 * plan_rlimit and device programs must lie at multiples of 8, all others at multiples of 4; names (apps, cgroup directories,
 * files to write) are single path components; roots and working directories are absolute; ids are never -1.
 */
int plan_check(const void *p, size_t size);

/* Accessors for a checked plan. */
static inline const struct plan_header *plan_head(const void *p)
{
	return p;
}

static inline const char *plan_str(const void *p, uint32_t off)
{
	return off ? (const char *)p + off : NULL;
}

static inline const struct plan_app *plan_app(const void *p, uint32_t i)
{
	return (const struct plan_app *)((const char *)p + plan_head(p)->apps_off) + i;
}

static inline const int32_t *plan_listen(const void *p, uint32_t app)
{
	return (const int32_t *)(const void *)((const char *)p + plan_app(p, app)->listen_off);
}

static inline const struct plan_cgroup *plan_cgroup(const void *p, uint32_t i)
{
	return (const struct plan_cgroup *)((const char *)p + plan_head(p)->cgroups_off) + i;
}

static inline const struct plan_write *plan_write(const void *p, uint32_t i)
{
	return (const struct plan_write *)((const char *)p + plan_head(p)->writes_off) + i;
}

/* ---- messages on PLAN_FD_CONTROL: exactly this size; one a datagram to init, up to PLAN_MSGS_MAX from it ---- */

#define PLAN_MSGS_MAX 4

enum plan_msg_type {
	/* supervisor → init */
	MSG_GO = 1, /* the supervisor has written its records: make cgroups, start apps */
	MSG_STOP,   /* orderly end: SIGTERM to every app, SIGKILL after the grace time */
	MSG_SIGNAL, /* forward @value to the apps' main processes */
	/* init → supervisor */
	MSG_STARTED, /* app @app runs; @value = its pid in the pod; @code = 1: and so do all others, for the first time */
	MSG_READY, /* with PLAN_MUTABLE: apps may come */
	MSG_EXITED, /* app @app ended; @value = wait status as of waitpid(2); @code = 1: to be started again after a while */
	MSG_FAILED, /* step @value (enum launch_step or init_step) of app @app failed with errno @code; @text says what */
	MSG_DONE, /* everything has ended and the cgroups are gone; @value = exit status of the pod */
	/* only with PLAN_MUTABLE; @app is a slot below PLAN_APPS_MAX.  Supervisor → init */
	/* the sealed plan of this one app, root "/a<slot>", comes with it, then a pipe, device or terminal for every stream
	 * that the plan calls PLAN_FD_SENT, in their order */
	MSG_APP_START,
	MSG_APP_STOP, /* SIGTERM, SIGKILL after the grace time; MSG_OVER comes at once if nothing runs */
	/* init → supervisor */
	MSG_OVER, /* nothing of the app is left, its post-stop handler included; the slot may be started again */
	MSG_RESTARTED, /* without PLAN_MUTABLE: app @app is started again for the @value-th time */
};

/* Steps of init itself, numbered after enum launch_step (stage2/launch.h); launch_step_name names both. */
enum init_step {
	INIT_PLAN = 64, /* the plan is damaged or of another version, or that of an added app is not sealed */
	INIT_CGROUP,    /* a cgroup directory could not be made; text = directory */
	INIT_CPUSET,    /* cpus or mems could not be copied down; text = file */
	INIT_CGROUP_WRITE, /* a limit could not be set; text = file */
	INIT_CLONE,        /* no process for the app; text = argv[0] */
	INIT_PRE_START,    /* the pre-start handler failed: MSG_EXITED with its status follows; code = 0 */
	INIT_POST_STOP,    /* the post-stop handler failed (the status of the pod stays); code = 0 */
	INIT_REMOVE,       /* a cgroup directory could not be removed within two seconds; text = directory */
	INIT_DEVICES,      /* the program that decides about devices could not be attached; text = app */
	INIT_STEPS
};

/*
 * @app is the app's index, or -1 for the pod.  Exactly one MSG_EXITED comes for every app for which a
 * process was made, and one more for every MSG_RESTARTED; a MSG_FAILED that explains it comes before it.  @text always ends with a NUL.
 * Every MSG_APP_START is answered by MSG_STARTED or MSG_FAILED, and in the end by one MSG_OVER.
 */
struct plan_msg {
	uint32_t type;
	int32_t app;
	int32_t value;
	int32_t code;
	char text[112];
};

_Static_assert(sizeof(struct plan_msg) == 128, "plan_msg layout");
