#!/bin/sh
# shellcheck disable=SC2016,SC2012 # scripts for shells inside pods are not expanded here
# Mutable pods: a sandbox that idles, apps that are added, started, stopped, started again and removed.
. "${0%/*}/lib.sh"
. "${0%/*}/podlib.sh"
need_root
IMAGE_APP='"mountPoints":[{"name":"cache","path":"/cache"}]' IMAGE_FILE=points.aci make_image example.com/points
points_image=$image
make_image example.com/app
accept_unsigned
run rkt fetch "$image" "$points_image"
expect_status 0 "the images are there"

init_mounts() { # mounts below the apps' places in init's namespace
	_init=$(cat "/proc/$pid/task/$pid/children")
	grep -c ' /a[0-9]' "/proc/${_init%% *}/mountinfo"
}
app_cgroups() { # APP
	find /sys/fs/cgroup -type d -path "*rkt-$uuid/app-$1" 2>/dev/null | wc -l
}

# ---- life ----
sandbox --user-label=tier=back --hostname=box
run rkt status "$uuid"
expect_stdout '^state=running$' "a sandbox without apps runs"
run rkt app list "$uuid"
expect_stdout '^NAME	*STATE$' "and lists none"
is "with nothing below its legend" "$(wc -l <"$T/out")" 1
run rkt list --no-legend
expect_stdout "running" "rkt list shows it"
mounts_before=$(init_mounts)

run rkt app add "$uuid" example.com/app --name=one --user-label=role=db --environment=COLOUR=red --exec=/bin/sh -- \
	-c 'inspect status rlimits >/tmp/facts; trap "exit 3" TERM; echo up-$COLOUR; while :; do sleep 0.1; done'
expect_status 0 "app add"
is "an added app is created" "$(state one)" created
run rkt cat-manifest "$uuid"
expect_stdout '"name": ?"one"' "cat-manifest shows it"
expect_stdout '"tier": ?"back"' "and what the sandbox was told"
run rkt app start "$uuid" --app=one
expect_status 0 "app start"
is "it runs" "$(state one)" running
check "its output is the sandbox's" wait_for 10 grep -q 'one\[[0-9]*\]: up-red$' "$T/bg.out"
fails_with '^rkt: exec: app "one": execute: nosuch: No such file' "app exec: what is missing is told by the command that was given" rkt app exec --app=one "$uuid" nosuch
run rkt app exec --app=one "$uuid" sh -c 'echo $COLOUR; hostname; exit 5'
expect_status 5 "app exec: the command's status"
expect_stdout '^red$' "app exec: the app's environment"
expect_stdout '^box$' "the sandbox's host name"
facts='^(uid|gid|groups|cap...|nonewprivs|seccomp|ns_...|ns_cgroup|cgroup|rlimit.*|cwd|umask)='
run rkt app exec --app=one "$uuid" sh -c 'while ! grep -q umask /tmp/facts; do :; done; cat /tmp/facts'
grep -E "$facts" "$T/out" | sort >"$T/by-start"
run rkt enter --app=one "$uuid" /bin/inspect status rlimits
grep -E "$facts" "$T/out" | sort >"$T/by-exec"
check "something was compared" test "$(wc -l <"$T/by-start")" -ge 15
check "T20: exec is as confined as an app that was started" diff "$T/by-start" "$T/by-exec"
is "the capabilities are bounded" "$(sed -n 's/^capbnd=//p' "$T/by-start")" "$(sed -n 's/^capeff=//p' "$T/by-exec")"
run rkt app status "$uuid" --app=one
expect_stdout '^state=running$' "app status"
expect_stdout '^started_at=' "knows when it was started"
fails_with 'running already' "a second start is refused" rkt app start "$uuid" --app=one
fails_with 'is running' "a running app is not removed" rkt app rm "$uuid" --app=one
is "and runs on" "$(state one)" running
run rkt app stop "$uuid" --app=one
expect_status 0 "app stop"
is "it has exited" "$(state one)" exited
run rkt app status "$uuid" --app=one --format=json
expect_stdout '"exit_code":3' "its status is kept"
for key in name state created_at started_at finished_at exit_code image_id user_labels; do
	expect_stdout "\"$key\":" "JSON has $key"
done
run rkt app list "$uuid" --format=json
expect_stdout '^\[\{"name":"one","state":"exited",' "app list has the same objects"
run rkt app stop "$uuid" --app=one
expect_status 0 "stopping what does not run is no error"
expect_stdout 'already stopped' "but said"
fails_with '^rkt: exec: .*not running' "exec needs a running app" rkt app exec --app=one "$uuid" /bin/true
check "the failure of an app did not end the pod" kill -0 "$pid"
run rkt app start "$uuid" --app=one
expect_status 0 "it starts again"
is "and runs" "$(state one)" running
run rkt app exec --app=one "$uuid" true
expect_status 0 "and is entered by its new pid"
run rkt app status "$uuid" --app=one
unlike "the old status has gone" "$(out)" exit_code

# ---- a second app, the pod's things in common ----
run rkt app add "$uuid" example.com/app --name=two --memory=64Mi --user=alice --group=alice --readonly-rootfs=true \
	--mnt-volume=name=data,kind=empty,target=/data,mode=0777 --exec=/bin/sleep -- 600
expect_status 0 "a second app"
run rkt app start "$uuid" --app=two
expect_status 0 "starts"
run rkt app exec --app=two "$uuid" /bin/inspect status limits
is "with its user" "$(value uid)" 1000
run rkt app exec --app=two "$uuid" sh -c 'touch /x 2>/dev/null || echo read-only; touch /data/x && echo written; ls /dev/shm; cat /proc/1/comm'
expect_stdout '^read-only$' "with its read-only root"
expect_stdout '^written$' "and its own volume"
check "it sees the pod's processes" grep -q init "$T/out"
run rkt app exec --app=one "$uuid" sh -c 'echo shared >/dev/shm/x; ps'
expect_stdout 'sleep 600' "apps see each other's processes"
unlike "T17 but nothing of the host" "$(out)" 'rkt app|app-add'
run rkt app exec --app=two "$uuid" cat /dev/shm/x
expect_stdout '^shared$' "and share memory"
limit=$(find /sys/fs/cgroup \( -path "*rkt-$uuid/app-two/memory.limit_in_bytes" -o -path "*rkt-$uuid/app-two/memory.max" \) -exec cat {} +)
is "its memory limit" "$limit" 67108864

# ---- removal leaves nothing ----
run rkt app stop "$uuid" --app=two
run rkt app rm "$uuid" --app=two
expect_status 0 "app rm"
is "only one is left" "$(rkt app list --no-legend "$uuid" | wc -l)" 1
is "no file of it" "$(find "$pod" -path '*two*' 2>/dev/null)" ""
is "no cgroup of it" "$(app_cgroups two)" 0
fails_with 'no app "two"' "it is unknown" rkt app start "$uuid" --app=two
run rkt app stop "$uuid" --app=one
run rkt app rm "$uuid" --app=one
is "no mount of them" "$(init_mounts)" "$mounts_before"
run rkt app add "$uuid" example.com/points --name=one --exec=/bin/sh -- -c 'touch /cache/x && echo again'
expect_status 0 "the name is free again"
run rkt app start "$uuid" --app=one
check "and the place" wait_for 10 grep -q 'one\[[0-9]*\]: again$' "$T/bg.out"
wait_for 10 in_state one exited
run rkt app rm "$uuid" --app=one
expect_status 0 "with its implicit volume"
is "nothing of that is left" "$(ls -A "$pod/sharedVolumes")" ""

# ---- what the host gives: devices, name service files, rlimits ----
mknod "$T/fuse" c 10 229
run rkt app add "$uuid" example.com/app --name=dev --device="$T/fuse:/dev/mine:r" --device=/dev/zero:/dev/z --rlimit=nofile=77 --exec=/bin/sleep -- 600
expect_status 0 "an app with a device"
run rkt app start "$uuid" --app=dev
expect_status 0 "starts"
run rkt app exec --app=dev "$uuid" sh -c 'head -c 3 /dev/z | wc -c; (: </dev/mine) && echo readable; (echo x >/dev/mine) 2>/dev/null || echo refused; ulimit -n'
expect_stdout '^3$' "reads it"
expect_stdout '^readable$' "and another one"
expect_stdout '^refused$' "but may not write it"
expect_stdout '^77$' "its rlimit"
run rkt app stop "$uuid" --app=dev
run rkt app rm "$uuid" --app=dev

# ---- bad input ----
run rkt app add "$uuid" example.com/app --exec=/no/such
expect_status 0 "an app is named after its image"
fails_with 'no/such' "a program that is missing is named by start" rkt app start "$uuid" --app=app
is "it has exited" "$(state app)" exited
fails_with 'has an app "app" already' "a name in use" rkt app add "$uuid" example.com/app
fails_with 'no app "nobody"' "start: an unknown app" rkt app start "$uuid" --app=nobody
fails_with 'no app "nobody"' "stop: an unknown app" rkt app stop "$uuid" --app=nobody
fails_with 'no app "nobody"' "rm: an unknown app" rkt app rm "$uuid" --app=nobody
fails_with 'no app "nobody"' "status: an unknown app" rkt app status "$uuid" --app=nobody
fails_with 'no matches found' "an unknown pod" rkt app start 00000000-0000-0000-0000-000000000000 --app=x
fails_with 'dangling mount' "a volume that nobody made" rkt app add "$uuid" example.com/app --name=m --mount=volume=none,target=/x
fails_with 'image' "an image that is not there" rkt app add "$uuid" example.com/none
fails_with 'capabilit' "an unknown capability" rkt app add "$uuid" example.com/app --name=c --caps-retain=CAP_NONE
fails_with '/no/such' "a volume without a source" rkt app add "$uuid" example.com/app --name=v --mnt-volume=name=v,kind=host,source=/no/such,target=/x
is "what was refused left nothing" "$(rkt app list --no-legend "$uuid" | cut -f1 | tr '\n' ' ')" "app "
is "no file either" "$(ls "$pod/appsinfo" "$pod/plans" | tr '\n' ' ')" "$pod/appsinfo: app  $pod/plans: app "
run rkt app start "$uuid"
expect_status 254 "start without --app"
run rkt app add "$uuid" example.com/app example.com/app
expect_status 254 "two images"

# ---- stop of the pod ----
run rkt app add "$uuid" example.com/app --name=s --exec=/bin/sleep -- 600
run rkt app start "$uuid" --app=s
run rkt stop "$uuid"
expect_status 0 "rkt stop"
check "ends the pod" gone
wait "$pid"
is "with status 0" $? 0
is "its apps have exited" "$(state s)" exited
fails_with 'not running' "nothing is added to it" rkt app add "$uuid" example.com/app --name=late
run rkt app rm "$uuid" --app=s
expect_status 0 "but removal works"
unlike "and is seen" "$(rkt app list "$uuid")" '^s	'

# ---- not mutable, not here ----
rkt cat-manifest "$uuid" | sed 's|/no/such|/bin/true|' >"$T/copy" # of a mutable pod
run rkt run --net=none --uuid-file-save="$T/fixed" --pod-manifest="$T/copy"
expect_status 0 "the manifest of a mutable pod can be run"
copy=$(cat "$T/fixed")
fails_with 'not mutable' "but makes no mutable pod" rkt app rm "$copy" --app=app
rm "$T/fixed"
start_rkt run --net=none --uuid-file-save="$T/fixed" example.com/app --exec=/bin/sleep -- 600
wait_for 10 test -s "$T/fixed"
fixed=$(cat "$T/fixed")
run timeout 200 "$RKT" --dir="$RKT_DIR" status --wait-ready "$fixed"
fails_with 'not mutable' "add: a pod that is not mutable" rkt app add "$fixed" example.com/app --name=x
fails_with 'not mutable' "start" rkt app start "$fixed" --app=app
fails_with 'not mutable' "rm" rkt app rm "$fixed" --app=app
run rkt app list --no-legend "$fixed"
expect_stdout '^app	*running$' "list works for every pod"
run rkt stop --force "$fixed"
gone
fails_with 'fly.* does not support mutable pods' "fly refuses" rkt app sandbox --stage1-name=coreos.com/rkt/stage1-fly
run rkt app sandbox example.com/app
expect_status 254 "a sandbox takes no image"
