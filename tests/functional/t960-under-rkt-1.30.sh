#!/bin/sh
# shellcheck disable=SC2016 # scripts for inner shells
# Our stage1 image under a stage0 of rkt 1.30: the pod directory, the mounts, argv and environment that it
# makes are made here by hand, and our packed flavors run from them.
. "${0%/*}/lib.sh"
need_root
make_image example.com/app
uuid=11111111-2222-4333-8444-555555555555

# unpack_aci FILE DIR: with tar, as somebody else's stage0 would.
unpack_aci() {
	mkdir -p "$2"
	tar -C "$2" -xf "$1"
}

# pod FLAVOR: a pod directory as rkt 1.30 leaves it for `run`, overlays not yet mounted.
pod() {
	P=$T/data130/pods/run/$uuid
	rm -rf "$T/data130"
	mkdir -p "$P/appsinfo/app" "$P/stage1/rootfs" "$P/overlay/deps-sha512-aa/upper" "$P/overlay/deps-sha512-aa/work" \
		"$P/overlay/deps-sha512-bb/upper/app" "$P/overlay/deps-sha512-bb/work/app" "$T/data130/cas/tree"
	unpack_aci "$RKT_BUILD/lib/rkt/stage1-images/stage1-$1.aci" "$T/data130/cas/tree/deps-sha512-aa"
	unpack_aci "$image" "$T/data130/cas/tree/deps-sha512-bb"
	cp "$T/data130/cas/tree/deps-sha512-aa/manifest" "$P/stage1/manifest"
	cp "$T/data130/cas/tree/deps-sha512-bb/manifest" "$P/appsinfo/app/manifest"
	printf deps-sha512-bb >"$P/appsinfo/app/treeStoreID"
	printf deps-sha512-aa >"$P/stage1TreeStoreID"
	: >"$P/overlay-prepared"
	cat >"$P/pod" <<-END
	{"acVersion":"1.30.0","acKind":"PodManifest","apps":[{"name":"app","image":{"name":"example.com/app",
	"id":"sha512-$(printf 'a%.0s' $(seq 64))","labels":[{"name":"os","value":"linux"}]},
	"app":{"exec":["/bin/sh","-c","$2"],"user":"0","group":"0"}}],"volumes":null,"isolators":null,
	"annotations":[{"name":"coreos.com/rkt/stage1/mutable","value":"false"}],"ports":[]}
	END
}

# stage0 FLAGS...: what rkt 1.30 does between prepare and exec, in a mount namespace of its own.
stage0() {
	run unshare -m --propagation private sh -c '
		P=$1; shift
		C=$P/../../../cas/tree
		mount -t overlay none -o "lowerdir=$C/deps-sha512-aa/rootfs,upperdir=$P/overlay/deps-sha512-aa/upper,workdir=$P/overlay/deps-sha512-aa/work" "$P/stage1/rootfs" &&
		mkdir -p "$P/stage1/rootfs/opt/stage2/app/rootfs" "$P/stage1/rootfs/rkt/status" &&
		cp "$P/appsinfo/app/manifest" "$P/stage1/rootfs/opt/stage2/app/manifest" &&
		mount -t overlay none -o "lowerdir=$C/deps-sha512-bb/rootfs,upperdir=$P/overlay/deps-sha512-bb/upper/app,workdir=$P/overlay/deps-sha512-bb/work/app" "$P/stage1/rootfs/opt/stage2/app/rootfs" &&
		cd "$P" && exec 9<. && flock -x 9 &&
		RKT_LOCK_FD=9 RKT_SELINUX_CONTEXT= RKT_SELINUX_MOUNT_CONTEXT= exec "$P/stage1/rootfs/run" "$@"' sh "$P" "$@" "$uuid"
}

pod ns 'hostname; id -u; echo written >/new; ls -d /proc/self; exit 7'
stage0 --net=none --local-config="$T/etc" --hostname=old
expect_status 7 "ns: the app's exit status"
expect_stdout '^old$' "ns: the flags of interface version 2"
expect_stdout '^/proc/self$' "ns: kernel file systems"
is "ns: the writable layer is stage0's" "$(cat "$P/overlay/deps-sha512-bb/upper/app/new")" written
is "ns: the status is where stage0 looks after a reboot" "$(cat "$P/overlay/deps-sha512-aa/upper/rkt/status/app")" 7
check "ns: ppid is written" grep -q '^[0-9]*$' "$P/ppid"
refute "ns: and pid is not" test -e "$P/pid"
is "ns: the flavor is a link" "$(readlink "$P/flavor")" ns
run sh -c "cd '$P' && '$RKT_BUILD/lib/rkt/stage1/ns/rootfs/gc' --local-config '$T/etc' $uuid"
expect_status 0 "ns: gc"

pod ns 'inspect status'
stage0 --net=host --debug --disable-capabilities-restriction --disable-paths --disable-seccomp
expect_status 0 "ns: the flags of interface version 3"
is "ns: no filter" "$(value seccomp)" 0
pod ns true
stage0 --net=host --ipc=parent
expect_status 0 "ns: the flags of interface version 6"
stage0 --net=nowhere --local-config="$T/etc"
expect_status 254 "ns: a network that is not there is 254"
stage0 --net=none --mutable
expect_status 254 "ns: mutable pods are refused"
stage0 --net=none --no-such-flag
expect_status 254 "ns: an unknown flag is refused"

pod fly 'id -u; exit 5'
stage0 --net=default --local-config="$T/etc"
expect_status 5 "fly: the app's exit status"
is "fly: the status, which rkt 1.30's own never wrote" "$(cat "$P/overlay/deps-sha512-aa/upper/rkt/status/app")" 5
is "nothing stays mounted" "$(grep -c "$T" /proc/self/mountinfo)" 0
