/*
 * commands — the one list of what rkt can do; sorted by group and name, as help prints it.
 */
#include "rkt/commands.h"

const struct command *const commands[] = {
	&cmd_app,          &cmd_app_add,      &cmd_app_exec,
	&cmd_app_list,     &cmd_app_rm,       &cmd_app_sandbox,
	&cmd_app_start,    &cmd_app_status,   &cmd_app_stop,
	&cmd_cat_manifest, &cmd_completion,   &cmd_config,
	&cmd_enter,        &cmd_fetch,        &cmd_gc,
	&cmd_help,         &cmd_image,        &cmd_image_cat_manifest,
	&cmd_image_fetch,  &cmd_image_gc,     &cmd_image_list,
	&cmd_image_rm,     &cmd_image_verify, &cmd_list,
	&cmd_prepare,      &cmd_rm,           &cmd_run,
	&cmd_run_prepared, &cmd_status,       &cmd_stop,
	&cmd_trust,        &cmd_version,      NULL,
};
