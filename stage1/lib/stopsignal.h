/*
 * stopsignal — the signal by which an image of docker's kind wants to be asked to end.
 */
#pragma once

/* "SIGINT", "INT", "2", "SIGRTMIN+3", "RTMAX-1": its number, or -EINVAL. */
int stopsignal_number(const char *text);
