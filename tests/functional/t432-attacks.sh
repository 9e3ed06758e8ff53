#!/bin/sh
# Attacks of threats.md section 4.3 on pods that run and on those who look after them.
. "${0%/*}/lib.sh"
. "${0%/*}/podlib.sh"
need_root
need python3

mkdir -p "$T/files/bin"
cp "$RKT_BUILD/tests/inspect" "$T/files/bin/suid"
cp "$RKT_BUILD/tests/inspect" "$T/files/bin/capped"
chmod 4755 "$T/files/bin/suid"
python3 -c 'import os, sys
os.setxattr(sys.argv[1], "security.capability", bytes.fromhex("0100000200200000000000000000000000000000"))' "$T/files/bin/capped"
printf '#!/proc/self/exe\n' >"$T/files/bin/self"
printf '#!/proc/1/exe\n' >"$T/files/bin/one"
chmod 755 "$T/files/bin/self" "$T/files/bin/one"
IMAGE_EXEC='["/bin/sh"]' make_image example.com/app "$T/files"
accept_unsigned
rkt fetch "$image" >/dev/null 2>&1
programs() { find "$RKT_BUILD/lib" "$RKT_BUILD/bin" -type f -exec cksum {} + | sort | cksum; }
before=$(programs)

# app_pid: on the host, of the pod's only app.
app_pid() {
	cat "/sys/fs/cgroup/unified/rkt-$uuid"/app-*/cgroup.procs "/sys/fs/cgroup/rkt-$uuid"/app-*/cgroup.procs 2>/dev/null | head -n 1
}

# ---- T18, T21, T24: what an image holds --------------------------------------------------------------

up example.com/app --exec=/bin/sleep -- 600
for file in self one; do
	run timeout 200 "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" "$accept" run --net=none example.com/app --exec=/bin/$file
	refute "T18: /bin/$file as entrypoint is no success" test "$status" -eq 0
	run timeout 200 "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" enter "$uuid" /bin/$file
	refute "T18: nor is it entered" test "$status" -eq 0
done
is "T18: our programs are unchanged" "$(programs)" "$before"
down

run rkt run --net=none example.com/app --user=1000 --group=1000 --exec=/bin/suid -- status
is "T21: a setuid program of root's gains nothing" "$(value uid) $(value euid)" "1000 1000"
run rkt run --net=none example.com/app --user=1000 --group=1000 --exec=/bin/capped -- status
is "T21: nor do file capabilities" "$(value capprm) $(value capeff)" "0000000000000000 0000000000000000"

IMAGE_EXEC='["/bin/sleep","600"]' IMAGE_FILE=env.aci IMAGE_APP='"environment":[{"name":"LD_PRELOAD","value":"/evil.so"},{"name":"GCONV_PATH","value":"/evil"},{"name":"PATH","value":"/evil:/bin"},{"name":"NOTIFY_SOCKET","value":"/evil"},{"name":"LISTEN_FDS","value":"9"}],"eventHandlers":[{"name":"pre-start","exec":["/bin/true"]}]' \
	make_image example.com/env
rkt fetch "$image" >/dev/null 2>&1
up example.com/env
# shellcheck disable=SC2046
refute "T24: the image's environment is not the supervisor's" grep -q evil "/proc/$pid/environ"
init=$(cat /proc/"$pid"/task/"$pid"/children)
refute "T24: nor init's" grep -q . "/proc/${init%% *}/environ"
run rkt enter "$uuid" /bin/sh -c 'echo "$LD_PRELOAD"'
expect_stdout '^/evil.so$' "T24: but the app's, as it asked"
down

# ---- T28, T30: who does not react ----------------------------------------------------------------------

up example.com/app --exec=/bin/sleep -- 600
kill -STOP "$(app_pid)"
run rkt stop "$uuid"
expect_status 0 "T28: stop of an app that was stopped"
check "T28: it goes on to its end" wait_for 15 sh -c "! kill -0 $pid 2>/dev/null"
wait "$pid"
is "T28: with the status of the signal" $? 143

up example.com/app --exec=/bin/sleep -- 600
freeze=$(find /sys/fs/cgroup -path "*rkt-$uuid/app-*/cgroup.freeze" | head -n 1)
[ -z "$freeze" ] || echo 1 >"$freeze"
run rkt stop --force "$uuid"
expect_status 0 "T28: stop --force of a frozen pod"
check "T28: it is gone" wait_for 15 sh -c "! kill -0 $pid 2>/dev/null"
wait "$pid" 2>/dev/null || :

up example.com/app --exec=/bin/sh -- -c 'bomb() { while :; do sleep 600 & done; }; bomb & bomb & wait' --pids-limit=300
sleep 0.5
run timeout 200 "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" stop --force "$uuid"
expect_status 0 "T28: stop --force of a fork bomb"
check "T28: every process of it is gone" wait_for 15 sh -c "! find /sys/fs/cgroup -path '*rkt-$uuid*' -name cgroup.procs -exec cat {} + 2>/dev/null | grep -q ."
wait "$pid" 2>/dev/null || :

up example.com/app --exec=/bin/sleep -- 600
kill -STOP "$pid"
for verb in list "status $uuid" "cat-manifest $uuid" "gc --grace-period=0s" "image list"; do
	# shellcheck disable=SC2086
	run timeout 100 "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" $verb
	expect_status 0 "T30: $verb beside a supervisor that is stopped"
done
run timeout 100 "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" status --wait=1s "$uuid"
expect_status 254 "T30: a wait ends in time"
kill -CONT "$pid"
down

# ---- T35, T36: numbers that mean somebody else -----------------------------------------------------------

sleep 600 &
canary=$!
pids="$pids $canary"
up example.com/app --exec=/bin/sleep -- 600
kill -9 "$pid"
wait "$pid" 2>/dev/null || :
dir=$RKT_DIR/pods/run/$uuid
echo "$canary" >"$dir/ppid"
echo "$canary" >"$dir/pid"
# somebody holds the lock: for everybody the pod runs, and its supervisor is the canary
flock "$dir" sleep 600 &
holder=$!
pids="$pids $holder"
wait_for 5 sh -c "! flock -n '$dir' true"
run rkt status "$uuid"
expect_stdout '^state=running$' "T35: a pod whose recorded process is another one by now"
for verb in "stop $uuid" "stop --force $uuid" "enter $uuid /bin/true" "attach $uuid" "rm $uuid"; do
	# shellcheck disable=SC2086
	run timeout 200 "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" $verb
	refute "T35: ${verb%% *} is refused" test "$status" -eq 0
done
check "T35: the other process lives" kill -0 "$canary"
pkill -P "$holder" 2>/dev/null
kill "$holder" 2>/dev/null
wait "$holder" 2>/dev/null || :
ln -sfn "$(readlink "$dir/pid-start" | sed 's/[0-9a-f-]*$/00000000-0000-4000-8000-000000000000/')" "$dir/pid-start"
run rkt status "$uuid"
expect_stdout '^state=exited$' "T36: after another boot the pod has exited"
rkt gc --grace-period=0s >/dev/null 2>&1
rkt gc --grace-period=0s >/dev/null 2>&1
refute "T36: and can be collected" test -e "$dir"
check "T36: which touches no process" kill -0 "$canary"
kill "$canary"

# ---- T60: a pod that another version started ---------------------------------------------------------------

up example.com/app --exec=/bin/sleep -- 600
printf '\001' | dd of="$RKT_DIR/pods/run/$uuid/plan" bs=1 seek=4 conv=notrunc 2>/dev/null
fails_with 'of another version' "T60: enter of a pod with another version's plan" rkt enter "$uuid" /bin/true
for verb in "status $uuid" list "stop $uuid"; do
	# shellcheck disable=SC2086
	run rkt $verb
	expect_status 0 "T60: ${verb%% *} works all the same"
done
wait "$pid"
is "T60: and it ends as it should" $? 143
printf 'x' >"$RKT_DIR/pods/run/$uuid/summary.new"
rm -f "$RKT_DIR/pods/run/$uuid/summary"
ln -s 'v9 from a later version' "$RKT_DIR/pods/run/$uuid/summary"
run rkt list --no-legend
expect_stdout "^$(echo "$uuid" | cut -c1-8)" "T60: a summary of a later version is not believed, the pod is listed"
run rkt rm "$uuid"
expect_status 0 "T60: and removed"

# ---- T34: parts of the data directory are missing --------------------------------------------------------

cat >"$T/prune" <<'P'
import os, random, shutil, sys
random.seed(int(sys.argv[2]))
for top, dirs, files in os.walk(sys.argv[1], topdown=False):
    if "/rootfs" in top:  # what an image says is for `image verify` to judge
        continue
    for name in dirs + files:
        if random.random() < 0.15:
            path = os.path.join(top, name)
            shutil.rmtree(path, ignore_errors=True) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
P
rkt prepare example.com/app >/dev/null 2>&1
rkt run --net=none example.com/app --exec=/bin/true >/dev/null 2>&1
bad=
for seed in 1 2 3 4 5 6 7 8 9 10 11 12; do
	rm -rf "$T/torn"
	cp -a "$RKT_DIR" "$T/torn"
	python3 "$T/prune" "$T/torn" $seed
	for verb in list "image list" "gc --grace-period=0s" "image gc --grace-period=0s" list "image rm example.com/app example.com/env" "image gc --grace-period=0s" "fetch --full $T/images/app.aci" "run --net=none $T/images/app.aci --exec=/bin/true"; do
		# shellcheck disable=SC2086
		timeout 200 "$RKT" --dir="$T/torn" --local-config="$T/etc" --system-config="$T/lib" "$accept" $verb >"$T/torn.out" 2>&1
		code=$?
		[ "$code" -eq 0 ] || [ "$code" -eq 254 ] || bad="$bad [$seed $verb: $code]"
	done
	[ "$code" -eq 0 ] || bad="$bad [$seed: run after all: $(tail -n 1 "$T/torn.out")]"
	timeout 200 "$RKT" --dir="$T/torn" --local-config="$T/etc" --system-config="$T/lib" gc --grace-period=0s >/dev/null 2>&1
done
is "T34: every verb ends, and in the end an image runs" "$bad" ""
rm -rf "$T/torn"

# ---- T56: who calls us -----------------------------------------------------------------------------------

hostile() {
	_what=$1
	shift
	"$@" >"$T/hostile" 2>&1
	_code=$?
	if [ $_code -eq 0 ] || { [ $_code -eq 254 ] && grep -q '^rkt: ' "$T/hostile"; }; then ok "T56: $_what ($_code)"; else
		not_ok "T56: $_what"
		diag "status $_code: $(head -n 3 "$T/hostile")"
	fi
}
R="$RKT --dir=$RKT_DIR --local-config=$T/etc --system-config=$T/lib $accept run --net=none example.com/app --exec=/bin/true"
hostile "descriptors 0 to 2 closed" sh -c "$R <&- >&- 2>&-"
hostile "umask 0777" sh -c "umask 0777; $R"
hostile "few descriptors" sh -c "ulimit -n 20; $R"
hostile "hardly any descriptors" sh -c "ulimit -n 6; $R"
sh -c "trap '' XFSZ; ulimit -f 0; $R" >/dev/null 2>&1
is "T56: no file may grow" $? 254
hostile "SIGCHLD ignored" sh -c "trap '' CHLD; $R"
hostile "a directory that is gone" sh -c "mkdir '$T/gone'; cd '$T/gone'; rmdir '$T/gone'; $R"
hostile "130 KiB of environment" env BIG="$(head -c 130000 /dev/zero | tr '\0' x)" sh -c "$R"
hostile "odd variables" env TZ=:/etc/passwd LOCPATH=/tmp LC_ALL=xx_YY.nope IFS=abc POSIXLY_CORRECT=1 MALLOC_ARENA_MAX=x sh -c "$R"
hostile "blocked signals and no name" python3 -c "
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.execv(sys.argv[1], ['?'] + sys.argv[2:])" "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" "$accept" run --net=none example.com/app --exec=/bin/true

# ---- T55: around us only half a system -------------------------------------------------------------------

# shellcheck disable=SC2016
nested() { unshare -m --propagation private sh -c "$1"' && shift && exec "$@"' - "$1" "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" "$accept" run --net=none example.com/app --exec=/bin/true; }
hostile "T55: control groups that are read-only" nested 'for m in $(awk "\$3 ~ /^cgroup/ { print \$2 }" /proc/mounts); do mount -o remount,bind,ro $m; done'
hostile "T55: no control groups at all" nested 'umount -lR /sys/fs/cgroup'
hostile "T55: a masked /proc" nested 'mount --bind /dev/null /proc/kallsyms'
hostile "T55: no /dev/tty" nested 'mount --bind /dev/null /dev/tty'
