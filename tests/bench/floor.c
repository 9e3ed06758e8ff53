/*
 * floor — what the kernel itself asks for a start: new namespaces, an overlay, pivot_root, one program.
 *
 * floor LOWER SCRATCH PROGRAM [ARG...]
 *
 * Makes SCRATCH/{upper,work,root} (removed again), clones into new pid, mount, uts, ipc and network
 * namespaces, mounts an overlay of LOWER with a procfs in it, pivots and executes PROGRAM.  No image, no pod
 * directory, no cgroup, no capabilities, no filter, no /dev, no /sys: whatever rkt takes above this is the
 * price of those.  Exit status: the program's.
 */
#include <errno.h>
#include <ftw.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	exit(125);
}

static _Noreturn void child(const char *lower, char **argv)
{
	static char *const env[] = { NULL };
	char options[3000];

	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		die("propagation");
	(void)snprintf(options, sizeof(options), "lowerdir=%s,upperdir=upper,workdir=work,volatile", lower);
	if (mount("overlay", "root", "overlay", MS_NODEV, options) < 0)
		die("overlay");
	if (chdir("root") < 0 || mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		die("proc");
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
		die("pivot_root");
	(void)execve(argv[0], argv, env);
	die(argv[0]);
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

int main(int argc, char **argv)
{
	static const char *const dirs[] = { "upper", "work", "root" };
	struct clone_args args = {
		.flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET,
		.exit_signal = SIGCHLD,
	};
	int status = 0;

	if (argc < 4) {
		fprintf(stderr, "usage: floor LOWER SCRATCH PROGRAM [ARG...]\n");
		return 125;
	}
	if ((mkdir(argv[2], 0700) < 0 && errno != EEXIST) || chdir(argv[2]) < 0)
		die(argv[2]);
	for (size_t i = 0; i < 3; i++) {
		if (mkdir(dirs[i], 0755) < 0 && errno != EEXIST)
			die(dirs[i]);
	}
	long pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0)
		die("clone3");
	if (pid == 0)
		child(argv[1], argv + 3);
	if (waitpid((pid_t)pid, &status, 0) < 0)
		die("waitpid");
	for (size_t i = 0; i < 3; i++)
		(void)nftw(dirs[i], drop, 8, FTW_DEPTH | FTW_PHYS);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
