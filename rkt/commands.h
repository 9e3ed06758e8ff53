/*
 * commands — what the cmd_*.c files export, for the list in commands.c.
 */
#pragma once

#include "rkt/cli.h"

extern const struct command cmd_app;
extern const struct command cmd_app_add;
extern const struct command cmd_app_exec;
extern const struct command cmd_app_list;
extern const struct command cmd_app_rm;
extern const struct command cmd_app_sandbox;
extern const struct command cmd_app_start;
extern const struct command cmd_app_status;
extern const struct command cmd_app_stop;
extern const struct command cmd_attach;
extern const struct command cmd_cat_manifest;
extern const struct command cmd_completion;
extern const struct command cmd_config;
extern const struct command cmd_enter;
extern const struct command cmd_fetch;
extern const struct command cmd_gc;
extern const struct command cmd_help;
extern const struct command cmd_image;
extern const struct command cmd_image_build;
extern const struct command cmd_image_cat_manifest;
extern const struct command cmd_image_fetch;
extern const struct command cmd_image_gc;
extern const struct command cmd_image_list;
extern const struct command cmd_image_rm;
extern const struct command cmd_image_push;
extern const struct command cmd_image_save;
extern const struct command cmd_image_verify;
extern const struct command cmd_list;
extern const struct command cmd_net;
extern const struct command cmd_net_ls;
extern const struct command cmd_net_reload;
extern const struct command cmd_net_rm;
extern const struct command cmd_prepare;
extern const struct command cmd_rm;
extern const struct command cmd_run;
extern const struct command cmd_run_prepared;
extern const struct command cmd_status;
extern const struct command cmd_stop;
extern const struct command cmd_trust;
extern const struct command cmd_version;
