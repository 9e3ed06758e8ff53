#!/bin/sh
# shellcheck disable=SC2016 # scripts for shells inside pods are not expanded here
# enter: the same confinement as the app's, by the same constructor; attacks on whoever enters.
. "${0%/*}/lib.sh"
. "${0%/*}/podlib.sh"
need_root
make_image example.com/app
accept_unsigned
run rkt fetch "$image"
expect_status 0 "the image is there"

pod() { # FLAGS...: a pod that sleeps
	check "the pod is ready" up "$@"
}

# T20: the two doors give the same process, for several policies
facts='^(uid|gid|groups|cap...|nonewprivs|seccomp|ns_...|ns_cgroup|cgroup|rlimit.*|cwd|umask)='
n=0
for flags in "" "--user=alice --group=alice" "--caps-retain=CAP_KILL" "--caps-remove=CAP_MKNOD --working-dir=/var/tmp" \
	"--seccomp=mode=remove,errno=EPERM,chmod --user=alice --group=users" "--supplementary-gids=7,8 --memory=64Mi"; do
	n=$((n + 1))
	# shellcheck disable=SC2086
	pod example.com/app $flags --exec=/bin/sh -- -c 'inspect status rlimits; exec sleep 600'
	check "policy $n: the app has spoken" wait_for 10 grep -q ns_cgroup "$T/bg.out"
	grep -E "$facts" "$T/bg.out" | sort >"$T/by-run"
	run rkt enter "$uuid" /bin/inspect status rlimits
	expect_status 0 "policy $n: enter works"
	grep -E "$facts" "$T/out" | sort >"$T/by-enter"
	check "policy $n: something was compared" test "$(wc -l <"$T/by-run")" -ge 15
	check "T20 policy $n ($flags): enter is as confined as run" diff "$T/by-run" "$T/by-enter"
	down
done

pod example.com/app --environment=COLOUR=red --exec=/bin/sleep -- 600
run rkt enter "$uuid" sh -c 'echo $COLOUR; hostname; exit 3'
expect_status 3 "the command's exit status"
expect_stdout '^red$' "the app's environment"
run rkt enter "$uuid" sh -c 'kill -KILL $$'
expect_status 137 "death by a signal is mirrored"
fails_with '/no/such' "a missing command is named" rkt enter "$uuid" /no/such
fails_with 'nobody' "a missing app is named" rkt enter --app=nobody "$uuid" /bin/true
run rkt enter "$uuid" inspect try=mount try=unshare fds
is "the filter is on" "$(value try_unshare)" EPERM
is "T17 no descriptor leaks in" "$(grep -o '^fd\.[0-9]*' "$T/out" | tr '\n' ' ')" "fd.0 fd.1 fd.2 "
run rkt enter "$uuid" sh -c 'ls -l /proc/1/exe /proc/$PPID/exe'
unlike "T17 programs of the host are not to be seen" "$(out)" 'stage1|stage2|launch'
down
fails_with 'not running|exited' "a pod that has ended is not entered" rkt enter "$uuid" /bin/true

# T17: a loop in the pod that opens every other process's executable for writing, while we enter
pod example.com/app --exec=/bin/sh -- -c 'while :; do for p in /proc/[0-9]*/exe; do [ $p = /proc/$$/exe ] || (echo x >>$p) 2>/dev/null && echo WROTE $p; done; done'
sum=$(cat "$RKT_BUILD"/lib/rkt/stage1/ns/rootfs/* | cksum)
i=0
while [ $i -lt 40 ]; do
	run rkt enter "$uuid" /bin/true
	[ "$status" -eq 0 ] || break
	i=$((i + 1))
done
is "T17 forty enters under attack" $i 40
is "T17 our programs are unchanged" "$(cat "$RKT_BUILD"/lib/rkt/stage1/ns/rootfs/* | cksum)" "$sum"
unlike "T17 nothing of ours was written" "$(cat "$T/bg.out")" 'WROTE /proc/1/'
down

# started in a chroot, whose mounts are those of the host: enter ends up at the root of the app and nowhere above
cat >"$T/jailed" <<'END'
jail=$1/jail uuid=$1/uuid4
shift
mkdir -p "$jail" && mount --rbind / "$jail" || exit 99
chroot "$jail" "$@" run --net=none --uuid-file-save="$uuid" example.com/app --exec=/bin/sh -- -c 'stat -c "app %d:%i" /; exec sleep 600' &
while ! chroot "$jail" "$@" status --wait-ready=100s "$(cat "$uuid" 2>/dev/null)" >/dev/null 2>&1; do sleep 0.1; done
chroot "$jail" "$@" enter "$(cat "$uuid")" sh -c 'stat -c "enter %d:%i" / /.. /proc/self/root/; cd ..; pwd'
chroot "$jail" "$@" stop --force "$(cat "$uuid")" >/dev/null
wait
END
run timeout 300 unshare -m --propagation private sh "$T/jailed" "$T" "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" "$accept"
root=$(sed -n 's/^app //p' "$T/out")
like "a pod starts in a chroot" "$root" '^[0-9]+:[0-9]+$'
is "enter is at its root, and nothing is above it" "$(grep -v '^app' "$T/out" | tr '\n' ' ')" "enter $root enter $root enter $root / "

# several apps: one must be named
pod example.com/app --name=one --exec=/bin/sleep -- 600 --- example.com/app --name=two --exec=/bin/sleep -- 600
run rkt enter "$uuid" /bin/true
expect_status 254 "with two apps --app is needed"
expect_stderr 'one' "and they are listed"
run rkt enter --app=two "$uuid" sh -c 'echo $AC_APP_NAME'
expect_stdout '^two$' "--app chooses"
down

# fly
pod --stage1-name=coreos.com/rkt/stage1-fly example.com/app --user=alice --group=users --exec=/bin/sleep -- 600
run rkt enter "$uuid" inspect status
is "fly: enter has the app's user" "$(value uid):$(value gid)" 1000:100
down
