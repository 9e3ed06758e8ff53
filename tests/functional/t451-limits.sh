#!/bin/sh
# shellcheck disable=SC2016,SC2013 # scripts for shells inside pods are not expanded here; one path a line, no blanks
# Limits beyond rkt 1.30, where they act: pids, rlimits, weights, disks, kernel parameters, no_new_privs.
. "${0%/*}/lib.sh"
need_root
accept_unsigned
make_image example.com/app
run rkt fetch "$image"
expect_status 0 "the image is there"

pod() { run rkt run --net=none example.com/app "$@"; }
refused() { # REGEX FLAGS...
	_r=$1
	shift
	fails_with "$_r" "$* is refused" rkt run --net=none example.com/app "$@"
}

# cgroup FILE: contents of the app's control files while the last app (start_rkt) runs; one line a file
cgroup() {
	for _dir in $(readlink "$RKT_DIR"/pods/run/*/cgroups); do
		[ ! -e "$_dir/app-app/$1" ] || cat "$_dir/app-app/$1"
	done
}
# with_pod FLAGS...: an app that sleeps; without_pod ends it
with_pod() {
	start_rkt run --net=none "$@" --exec=/bin/sh -- -c 'echo up; exec sleep 600'
	wait_for 10 grep -q up "$T/bg.out" || not_ok "pod with $* runs"
}
without_pod() {
	kill "$pid"
	wait "$pid" 2>/dev/null
	run rkt gc --grace-period=0s
}

# ---- pids
with_pod example.com/app --pids-limit=7
is "--pids-limit is in the cgroup" "$(cgroup pids.max)" 7
without_pod
pod --pids-limit=8 --exec=/bin/sh -- -c 'i=0; while [ $i -lt 20 ]; do sleep 5 & i=$((i + 1)); done; echo never'
unlike "T27 a fork bomb stops at the limit" "$(out)" never
like "and is told why" "$(err)" 'fork|Resource'
with_pod --uuid-file-save="$T/uuid" example.com/app --pids-limit=20
run rkt enter "$(cat "$T/uuid")" /bin/sh -c 'f() { f | f & f; }; f'
before=$(date +%s)
run rkt stop "$(cat "$T/uuid")"
expect_status 0 "T27 a pod with a fork bomb in it can be stopped"
wait "$pid" 2>/dev/null
check "T27 within ten seconds, on a machine that is not busy" test $(($(date +%s) - before)) -le 60
run rkt run --net=none example.com/app --memory=16Mi --exec=/bin/sh -- -c 'exec tail /dev/zero'
expect_status 137 "T27 a memory hog is killed"
run rkt run --net=none example.com/app --memory=16Mi --exec=/bin/sh -- -c 'head -c 60000000 /dev/zero >/dev/shm/x; echo never >&2'
unlike "T27 shared memory counts, too" "$(err)" never
refused 'option --pids-limit: .*between 1 and' --pids-limit=0
refused 'option --pids-limit: .*not a number' --pids-limit=many
refused 'option --pids-limit: .*between' --pids-limit=-1

# ---- memory, processor time
with_pod example.com/app --memory=64Mi --cpu=250m --cpu-shares=300
is "--memory in bytes" "$(cgroup memory.limit_in_bytes)$(cgroup memory.max)" 67108864
is "--cpu in microseconds of each tenth of a second" "$(cgroup cpu.cfs_quota_us)$(cgroup cpu.max | cut -d ' ' -f 1)" 25000
is "--cpu-shares" "$(cgroup cpu.shares)$(cgroup cpu.weight)" "$(if [ -e /sys/fs/cgroup/cpu ]; then echo 300; else echo 12; fi)"
without_pod
with_pod example.com/app --memory=1.5M --cpu=2
is "--memory in decimal units" "$(cgroup memory.limit_in_bytes)$(cgroup memory.max)" "$((1500000 / 4096 * 4096))"
is "--cpu of more than one processor" "$(cgroup cpu.cfs_quota_us)$(cgroup cpu.max | cut -d ' ' -f 1)" 200000
without_pod
refused 'option --memory: "16m" is less than 4096 bytes' --memory=16m
refused 'option --cpu-shares: "1" is not a number from 2' --cpu-shares=1

# ---- weights
with_pod example.com/app --cpu-weight=200 --io-weight=1000
is "--cpu-weight, as shares where the controller is v1" "$(cgroup cpu.shares)$(cgroup cpu.weight)" "$(if [ -e /sys/fs/cgroup/cpu ]; then echo 2048; else echo 200; fi)"
if [ -e /sys/fs/cgroup/blkio ]; then is "--io-weight on the scale of bfq" "$(cgroup blkio.bfq.weight | head -n 1)" 181; fi
without_pod
refused 'cpu-shares.*cpu-weight' --cpu-weight=5 --cpu-shares=5
refused 'option --cpu-weight' --cpu-weight=10001
refused 'option --io-weight' --io-weight=0

# ---- disks
disk=
for d in /sys/block/*; do
	[ -b "/dev/${d##*/}" ] && disk=/dev/${d##*/} && number=$(cat "$d/dev") && break
done
if [ -n "$disk" ]; then
	with_pod example.com/app --io-max="$disk:rbps=1M,wiops=77" --io-max="/dev/../$disk:wbps=4Ki"
	is "--io-max rbps" "$(cgroup blkio.throttle.read_bps_device)$(cgroup io.max | sed 's/.*rbps=\([0-9]*\).*/'"$number"' \1/')" "$number 1000000"
	is "--io-max wiops" "$(cgroup blkio.throttle.write_iops_device)$(cgroup io.max | sed 's/.*wiops=\([0-9]*\).*/'"$number"' \1/')" "$number 77"
	is "--io-max wbps of a second option" "$(cgroup blkio.throttle.write_bps_device)$(cgroup io.max | sed 's/.*wbps=\([0-9]*\).*/'"$number"' \1/')" "$number 4096"
	without_pod
else
	skip "--io-max" "no disk with a node"
fi
refused '/dev/null is not a disk' --io-max=/dev/null:rbps=1
refused '/dev/none' --io-max=/dev/none:rbps=1
refused 'option --io-max.*none of rbps' --io-max=/dev/null:speed=1
refused 'option --io-max.*positive' --io-max=/dev/null:rbps=0
refused 'option --io-max.*not DEVICE' --io-max=rbps=1
refused 'option --io-max.*absolute' --io-max=sda:rbps=1

# ---- rlimits
pod --rlimit=nofile=100:200 --rlimit=core=0 --rlimit=memlock=4096 -- rlimits
is "--rlimit soft and hard" "$(value rlimit_nofile)" 100:200
is "--rlimit one value is both" "$(value rlimit_memlock)" 4096:4096
is "--rlimit core" "$(value rlimit_core)" 0:0
with_pod --uuid-file-save="$T/uuid" example.com/app --rlimit=nofile=100:200 --user=alice
run rkt enter "$(cat "$T/uuid")" /bin/inspect rlimits
is "enter has the same" "$(value rlimit_nofile)" 100:200
without_pod
refused 'rlimit: .*"nofiles" is unknown' --rlimit=nofiles=5
refused 'soft limit is above' --rlimit=nofile=5:4
refused 'not SOFT\[:HARD\]' --rlimit=nofile=1:2:3
refused 'not SOFT\[:HARD\]' --rlimit=nofile=-1
refused 'not NAME=SOFT' --rlimit=nofile
run sh -c 'ulimit -S -n 300; ulimit -H -n 300; exec "$0" "$@"' \
	"$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" --insecure-options=image run --net=none example.com/app --rlimit=nofile=100:301
expect_status 254 "a hard limit is not raised"
expect_stderr 'run: .*resource limit nofile: the hard limit cannot be raised above rkt.s own, which is 300$' "and that is said"

# ---- no_new_privs
pod --no-new-privileges -- status
is "--no-new-privileges for root" "$(value nonewprivs)" 1
pod --no-new-privileges=false -- status
is "--no-new-privileges=false" "$(value nonewprivs)" 0
refused 'no-new-privileges' --no-new-privileges=maybe

# ---- kernel parameters
before=$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmni)
run rkt run --net=none --sysctl=net.ipv4.ip_forward=1 --sysctl=kernel.shmmni=77 --sysctl=net/ipv4/conf/lo/forwarding=1 \
	--sysctl=fs.mqueue.msg_max=11 example.com/app -- read=/proc/sys/net/ipv4/ip_forward read=/proc/sys/kernel/shmmni \
	read=/proc/sys/net/ipv4/conf/lo/forwarding read=/proc/sys/fs/mqueue/msg_max write=/proc/sys/net/ipv4/ip_forward:0
expect_status 0 "parameters of the pod's namespaces"
is "net.*" "$(value /proc/sys/net/ipv4/ip_forward)" 1
is "kernel.shm*" "$(value /proc/sys/kernel/shmmni)" 77
is "slashes" "$(value /proc/sys/net/ipv4/conf/lo/forwarding)" 1
is "fs.mqueue.*" "$(value /proc/sys/fs/mqueue/msg_max)" 11
like "the app cannot write them" "$(value write:/proc/sys/net/ipv4/ip_forward)" 'EROFS|EACCES'
is "the host's are as before" "$(cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmni)" "$before"
sys() { # REGEX FLAGS...
	_r=$1
	shift
	fails_with "$_r" "$* is refused" rkt run "$@" example.com/app
}
sys 'net.ipv4.ip_forward.*network of its caller' --net=host --sysctl=net.ipv4.ip_forward=1
sys 'kernel.shmmax.*ipc namespace of its caller' --net=none --ipc=parent --sysctl=kernel.shmmax=1
sys 'kernel.hostname.*use --hostname' --net=none --sysctl=kernel.hostname=x
sys 'whole machine' --net=none --sysctl=kernel.domainname=x
sys 'whole machine' --net=none --sysctl=vm.swappiness=1
sys 'whole machine' --net=none --sysctl=kernel.core_pattern=x
sys 'not a name' --net=none --sysctl=net/../kernel/core_pattern=x
sys 'not a name' --net=none --sysctl=net..ipv4=x
sys 'net.ipv4.nothing.*No such file' --net=none --sysctl=net.ipv4.nothing=1
sys 'ip_forward.*write "many".*Invalid' --net=none --sysctl=net.ipv4.ip_forward=many
sys 'not NAME=VALUE' --net=none --sysctl=net.ipv4.ip_forward
# T19: procfs in the image's hands
mkdir -p "$T/fake/sys/net/ipv4"
echo 0 >"$T/fake/sys/net/ipv4/ip_forward"
run rkt run --net=none --sysctl=net.ipv4.ip_forward=1 --volume=p,kind=host,source="$T/fake" example.com/app --mount=volume=p,target=/proc -- status
is "T19 a volume at /proc does not get the value" "$(cat "$T/fake/sys/net/ipv4/ip_forward")" 0

# ---- the same from an image and from a pod manifest
iso() { echo "{\"name\":\"$1\",\"value\":$2}"; }
IMAGE_APP='"isolators":['$(iso rkt.io/pids-limit 9),$(iso rkt.io/rlimits '{"nofile":"50"}'),$(iso os/linux/no-new-privileges true),$(iso os/unix/sysctl '{"kernel.msgmni":"33"}')']' \
	make_image example.com/own
run rkt fetch "$image"
run rkt run --net=none example.com/own -- rlimits status read=/proc/sys/kernel/msgmni
is "rlimits of an image" "$(value rlimit_nofile)" 50:50
is "no-new-privileges of an image" "$(value nonewprivs)" 1
is "a parameter of an image" "$(value /proc/sys/kernel/msgmni)" 33
run rkt run --net=none example.com/own --rlimit=nofile=60 -- rlimits
is "the command line replaces them" "$(value rlimit_nofile)" 60:60
fails_with 'msgmni.*"34" and "33"|msgmni.*"33" and "34"' "two values for one parameter are refused" \
	rkt run --net=none --sysctl=kernel.msgmni=34 example.com/own
run rkt prepare --sysctl=kernel.shmmni=78 example.com/own --pids-limit=12
expect_status 0 "prepare takes them too"
uuid=$(out)
run rkt cat-manifest "$uuid"
like "the pod manifest has them" "$(tr -d ' \n\t' <"$T/out")" '"os/unix/sysctl","value":\{"kernel.shmmni":"78"\}'
like "and those of the app" "$(tr -d ' \n\t' <"$T/out")" '"rkt.io/pids-limit","value":12'
cp "$T/out" "$T/pod.json"
run rkt run --net=none --pod-manifest="$T/pod.json"
expect_status 0 "a pod manifest runs with them"
is "its parameters are applied" "$(value uid)" 0
fails_with 'pod-manifest' "--sysctl beside --pod-manifest is refused" rkt run --net=none --sysctl=kernel.shmmni=1 --pod-manifest="$T/pod.json"
sed 's/"rkt.io\/pids-limit"/"resource\/block-iops"/; s/"value": *12/"value":{"default":true,"limit":"5"}/' "$T/pod.json" >"$T/bad.json"
fails_with 'block-iops' "what this stage1 cannot do stays an error" rkt run --net=none --pod-manifest="$T/bad.json"

# names that nobody here knows
IMAGE_APP='"isolators":['$(iso rkt.io/pids-limits 9)']' make_image example.com/misspelt
run rkt fetch "$image"
fails_with 'isolator "rkt.io/pids-limits" is unknown' "a misspelt isolator of ours is refused" rkt run --net=none example.com/misspelt
IMAGE_APP='"isolators":['$(iso example.com/limit 9)']' make_image example.com/foreign
run rkt fetch "$image"
run rkt run --net=none example.com/foreign -- status
expect_status 0 "somebody else's is ignored"
expect_stderr 'unknown isolator "example.com/limit" ignored' "and told"

fails_with 'cpu limit of 1m is below 10m' "a cpu limit that the kernel cannot keep to is refused before anything is made" \
	rkt run --net=none example.com/app --cpu=1u

# ---- flavor fly
fly() { run rkt run --stage1-name=coreos.com/rkt/stage1-fly example.com/app "$@"; }
fly --rlimit=nofile=90 --no-new-privileges --oom-score-adj=55 -- rlimits status
is "fly: rlimits" "$(value rlimit_nofile)" 90:90
is "fly: no-new-privileges" "$(value nonewprivs)" 1
is "fly: oom-score-adj" "$(value oom_score_adj)" 55
fails_with 'kernel.shmmni.*caller' "fly has no parameters of its own" rkt run --stage1-name=coreos.com/rkt/stage1-fly --sysctl=kernel.shmmni=5 example.com/app
