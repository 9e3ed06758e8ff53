/*
 * inspect — the parts of the program inspect.
 */
#pragma once

/* "mount,bpf" or "all": a line try_NAME=ERRNO for each; 2 if there is no such name. */
int act_try(const char *arg);
