#!/bin/sh
# --private-users: a pod in a user namespace, over file systems whose ids are shifted and not changed (T14, T51).
. "${0%/*}/lib.sh"
need_root
make_image example.com/app
accept_unsigned
rkt fetch "$image" >/dev/null 2>&1

# users ARGS...: a shell line in a pod with ids of its own.
users() {
	_line=$1
	shift
	run rkt run --net=none --private-users --uuid-file-save="$T/uuid" "$@" --exec=/bin/sh -- -c "$_line"
}

# shift_of UUID: the first id of its range.
shift_of() {
	cut -d: -f1 "$RKT_DIR/pods/run/$1/private-users-prepared"
}

# ---- inside --------------------------------------------------------------------------------------

users 'id -u; cat /proc/self/uid_map; stat -c "%u:%g %n" / /etc /etc/passwd /bin/busybox; echo new >/etc/new; stat -c "new %u" /etc/new' example.com/app
expect_status 0 "a pod with a user namespace"
expect_stdout '^0$' "the app is root in it"
uuid=$(cat "$T/uuid")
shift=$(shift_of "$uuid")
check "its range is a multiple of 65536" test $((shift % 65536)) -eq 0 -a "$shift" -gt 0
is "that is its map" "$(awk '$1 == 0 && $3 == 65536 { print $2 }' "$T/out")" "$shift"
expect_stdout '^0:0 /$' "the root is its root's"
expect_stdout '^0:0 /etc/passwd$' "so are the image's files"
expect_stdout '^new 0$' "and new ones"
is "on the host they are the range's" "$(stat -c %u "$RKT_DIR/pods/run/$uuid/overlay/app/upper/etc/new")" "$shift"
is "the store is as it was" "$(stat -c %u "$(find "$RKT_DIR/cas/tree" -name passwd | head -n 1)")" 0
users 'mount | grep -c . ; ls /proc/1/ns >/dev/null; echo x >/dev/null; head -c 4 /dev/urandom | wc -c; ls -d /sys/class/net/lo; echo shm >/dev/shm/f && cat /dev/shm/f' example.com/app
expect_stdout '^shm$' "its kernel file systems and devices work"
users 'id -u; id -G; touch /tmp/mine; stat -c %u:%g /tmp/mine' example.com/app --user=alice --group=alice
expect_status 0 "another user"
refute "is not root" grep -q '^0$' "$T/out"

# no way out
users 'mount -t tmpfs none /mnt 2>&1; hostname x 2>&1; mknod /dev/sda b 8 0 2>&1; dd if=/dev/sda of=/dev/null count=1 2>&1; chroot / true 2>&1; ls /proc/1/root 2>&1; echo 1 >/proc/sys/kernel/panic; echo end' example.com/app
expect_stdout '^end$' "T51: it tries"
refute "T51: and no block device opens" grep -q 'records in' "$T/out"
sh -c 'umask 077; echo secret >"$1"' - "$T/secret"
users 'cat /v/secret; echo x >>/v/secret; echo "status $?"' --volume=v,kind=host,source="$T" example.com/app --mount=volume=v,target=/v --user=1234 --group=1234
refute "an id of the pod is not the host's of that number on files that it may not read" grep -q '^secret$' "$T/out"

# ---- volumes -------------------------------------------------------------------------------------

mkdir "$T/vol"
echo data >"$T/vol/file"
chown 7:8 "$T/vol/file"
users 'stat -c %u:%g /v/file; echo mine >/v/mine; chown 5:6 /v/mine; stat -c %u:%g /v/mine' --volume=v,kind=host,source="$T/vol" example.com/app --mount=volume=v,target=/v
expect_stdout '^7:8$' "a volume shows its own ids"
expect_stdout '^5:6$' "and takes the app's"
is "which are on disk as they are" "$(stat -c %u:%g "$T/vol/mine")" 5:6
users 'stat -c %u:%g:%a /e; touch /e/x' --volume=e,kind=empty,uid=3,gid=4,mode=0777 example.com/app --mount=volume=e,target=/e
expect_stdout '^3:4:777$' "an empty volume too"

# ---- several pods --------------------------------------------------------------------------------

i=0
while [ $i -lt 12 ]; do
	rkt prepare --private-users example.com/app >"$T/p$i" 2>"$T/p$i.err" &
	eval "j$i=$!"
	i=$((i + 1))
done
i=0
while [ $i -lt 12 ]; do
	eval "wait \$j$i" || diag "prepare $i: $(cat "$T/p$i.err")"
	i=$((i + 1))
done
is "twelve pods at once have twelve ranges" "$(cat "$RKT_DIR"/pods/prepared/*/private-users-prepared | sort -u | wc -l)" 12
run rkt run-prepared --net=none "$(cat "$T/p3")"
expect_status 0 "a prepared pod runs with its range"
run rkt prepare --no-overlay --private-users example.com/app --exec=/bin/stat -- -c %u:%g /etc/passwd
p=$(tail -n 1 "$T/out")
run rkt run-prepared --net=none "$p"
expect_stdout '^0:0$' "a copied root is shifted, too"

# ---- enter, limits, the end ----------------------------------------------------------------------

start_rkt run --net=none --private-users --uuid-file-save="$T/uuid2" example.com/app --pids-limit=64 --memory=64M --exec=/bin/sleep -- 600
wait_for 10 test -s "$T/uuid2"
uuid=$(cat "$T/uuid2")
check "a pod with limits is ready" rkt status --wait-ready=100s "$uuid"
run rkt enter "$uuid" /bin/sh -c 'grep -E "^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp)" /proc/self/status; readlink /proc/self/ns/user; cat /proc/self/uid_map'
expect_status 0 "enter"
app=$(sleeper "$uuid" 600)
grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp)' "/proc/$app/status" | sed "s/$(shift_of "$uuid")/0/g" >"$T/want"
is "enter is what the app is" "$(grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp)' "$T/out")" "$(cat "$T/want")"
is "in its namespace" "$(grep '^user:' "$T/out")" "$(readlink "/proc/$app/ns/user")"
refute "which is not ours" test "$(readlink "/proc/$app/ns/user")" = "$(readlink /proc/self/ns/user)"
is "on the host it is somebody of the range" "$(awk '/^Uid/ { print $2 }' "/proc/$app/status")" "$(shift_of "$uuid")"
run rkt stop "$uuid"
wait "$pid" 2>/dev/null
is "it stops" "$(find /sys/fs/cgroup -name "rkt-$uuid" | wc -l)" 0

start_rkt run --net=none --private-users --uuid-file-save="$T/uuid3" example.com/app --exec=/bin/sleep -- 600
wait_for 10 test -s "$T/uuid3"
rkt status --wait-ready=100s "$(cat "$T/uuid3")" >/dev/null 2>&1
check "another one sleeps" test -n "$(sleeper "$(cat "$T/uuid3")" 600)"
kill -9 "$pid"
wait "$pid" 2>/dev/null
gone() { [ -z "$(sleeper "$1" 600)" ]; }
check "it dies with its supervisor" wait_for 10 gone "$(cat "$T/uuid3")"
rkt gc --grace-period=0s >/dev/null 2>&1
rkt gc --grace-period=0s >/dev/null 2>&1
is "after gc its range is free and no group is left" "$(find /sys/fs/cgroup -name "rkt-$(cat "$T/uuid3")" | wc -l)" 0

# ---- bad input -----------------------------------------------------------------------------------

fails_with 'net=host' "--net=host" rkt run --net=host --private-users example.com/app
fails_with 'flavor fly' "flavor fly" rkt run --stage1-name=coreos.com/rkt/stage1-fly --private-users example.com/app
fails_with 'device' "--device" rkt run --net=none --private-users example.com/app --device=/dev/null
fails_with 'user 65536: with --private-users' "a user beyond the range" rkt run --net=none --private-users example.com/app --user=65536
fails_with 'group 65536: with' "a group" rkt run --net=none --private-users example.com/app --group=65536
fails_with 'supplementary group 70000: with' "a supplementary group" rkt run --net=none --private-users example.com/app --supplementary-gids=1,70000
fails_with 'volume "e": owner 0:65536: with' "an owner of an empty volume" rkt run --net=none --private-users --volume=e,kind=empty,gid=65536 \
	example.com/app --mount=volume=e,target=/e
# shellcheck disable=SC2016
fails_with 'volume "v".*idmapped mounts' "a file system that cannot be shifted" \
	unshare -m --propagation private sh -c 'mount -t proc proc "$1" && shift && exec "$@"' - "$T/vol" \
	"$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" "$accept" \
	run --net=none --private-users --volume=v,kind=host,source="$T/vol" example.com/app --mount=volume=v,target=/v
id=$(tail -n 1 "$T/p5")
for bad in '-1:65536' '4294967295:65536' '0x10000:65536' '65536' '65536:0' '0:65536' '065536:65536' '65536:65536x' ' 65536:65536'; do
	printf '%s\n' "$bad" >"$RKT_DIR/pods/prepared/$id/private-users-prepared"
	fails_with 'id range|SHIFT:COUNT' "T14: the range \"$bad\"" rkt run-prepared --net=none "$id"
done
