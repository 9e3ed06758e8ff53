#!/bin/sh
# T57: system calls that older kernels or strict filters do not have: what rkt can do without, it does as safely; what it cannot, it refuses in one line, and nothing is left.
. "${0%/*}/lib.sh"
need_root
mkdir -p "$T/canary" "$T/vol" "$T/plain"
echo untouched >"$T/canary/secret"
echo hello >"$T/vol/f"
canary() { find "$T/canary" -printf '%P %m %U %s %T@\n' | sort; }
before=$(canary)
make_image example.com/app
accept_unsigned
run rkt fetch "$image"
expect_status 0 "the image is there"
app=$image

# without CALLS ARG...: rkt with these system calls taken away.
without() {
	_calls=$1
	shift
	# shellcheck disable=SC2086 # several calls
	"$RKT_BUILD/tests/without" $_calls -- "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" "$accept" "$@"
}
run without nosuchcall version
expect_status 99 "an unknown call is an error of the test"
run without unshare=EPERM version
expect_status 0 "a call that is not needed is not missed"

pod() {
	without "$1" run --net=none --volume=v,kind=host,source="$T/vol",readOnly=true --volume=e,kind=empty \
		example.com/app --mount=volume=v,target=/data --mount=volume=e,target=/new/empty --memory=64M \
		--exec=/bin/sh -- -c 'cat /data/f; touch /data/x; touch /new/empty/x && mount | grep -c proc; inspect status fds; exit 7'
}
# What a pod says about itself does not depend on how it was built.
confined() { grep -E '^(uid|gid|cap|nonewprivs|seccomp|fd)' "$T/out"; }
run pod unshare=EPERM
expect_status 7 "a pod with all calls"
confined >"$T/want"
check "says something about its walls" grep -q '^capeff=' "$T/want"
rkt gc --grace-period=0s >/dev/null 2>&1

leftovers() { find "$RKT_DIR"/pods -mindepth 2 -maxdepth 2; }

# ---- replaced by something as safe
for calls in openat2 openat2=EPERM clone3 clone3=EPERM fsopen fsopen=EPERM pidfd_open pidfd_open=EPERM pidfd_send_signal close_range \
	close_range=EPERM renameat2 memfd_create copy_file_range keyctl landlock_create_ruleset setxattr 'openat2 clone3 fsopen pidfd_open close_range'; do
	case $calls in setxattr) rm -rf "$RKT_DIR/skeleton-1" ;; esac
	run pod "$calls"
	expect_status 7 "T57 a pod without $calls"
	like "T57 without $calls: the volume is there" "$(out)" "^hello$"
	like "T57 without $calls: and read-only" "$(err)" "Read-only"
	confined >"$T/have"
	check "T57 without $calls: the same walls" diff "$T/want" "$T/have"
	run without "$calls" gc --grace-period=0s
	expect_status 0 "T57 gc without $calls"
	is "T57 gc without $calls leaves no pod" "$(leftovers)" ""
done

# ---- refused: nothing is started, nothing is left
for calls in open_tree open_tree=EPERM move_mount mount_setattr mount_setattr=EPERM mount=EPERM pivot_root execveat seccomp; do
	fails_with 'rkt: run: .*(not implemented|not permitted)' "T57 no pod without $calls" pod "$calls"
	is "T57 no pod without $calls, no directory of one" "$(leftovers)" ""
done
like "T57 the line says what would help" "$(pod open_tree 2>&1)" 'Linux 5\.12 or later'

# ---- enter and stop
started() { ls "$RKT_DIR/pods/run/$(cat "$T/uuid")"/appsinfo/app/pid; }
for calls in openat2 clone3=EPERM fsopen close_range pidfd_open pidfd_open=EPERM pidfd_send_signal; do
	for force in '' --force; do
		rm -f "$T/uuid"
		start_rkt run --net=none --uuid-file-save="$T/uuid" example.com/app --exec=/bin/sh -- -c 'sleep 1000 & sleep 1000'
		check "a pod to enter" wait_for 10 started
		uuid=$(cat "$T/uuid")
		case $calls in
		pidfd*) fails_with "rkt: enter: pidfd_[a-z_]*: " "T57 enter refuses without $calls" without "$calls" enter "$uuid" /bin/inspect exit=4 ;;
		*)
			run without "$calls" enter "$uuid" /bin/inspect exit=4
			expect_status 4 "T57 enter without $calls" ;;
		esac
		# shellcheck disable=SC2086 # none or one
		run without "$calls" stop $force "$uuid"
		expect_status 0 "T57 stop $force without $calls"
		check "T57 stop $force without $calls: it ends" wait_for 15 sh -c "! kill -0 $pid"
		wait "$pid" 2>/dev/null
		run without "$calls" gc --grace-period=0s
		is "T57 gc after stop $force without $calls" "$(leftovers)" ""
	done
done

# ---- attacks on a kernel without openat2 (T02, T12, T16)
mkdir -p "$T/evil"
ln -s "$T/canary" "$T/evil/vol"
ln -s /proc/self/fd "$T/evil/cwd"
IMAGE_FILE=evil.aci make_image example.com/evil "$T/evil"
run without openat2 fetch "$image"
expect_status 0 "T57 T02 links of an image are stored without openat2"
run without openat2 run --net=none --volume=v,kind=host,source="$T/vol" example.com/evil --mount=volume=v,target=/vol/sub --exec=/bin/ls -- -d "$T/canary/sub"
expect_status 0 "T57 T52 a target behind a link of the image is made in the image"
is "T57 T52 a target behind a link of the image is not made outside" "$(canary)" "$before"
for dir in /proc/self/fd/3 /proc/1/cwd /cwd/3; do
	fails_with "$dir" "T57 T16 working directory $dir is refused" without openat2 run --net=none example.com/evil --working-dir=$dir --exec=/bin/true
done
# without setxattr there is no skeleton, whose own directories hide what the image has
rm -rf "$RKT_DIR/skeleton-1"
for calls in setxattr 'openat2 setxattr' 'fsopen setxattr' 'openat2 fsopen clone3 setxattr'; do
	for dir in dev proc sys; do
		mkdir -p "$T/link"
		IMAGE_FILE=link.aci make_image "example.com/link-$dir" "$T/link"
		mkdir -p "$T/t/rootfs"
		make_manifest "example.com/link-$dir" >"$T/t/manifest"
		ln -s "$T/canary" "$T/t/rootfs/$dir"
		"$RKT_BUILD/bin/mkaci" "$T/t" "$T/images/link.aci"
		rm -rf "$T/t"
		rkt fetch "$T/images/link.aci" >/dev/null 2>&1
		fails_with "/$dir is not a directory" "T57 T12 /$dir as a link is refused without $calls" without "$calls" run --net=none "example.com/link-$dir" --exec=/x
	done
done
is "T57 nothing outside was touched" "$(canary)" "$before"

# ---- import: one line, or the same image
rkt image rm example.com/app >/dev/null 2>&1
want=$(rkt fetch --full "$app" 2>/dev/null)
for calls in openat2 close_range pidfd_open copy_file_range clone3; do
	rkt image rm "$want" >/dev/null 2>&1
	run without "$calls" fetch --full "$app"
	is "T57 the same image without $calls" "$(out)" "$want"
done
sanitized && filter= || filter=seccomp
for calls in open_tree mount_setattr $filter; do
	rkt image rm "$want" >/dev/null 2>&1
	run without "$calls" fetch "$app"
	expect_status 254 "T57 no import without $calls"
	is "T57 no import without $calls: one line says why" "$(grep -v 'verification has been disabled' "$T/err" | grep -c '^rkt: fetch: ')" 1
	is "T57 no import without $calls, nothing stored" "$(rkt image list --no-legend | grep -c 'example.com/app')" 0
done
