#!/bin/sh
# shellcheck disable=SC2016 # scripts for shells inside pods are not expanded here
# How a pod lives and ends: fate of several apps, signals, handlers, statuses, stop.
. "${0%/*}/lib.sh"
need_root
need strace
make_image example.com/app
accept_unsigned
run rkt fetch "$image"
expect_status 0 "the image is there"

for flavor in ns fly; do
	f="--net=none --stage1-name=coreos.com/rkt/stage1-$flavor"
	for code in 0 1 7 200 255; do
		# shellcheck disable=SC2086
		run rkt run $f example.com/app -- exit=$code
		expect_status $code "$flavor: exit status $code"
	done
	for sig in 6 9 15; do
		# shellcheck disable=SC2086
		run rkt run $f --uuid-file-save="$T/uuid" example.com/app -- signal=$sig
		expect_status $((128 + sig)) "$flavor: death by signal $sig is 128 + $sig"
		run rkt status "$(cat "$T/uuid")"
		expect_stdout "^app-app=$((128 + sig))$" "$flavor: and so it is recorded"
		expect_stdout '^state=exited$' "$flavor: the pod has exited"
	done
done

# fate: the first failure ends the pod, success does not
run timeout 300 "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" "$accept" run --net=none --uuid-file-save="$T/uuid" \
	example.com/app --name=stays --exec=/bin/sleep -- 600 --- \
	example.com/app --name=fails --exec=/bin/sh -- -c 'exit 9'
expect_status 9 "the first failing app gives the status"
run rkt status "$(cat "$T/uuid")"
expect_stdout '^app-fails=9$' "its own"
expect_stdout '^app-stays=143$' "the other was terminated"
run rkt run --net=none --uuid-file-save="$T/uuid" \
	example.com/app --name=quick --exec=/bin/true --- example.com/app --name=slow --exec=/bin/sh -- -c 'sleep 0.5; echo done'
expect_status 0 "all good: 0"
expect_stdout '\] slow\[[0-9]+\]: done$' "an app that ends well leaves the others running"

# handlers run as the app's user, in its root
IMAGE_FILE=hooks.aci IMAGE_APP='"eventHandlers":[{"name":"pre-start","exec":["/bin/sh","-c","id -u >/tmp/pre; chmod 644 /tmp/pre"]},{"name":"post-stop","exec":["/bin/sh","-c","echo post $(cat /tmp/pre) $(cat /tmp/main)"]}]' \
	IMAGE_EXEC='["/bin/sh","-c","cat /tmp/pre; echo main >/tmp/main; exit 4"]' make_image example.com/hooks
run rkt fetch "$image"
run rkt run --net=none example.com/hooks --user=alice --group=users
expect_status 4 "the app's status stays the pod's"
expect_stdout '^1000$' "pre-start ran before the app, as its user"
expect_stdout '^post 1000 main$' "post-stop ran after it"
IMAGE_FILE=bad.aci IMAGE_APP='"eventHandlers":[{"name":"pre-start","exec":["/bin/false"]}]' \
	IMAGE_EXEC='["/bin/echo","started"]' make_image example.com/badhook
run rkt fetch "$image"
run rkt run --net=none example.com/badhook
unlike "a failing pre-start keeps the app from starting" "$(out)" started
refute "and fails the pod" test "$status" -eq 0

# stop
pod() {
	rm -f "$T/uuid"
	start_rkt run --net=none --uuid-file-save="$T/uuid" "$@"
	wait_for 10 test -s "$T/uuid"
	uuid=$(cat "$T/uuid")
	check "the pod is ready" timeout 200 "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" status --wait-ready "$uuid"
}
ended() { # STATUS DESCRIPTION
	wait "$pid"
	status=$?
	expect_status "$1" "$2"
}
pod example.com/app -- sleep=600
run rkt status "$uuid"
expect_stdout '^state=running$' "it runs"
expect_stdout "^pid=$pid$" "its supervisor is the process that was rkt"
run rkt stop "$uuid"
expect_status 0 "stop"
expect_stdout "^\"$uuid\"$" "prints the quoted UUID"
ended 143 "stop is SIGTERM to the app"
pod example.com/app --exec=/bin/sh -- -c 'trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.05; done'
check "it listens" wait_for 10 grep -q up "$T/bg.out"
run rkt stop "$uuid"
ended 0 "an app may end well on TERM"
check "after its last words" grep -q bye "$T/bg.out"
pod example.com/app -- ignore=15 sleep=600
run rkt stop --force "$uuid"
expect_status 0 "stop --force"
ended 137 "kills what ignores TERM"
pod example.com/app -- sleep=600
kill -STOP "$pid"
run rkt stop --force "$uuid"
expect_status 0 "stop --force of a stopped supervisor"
wait_for 10 sh -c "! kill -0 $pid"
run rkt status "$uuid"
expect_stdout '^state=exited$' "the pod has exited"

# signals to the supervisor
pod example.com/app --exec=/bin/sh -- -c 'trap "echo got usr1" USR1; trap "echo got hup" HUP; echo up; while :; do sleep 0.05; done'
check "the app is up" wait_for 10 grep -q up "$T/bg.out"
kill -USR1 "$pid"
check "USR1 reaches the app" wait_for 10 grep -q 'got usr1' "$T/bg.out"
kill -HUP "$pid"
check "HUP reaches the app" wait_for 10 grep -q 'got hup' "$T/bg.out"
kill -INT "$pid"
ended 143 "INT ends the pod in order"

# fly: a background child of the app does not outlive it
run rkt run --stage1-name=coreos.com/rkt/stage1-fly example.com/app --exec=/bin/sh -- -c 'sleep 600 & echo $!'
expect_status 0 "fly: the app ends"
child=$(out)
check "fly: and its children with it" wait_for 5 sh -c "! kill -0 $child"
fails_with 'one app' "fly: two apps are refused" rkt run --stage1-name=coreos.com/rkt/stage1-fly example.com/app --name=a example.com/app --name=b

# standard input
run sh -c "echo text | '$RKT' --dir='$RKT_DIR' --local-config='$T/etc' $accept run --net=none example.com/app --exec=/bin/cat"
is "without --interactive there is no input" "$(out)" ""
run sh -c "echo text | '$RKT' --dir='$RKT_DIR' --local-config='$T/etc' $accept run --net=none --interactive example.com/app --exec=/bin/cat"
expect_stdout '^text$' "with it the caller's input is the app's"

# a signal that comes while the pod is being built: strace keeps the child in pivot_root(2)
: >"$T/before"
start strace -f -qq -o "$T/slow" -e trace=pivot_root -e inject=pivot_root:delay_enter=8000000 "$RKT" --dir="$RKT_DIR" \
	--local-config="$T/etc" --system-config="$T/lib" "$accept" run --net=none example.com/app --exec=/bin/true
tracer=$pid
being_built() { find "$RKT_DIR/pods/run" -mindepth 2 -maxdepth 2 -name pid-start -newer "$T/before" | grep -q .; }
check "the child is at work" wait_for 10 being_built
pid=$(cut -d' ' -f1 "/proc/$tracer/task/$tracer/children")
kill "$pid"
wait "$tracer"
status=$?
expect_status 254 "TERM ends a pod that is not complete"
is "with a line" "$(grep -c 'ended by signal 15 before the pod was complete' "$T/bg.err")" 1
is "and leaves none" "$(find "$RKT_DIR/pods/run" -mindepth 1 -maxdepth 1 -newer "$T/before" | wc -l)" 0
