/*
 * imagelayers — the trees and blobs that an image in the store consists of, one or many.
 */
#pragma once

#include <stdbool.h>

#include "stage0/store.h"

/* Ids of its trees, lowest first, one a line with the last one's newline: what appsinfo/<app>/treeStoreID holds.  Heap. */
char *image_info_tree_list(const struct image_info *i);
/* The tree whose root directory is the image's; borrowed. */
const char *image_info_root_tree(const struct image_info *i);
/* Are all trees there? */
bool store_has_trees(const struct store *s, const struct image_info *i);
/* Append the paths of its blobs, relative to cas/, to the strv. */
void image_info_blobs(const struct image_info *i, char ***ret);

/* Path of blob @digest ("sha256:…", valid) relative to cas/; heap. */
char *store_blob_path(const char *digest);
/* O_RDONLY fd of it, or -errno. */
int store_blob_fd(const struct store *s, const char *digest);
