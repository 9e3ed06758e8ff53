#!/bin/sh
# kill -9 of the process that was rkt, at moments spread over its life, leaves nothing that runs and, after gc, no file.
. "${0%/*}/lib.sh"
need_root
make_image example.com/app
accept_unsigned
run rkt fetch "$image"
expect_status 0 "the image is there"

# Two apps, one of which ignores TERM and has a grandchild.
pod() {
	start_rkt run --net=none --uuid-file-save="$T/uuid" \
		example.com/app --name=one --exec=/bin/inspect -- ignore=15 orphan=600 sleep=600 --- \
		example.com/app --name=two --exec=/bin/sleep -- 600
}

quiet() {
	left=$(residue | grep -v '^pod: ')
	[ -z "$left" ]
}

n=0
for ms in 0 2 5 10 15 20 30 50 100 400; do
	n=$((n + 1))
	pod
	sleep "$(printf '0.%03d' $ms)"
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	if wait_for 10 quiet; then ok "killed after $ms ms: no process, mount, group"; else
		not_ok "killed after $ms ms: no process, mount, group"
		diag "$left"
	fi
	run rkt gc --grace-period=0s
	run rkt gc --grace-period=0s
	is "and after gc no pod" "$(find "$RKT_DIR"/pods -mindepth 2 -maxdepth 2)" ""
done

# While both apps run: they are really there before, and really gone after.
pod
# Two apps and a grandchild are in the pod's control groups.
apps() { grep -ls "/rkt-$(cat "$T/uuid")/" /proc/[0-9]*/cgroup | wc -l; }
running() { [ "$(apps)" -ge 3 ]; }
check "both apps run" wait_for 10 running
kill -KILL "$pid"
wait "$pid" 2>/dev/null
check "they die with the supervisor" wait_for 10 quiet
run rkt status "$(cat "$T/uuid")"
expect_stdout '^state=exited$' "the pod has exited"

# The lock is free again: rm does not wait.
run timeout 100 "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" rm "$(cat "$T/uuid")"
expect_status 0 "its lock is free"

# SIGTERM to the supervisor ends the pod, too, if not as abruptly.
pod
check "both apps run again" wait_for 10 running
kill -TERM "$pid"
check "the supervisor ends by TERM" wait_for 20 sh -c "! kill -0 $pid"
check "and with it everything" wait_for 10 quiet
