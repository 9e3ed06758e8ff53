#!/bin/sh
# shellcheck disable=SC2016 # scripts for shells inside pods are not expanded here
# Streams of apps that are added to a running pod: lines with names, nothing, pipes and terminals, new ones with every start.
. "${0%/*}/lib.sh"
. "${0%/*}/podlib.sh"
need_root
IMAGE_EXEC='["/bin/sh"]' make_image example.com/app
IMAGE_APP='"eventHandlers":[{"name":"pre-start","exec":["/bin/sh","-c","echo before"]},{"name":"post-stop","exec":["/bin/sh","-c","echo behind"]}]' \
	IMAGE_FILE=handlers.aci IMAGE_EXEC='["/bin/sh"]' make_image example.com/handlers
accept_unsigned
run rkt fetch "$T/images/app.aci" "$T/images/handlers.aci"
expect_status 0 "the images are there"

add() { # NAME ARGS...: of example.com/app
	_name=$1
	shift
	rkt app add "$uuid" example.com/app --name="$_name" "$@" >"$T/add" 2>&1 || { not_ok "app add $_name: $(cat "$T/add")"; }
	rkt app start "$uuid" --app="$_name" >"$T/start" 2>&1 || { not_ok "app start $_name: $(cat "$T/start")"; }
}
fds() { # PID: how many descriptors it has but sockets, of which one comes with the first app to attach to
	find "/proc/$1/fd" -type l ! -lname 'socket:*' | wc -l
}

# ---- log -----------------------------------------------------------------------------------------

sandbox
init=$(cat "/proc/$pid/task/$pid/children")
init=${init%% *}
before=$(fds "$pid")
before_init=$(fds "$init")

add one --exec=/bin/sh -- -c 'echo to out; echo to err >&2; read -r x || echo nothing to read; printf "no end"'
check "lines have name and number" wait_for 10 grep -Eq '^\[[0-9]+\.[0-9]{6}\] one\[[0-9]+\]: to out$' "$T/bg.out"
check "standard error is standard error" wait_for 10 grep -Eq '^\[[0-9]+\.[0-9]{6}\] one\[[0-9]+\]: to err$' "$T/bg.err"
refute "and not standard output" grep 'to err' "$T/bg.out"
check "a line without its end is one" wait_for 10 grep -Eq 'one\[[0-9]+\]: no end$' "$T/bg.out"
check "there is nothing to read" grep -q ': nothing to read$' "$T/bg.out"
wait_for 10 in_state one exited
run rkt app start "$uuid" --app=one
expect_status 0 "started again"
check "it has pipes again" wait_for 10 sh -c "[ \$(grep -c 'no end' '$T/bg.out') = 2 ]"
is "by another number" "$(grep 'no end' "$T/bg.out" | sed 's/.*one\[\([0-9]*\)\].*/\1/' | sort -u | wc -l)" 2
wait_for 10 in_state one exited

add two --exec=/bin/sh -- -c 'i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i + 1)); done'
add three --exec=/bin/sh -- -c 'i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i + 1)); done'
check "every line of two busy apps arrives" wait_for 20 sh -c "[ \$(grep -c 'line' '$T/bg.out') = 6000 ]"
is "each whole" "$(grep line "$T/bg.out" | grep -vcE '^\[[0-9.]+\] (two|three)\[[0-9]+\]: line [0-9]+$')" 0
wait_for 10 in_state two exited
wait_for 10 in_state three exited

run rkt app add "$uuid" example.com/handlers --name=h --exec=/bin/sh -- -c 'echo within'
run rkt app start "$uuid" --app=h
check "handlers write to the same lines, before it has a number, too" wait_for 10 sh -c \
	"grep 'h\\[[0-9]*\\]: ' '$T/bg.out' | sed 's/.*: //' | tr '\n' ' ' | grep -q 'before within behind'"
wait_for 10 in_state h exited

# ---- null ----------------------------------------------------------------------------------------

add quiet --stdin=null --stdout=null --exec=/bin/sh -- -c 'echo lost; cat; echo kept >&2'
check "--stdout=null: the other stream goes on" wait_for 10 grep -q 'quiet\[[0-9]*\]: kept$' "$T/bg.err"
wait_for 10 in_state quiet exited
refute "and this one nowhere" grep lost "$T/bg.out" "$T/bg.err"
fails_with 'was started with' "there is nothing to attach to" rkt attach --app=quiet "$uuid"

# ---- streams -------------------------------------------------------------------------------------

add s --stdin=stream --stdout=stream --stderr=stream --exec=/bin/sh -- -c \
	'echo early; while read -r l; do echo "out $l"; echo "err $l" >&2; [ "$l" != quit ] || exit 5; done'
run rkt attach --mode=list --app=s "$uuid"
expect_status 0 "attach --mode=list"
is "it lists the three" "$(grep -c '"name": "std' "$T/out")" 3
is "the socket is root's alone" "$(stat -c %a "$pod/attach")" 600

attached s.1 7 --app=s "$uuid"
echo hello >&7
check "input reaches the app, output comes back" wait_for 5 grep -q '^out hello$' "$T/s.1"
check "what it said before is shown" grep -q '^early$' "$T/s.1"
check "standard error comes as such" wait_for 5 grep -q '^err hello$' "$T/s.1.err"
first=$client
listening s.2 --app=s --mode=stdout "$uuid"
second=$client client=$first
wait_for 5 grep -q early "$T/s.2"
echo again >&7
check "a second client hears the same" wait_for 5 grep -q '^out again$' "$T/s.2"
echo quit >&7
check "attach ends with the app" ended "$client"
wait "$client"
is "with status 0" $? 0
check "and so does the other" ended "$second"
wait_for 10 in_state s exited
run rkt app status "$uuid" --app=s
expect_stdout '^exit_code=5$' "the app has its status"
fails_with 'does not run' "nobody attaches to an app that has ended" rkt attach --app=s "$uuid"
refute "nothing of it was a line" grep 's\[[0-9]*\]: ' "$T/bg.out"
check "the pod goes on" kill -0 "$pid"

run rkt app start "$uuid" --app=s
expect_status 0 "it starts again"
exec 7>&-
attached s.3 7 --app=s "$uuid"
echo anew >&7
check "and has new streams" wait_for 5 grep -q '^out anew$' "$T/s.3"
refute "in which nothing old is left" grep -q hello "$T/s.3"
is "in the pod's own words" "$(grep -c early "$T/s.3")" 1

nobody_waits s.3 --app=s --mode=stdout "$uuid"
run rkt app stop "$uuid" --app=s
expect_status 0 "app stop"
check "ends the attached" ended "$client"
exec 7>&-

# ---- terminals -----------------------------------------------------------------------------------

add t --stdin=tty --stdout=tty --stderr=tty --exec=/bin/sh -- -c \
	'tty; test -t 1 && test -t 2 && echo all three; (: </dev/tty) && echo controls; echo $TERM; stty -a | grep -o -- "-*echo "; stty -echo; while read -r l; do echo "got $l"; done'
run rkt attach --mode=list --app=t "$uuid"
expect_stdout '"name": "tty-in"' "a terminal is listed"
attached t.1 8 --app=t --mode=tty "$uuid"
echo one >&8
check "what is typed is read" wait_for 5 grep -q 'got one' "$T/t.1"
check "it is a terminal inside" grep -q '^/dev/pts/0' "$T/t.1"
check "all three streams are" grep -q 'all three' "$T/t.1"
check "it is the controlling one" grep -q controls "$T/t.1"
check "TERM is set" grep -q vt100 "$T/t.1"
run rkt app exec --app=t "$uuid" /bin/sh -c 'ls /dev/pts | tr "\n" " "; echo; for p in /proc/[0-9]*; do readlink $p/exe; ls -l $p/fd; done 2>/dev/null | grep -c ptmx'
expect_stdout '^0 ptmx $' "R11: it is on the app's own devpts, alone"
expect_stdout '^0$' "and no process of the pod has its other side"
run rkt app stop "$uuid" --app=t
expect_status 0 "an app with a terminal is stopped"
exec 8>&-
wait "$client"
run rkt app start "$uuid" --app=t
attached t.2 8 --app=t --mode=tty "$uuid"
echo two >&8
check "and started with a terminal again" wait_for 5 grep -q 'got two' "$T/t.2"
check "a new one: the settings of the last are not in it" grep -q '^echo' "$T/t.2"
refute "nor what was said" grep -q 'got one' "$T/t.2"
run rkt app stop "$uuid" --app=t
exec 8>&-
wait "$client"

# what an app does to its /dev does not lead the supervisor anywhere
add evil --stdin=tty --stdout=tty --caps-retain=CAP_SYS_ADMIN,CAP_DAC_OVERRIDE,CAP_FOWNER,CAP_CHOWN,CAP_MKNOD --seccomp=mode=remove,@systemd/clock --exec=/bin/sh -- -c \
	'chmod 000 /dev/pts/ptmx; rm -f /dev/ptmx; ln -s /proc/1/root/etc/passwd /dev/ptmx; umount /dev/pts && rmdir /dev/pts; ln -s / /dev/pts; ls -l /dev/pts; tty; touch /taken; sleep 600'
check "R11 an app takes its /dev apart" wait_for 10 rkt app exec --app=evil "$uuid" /bin/sh -c 'test -e /taken'
run rkt app stop "$uuid" --app=evil
run rkt app start "$uuid" --app=evil
expect_status 0 "R11 an app that took its /dev apart gets a terminal all the same"
listening evil --app=evil --mode=tty-out "$uuid"
check "R11 of the kernel's making" wait_for 5 grep -q . "$T/evil"
diag "$(tr '\r\n' ' |' <"$T/evil")"
run rkt app stop "$uuid" --app=evil
wait "$client"

# ---- bad input -----------------------------------------------------------------------------------

fails_with 'option --stdin: "log"' "--stdin=log" rkt app add "$uuid" example.com/app --name=bad --stdin=log
fails_with 'option --stdout: "file"' "--stdout=file" rkt app add "$uuid" example.com/app --name=bad --stdout=file
fails_with 'cannot have both' "streams and a terminal" rkt app add "$uuid" example.com/app --name=bad --stdin=stream --stdout=tty
fails_with 'no app "nobody"' "attach: an unknown app" rkt attach --app=nobody "$uuid"
add fails --stdin=stream --stdout=stream --exec=/bin/sleep -- 600
run rkt app stop "$uuid" --app=fails
is "what was refused is not there" "$(rkt app list --no-legend "$uuid" | grep -c bad)" 0
run rkt app add "$uuid" example.com/app --name=none --stdout=stream --exec=/no/such
fails_with 'no/such' "a program that is missing" rkt app start "$uuid" --app=none

n=0
for ms in 1 5 10 15 20 25 30 40 50 60 75 90; do
	n=$((n + 1))
	timeout -s KILL "0.0$(printf %02d "$ms")" "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --insecure-options=image \
		app add "$uuid" example.com/app --name=k$n --stdin=tty --stdout=tty --exec=/bin/cat >/dev/null 2>&1
done

# ---- a flood, and a reader who does not read -----------------------------------------------------

for a in $(rkt app list --no-legend "$uuid" | cut -f1); do
	run rkt app rm "$uuid" --app="$a"
	[ "$status" -eq 0 ] || not_ok "rm of $a: $(cat "$T/err")"
done
as_before() { [ "$(fds "$1")" -eq "$2" ]; }
check "no pipe and no terminal is left in the supervisor ($before)" wait_for 5 as_before "$pid" "$before"
check "nor in init ($before_init)" wait_for 5 as_before "$init" "$before_init"
run rkt stop "$uuid"
wait_for 15 sh -c "! kill -0 $pid"

mkfifo "$T/fifo"
tail -f /dev/null <"$T/fifo" &
reader=$!
pids="$pids $reader"
rm -f "$T/uuid"
"$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" --insecure-options=image app sandbox --net=none \
	--uuid-file-save="$T/uuid" >"$T/fifo" 2>&1 &
pid=$!
pids="$pids $pid"
wait_for 10 test -s "$T/uuid"
uuid=$(cat "$T/uuid")
rkt status --wait-ready=100s "$uuid" >/dev/null 2>&1
add flood --exec=/bin/sh -- -c 'exec cat /dev/zero'
i=0
while [ $i -lt 12 ]; do
	run timeout 200 "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" app stop "$uuid" --app=flood
	[ "$status" -eq 0 ] || break
	run timeout 200 "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" app start "$uuid" --app=flood
	[ "$status" -eq 0 ] || break
	i=$((i + 1))
	sleep 0.1
done
is "T27 an app whose output nobody reads is stopped and started" $i 12
kib=$(awk '/^Private/ { s += $2 } END { print s }' "/proc/$pid/smaps_rollup")
diag "supervisor of twelve floods that nobody reads: $kib KiB"
sanitized || check "T27 memory is bounded" test "$kib" -le 6144
run rkt stop --force "$uuid"
check "T27 it ends" wait_for 15 sh -c "! kill -0 $pid 2>/dev/null"
kill "$reader" 2>/dev/null
wait "$pid" 2>/dev/null

# ---- the supervisor is killed --------------------------------------------------------------------

sandbox
add s --stdin=stream --stdout=stream --exec=/bin/cat
add t --stdin=tty --stdout=tty --exec=/bin/cat
listening s.4 --app=s --mode=stdout "$uuid"
kill -KILL "$pid"
check "everything dies with it" wait_for 10 sh -c "! grep -qs 'rkt-$uuid' /proc/[0-9]*/cgroup"
check "attach ends" ended "$client"
fails_with 'is not running' "nothing to attach to" rkt attach --app=s "$uuid"
