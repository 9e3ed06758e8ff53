#!/bin/sh
# shellcheck disable=SC2016 # scripts for shells inside pods are not expanded here
# Mutable pods when things go wrong: several at once, killed supervisors, killed callers, attacks from inside.
. "${0%/*}/lib.sh"
. "${0%/*}/podlib.sh"
need_root
make_image example.com/app
IMAGE_APP='"eventHandlers":[{"name":"pre-start","exec":["/bin/sh","-c","echo pre >>/order"]},{"name":"post-stop","exec":["/bin/sh","-c","cat /order; echo post"]}]' \
	IMAGE_FILE=handlers.aci IMAGE_EXEC='["/bin/sh","-c","echo main >>/order; exit 1"]' make_image example.com/handlers
accept_unsigned
run rkt fetch "$T/images/app.aci" "$T/images/handlers.aci"
expect_status 0 "the images are there"

# ---- at once ----
sandbox
callers=
for i in 1 2 3 4 5 6; do
	rkt app add "$uuid" example.com/app --name=app$i --exec=/bin/sleep -- 600 >"$T/add.$i" 2>&1 &
	callers="$callers $!"
done
bad=0
for c in $callers; do wait "$c" || bad=$((bad + 1)); done
is "six adds at once" $bad 0
is "are six apps" "$(rkt app list --no-legend "$uuid" | grep -c created)" 6
is "in six places" "$(cat "$pod"/plans/app* | tr '\0' '\n' | grep -ac '^/a[0-5]$')" 6
callers=
for i in 1 2 3 4; do
	rkt app add "$uuid" example.com/app --name=same --exec=/bin/sleep -- 600 >"$T/same.$i" 2>&1 &
	callers="$callers $!"
done
good=0
for c in $callers; do wait "$c" && good=$((good + 1)); done
is "of four of one name one wins" $good 1
callers=
for i in 1 2 3 4 5 6; do
	rkt app start "$uuid" --app=app$i >"$T/start.$i" 2>&1 &
	callers="$callers $!"
done
bad=0
for c in $callers; do wait "$c" || bad=$((bad + 1)); done
is "six starts at once" $bad 0
is "six run" "$(rkt app list --no-legend "$uuid" | grep -c running)" 6

# ---- an app that ignores its stop is killed, and others can be stopped meanwhile ----
run rkt app add "$uuid" example.com/app --name=deaf --exec=/bin/sh -- -c 'trap "" TERM; echo deaf; while :; do sleep 1; done'
run rkt app start "$uuid" --app=deaf
wait_for 10 grep -q deaf "$T/bg.out"
rkt app stop "$uuid" --app=deaf >"$T/stop.deaf" 2>&1 &
deaf=$!
run rkt app stop "$uuid" --app=app1
expect_status 0 "another app is stopped while one takes its time"
check "without waiting for it" kill -0 $deaf
check "a stop that was waited for" wait $deaf
run rkt app status "$uuid" --app=deaf
expect_stdout '^exit_code=137$' "the deaf app was killed"

# ---- the supervisor is killed ----
kill -KILL "$pid"
check "the supervisor dies" gone
check "all processes die with it" wait_for 10 sh -c "! grep -qs 'rkt-$uuid' /proc/[0-9]*/cgroup"
is "its apps have exited" "$(rkt app list --no-legend "$uuid" | grep -cv exited)" 0
fails_with 'not running' "nothing starts in a dead pod" rkt app start "$uuid" --app=app2

# ---- handlers, copies instead of overlays, volumes of the pod ----
mkdir "$T/share"
sandbox --no-overlay --volume=share,kind=host,source="$T/share"
run rkt app add "$uuid" example.com/handlers --name=h --mount=volume=share,target=/share
expect_status 0 "a pod of copies"
check "is one" test -d "$pod/stage1/rootfs/opt/stage2/h/rootfs/bin"
run rkt app start "$uuid" --app=h
expect_status 0 "with handlers"
wait_for 10 in_state h exited
check "in order" wait_for 10 sh -c "sed 's/^.*: //' '$T/bg.out' | tr '\n' ' ' | grep -q 'pre main post'"
run rkt app start "$uuid" --app=h
check "again" wait_for 10 sh -c "sed 's/^.*: //' '$T/bg.out' | tr '\n' ' ' | grep -q 'pre main post pre main pre main post'"
wait_for 10 in_state h exited
run rkt app rm "$uuid" --app=h
expect_status 0 "a copy is removed"
is "no file of it" "$(find "$pod" -path '*/h/*' 2>/dev/null | head -3)" ""

# ---- callers are killed ----
n=0
for ms in 1 3 5 8 12 16 20 25 30 40; do
	n=$((n + 1))
	timeout -s KILL "0.0$(printf %02d "$ms")" "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --insecure-options=image \
		app add "$uuid" example.com/app --name=k$n --exec=/bin/sleep -- 600 >/dev/null 2>&1
done
for a in $(rkt app list --no-legend "$uuid" | cut -f1); do
	run rkt app rm "$uuid" --app="$a"
	[ "$status" -eq 0 ] || not_ok "rm of app $a after its add was killed"
done
is "whatever a killed add left can be removed" "$(rkt app list --no-legend "$uuid")" ""
run rkt app add "$uuid" example.com/app --name=after --exec=/bin/sleep -- 600
expect_status 0 "and adding works"
run rkt app start "$uuid" --app=after
expect_status 0 "and starting"

# ---- from inside: a loop that writes to every other process's executable while apps come and go ----
run rkt app add "$uuid" example.com/app --name=evil --caps-retain=CAP_SYS_PTRACE,CAP_DAC_OVERRIDE,CAP_KILL --exec=/bin/sh -- -c \
	'echo evil; while :; do for p in /proc/[0-9]*; do [ $p = /proc/$$ ] || (echo x >>$p/exe) 2>/dev/null && echo WROTE $p; done; done'
run rkt app start "$uuid" --app=evil
check "the attacker runs" wait_for 10 grep -q evil "$T/bg.out"
sum=$(cat "$RKT_BUILD"/lib/rkt/stage1/ns/rootfs/* | cksum)
i=0
while [ $i -lt 5 ]; do
	run rkt app add "$uuid" example.com/app --name=victim --exec=/bin/true
	[ "$status" -eq 0 ] || break
	run rkt app start "$uuid" --app=victim
	wait_for 10 in_state victim exited
	run rkt app rm "$uuid" --app=victim
	[ "$status" -eq 0 ] || break
	i=$((i + 1))
done
is "T17 five apps came and went under attack" $i 5
is "T17 our programs are unchanged" "$(cat "$RKT_BUILD"/lib/rkt/stage1/ns/rootfs/* | cksum)" "$sum"
unlike "T17 nothing of ours was written" "$(cat "$T/bg.out")" 'WROTE /proc/1$'
run rkt stop --force "$uuid"
check "a forced stop ends it" gone
