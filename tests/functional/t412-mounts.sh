#!/bin/sh
# shellcheck disable=SC2016 # scripts for shells inside pods are not expanded here
# How everything is mounted: the flags of roots, volumes and kernel file systems, what lies below a volume, and where a target is.
. "${0%/*}/lib.sh"
need_root
need unshare
accept_unsigned
sh_in() { # SCRIPT FLAGS...
	script=$1
	shift
	run rkt run --net=none "$@" --exec=/bin/sh -- -c "$script"
}

# ---- no device node opens, in whatever root or volume it lies ------------------------------------

mkdir -p "$T/files/evil" "$T/vol"
mknod "$T/files/evil/zero" c 1 5
chmod 666 "$T/files/evil/zero"
cp -a "$T/files/evil/zero" "$T/vol/zero"
make_image example.com/app "$T/files"
run rkt fetch "$image"
expect_status 0 "the image is there"
try_node='test -c $0 || exit 9; head -c 1 $0 | od -An -c; head -c 1 $0 2>&1 >/dev/null | grep -o "denied"'
for how in '' --no-overlay --private-users '--private-users --no-overlay'; do
	# shellcheck disable=SC2086
	run rkt run --net=none $how example.com/app --exec=/bin/busybox -- sh -c "$try_node" /evil/zero
	is "a device node of the image does not open ${how:-from the overlay}" "$(out)" denied
	# shellcheck disable=SC2086
	run rkt run --net=none $how --volume=v,kind=host,source="$T/vol" example.com/app --mount=volume=v,target=/v --exec=/bin/busybox -- sh -c "$try_node" /v/zero
	is "nor one in a volume of the host $how" "$(out)" denied
done
run rkt run --net=none example.com/app --readonly-rootfs=true --exec=/bin/busybox -- sh -c "$try_node" /evil/zero
is "nor from a read-only root" "$(out)" denied
sh_in 'busybox mknod /e/zero c 1 5 && head -c 1 /e/zero 2>&1 | grep -o denied' --volume=e,kind=empty example.com/app --mount=volume=e,target=/e
is "nor one that the app makes in an empty volume" "$(out)" denied

# ---- what is mounted below a volume, and whose mounts are whose ----------------------------------

# below SCRIPT: with a volume in $1, a file system of its own in $1/sub, in a mount namespace whose mounts are shared among themselves
below() {
	mkdir -p "$T/tree"
	cat >"$T/below" <<-'END'
		tree=$1
		shift
		mount -t tmpfs none "$tree" && mount --make-shared "$tree" && mkdir "$tree/sub" "$tree/own" "$tree/.x" &&
			echo hidden >"$tree/sub/hidden" && mount -t tmpfs none "$tree/sub" && echo below >"$tree/sub/file" || exit 99
		"$@"
		status=$?
		grep -c " $tree/own " /proc/self/mountinfo >"$tree/.x/mounted"
		cat "$tree/.x/mounted"
		exit $status
	END
	run timeout 60 unshare -m --propagation private sh "$T/below" "$T/tree" "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" "$accept" "$@"
}
volume=--volume=v,kind=host,source=$T/tree
at=--mount=volume=v,target=/v
look='cat /v/sub/* 2>&1; touch /v/new /v/sub/new 2>&1 | grep -o "/v/.*Read-only"; exit 0'
# want DESCRIPTION LINE...: what the last look said
want() {
	_what=$1
	shift
	is "$_what" "$(head -n -1 "$T/out" | tr '\n' ';')" "$*"
}
for how in '' --private-users --no-overlay; do
	# shellcheck disable=SC2086
	below run --net=none $how "$volume" example.com/app $at --exec=/bin/sh -- -c "$look"
	want "what is mounted below a volume is there $how" "below;"
	# shellcheck disable=SC2086
	below run --net=none $how "$volume,readOnly=true" example.com/app $at --exec=/bin/sh -- -c "$look"
	want "read-only with the volume $how" "below;/v/new: Read-only;/v/sub/new: Read-only;"
	# shellcheck disable=SC2086
	below run --net=none $how "$volume,recursive=false" example.com/app $at --exec=/bin/sh -- -c "$look"
	want "and not there with recursive=false $how" "hidden;"
done
fly=--stage1-name=coreos.com/rkt/stage1-fly
below run $fly "$volume" example.com/app $at --exec=/bin/sh -- -c "$look"
want "fly: recursive=false is the default" "hidden;"
below run $fly "$volume,recursive=true,readOnly=true" example.com/app $at --exec=/bin/sh -- -c "$look"
want "fly: the other way round when it is said" "below;/v/new: Read-only;/v/sub/new: Read-only;"
for how in slave private; do
	below run $fly "$volume,propagation=$how" example.com/app $at --exec=/bin/sh -- -c 'mount -t tmpfs none /v/own && echo mounted'
	is "fly: what an app mounts in a volume stays with it, $how" "$(tr '\n' ' ' <"$T/out")" "mounted 0 "
done
IMAGE_APP='"mountPoints":[{"name":"v","path":"/v","readOnly":true}]' make_image example.com/readonly
rkt fetch "$image" >/dev/null 2>&1
sh_in 'touch /v/new 2>&1 | grep -o Read-only' --volume=v,kind=host,source="$T/vol" example.com/readonly
is "a volume is read-only where the image's mount point says so" "$(out)" Read-only
sh_in 'touch /v/new && echo written' --volume=v,kind=host,source="$T/vol",readOnly=false example.com/readonly
is "unless the volume says otherwise" "$(out)" written
sh_in 'touch /v/new 2>&1 | grep -o Read-only' example.com/readonly
is "an implicit one is, too" "$(out)" Read-only
expect_stderr 'no volume for mount point "v" of app "readonly": using an empty one' "of which one is told"
fails_with 'app "readonly": no volume for mount point "v"; use --volume=v,kind=' "fly has no implicit volumes" rkt run $fly example.com/readonly
sh_in 'touch /x 2>&1 | grep -o Read-only; touch /v/other && echo written; touch /v/sub/other && echo written' --volume=v,kind=host,source="$T/vol" \
	--volume=e,kind=empty example.com/app --readonly-rootfs=true --mount=volume=v,target=/v --mount=volume=e,target=/v/sub
is "volumes in a read-only root can be written" "$(tr '\n' ' ' <"$T/out")" "Read-only written written "
for how in --no-overlay --private-users; do
	sh_in 'touch /x 2>&1 | grep -o Read-only; touch /v/other && echo written' $how --volume=v,kind=host,source="$T/vol" \
		example.com/app --readonly-rootfs=true --mount=volume=v,target=/v
	is "also with $how" "$(tr '\n' ' ' <"$T/out")" "Read-only written "
done

mkdir -p "$T/vol2"
echo two >"$T/vol2/which"
echo one >"$T/vol/which"
both="--volume=a,kind=host,source=$T/vol --volume=b,kind=host,source=$T/vol2"
# shellcheck disable=SC2086
sh_in 'cat /v/which' $both --mount=volume=a,target=/v example.com/app --mount=volume=b,target=/v/.
is "a mount of the app counts more than the pod's" "$(out)" two
# shellcheck disable=SC2086
fails_with 'mount: two volumes are to be mounted at "/v"' "two in one place are refused" \
	rkt run --net=none $both example.com/app --mount=volume=a,target=/v --mount=volume=b,target=/v/.
# shellcheck disable=SC2086
fails_with 'two volumes are to be mounted at "/v"' "the pod's as well" \
	rkt run --net=none $both --mount=volume=a,target=/v --mount=volume=b,target=/x/../v example.com/app

# ---- T02, T52: a target is looked for in the image, whatever its links are called ----------------

mkdir -p "$T/canary/dir"
echo canary >"$T/canary/file"
rm -rf "$T/files"
mkdir -p "$T/files/links"
ln -s "$T/canary/dir" "$T/files/links/dir"
ln -s "$T/canary/file" "$T/files/links/file"
ln -s ../../../../../../../../.."$T/canary/dir" "$T/files/links/up"
echo volume >"$T/vol/file"
make_image example.com/links "$T/files"
rkt fetch "$image" >/dev/null 2>&1
for flags in --net=none "$fly" '--net=none --private-users'; do
	for link in dir up; do
		# shellcheck disable=SC2086
		run rkt run $flags --volume=v,kind=host,source="$T/vol" example.com/links --mount=volume=v,target=/links/$link --exec=/bin/cat -- "/links/$link/file" "$T/canary/dir/file"
		is "T52 a link to a directory of the host's, $link, leads into the image, $flags" "$(tr '\n' ' ' <"$T/out")" "volume volume "
	done
	# shellcheck disable=SC2086
	run rkt run $flags --volume=v,kind=host,source="$T/vol/file" example.com/links --mount=volume=v,target=/links/file --exec=/bin/cat -- /links/file
	is "T52 and one to a file, $flags" "$(out)" volume
done
is "T52 the host's are as they were" "$(cat "$T/canary/file") $(find "$T/canary" | wc -l)" "canary 3"
for link in /proc/self/root /proc/self/cwd /proc/1/root/tmp /proc/self/fd/0; do
	fails_with "target $link: Too many levels" "T16 a target through the magic link $link is refused" \
		rkt run --net=none --volume=v,kind=host,source="$T/vol" example.com/app --mount=volume=v,target=$link
done

# ---- /proc and /sys -------------------------------------------------------------------------------

run rkt run --net=none example.com/app -- mounts
# flags PATH: of the topmost mount there; nothing if it is none
flags() {
	sed -n "s|^mount=[^ ]* [^ ]* [^ ]* [^ ]* $1 \([^ ]*\) .*|\1|p" "$T/out" | tail -n 1
}
cp "$T/out" "$T/mounts"
like "/proc: no program, device or set-user-ID bit counts" "$(flags /proc)" '^rw,nosuid,nodev,noexec'
like "/sys: nor there, and it is read-only" "$(flags /sys)" '^ro,nosuid,nodev,noexec'
like "/dev/shm: nor there" "$(flags /dev/shm)" '^rw,nosuid,nodev,noexec'
like "/dev/mqueue: nor there" "$(flags /dev/mqueue)" '^rw,nosuid,nodev,noexec'
like "/dev/pts: no program or set-user-ID bit" "$(flags /dev/pts)" '^rw,nosuid,noexec'
n=0
for f in interrupts kallsyms kcore keys kmem latency_stats mem config.gz sched_debug timer_list timer_stats; do
	[ -e "/proc/$f" ] || continue
	n=$((n + 1))
	like "/proc/$f is another file" "$(grep " /proc/$f " "$T/mounts")" ' /null /proc/'
done
for d in acpi asound scsi; do
	[ ! -d "/proc/$d" ] || like "/proc/$d is covered" "$(flags "/proc/$d")" '^ro,nosuid,nodev,noexec'
done
for d in bus fs irq sys sysrq-trigger; do
	[ ! -e "/proc/$d" ] || like "/proc/$d is read-only" "$(flags "/proc/$d")" '^ro,nosuid,nodev,noexec'
done
for d in firmware fs hypervisor module power devices/virtual/powercap; do
	[ ! -d "/sys/$d" ] || like "/sys/$d is covered" "$(flags "/sys/$d")" '^ro,nosuid,nodev,noexec'
done
check "some of them are there" test "$n" -ge 3
run rkt run --net=none example.com/app -- stat=/proc/kallsyms stat=/proc/timer_list ls=/sys/module ls=/sys/fs ls=/sys/power
is "what covers a file is the null device" "$(grep -c '^stat:.* 1:3$' "$T/out")" 2
unlike "and what covers a directory is empty" "$(out)" '^ls:'
run rkt --insecure-options=image,paths run --net=none example.com/app -- mounts
unlike "insecure paths: nothing is covered or read-only" "$(out)" ' /proc/(kallsyms|sys|irq)| /sys/'
