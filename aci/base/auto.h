/*
 * auto — cleanup attributes and ownership transfer.
 *
 * Initialise at declaration; one success exit; hand over with steal_ptr / steal_fd.  An unset fd
 * is FD_NONE, a valid negative errno; test `fd >= 0`.  Close helpers keep errno.
 */
#pragma once

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FD_NONE (-EBADF)

static inline void auto_free_fn(void *p)
{
	int saved = errno;
	free(*(void **)p);
	errno = saved;
}

/* Close @*fd if it is open, keep errno, reset to FD_NONE. */
static inline void fd_close(int *fd)
{
	int saved = errno;
	if (*fd >= 0)
		(void)close(*fd);
	*fd = FD_NONE;
	errno = saved;
}

static inline void auto_closedir_fn(DIR **d)
{
	int saved = errno;
	if (*d)
		(void)closedir(*d);
	*d = NULL;
	errno = saved;
}

static inline void auto_fclose_fn(FILE **f)
{
	int saved = errno;
	if (*f)
		(void)fclose(*f);
	*f = NULL;
	errno = saved;
}

#define auto_free     __attribute__((cleanup(auto_free_fn)))
#define auto_close    __attribute__((cleanup(fd_close)))
#define auto_closedir __attribute__((cleanup(auto_closedir_fn)))
#define auto_fclose   __attribute__((cleanup(auto_fclose_fn)))

/* Give up ownership of *@p: returns the old value, leaves NULL. */
#define steal_ptr(p)                                                                                         \
	({                                                                                                   \
		__typeof__(*(p)) _v = *(p);                                                                  \
		*(p) = NULL;                                                                                 \
		_v;                                                                                          \
	})

/* Give up ownership of *@fd: returns the old value, leaves FD_NONE. */
static inline int steal_fd(int *fd)
{
	int v = *fd;
	*fd = FD_NONE;
	return v;
}

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
