#!/bin/sh
# Devices of the host for an app: what is given opens, with the rights that were given, and nothing else does.
. "${0%/*}/lib.sh"
need_root
accept_unsigned
make_image example.com/app
run rkt fetch "$image"
expect_status 0 "the image is there"

# Nodes of our own: opening these two does nothing.
mknod "$T/fuse" c 10 229
mknod "$T/loop" b 7 0
chmod 666 "$T/fuse" "$T/loop"
ln -s fuse "$T/link"

pod() { run rkt run --net=none example.com/app "$@"; }
refused() { # REGEX FLAGS...
	_r=$1
	shift
	fails_with "$_r" "$* is refused" rkt run --net=none example.com/app "$@"
}
# r PATH, w PATH, m PATH TYPE MAJOR MINOR: shell functions for inside; try prints their answers.
script='r() { if (: <"$1") 2>/dev/null; then echo "read:$1=yes"; else echo "read:$1=no"; fi; }
w() { if (: >>"$1") 2>/dev/null; then echo "write:$1=yes"; else echo "write:$1=no"; fi; }
m() { if mknod "$1" "$2" "$3" "$4" 2>/dev/null; then echo "mknod:$1=yes"; else echo "mknod:$1=no"; fi; }
'
try() { # COMMANDS FLAGS...
	_c=$1
	shift
	pod "$@" --exec=/bin/sh -- -c "$script$_c"
}

all_cases() { # WORDS: the whole policy, however it is enforced
	try 'r /dev/fuse; w /dev/fuse; m /dev/again c 10 229; m /dev/other c 10 232; m /dev/n c 1 3; r /dev/null; w /dev/null; r /dev/urandom; ls /dev' \
		--device="$T/fuse:/dev/fuse"
	expect_status 0 "$1: a pod with a device"
	is "$1: it opens for reading" "$(value read:/dev/fuse)" yes
	is "$1: and for writing" "$(value write:/dev/fuse)" yes
	is "$1: its node can be made" "$(value mknod:/dev/again)" yes
	is "$1: the node of another device cannot" "$(value mknod:/dev/other)" no
	is "$1: those of the usual ones can" "$(value mknod:/dev/n)" yes
	is "$1: /dev/null reads" "$(value read:/dev/null)" yes
	is "$1: /dev/null writes" "$(value write:/dev/null)" yes
	is "$1: /dev/urandom reads" "$(value read:/dev/urandom)" yes
	try 'r /dev/fuse; w /dev/fuse; m /dev/again c 10 229' --device="$T/fuse:/dev/fuse:r"
	is "$1: r reads" "$(value read:/dev/fuse)" yes
	is "$1: r does not write" "$(value write:/dev/fuse)" no
	is "$1: r does not make nodes" "$(value mknod:/dev/again)" no
	try 'r /dev/x/y; w /dev/x/y; r /dev/loop' --device="$T/link:/dev/x/y:w" --device="$T/loop:/dev/loop:r"
	is "$1: w writes, through a link of the host, into a new folder" "$(value write:/dev/x/y)" yes
	is "$1: w does not read" "$(value read:/dev/x/y)" no
	is "$1: a disk can be given, too" "$(value read:/dev/loop)" yes
	run rkt run --net=none --volume=d,kind=host,source="$T/fuse",readOnly=true example.com/app --mount=volume=d,target=/dev/k \
		--exec=/bin/sh -- -c "$script r /dev/k; w /dev/k"
	is "$1: a read-only volume that is a device reads" "$(value read:/dev/k)" yes
	is "$1: and does not write" "$(value write:/dev/k)" no
	run rkt run --net=none --volume=d,kind=host,source="$T/fuse" example.com/app --mount=volume=d,target=/dev/k \
		--device=/dev/full:/dev/f --exec=/bin/sh -- -c "$script r /dev/k; w /dev/k; r /dev/f"
	is "$1: a volume beside a device keeps working" "$(value read:/dev/k)$(value write:/dev/k)$(value read:/dev/f)" yesyesyes
}

groups_of_pods() { readlink "$RKT_DIR"/pods/run/*/cgroups; }
all_cases "v2"
try 'r /dev/fuse; m /tmp/n c 10 229; r /tmp/n' --exec=/bin/sh
is "without --device a device is not there" "$(value read:/dev/fuse)" no
is "and a node of it opens nowhere" "$(value read:/tmp/n)" no

# enter is under the same policy
start_rkt run --net=none --uuid-file-save="$T/uuid" example.com/app --device="$T/fuse:/dev/fuse:r" --exec=/bin/sh -- -c 'echo up; exec sleep 600'
wait_for 10 grep -q up "$T/bg.out"
run rkt enter "$(cat "$T/uuid")" /bin/sh -c "$script r /dev/fuse; w /dev/fuse; m /dev/again c 10 229"
is "enter reads" "$(value read:/dev/fuse)" yes
is "T20 enter does not write" "$(value write:/dev/fuse)" no
is "T20 enter does not make nodes" "$(value mknod:/dev/again)" no
like "the v2 group is the pod's" "$(groups_of_pods)" 'rkt-'
unlike "and no v1 group was needed" "$(groups_of_pods)" '/devices/'
kill "$pid"
wait "$pid" 2>/dev/null

# the same by the v1 controller, for machines without programs on v2
if [ -d /sys/fs/cgroup/devices ] && [ -d /sys/fs/cgroup/unified ]; then
	rkt_here=$RKT
	cat >"$T/rkt-v1" <<EOF
#!/bin/sh
exec unshare -m --propagation private sh -c 'umount /sys/fs/cgroup/unified && exec "\$@"' - "$rkt_here" "\$@"
EOF
	chmod +x "$T/rkt-v1"
	RKT=$T/rkt-v1
	all_cases "v1"
	RKT=$rkt_here
	cat >"$T/rkt-none" <<EOF
#!/bin/sh
exec unshare -m --propagation private sh -c 'umount /sys/fs/cgroup/unified /sys/fs/cgroup/devices && exec "\$@"' - "$rkt_here" "\$@"
EOF
	chmod +x "$T/rkt-none"
	RKT=$T/rkt-none
	refused 'rkt.io/devices: no usable cgroup controller "devices"' --device=/dev/full:/dev/f
	RKT=$rkt_here
else
	skip "v1" "no device controller of version 1"
fi

# bad input
refused 'device /dev/none: open: No such file' --device=/dev/none
refused 'it is no device' --device=/etc/passwd:/dev/p
refused 'option --device: .*not an absolute path' --device=fuse
refused 'option --device: .*not of the letters' --device=/dev/full:rwx
refused 'option --device: .*not HOST' --device=/dev/full:/dev/a:/dev/b:r
refused 'something else is mounted at /dev/f' --device=/dev/full:/dev/f --device=/dev/zero:/dev/f
fails_with 'all devices of the host' "flavor fly has them all" \
	rkt run --stage1-name=coreos.com/rkt/stage1-fly example.com/app --device=/dev/full

# T25: an image asks by itself
IMAGE_APP='"isolators":[{"name":"rkt.io/devices","value":[{"source":"'$T/fuse'","target":"/dev/fuse"}]}]' make_image example.com/wants
run rkt fetch "$image"
fails_with 'image cannot choose devices' "T25 an image that names a device is refused" rkt run --net=none example.com/wants
run rkt run --net=none example.com/wants --device=/dev/full:/dev/f --exec=/bin/sh -- -c "$script r /dev/fuse; r /dev/f"
is "T25 with --device it gets that" "$(value read:/dev/f)" yes
is "T25 and not its own" "$(value read:/dev/fuse)" no
run rkt run --net=none example.com/app --user-annotation=devices=/dev/fuse --annotation=rkt.io/devices=/dev/fuse -- stat=/dev/fuse
is "T25 words in annotations are no devices" "$(value stat:/dev/fuse)" ENOENT
id=$(rkt image list --no-legend --full --fields=id,name 2>/dev/null | sed -n 's/\(sha512-[0-9a-f]*\).*wants.*/\1/p' | head -n 1)
cat >"$T/pod.json" <<EOF
{"acKind":"PodManifest","acVersion":"0.8.11","apps":[{"name":"app","image":{"id":"$id"}}]}
EOF
fails_with 'image cannot choose devices' "T25 nor by way of a pod manifest without an app section" rkt run --net=none --pod-manifest="$T/pod.json"
