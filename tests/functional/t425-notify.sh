#!/bin/sh
# Readiness by sd_notify: towards a service manager, and from apps that say it themselves.
. "${0%/*}/lib.sh"
need_root
need python3
accept_unsigned

make_image example.com/plain
check "the image is stored" rkt fetch --insecure-options=image "$image"
IMAGE_MORE='"annotations":[{"name":"appc.io/executor/supports-systemd-notify","value":"true"}]' make_image example.com/speaks
check "and one that says when it is ready" rkt fetch --insecure-options=image "$image"

# A service manager: every message it gets is a line of $T/told.
cat >"$T/manager.py" <<'END'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
name = sys.argv[1]
s.bind("\0" + name[1:] if name[0] == "@" else name)
print("listening", flush=True)
while True:
    print(s.recv(4096).decode().replace("\n", "|"), flush=True)
END
manager() {
	: >"$T/told"
	python3 "$T/manager.py" "$1" >>"$T/told" 2>&1 &
	manager_pid=$!
	pids="$pids $manager_pid"
	wait_for 10 grep -q listening "$T/told"
}
told() { wait_for 10 grep -qx "$1" "$T/told"; }
pod_start() {
	NOTIFY_SOCKET=$1
	export NOTIFY_SOCKET
	shift
	start_rkt run --net=none --uuid-file-save="$T/uuid" "$@"
	unset NOTIFY_SOCKET
}
pod_end() {
	kill "$pid"
	wait "$pid"
}

manager "$T/manager"
pod_start "$T/manager" example.com/plain --exec=/bin/sh -- -c 'echo "socket=$NOTIFY_SOCKET"; exec sleep 600'
check "READY=1 when the app runs" told READY=1
is "and the pod is ready" "$(rkt status --wait-ready=100s "$(cat "$T/uuid")" | grep -c state=running)" 1
pod_end
check "STOPPING=1 when it is to end" told STOPPING=1
is "the manager's socket is not the app's" "$(grep '^socket=' "$T/bg.out")" "socket="
kill "$manager_pid"

manager "@rkt-test-$$"
pod_start "@rkt-test-$$" example.com/plain --exec=/bin/sleep -- 600
check "an abstract name will do" told READY=1
pod_end

# ---- an app that speaks --------------------------------------------------------------------------

: >"$T/told"
mkfifo "$T/go"
pod_start "@rkt-test-$$" --volume=t,kind=host,source="$T/go" example.com/speaks --user=1000 --group=1000 \
	--mount=volume=t,target=/go --exec=/bin/sh -- -c 'inspect notify=STATUS=waking; read x </go; inspect notify=READY=1; exec sleep 600'
check "an app may send what it likes" wait_for 10 grep -q '^notify=0' "$T/bg.out"
run rkt status --wait-ready=300ms "$(cat "$T/uuid")"
expect_status 254 "it is not ready before it says so"
refute "nor is the manager told" grep -q READY "$T/told"
echo go >"$T/go"
check "READY=1 of the app is the pod's" told READY=1
check "and the pod is ready" rkt status --wait-ready=100s "$(cat "$T/uuid")"
pod_end
is "STATUS of the app stays inside" "$(grep -c STATUS "$T/told")" 0

: >"$T/told"
pod_start "@rkt-test-$$" --volume=t,kind=host,source="$T/go" example.com/speaks --name=one --exec=/bin/sh -- -c 'inspect notify=READY=1; exec sleep 600' --- \
	example.com/plain --exec=/bin/sleep -- 600 --- \
	example.com/speaks --name=two --mount=volume=t,target=/go --exec=/bin/sh -- -c 'read x </go; inspect notify=READY=1; exec sleep 600'
check "several apps: one has spoken" wait_for 10 grep -q ': notify=0' "$T/bg.out"
refute "that is not enough" grep -q READY "$T/told"
echo go >"$T/go"
check "the last one decides" told READY=1
is "it is said once" "$(grep -c READY "$T/told")" 1
pod_end

# ---- bad input -----------------------------------------------------------------------------------

run env NOTIFY_SOCKET="$T/nobody" "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" --insecure-options=image \
	run --net=none example.com/plain --exec=/bin/true
expect_status 0 "a service manager that is not there does not harm the pod"
expect_stderr 'tell READY=1 to the service manager: No such file' "but is told"
run env NOTIFY_SOCKET=vsock:2:1 "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" --insecure-options=image \
	run --net=none example.com/plain --exec=/bin/true
expect_stderr 'NOTIFY_SOCKET is neither a path nor an abstract name' "an address of another kind is told, too"
