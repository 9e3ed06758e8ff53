/*
 * stack — what the layers of an image show together, read as overlayfs reads them, without mounting them.
 *
 * Whiteouts are character devices 0:0, a directory with the attribute trusted.overlay.opaque hides those below.  Layers are foreign
 * roots: every path is walked component by component, without following a link.
 */
#pragma once

#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "stage0/store.h"

struct stack {
	const struct store *s;
	char **roots; /* strv: roots of layers, relative to cas/, lowest first; "tree/ID/rootfs", or below tmp/ */
	size_t n;     /* how many of them count */
	int own;      /* root of a layer that is not in the store yet, above the others */
};

struct stack_place {
	int dir; /* the directory that holds it, open for reading */
	char *name;
	struct stat st;
};
#define STACK_PLACE_INIT                                                                                     \
	{                                                                                                    \
		.dir = -1                                                                                    \
	}
void stack_place_done(struct stack_place *p);
#define auto_place __attribute__((cleanup(stack_place_done))) struct stack_place

/* O_PATH fd of root @i, or -errno. */
int stack_root(const struct stack *k, size_t i);
/* What the layer with root @root has at @path (clean, relative, "" the root): 0, -ENOENT nothing, so that layers below show
 * theirs; -ESTALE something that hides theirs: a whiteout, an opaque directory, a parent that is none. */
int stack_look(int root, const char *path, struct stack_place *ret);
/* What the layers below show at @path.  -ENOENT. */
int stack_below(const struct stack *k, const char *path, struct stack_place *ret);
/*
 * @path with the symbolic links in it resolved inside the image, but for its last component unless @whole; what does not exist stays.
 * Looks at our own layer first if @own.  -ELOOP.
 */
int stack_resolve(const struct stack *k, const char *path, bool whole, bool own, struct buf *ret);
/* Does a directory of our own layer, at @path or above it, hide what is below there? */
bool stack_hidden(const struct stack *k, const char *path);
