#!/bin/sh
# What a pod may cost, counted and never timed: system calls, programs, private memory, descriptors.
. "${0%/*}/lib.sh"
need_root
need strace
RKT_RUN_CALLS=${RKT_RUN_CALLS:-250} # for the whole life of a cached pod, but for those of the app's own program
LIST_CALLS=9                        # for each pod of a list
GC_CALLS=180                        # for each pod of a gc, of which 33 are for files and directories to delete
if sanitized; then sanitized=1; else sanitized=0; fi

IMAGE_EXEC='["/bin/true"]' make_image example.com/true
id=$(rkt fetch --full --insecure-options=image "$image" 2>/dev/null)

# calls FILE: finished system calls in the log of strace -f.
calls() { grep -vcE '\+\+\+|---|<unfinished' "$1"; }

# own_calls FILE: the same without what the app's program does: up to the execve that makes its process the app, all is ours.
own_calls() {
	awk '/execve\("\/bin\/true"/ { app = $1 }
		/\+\+\+|---|<unfinished/ { next }
		!over[$1] { n++ }
		$1 == app && /execve.*= 0$/ { over[$1] = 1 }
		END { print n }' "$1"
}

# ---- a start -------------------------------------------------------------------------------------

watched() {
	traced strace -f -qq -o "$T/calls" "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" \
		--insecure-options=image "$@"
}

rkt run --insecure-options=image --net=none "$id" >/dev/null 2>&1
run watched run --net=none "$id"
expect_status 0 "a cached pod runs under strace"
n=$(own_calls "$T/calls")
diag "system calls of a cached pod that runs true: $n of ours, $(($(calls "$T/calls") - n)) of the program"
check "the program's own are told apart" test "$n" -lt "$(calls "$T/calls")"
if [ $sanitized -eq 0 ]; then
	check "a cached pod takes at most $RKT_RUN_CALLS system calls" test "$n" -le "$RKT_RUN_CALLS"
fi
execs=$(grep -cE 'exec(ve|veat)\(.*= 0$|exec(ve|veat) resumed.*= 0$' "$T/calls")
is "it executes rkt, stage1, stage2 and the program" "$execs" 4
[ $sanitized -eq 1 ] || refute "it opens nothing of a loader" grep -E 'ld\.so\.(cache|preload)' "$T/calls"
refute "it compiles no filter: no library, no cache is looked at" grep -E 'cas/bpf|seccomp\.' "$T/calls"
refute "it syncs nothing" grep -E '(fsync|fdatasync|syncfs|sync)\(' "$T/calls"

# ---- memory --------------------------------------------------------------------------------------

# private PID: KiB that only this process has.
private() { awk '/^Private/ { s += $2 } END { print s }' "/proc/$1/smaps_rollup"; }

start_rkt run --insecure-options=image --net=none "$id" --exec=/bin/sleep -- 600
check "the app runs" wait_for 10 sh -c "grep -q . /proc/$pid/task/$pid/children && '$RKT' --dir='$RKT_DIR' list | grep -q running"
uuid=$(rkt list --full --no-legend | awk '/running/ { print $1 }')
check "and is ready" rkt status --wait-ready=100s "$uuid"
init=$(cut -d' ' -f1 "/proc/$pid/task/$pid/children")
if [ $sanitized -eq 0 ]; then
	kib=$(($(private "$pid") + $(private "$init")))
	diag "private memory of supervisor and init: $kib KiB"
	check "supervisor and init have at most 2 MiB of their own" test "$kib" -le 2048
fi
is "the supervisor keeps few descriptors" "$(($(find "/proc/$pid/fd" -mindepth 1 | wc -l) <= 16))" 1
kill "$pid"
wait "$pid" 2>/dev/null
rkt gc --grace-period=0s >/dev/null 2>&1

# ---- many pods (ten thousand of them: t720) -------------------------------------------------------

pods=50
rkt run --insecure-options=image --net=none "$id" >/dev/null 2>&1
one=$(find "$RKT_DIR/pods/run" -mindepth 1 -maxdepth 1 | head -n 1)
i=1
while [ $i -lt $pods ]; do
	cp -a "$one" "$(printf '%s/%08x-0000-4000-8000-%012x' "${one%/*}" $i $i)"
	i=$((i + 1))
done
# at_most CALLS WHAT ARG...: for each pod, above what the program needs in any case.
at_most() {
	_max=$1 _what=$2
	shift 2
	rm -f "$T/calls"
	run watched "$@"
	expect_status 0 "$_what of $pods pods"
	n=$(calls "$T/calls")
	diag "system calls of $_what of $pods pods: $n"
	[ $sanitized -eq 1 ] || check "$_what takes at most $_max calls a pod" test "$n" -le $((_max * pods + 150))
}
at_most "$LIST_CALLS" list list
is "every pod is listed" "$(grep -c exited "$T/out")" $pods
at_most "$GC_CALLS" gc gc --grace-period=0s
is "every pod is gone" "$(find "$RKT_DIR/pods" -mindepth 2 -maxdepth 2 | wc -l)" 0
