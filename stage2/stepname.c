/*
 * stepname — what stage2 was doing when it failed, in words; see launch.h.
 */
#include "stage2/launch.h"

#include <stddef.h>

#include "stage2/plan.h"

static const char *const launch_names[LAUNCH_STEPS] = {
	[LAUNCH_CGROUP] = "join the cgroup",
	[LAUNCH_SESSION] = "start a session",
	[LAUNCH_STDIO] = "connect standard input and output",
	[LAUNCH_OOM] = "set the out-of-memory score",
	[LAUNCH_RLIMIT] = "set a resource limit",
	[LAUNCH_ROOT] = "enter the root file system",
	[LAUNCH_CWD] = "enter the working directory",
	[LAUNCH_PATHS] = "limit the paths",
	[LAUNCH_GROUPS] = "set the groups",
	[LAUNCH_CAPS] = "set the capabilities",
	[LAUNCH_USER] = "become the user",
	[LAUNCH_NNP] = "set no_new_privs",
	[LAUNCH_SECCOMP] = "load the seccomp filter",
	[LAUNCH_FDS] = "close descriptors",
	[LAUNCH_EXEC] = "execute",
};

static const char *const init_names[INIT_STEPS - INIT_PLAN] = {
	[0] = "read the plan",
	[INIT_CGROUP - INIT_PLAN] = "make a cgroup",
	[INIT_CPUSET - INIT_PLAN] = "copy the cpuset",
	[INIT_CGROUP_WRITE - INIT_PLAN] = "set a limit",
	[INIT_CLONE - INIT_PLAN] = "make a process",
	[INIT_PRE_START - INIT_PLAN] = "pre-start handler",
	[INIT_POST_STOP - INIT_PLAN] = "post-stop handler",
	[INIT_REMOVE - INIT_PLAN] = "remove a cgroup",
	[INIT_DEVICES - INIT_PLAN] = "limit the devices",
};

const char *launch_step_name(int step)
{
	const char *name = NULL;

	if (step > 0 && step < LAUNCH_STEPS)
		name = launch_names[step];
	else if (step >= INIT_PLAN && step < INIT_STEPS)
		name = init_names[step - INIT_PLAN];
	return name ? name : "unknown step";
}
