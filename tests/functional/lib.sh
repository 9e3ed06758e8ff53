# shellcheck shell=sh disable=SC2034
# lib.sh — TAP for tests of the built programs.  Source it first: . "${0%/*}/lib.sh"
#
# The plan is printed at the end, after one last point of the library's own: the residue check (see
# residue below).  A test ends by running off its end; a function named cleanup, if the test defines one,
# runs before the residue check.  What a test makes lies below $T, which is removed.
#
#   T          folder of this test                RKT_DIR   its data directory
#   RKT        the program                        rkt ...   runs it with our --dir and config folders
#   run CMD    runs CMD, sets $status, keeps stdout in $T/out and stderr in $T/err
#
# As root the test starts over in a network namespace and a mount namespace of its own (ownhost.sh): no firewall, switch, port or
# mount of the machine is touched, and none of another test is met.  outside CMD runs CMD in the network of who called the test.
set -u
if [ -z "${RKT_TEST_HOST-}" ] && [ "$(id -u)" -eq 0 ]; then
	RKT_TEST_HOST=1 exec unshare -n -m --propagation private sh "${0%/*}/../functional/ownhost.sh" "$0" "$@"
fi

RKT_BUILD=${RKT_BUILD:-$(cd "$(dirname "$0")/../.." && pwd)/build}
T=$(mktemp -d "${TMPDIR:-/tmp}/rkt-test.XXXXXX")
RKT=$RKT_BUILD/bin/rkt
RKT_DIR=$T/data
GNUPGHOME=$T/gpg
export RKT_BUILD RKT_DIR GNUPGHOME T RKT
unset GREP_OPTIONS http_proxy https_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY all_proxy
umask 022
mkdir -p "$RKT_DIR" "$T/etc" "$T/lib" "$T/images"
mkdir -m 700 "$GNUPGHOME"

points=0
failures=0
pids=
status=0
server_url=
server_pid=

# ---- points --------------------------------------------------------------------------------------

ok() {
	points=$((points + 1))
	echo "ok $points - $*"
}

# not_ok DESCRIPTION: the streams of the last run follow as diagnostics.
not_ok() {
	points=$((points + 1))
	failures=$((failures + 1))
	echo "not ok $points - $*"
	diag "status $status"
	[ ! -s "$T/out" ] || tail -n 15 "$T/out" | sed 's/^/# stdout: /'
	[ ! -s "$T/err" ] || tail -n 15 "$T/err" | sed 's/^/# stderr: /'
}

diag() {
	echo "$*" | sed 's/^/# /'
}

# skip DESCRIPTION REASON: one point that cannot be tried here; a failure under RKT_TEST_MUST_RUN=1.
skip() {
	points=$((points + 1))
	echo "ok $points - $1 # SKIP $2"
}

# sanitized: whether the programs are built with a sanitizer: no child that confines itself has a seccomp filter then (aci/base/callfilter.h).
sanitized() {
	nm "$RKT" 2>/dev/null | grep -q __asan_init
}

# traced COMMAND...: a command that uses ptrace(2); LeakSanitizer cannot work under a tracer.
traced() {
	ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 "$@"
}

# need COMMAND...: without them the whole test is skipped.
need() {
	for _n in "$@"; do
		command -v "$_n" >/dev/null 2>&1 && continue
		echo "1..0 # SKIP no $_n"
		trap - EXIT
		rm -rf "$T"
		exit 0
	done
}

need_root() {
	[ "$(id -u)" -ne 0 ] || return 0
	echo "1..0 # SKIP not root"
	trap - EXIT
	rm -rf "$T"
	exit 0
}

# check DESCRIPTION CMD...: the command must succeed; refute: must fail.
check() {
	_d=$1
	shift
	if "$@" >"$T/check" 2>&1; then ok "$_d"; else
		not_ok "$_d"
		sed 's/^/# /' "$T/check" | tail -n 15
	fi
}

refute() {
	_d=$1
	shift
	if "$@" >"$T/check" 2>&1; then not_ok "$_d"; else ok "$_d"; fi
}

# is DESCRIPTION GOT WANT
is() {
	if [ "$2" = "$3" ]; then ok "$1"; else
		not_ok "$1"
		diag "got:  $2"
		diag "want: $3"
	fi
}

# like DESCRIPTION TEXT REGEX (extended); unlike is the reverse.
like() {
	if printf '%s\n' "$2" | grep -Eq -e "$3"; then ok "$1"; else
		not_ok "$1"
		diag "got:  $2"
		diag "want: /$3/"
	fi
}

unlike() {
	if printf '%s\n' "$2" | grep -Eq -e "$3"; then
		not_ok "$1"
		diag "got: $2"
		diag "not: /$3/"
	else ok "$1"; fi
}

# ---- running -------------------------------------------------------------------------------------

# accept_unsigned: from here on rkt and start_rkt use stored images that nobody verified ($accept; for tests that
# are about something else).  An --insecure-options of the call itself replaces it.
accept_unsigned() {
	accept=--insecure-options=image
}
accept=

rkt() {
	"$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" ${accept:+"$accept"} "$@"
}

run() {
	"$@" >"$T/out" 2>"$T/err" </dev/null
	status=$?
}

out() { cat "$T/out"; }
err() { cat "$T/err"; }

# expect_status N DESCRIPTION: of the last run.
expect_status() {
	if [ "$status" -eq "$1" ]; then ok "$2"; else
		not_ok "$2"
		diag "want status $1"
	fi
}

# expect_stdout REGEX DESCRIPTION, expect_stderr REGEX DESCRIPTION: some line of the last run matches.
expect_stdout() {
	if grep -Eq -e "$1" "$T/out"; then ok "$2"; else
		not_ok "$2"
		diag "want on stdout: /$1/"
	fi
}

expect_stderr() {
	if grep -Eq -e "$1" "$T/err"; then ok "$2"; else
		not_ok "$2"
		diag "want on stderr: /$1/"
	fi
}

# fails_with REGEX DESCRIPTION CMD...: exit 254 and exactly one line on stderr, which matches.
fails_with() {
	_re=$1 _d=$2
	shift 2
	run "$@"
	if [ "$status" -eq 254 ] && [ "$(wc -l <"$T/err")" -eq 1 ] && grep -Eq -e "$_re" "$T/err"; then ok "$_d"; else
		not_ok "$_d"
		diag "want status 254 and one line on stderr: /$_re/"
	fi
}

outside() {
	nsenter --net="/proc/$PPID/ns/net" "$@"
}

# start CMD...: in the background, streams in $T/bg.out and $T/bg.err; sets $pid; ended by the library at the latest.
# The files are emptied here: whoever looks into them must not see what an earlier one has left until this one begins.
start() {
	: >"$T/bg.out"
	: >"$T/bg.err"
	"$@" >"$T/bg.out" 2>"$T/bg.err" </dev/null &
	pid=$!
	pids="$pids $pid"
}

# start_rkt ARG...: as start, but $pid is rkt itself, not a shell around it.
start_rkt() {
	: >"$T/bg.out"
	: >"$T/bg.err"
	"$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" ${accept:+"$accept"} "$@" >"$T/bg.out" 2>"$T/bg.err" </dev/null &
	pid=$!
	pids="$pids $pid"
}

# wait_for SECONDS CMD...: until it succeeds; fails when the time is over.  SECONDS are what it may take on an idle machine:
# a busy one gets ten times as much, since only a failure waits that long.
wait_for() {
	_end=$(($(date +%s) + $1 * 10))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt $_end ] || return 1
		sleep 0.05
	done
}

# sleeper UUID SECONDS: the process of that pod that is /bin/sleep SECONDS, as the host numbers it.
sleeper() {
	# shellcheck disable=SC2013 # numbers
	for _p in $(grep -ls "rkt-$1" /proc/[0-9]*/cgroup | cut -d/ -f3); do
		[ "$(tr '\0' ' ' 2>/dev/null <"/proc/$_p/cmdline")" != "/bin/sleep $2 " ] || echo "$_p"
	done 2>/dev/null | head -n 1
}

# value KEY: of the first line KEY=VALUE in $T/out (what inspect prints).
value() {
	sed -n "s|^$1=||p" "$T/out" | head -n 1
}

# ---- images --------------------------------------------------------------------------------------

# make_rootfs DIR: busybox with its links, inspect, passwd and group.
make_rootfs() {
	for _f in bin dev etc proc sys tmp root home/alice var/tmp; do mkdir -p "$1/$_f"; done
	chmod 1777 "$1/tmp" "$1/var/tmp"
	cp "$(command -v busybox)" "$1/bin/busybox"
	cp "$RKT_BUILD/tests/inspect" "$1/bin/inspect"
	for _f in sh ls cat echo true false sleep id env hostname ps mount umount touch mkdir rm kill stat test head tail \
		grep sed awk wc dd ln chmod chown pwd printf nc wget; do
		ln -sf busybox "$1/bin/$_f"
	done
	printf 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000:Alice:/home/alice:/bin/sh\nbob:x:1001:100::/:/bin/sh\n' >"$1/etc/passwd"
	printf 'root:x:0:\nusers:x:100:alice\nalice:x:1000:\nwheel:x:10:alice,bob\n' >"$1/etc/group"
	chown -R 0:0 "$1" 2>/dev/null
	chown 1000:1000 "$1/home/alice" 2>/dev/null
	return 0
}

# image_arch: this machine's architecture as image labels spell it.
image_arch() {
	case $(uname -m) in
	x86_64) echo amd64 ;;
	i?86) echo i386 ;;
	*) uname -m ;;
	esac
}

# make_manifest NAME: an image manifest on stdout.  IMAGE_EXEC exec array (JSON), IMAGE_APP further members of
# the app object, IMAGE_USER, IMAGE_GROUP, IMAGE_VERSION, IMAGE_MORE further members of the manifest.
make_manifest() {
	cat <<-END
	{"acKind":"ImageManifest","acVersion":"0.8.11","name":"$1",
	"labels":[{"name":"os","value":"linux"},{"name":"arch","value":"$(image_arch)"},
	{"name":"version","value":"${IMAGE_VERSION:-1.0.0}"}],
	"app":{"exec":${IMAGE_EXEC:-[\"/bin/inspect\"]},"user":"${IMAGE_USER:-0}","group":"${IMAGE_GROUP:-0}"${IMAGE_APP:+,$IMAGE_APP}}
	${IMAGE_MORE:+,$IMAGE_MORE}}
	END
}

# make_image NAME [DIR]: sets $image to an ACI with the rootfs above and, over it, the files of DIR.
# The variables of make_manifest apply.  IMAGE_FILE names the file (below $T/images), default NAME's last part.
make_image() {
	_base=${RKT_TEST_SHARED:-$T}/rootfs
	if [ ! -e "$_base.ready" ]; then
		_new=$_base.$$
		make_rootfs "$_new"
		# Another test may have been first; both made the same.
		mv -T "$_new" "$_base" 2>/dev/null || rm -rf "$_new"
		: >"$_base.ready"
	fi
	_tree=$T/images/tree
	rm -rf "$_tree"
	mkdir -p "$_tree"
	cp -a "$_base" "$_tree/rootfs"
	[ -z "${2-}" ] || cp -a "$2/." "$_tree/rootfs/"
	make_manifest "$1" >"$_tree/manifest"
	image=$T/images/${IMAGE_FILE:-${1##*/}.aci}
	rm -f "$image"
	"$RKT_BUILD/bin/mkaci" "$_tree" "$image"
	_made=$?
	rm -rf "$_tree"
	return $_made
}

# ---- keys and signatures -------------------------------------------------------------------------

# make_key NAME [EXPIRES]: a signing key in the test's own key ring; $T/NAME.key is its armored public half.
make_key() {
	gpg --batch --quiet --passphrase '' --quick-gen-key "$1 <$1@example.com>" ed25519 sign "${2:-never}" 2>>"$T/gpg.log" &&
		gpg --batch --armor --export "$1@example.com" >"$T/$1.key"
}

# fingerprint NAME: 40 lower-case hex digits.
fingerprint() {
	gpg --batch --with-colons --fingerprint "$1@example.com" | awk -F: '/^fpr/ { print tolower($10); exit }'
}

# sign_image FILE NAME: detached armored signature in FILE.asc.
sign_image() {
	rm -f "$1.asc"
	gpg --batch --quiet --armor --local-user "$2@example.com" --output "$1.asc" --detach-sign "$1"
}

# trust_key NAME PREFIX: through rkt.
trust_key() {
	rkt trust --prefix="$2" --skip-fingerprint-review "$T/$1.key" >"$T/trust" 2>&1
}

# ---- server on loopback --------------------------------------------------------------------------

# start_server [ROOT [ARG...]]: httpd (see its head for the rules); sets $server_url, $server_port and
# $server_pid.  The log is $T/httpd.log, the rules are $T/httpd.rules (may be rewritten at any time).
start_server() {
	_root=${1:-$T/images}
	[ $# -eq 0 ] || shift
	rm -f "$T/httpd.port"
	touch "$T/httpd.rules" "$T/httpd.log"
	"$RKT_BUILD/tests/httpd" --root "$_root" --port-file "$T/httpd.port" --log "$T/httpd.log" \
		--rules "$T/httpd.rules" "$@" >"$T/httpd.err" 2>&1 </dev/null &
	server_pid=$!
	pids="$pids $server_pid"
	wait_for 5 test -s "$T/httpd.port" || { diag "no server: $(cat "$T/httpd.err")"; return 1; }
	server_port=$(cat "$T/httpd.port")
	server_url=http://127.0.0.1:$server_port
}

stop_server() {
	kill "$server_pid" && wait "$server_pid" 2>/dev/null
}

# requests [REGEX]: how many lines of the server's log match.
requests() {
	grep -Ec -e "${1:-.}" "$T/httpd.log"
}

# make_cert: $T/cert.pem and $T/cert.key for 127.0.0.1 and localhost (start_server ROOT --cert .. --key ..).
make_cert() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
		-addext 'subjectAltName=IP:127.0.0.1,DNS:localhost' -keyout "$T/cert.key" -out "$T/cert.pem" 2>/dev/null
}

# ---- end: residue --------------------------------------------------------------------------------

# Control groups of pods, and who is in one ("/proc/PID/cgroup:rkt-UUID").
list_cgroups() {
	find /sys/fs/cgroup -type d -name '*rkt-*' 2>/dev/null | sort
}

list_members() {
	grep -Hso 'rkt-[0-9a-f-]\{36\}' /proc/[0-9]*/cgroup | sort -u
}

# Pods that live in a data directory of a test that runs beside this one.
foreign_pods() {
	find "${TMPDIR:-/tmp}"/rkt-test.*/*/pods -mindepth 2 -maxdepth 2 ! -path "$T/*" -printf '%f\n' 2>/dev/null
}

# strangers: control groups that are new and who is in one, of whatever test.
strangers() {
	list_cgroups | comm -13 "$T/cgroups" - | sed 's/^/cgroup: /'
	list_members | comm -13 "$T/members" - | sed 's/^/process: /'
}

# residue: what should not be there, one line each: mounts that mention $T in any mount namespace, processes
# that have anything of $T open, pod directories, control groups that are new and belong to no other test.
residue() {
	grep -F -e "$T/" /proc/[0-9]*/mountinfo 2>/dev/null | sed 's/^/mount: /'
	find /proc/[0-9]*/fd /proc/[0-9]*/cwd /proc/[0-9]*/root /proc/[0-9]*/exe -maxdepth 1 ! -lname "$T/check" \( -lname "$T" -o -lname "$T/*" \) \
		-printf 'process: %p -> %l\n' 2>/dev/null
	find "$RKT_DIR"/pods -mindepth 2 -maxdepth 2 -printf 'pod: %p\n' 2>/dev/null
	# Others start and end pods meanwhile: whose directory is there before or after has a home.
	foreign_pods >"$T/foreign"
	strangers >"$T/strangers"
	[ -s "$T/strangers" ] || return 0
	foreign_pods >>"$T/foreign"
	if [ -s "$T/foreign" ]; then grep -vF -f "$T/foreign" "$T/strangers"; else cat "$T/strangers"; fi
}

list_cgroups >"$T/cgroups"
list_members >"$T/members"

no_residue() {
	[ -z "$(residue)" ]
}

# ours: of what the test has started, what is still a child of its shell.  The number of what has ended may be that of
# a process of another test by now: numbers go round within minutes.
ours() {
	_children=" $(cat "/proc/$$/task/$$/children") "
	for _p in $pids; do
		case $_children in *" $_p "*) echo "$_p" ;; esac
	done
}

none_left() {
	[ -z "$(ours)" ]
}

finish() {
	_exit=$?
	trap - EXIT INT TERM HUP
	if command -v cleanup >/dev/null 2>&1; then cleanup >"$T/cleanup" 2>&1; fi
	for _p in $(ours); do kill "$_p" 2>/dev/null; done
	wait_for 1 none_left || for _p in $(ours); do kill -KILL "$_p" 2>/dev/null; done
	for _p in $pids; do wait "$_p" 2>/dev/null; done
	gpgconf --kill all 2>/dev/null
	status=0
	if [ -d "$RKT_DIR/pods" ]; then
		# The first pass marks and deletes; what it finds still locked, the second deletes.
		for _p in 1 2; do run rkt gc --grace-period=0s --expire-prepared=0s; done
	fi
	if wait_for "${RKT_TEST_PATIENCE:-5}" no_residue; then ok "no residue"; else
		not_ok "no residue"
		residue | head -n 20 | sed 's/^/# /'
	fi
	echo "1..$points"
	rm -rf --one-file-system "$T"
	[ $_exit -ne 0 ] || [ $failures -eq 0 ] || _exit=1
	exit $_exit
}
trap finish EXIT
trap 'exit 130' INT TERM HUP
