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
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>

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

/*
 * try=NAME: what the kernel answers.  Every call is harmless where it is permitted, because it would
 * change nothing or its arguments are wrong in a way that the kernel looks at after the permission.
 * The errno that means "permitted" stands beside each.
 */

/* ENODEV */
static long try_mount(void)
{
	return mount("none", "/", "inspect", 0, NULL);
}

/* EINVAL */
static long try_propagation(void)
{
	return mount(NULL, "/", NULL, MS_PRIVATE | MS_SHARED, NULL);
}

static long try_unshare(void)
{
	return unshare(CLONE_NEWUSER);
}

/* the same by the call that a thread is made with */
static long try_clone_user(void)
{
	long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : waitpid((pid_t)pid, NULL, 0);
}

static long try_unshare_net(void)
{
	return unshare(CLONE_NEWNET);
}

static long try_setns(void)
{
	int fd = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -1 : setns(fd, 0);
}

static long try_keyctl(void)
{
	return syscall(SYS_keyctl, 0, -3, 0); /* KEYCTL_GET_KEYRING_ID, session keyring */
}

static long try_ptrace(void)
{
	return ptrace(PTRACE_ATTACH, 1, NULL, NULL);
}

static long try_bpf(void)
{
	return syscall(SYS_bpf, 0, NULL, 0);
}

static long try_reboot(void)
{
	return syscall(SYS_reboot, 0, 0, 0, NULL); /* wrong magic number: EINVAL */
}

static long try_module(void)
{
	return syscall(SYS_init_module, NULL, 0, ""); /* ENOEXEC or EFAULT */
}

static long try_sethostname(void)
{
	return syscall(SYS_sethostname, "inspect", -1); /* EINVAL */
}

static long try_chroot(void)
{
	return chroot("/");
}

static long try_mknod(void)
{
	long r = mknod("/inspect-node", S_IFBLK | 0600, makedev(7, 0));
	int saved = errno;
	(void)unlink("/inspect-node");
	errno = saved;
	return r;
}

static long try_setuid(void)
{
	return setresuid(12345, 12345, 12345);
}

static long try_rawsocket(void)
{
	return socket(AF_INET, SOCK_RAW, 1);
}

static long try_clone3(void)
{
	return syscall(SYS_clone3, NULL, 0);
}

/* getpid(2) as a program of 32 bits calls it, with numbers that a filter of 64 bits takes for others */
static long try_int80(void)
{
#ifdef __x86_64__
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
	errno = r < 0 ? (int)-r : 0;
	return r < 0 ? -1 : 0;
#else
	errno = ENOSYS;
	return -1;
#endif
}

static long try_iouring(void)
{
	return syscall(SYS_io_uring_setup, 0, NULL);
}

static long try_settime(void)
{
	return syscall(SYS_settimeofday, NULL, NULL); /* 0, and sets nothing */
}

static long try_tiocsti(void)
{
	return syscall(SYS_ioctl, 0, 0x5412, NULL); /* EFAULT, ENOTTY without a terminal */
}

/* the kernel looks at 32 bits of the request */
static long try_tiocsti_high(void)
{
	return syscall(SYS_ioctl, 0, 0x100005412, NULL);
}

static long try_tioclinux(void)
{
	return syscall(SYS_ioctl, 0, 0x541C, NULL);
}

static long try_killinit(void)
{
	return kill(1, 0);
}

static const struct {
	const char *name;
	long (*call)(void);
} tries[] = {
	{ "mount", try_mount },
	{ "propagation", try_propagation },
	{ "unshare", try_unshare },
	{ "unshare_net", try_unshare_net },
	{ "clone_user", try_clone_user },
	{ "setns", try_setns },
	{ "keyctl", try_keyctl },
	{ "ptrace", try_ptrace },
	{ "bpf", try_bpf },
	{ "reboot", try_reboot },
	{ "module", try_module },
	{ "sethostname", try_sethostname },
	{ "chroot", try_chroot },
	{ "mknod", try_mknod },
	{ "setuid", try_setuid },
	{ "rawsocket", try_rawsocket },
	{ "clone3", try_clone3 },
	{ "int80", try_int80 },
	{ "iouring", try_iouring },
	{ "settime", try_settime },
	{ "tiocsti", try_tiocsti },
	{ "tiocsti_high", try_tiocsti_high },
	{ "tioclinux", try_tioclinux },
	{ "killinit", try_killinit },
};

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

/* One try in a child of its own: a filter that kills shows as SIGSYS. */
static void try_one(const char *name, long (*call)(void))
{
	int status = 0;
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		errno = 0;
		_exit(call() < 0 ? errno : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		printf("try_%s=%s\n", name, strerrorname_np(errno));
	else if (WIFSIGNALED(status))
		printf("try_%s=SIG%s\n", name, sigabbrev_np(WTERMSIG(status)));
	else
		printf("try_%s=%s\n", name, strerrorname_np(WEXITSTATUS(status)));
}

/* try=mount,bpf or try=all */
static int act_try(const char *arg)
{
	size_t hits = 0;

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		size_t n = strlen(tries[i].name);
		const char *at = arg;
		int wanted = strcmp(arg, "all") == 0;

		for (; !wanted && at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
			wanted = strncmp(at, tries[i].name, n) == 0 && (at[n] == ',' || at[n] == '\0');
		if (wanted)
			try_one(tries[i].name, tries[i].call);
		hits += wanted ? 1 : 0;
	}
	if (hits == 0)
		fprintf(stderr, "inspect: unknown try: %s\n", arg);
	return hits ? 0 : 2;
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
	{ "status", act_status }, { "env", act_env },       { "argv", act_argv },
	{ "fds", act_fds },       { "mounts", act_mounts }, { "rlimits", act_rlimits },
	{ "read", act_read },     { "write", act_write },   { "stat", act_stat },
	{ "ls", act_ls },         { "open", act_open },     { "try", act_try },
	{ "exit", act_exit },     { "signal", act_signal }, { "ignore", act_ignore },
	{ "sleep", act_sleep },   { "orphan", act_orphan }, { "stdin", act_stdin },
	{ "stderr", act_stderr }, { "notify", act_notify }, { "keyring", act_keyring },
	{ "truncate", act_truncate },
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
