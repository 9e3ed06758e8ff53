/*
 * skeleton — what every app's root has of the same: the topmost layer of its overlay.
 *
 * One directory of the data directory, made by whoever misses it, and never changed: /proc and /sys to mount on, and a /dev
 * that hides the image's (it is opaque), with its links and with a file or directory for all that is mounted there.
 * It spares making these one by one for every app, and since they are directories whatever the image has under these names,
 * mounting there follows nobody's links.  Any pod starts without it, by the longer way of tree_begin and tree_settle.
 */
#pragma once

#include <stdbool.h>

/* From a pod directory; with a number, since what is there is never changed. */
#define SKELETON_PARENT "../../.."
#define SKELETON_PATH   SKELETON_PARENT "/skeleton-1"

/* Is it there, and has nobody removed anything of it?  Without that, names below it could be the image's.  From the pod
 * directory. */
bool skeleton_is_whole(void);
/* Make it, in the pod directory, which is the working directory, and move it to its place, unless there is one that is whole.
 * 0 or -errno: EWOULDBLOCK while somebody else makes it. */
int skeleton_make(void);
