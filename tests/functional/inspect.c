/*
 * inspect — says what the process that runs it may do and can see, one key=value a line.
 *
 * Static, so that it runs in any image.  Arguments are actions, done in order ("inspect status
 * env try=mount exit=3"); without arguments: status.  Tests compare its lines with what they asked
 * rkt for, and the lines of `rkt run` with those of `rkt enter`.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "tests/functional/inspect.h"

extern char **environ;

static void put(const char *key, const char *value)
{
	printf("%s=", key);
	for (; *value; value++)
		putchar(iscntrl((unsigned char)*value) ? '?' : *value);
	putchar('\n');
}

static void put_long(const char *key, long value)
{
	printf("%s=%ld\n", key, value);
}

/* Lines of /proc/self/status whose names start with Cap, and the like, in lower case. */
static void put_proc_status(void)
{
	static const char *const wanted[] = { "CapInh",  "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs",
					      "Seccomp", "Umask",  "SigIgn", "SigBlk", "NSpid" };
	FILE *f = fopen("/proc/self/status", "re");
	char line[512];

	if (!f) {
		printf("proc_status=%s\n", strerrorname_np(errno));
		return;
	}
	while (fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');

		if (!colon)
			continue;
		*colon = '\0';
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
			if (strcmp(line, wanted[i]) != 0)
				continue;
			char *v = colon + 1 + strspn(colon + 1, " \t");
			v[strcspn(v, "\n")] = '\0';
			for (char *p = line; *p; p++)
				*p = (char)tolower((unsigned char)*p);
			put(line, v);
		}
	}
	(void)fclose(f);
}

static void put_file(const char *key, const char *path)
{
	FILE *f = fopen(path, "re");
	char line[4096];

	if (!f) {
		printf("%s=%s\n", key, strerrorname_np(errno));
		return;
	}
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		put(key, line);
	}
	(void)fclose(f);
}

static void put_link(const char *key, const char *path)
{
	char target[4096];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	target[n < 0 ? 0 : n] = '\0';
	put(key, n < 0 ? strerrorname_np(errno) : target);
}

static void put_groups(void)
{
	gid_t groups[256];
	int n = getgroups(256, groups);

	printf("groups=");
	for (int i = 0; i < n; i++)
		printf("%s%u", i ? "," : "", (unsigned int)groups[i]);
	putchar('\n');
}

static int act_status(const char *arg)
{
	static const char *const spaces[] = { "mnt", "pid", "uts", "ipc", "net", "user", "cgroup" };
	struct utsname u;
	char path[64];
	char cwd[4096];

	(void)arg;
	put_long("uid", (long)getuid());
	put_long("euid", (long)geteuid());
	put_long("gid", (long)getgid());
	put_long("egid", (long)getegid());
	put_groups();
	put_proc_status();
	put("cwd", getcwd(cwd, sizeof(cwd)) ? cwd : strerrorname_np(errno));
	put("hostname", uname(&u) < 0 ? "" : u.nodename);
	put_long("pid", (long)getpid());
	put_long("ppid", (long)getppid());
	put_long("pgid", (long)getpgrp());
	put_long("sid", (long)getsid(0));
	put_file("oom_score_adj", "/proc/self/oom_score_adj");
	put_file("cgroup", "/proc/self/cgroup");
	put_file("uid_map", "/proc/self/uid_map");
	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
		char key[16];
		(void)snprintf(key, sizeof(key), "ns_%s", spaces[i]);
		(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", spaces[i]);
		put_link(key, path);
	}
	return 0;
}

static int act_env(const char *arg)
{
	(void)arg;
	for (char **e = environ; *e; e++)
		put("env", *e);
	return 0;
}

static int act_argv(const char *arg)
{
	put("argv", arg);
	return 0;
}

/* Open descriptors but the one that lists them: fd.N=target. */
static int act_fds(const char *arg)
{
	DIR *d = opendir("/proc/self/fd");

	(void)arg;
	if (!d) {
		printf("fds=%s\n", strerrorname_np(errno));
		return 0;
	}
	for (struct dirent *e; (e = readdir(d));) {
		char key[300], path[300];

		if (e->d_name[0] == '.' || strtol(e->d_name, NULL, 10) == dirfd(d))
			continue;
		(void)snprintf(key, sizeof(key), "fd.%s", e->d_name);
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%s", e->d_name);
		put_link(key, path);
	}
	(void)closedir(d);
	return 0;
}

static int act_mounts(const char *arg)
{
	(void)arg;
	put_file("mount", "/proc/self/mountinfo");
	return 0;
}

static int act_rlimits(const char *arg)
{
	static const struct {
		const char *name;
		int which;
	} limits[] = {
		{ "nofile", RLIMIT_NOFILE }, { "nproc", RLIMIT_NPROC }, { "core", RLIMIT_CORE },
		{ "stack", RLIMIT_STACK },   { "as", RLIMIT_AS },       { "memlock", RLIMIT_MEMLOCK }
	};

	(void)arg;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit r = { 0, 0 };
		(void)getrlimit((__rlimit_resource_t)limits[i].which, &r);
		printf("rlimit_%s=%" PRIu64 ":%" PRIu64 "\n", limits[i].name, (uint64_t)r.rlim_cur,
		       (uint64_t)r.rlim_max);
	}
	return 0;
}

static int act_read(const char *arg)
{
	put_file(arg, arg);
	return 0;
}

/* write=PATH:TEXT appends TEXT and a newline. */
static int act_write(const char *arg)
{
	const char *colon = strchr(arg, ':');
	char path[4096];
	int fd, r;

	(void)snprintf(path, sizeof(path), "%.*s", colon ? (int)(colon - arg) : (int)strlen(arg), arg);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	r = fd < 0 ? -1 : dprintf(fd, "%s\n", colon ? colon + 1 : "");
	printf("write:%s=%s\n", path, r < 0 ? strerrorname_np(errno) : "0");
	if (fd >= 0)
		(void)close(fd);
	return 0;
}

/* By name, without opening it. */
static int act_truncate(const char *arg)
{
	printf("truncate:%s=%s\n", arg, truncate(arg, 1) < 0 ? strerrorname_np(errno) : "0");
	return 0;
}

static int act_stat(const char *arg)
{
	struct stat st;

	if (lstat(arg, &st) < 0)
		printf("stat:%s=%s\n", arg, strerrorname_np(errno));
	else
		printf("stat:%s=%o %u:%u %" PRIu64 " %u:%u\n", arg, (unsigned int)st.st_mode,
		       (unsigned int)st.st_uid, (unsigned int)st.st_gid, (uint64_t)st.st_size,
		       major(st.st_rdev), minor(st.st_rdev));
	return 0;
}

static int act_ls(const char *arg)
{
	DIR *d = opendir(arg);

	if (!d) {
		printf("ls:%s=%s\n", arg, strerrorname_np(errno));
		return 0;
	}
	for (struct dirent *e; (e = readdir(d));) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			printf("ls:%s=%s\n", arg, e->d_name);
	}
	(void)closedir(d);
	return 0;
}

/* Serial number of the session keyring. */
static int act_keyring(const char *arg)
{
	long id = syscall(SYS_keyctl, 0, -3, 0);

	(void)arg;
	put_long("keyring", id < 0 ? -errno : id);
	return 0;
}

static int act_open(const char *arg)
{
	int fd = open(arg, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	printf("open:%s=%s\n", arg, fd < 0 ? strerrorname_np(errno) : "0");
	if (fd >= 0)
		(void)close(fd);
	return 0;
}

/* ---- what it does to itself ------------------------------------------------------------------------ */

static int act_exit(const char *arg)
{
	(void)fflush(stdout);
	_exit((int)strtol(arg, NULL, 10));
}

static int act_signal(const char *arg)
{
	(void)fflush(stdout);
	(void)kill(getpid(), (int)strtol(arg, NULL, 10));
	return 0;
}

static int act_ignore(const char *arg)
{
	(void)signal((int)strtol(arg, NULL, 10), SIG_IGN);
	return 0;
}

static int act_sleep(const char *arg)
{
	double secs = strtod(arg, NULL);
	struct timespec t = { (time_t)secs, (long)((secs - (double)(time_t)secs) * 1e9) };

	(void)fflush(stdout);
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
	return 0;
}

/* A grandchild that outlives its parent, so that pid 1 must adopt and reap it. */
static int act_orphan(const char *arg)
{
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		if (fork() == 0)
			(void)act_sleep(arg);
		_exit(0);
	}
	return pid < 0 || waitpid(pid, NULL, 0) < 0 ? 1 : 0;
}

static int act_stdin(const char *arg)
{
	char line[4096];

	(void)arg;
	printf("stdin_tty=%d\n", isatty(0));
	printf("stdout_tty=%d\n", isatty(1));
	if (!fgets(line, sizeof(line), stdin))
		return 0;
	line[strcspn(line, "\n")] = '\0';
	put("stdin", line);
	return 0;
}

static int act_stderr(const char *arg)
{
	fprintf(stderr, "%s\n", arg);
	return 0;
}

/* notify=TEXT: to the service manager that $NOTIFY_SOCKET names. */
static int act_notify(const char *arg)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", path ? path : "");
	put_long("notify", fd < 0 || sendto(fd, arg, strlen(arg), 0, (struct sockaddr *)&to, sizeof(to)) < 0
				   ? errno
				   : 0);
	return 0;
}

static const struct action {
	const char *name;
	int (*run)(const char *arg);
} actions[] = {
	{ "status", act_status },   { "env", act_env },
	{ "argv", act_argv },       { "fds", act_fds },
	{ "mounts", act_mounts },   { "rlimits", act_rlimits },
	{ "read", act_read },       { "write", act_write },
	{ "stat", act_stat },       { "ls", act_ls },
	{ "open", act_open },       { "try", act_try },
	{ "exit", act_exit },       { "signal", act_signal },
	{ "ignore", act_ignore },   { "sleep", act_sleep },
	{ "orphan", act_orphan },   { "stdin", act_stdin },
	{ "stderr", act_stderr },   { "notify", act_notify },
	{ "keyring", act_keyring }, { "truncate", act_truncate },
};

static int run_action(const char *word)
{
	size_t n = strcspn(word, "=");

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strlen(actions[i].name) == n && strncmp(actions[i].name, word, n) == 0)
			return actions[i].run(word[n] == '=' ? word + n + 1 : "");
	}
	fprintf(stderr, "inspect: unknown action: %s\n", word);
	return 2;
}

int main(int argc, char **argv)
{
	int r = argc > 1 ? 0 : act_status("");

	for (int i = 1; i < argc && r == 0; i++) {
		r = run_action(argv[i]);
		(void)fflush(stdout);
	}
	return r;
}
