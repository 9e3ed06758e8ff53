# shellcheck shell=sh disable=SC2034 # what it sets is the test's
# podlib.sh — pods that go on beside the test, and who attaches to them.  Source it after lib.sh.
#
#   up ARG...                 `rkt run --net=none ARG...` in the background, until it is ready; sets $uuid, $pid and $pod, its directory
#   sandbox ARG...            `rkt app sandbox --net=none ARG...`, likewise; one point
#   down                      the pod is no more;  gone: it ends by itself
#   state APP, in_state APP STATE   as `rkt app list` has it
#   attached NAME FD ARG...   `rkt attach ARG...` in the background; sets $client; what is written to descriptor FD it reads, what it
#                             says is in $T/NAME and $T/NAME.err;  listening NAME ARG...: likewise, without input
#   ended PID                 a client, by itself
#   nobody_waits FILE ARG...  a client of an app that answers what descriptor 7 is told, `rkt attach ARG...`, does not read, and $T/FILE of
#                             another gets everything; one point

_until_ready() {
	wait_for 10 test -s "$T/uuid"
	uuid=$(cat "$T/uuid")
	pod=$RKT_DIR/pods/run/$uuid
	rkt status --wait-ready=100s "$uuid" >"$T/ready" 2>&1
}

up() {
	rm -f "$T/uuid"
	start_rkt run --net=none --uuid-file-save="$T/uuid" "$@"
	_until_ready
}

sandbox() {
	rm -f "$T/uuid"
	start_rkt app sandbox --net=none --uuid-file-save="$T/uuid" "$@"
	check "the sandbox is ready" _until_ready
}

down() {
	rkt stop --force "$uuid" >/dev/null 2>&1
	wait "$pid" 2>/dev/null || :
}

gone() {
	wait_for 15 sh -c "! kill -0 $pid"
}

state() {
	run rkt app list --no-legend "$uuid"
	sed -n "s/^$1	*//p" "$T/out"
}

in_state() {
	[ "$(state "$1")" = "$2" ]
}

# The client is rkt itself, not a shell around it.
_client() { # NAME INPUT ARG...
	_name=$1 _input=$2
	shift 2
	"$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" attach "$@" <"$_input" >"$T/$_name" 2>"$T/$_name.err" &
	client=$!
	pids="$pids $client"
}

attached() {
	_name=$1 _fd=$2
	shift 2
	mkfifo "$T/$_name.in"
	_client "$_name" "$T/$_name.in" "$@"
	eval "exec $_fd>\"\$T/\$_name.in\""
}

listening() {
	_name=$1
	shift
	_client "$_name" /dev/null "$@"
}

ended() {
	wait_for 10 sh -c "! kill -0 $1 2>/dev/null"
}

nobody_waits() {
	_file=$1
	shift
	mkfifo "$T/slow"
	tail -f /dev/null <"$T/slow" &
	_sleeper=$!
	pids="$pids $_sleeper"
	_other=$client
	listening slow "$@"
	_slow=$client client=$_other
	_i=0
	while [ $_i -lt 2000 ]; do
		printf '%0900d\n' $_i
		_i=$((_i + 1))
	done >&7
	check "a client that does not read holds nobody up" wait_for 20 grep -q "^out 0*1999\$" "$T/$_file"
	kill "$_sleeper" "$_slow" 2>/dev/null
	wait "$_sleeper" "$_slow" 2>/dev/null
}
