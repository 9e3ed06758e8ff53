/*
 * dirs — the data directory and the only spelling of the names in it (stage0/LAYOUT.md).
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"

#define DIR_PODS           "pods"
#define DIR_EMBRYO         "pods/embryo"
#define DIR_PREPARE        "pods/prepare"
#define DIR_PREPARED       "pods/prepared"
#define DIR_RUN            "pods/run"
#define DIR_EXITED_GARBAGE "pods/exited-garbage"
#define DIR_GARBAGE        "pods/garbage"
#define DIR_LOCKS          "locks"
#define DIR_TMP            "tmp"
#define DIR_CAS            "cas"
#define DIR_BLOB           "cas/blob"
#define DIR_TREE           "cas/tree"
#define DIR_REF            "cas/ref"
#define DIR_IMAGE          "cas/image"
#define DIR_CAS_TMP        "cas/tmp"

/* Files of a pod directory. */
#define POD_FILE_MANIFEST    "pod"
#define POD_FILE_CREATED     "pod-created"
#define POD_LINK_SUMMARY     "summary" /* summary.h */
#define NET_INFO_FILE        "net-info.json"
#define POD_FILE_OVERLAY     "overlay-prepared"
#define POD_FILE_USERNS      "private-users-prepared"
#define POD_FILE_STAGE1_TREE "stage1TreeStoreID"
#define POD_FILE_STAGE1_PATH "stage1-path" /* absolute directory the entrypoints are executed from */
#define POD_DIR_APPSINFO     "appsinfo"    /* <app>/{manifest,treeStoreID} */
#define POD_APP_TREES        "treeStoreID" /* in appsinfo/<app> */
#define POD_APP_ADDED        "added"       /* in appsinfo/<app> of a mutable pod: its stage1 knows the app */
#define POD_STAGE1_MANIFEST  "stage1/manifest"
#define POD_STAGE1_ROOTFS    "stage1/rootfs"
#define POD_DIR_VOLUMES      "sharedVolumes"
#define POD_DIR_OVERLAY      "overlay"

struct datadir {
	int fd;     /* the data directory, O_DIRECTORY|O_CLOEXEC */
	char *path; /* absolute, symlinks resolved */
};

/* Open, creating the tree of directories if @create (0750, cas and pods below it 0700 where images
 * live; group "rkt" and setgid if that group exists).  -EROFS, -EACCES … with one line. */
int datadir_open(const char *path, bool create, struct datadir *ret, struct err *e);
/* Make what is missing of its tree, which datadir_open only samples: for those who are about to write a lot. */
int datadir_repair(const struct datadir *d, struct err *e);
void datadir_done(struct datadir *d);
