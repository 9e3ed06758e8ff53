/*
 * launch_exec — find the program, become it, or say which file is missing.
 *
 * A bare name is tried in one directory after the other, as a shell does; the user's own rights decide
 * (the uid is already the app's).  execve(2) says ENOENT both for a missing program and for a missing
 * interpreter, which has cost many people an afternoon: so the "#!" line or the ELF program header is
 * read, within bounds, to name the file that is really missing.
 */
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>

#include "stage2/launch_steps.h"
#include "stage2/sys.h"

static const char *find_env(const char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; *env; env++) {
		if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
			return *env + n + 1;
	}
	return NULL;
}

#ifdef __LP64__
typedef Elf64_Ehdr elf_header;
typedef Elf64_Phdr elf_segment;
#define ELF_CLASS ELFCLASS64
#else
typedef Elf32_Ehdr elf_header;
typedef Elf32_Phdr elf_segment;
#define ELF_CLASS ELFCLASS32
#endif

/* PT_INTERP of the ELF file @fd into @out, which is all zero. */
static bool elf_interpreter(int fd, char *out, size_t size)
{
	elf_header h;
	elf_segment s;

	if (pread(fd, &h, sizeof(h), 0) != sizeof(h) || memcmp(h.e_ident, ELFMAG, SELFMAG) != 0 ||
	    h.e_ident[EI_CLASS] != ELF_CLASS || h.e_phentsize != sizeof(s))
		return false;
	for (unsigned int i = 0; i < h.e_phnum && i < 64; i++) {
		if (pread(fd, &s, sizeof(s), (off_t)(h.e_phoff + i * sizeof(s))) != sizeof(s))
			return false;
		if (s.p_type != PT_INTERP)
			continue;
		if (s.p_filesz == 0 || s.p_filesz >= size)
			return false;
		return pread(fd, out, s.p_filesz, (off_t)s.p_offset) == (ssize_t)s.p_filesz;
	}
	return false;
}

static bool script_interpreter(int fd, char *out, size_t size)
{
	ssize_t n = pread(fd, out, size - 1, 0);
	size_t skip = 2;

	if (n < 3 || out[0] != '#' || out[1] != '!')
		return false;
	out[n] = '\0';
	skip += strspn(out + skip, " \t");
	out[skip + strcspn(out + skip, " \t\n")] = '\0';
	memmove(out, out + skip, strlen(out + skip) + 1);
	return out[0] != '\0';
}

/* The file that execve(@path) did not find. */
static const char *missing_file(struct launch_ctx *c, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	bool known;

	if (fd < 0)
		return path;
	known = script_interpreter(fd, c->interpreter, sizeof(c->interpreter));
	if (!known) {
		memset(c->interpreter, 0, sizeof(c->interpreter));
		known = elf_interpreter(fd, c->interpreter, sizeof(c->interpreter));
	}
	(void)close(fd);
	return known ? c->interpreter : path;
}

static int become(struct launch_ctx *c, const char *path)
{
	int r;

	(void)execve(path, (char *const *)(uintptr_t)c->l->argv, (char *const *)(uintptr_t)c->l->env);
	r = -errno;
	c->what = r == -ENOENT ? missing_file(c, path) : path;
	return r;
}

/* Does it make sense to look further after @r? */
static bool next_after(int r)
{
	return r == -ENOENT || r == -ENOTDIR || r == -EACCES;
}

/* "@dir[0..n)/@name"; an empty directory is the working directory, as in a shell. */
static int become_in(struct launch_ctx *c, const char *dir, size_t n, const char *name)
{
	const size_t size = sizeof(c->candidate);

	if (n + 1 + strlen(name) >= size)
		return -ENOENT;
	memcpy(c->candidate, dir, n);
	if (n && dir[n - 1] != '/')
		c->candidate[n++] = '/';
	(void)text_put(c->candidate, size, n, name);
	if (access(c->candidate, F_OK) < 0)
		return -ENOENT;
	return become(c, c->candidate);
}

static int search_path(struct launch_ctx *c, const char *path, const char *name)
{
	int r = -ENOENT;

	for (;; path++) {
		size_t n = strcspn(path, ":");
		int now = become_in(c, path, n, name);

		if (!next_after(now))
			return now;
		if (now != -ENOENT || c->what)
			r = now;
		path += n;
		if (!*path)
			return r;
	}
}

static int search_plan(struct launch_ctx *c, const char *name)
{
	const struct plan_vec *v = &c->app->search;
	const uint32_t *dirs = (const uint32_t *)(const void *)((const char *)c->l->plan + v->off);
	int r = -ENOENT;

	for (uint32_t i = 0; i < v->n; i++) {
		const char *dir = plan_str(c->l->plan, dirs[i]);
		int now = become_in(c, dir, strlen(dir), name);

		if (!next_after(now))
			return now;
		if (now != -ENOENT || c->what)
			r = now;
	}
	return r;
}

int launch_program(struct launch_ctx *c)
{
	const char *name = c->l->argv[0];
	const char *path = c->l->flags & LAUNCH_SHELL_PATH ? find_env(c->l->env, "PATH") : NULL;
	int r;

	if (!*name)
		return -ENOENT;
	if (strchr(name, '/'))
		return become(c, name);
	r = path ? search_path(c, path, name) : search_plan(c, name);
	if (!c->what)
		c->what = name;
	return r;
}
