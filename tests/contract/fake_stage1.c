/*
 * fake_stage1 — a stage1 in the manner of rkt 1.30, one program for all entrypoints: writes down how it was
 * called and what it finds, then plays the pod.
 *
 * As "run" it records argv, environment, descriptors and working directory in stage1/rootfs/record (which
 * is the upper directory of stage0's overlay), writes pid and the apps' statuses, and exits with the status
 * that the pod annotation "exit" would stand for: the number in the app's rootfs file /exit, else 0.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static FILE *record;

static void put(const char *key, const char *value)
{
	fprintf(record, "%s=%s\n", key, value);
}

static void put_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	char target[512], path[64];

	while (d && (e = readdir(d))) {
		int fd = (int)strtol(e->d_name, NULL, 10);

		if (e->d_name[0] == '.' || fd == dirfd(d) || fd == fileno(record))
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		ssize_t n = readlink(path, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		snprintf(path, sizeof(path), "fd.%d", fd);
		put(path, target);
	}
	if (d)
		closedir(d);
}

/* Is the descriptor that RKT_LOCK_FD names the pod directory, and is it locked? */
static void put_lock(void)
{
	const char *text = getenv("RKT_LOCK_FD");
	int fd = text ? (int)strtol(text, NULL, 10) : -1, again = open(".", O_RDONLY | O_DIRECTORY);
	struct stat a, b;

	put("lock_is_pod",
	    fd >= 0 && fstat(fd, &a) == 0 && stat(".", &b) == 0 && a.st_ino == b.st_ino ? "yes" : "no");
	put("lock_is_held", flock(again, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK ? "yes" : "no");
	close(again);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	if (!f || fputs(text, f) < 0 || fclose(f) != 0) {
		perror(path);
		exit(254);
	}
}

static int play(void)
{
	char pid[32], status[32] = "0\n";
	FILE *f = fopen("stage1/rootfs/opt/stage2/app/rootfs/exit", "re");

	if (f && !fgets(status, sizeof(status), f))
		return 254;
	put("app_manifest", access("stage1/rootfs/opt/stage2/app/manifest", R_OK) == 0 ? "yes" : "no");
	put("app_root", access("stage1/rootfs/opt/stage2/app/rootfs/bin/busybox", X_OK) == 0 ? "yes" : "no");
	snprintf(pid, sizeof(pid), "%d\n", getpid());
	write_file("pid", pid);
	write_file("stage1/rootfs/rkt/status/app", status);
	fclose(record);
	return (int)strtol(status, NULL, 10);
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	char cwd[512], path[64];

	name = name ? name + 1 : argv[0];
	umask(022);
	snprintf(path, sizeof(path), "record-%s", name);
	record = fopen(path, "ae");
	if (!record) {
		perror(path);
		return 254;
	}
	put("argv0", argv[0]);
	for (int i = 1; i < argc; i++)
		put("arg", argv[i]);
	for (char **e = environ; *e; e++) {
		if (strncmp(*e, "RKT_", 4) == 0)
			fprintf(record, "env.%s\n", *e);
	}
	put("cwd", getcwd(cwd, sizeof(cwd)) ? cwd : "?");
	put_lock();
	put_fds();
	if (strcmp(name, "run") == 0)
		return play();
	return 0;
}
