#!/bin/sh
# What a pod may cost, counted and never timed: system calls, programs, private memory, descriptors (T64).
. "${0%/*}/lib.sh"
need_root
need strace
RKT_RUN_CALLS=${RKT_RUN_CALLS:-440} # for the whole life of a cached pod, the program's own start included
LIST_CALLS=22                       # for each pod of a list
if sanitized; then sanitized=1; else sanitized=0; fi

IMAGE_EXEC='["/bin/true"]' make_image example.com/true
id=$(rkt fetch --full --insecure-options=image "$image" 2>/dev/null)

# calls FILE: finished system calls in the log of strace -f.
calls() { grep -vcE '\+\+\+|---|<unfinished' "$1"; }

# ---- a start -------------------------------------------------------------------------------------

watched() {
	traced strace -f -qq -o "$T/calls" "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" \
		--insecure-options=image "$@"
}

rkt run --insecure-options=image --net=none "$id" >/dev/null 2>&1
run watched run --net=none "$id"
expect_status 0 "a cached pod runs under strace"
n=$(calls "$T/calls")
diag "system calls of a cached pod that runs true: $n"
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

start_rkt run --insecure-options=image --net=none "$id" --exec=/bin/sleep -- 60
check "the app runs" wait_for 10 sh -c "grep -q . /proc/$pid/task/$pid/children"
sleep 0.5
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

# ---- many pods -----------------------------------------------------------------------------------

pods=200
[ -z "${RKT_TEST_LONG-}" ] || pods=12000
rkt run --insecure-options=image --net=none "$id" >/dev/null 2>&1
one=$(find "$RKT_DIR/pods/run" -mindepth 1 -maxdepth 1 | head -n 1)
i=1
while [ $i -lt $pods ]; do
	cp -a "$one" "$(printf '%s/%08x-0000-4000-8000-%012x' "${one%/*}" $i $i)"
	i=$((i + 1))
done
run traced list --no-legend
n=$(calls "$T/calls")
diag "system calls of list with $pods pods: $n"
check "list takes at most $LIST_CALLS calls a pod" test "$n" -le $((LIST_CALLS * pods + 200))

limited() {
	(
		# shellcheck disable=SC3045 # every sh of ours has it
		ulimit -n 256
		rkt "$@"
	)
}
run limited list --no-legend
expect_status 0 "T64: list of $pods pods with 256 descriptors"
is "T64: every pod is listed" "$(wc -l <"$T/out" | tr -d ' ')" $pods
run limited gc --grace-period=0s
expect_status 0 "T64: gc of $pods pods with 256 descriptors"
is "T64: every pod is gone" "$(find "$RKT_DIR/pods" -mindepth 2 -maxdepth 2 | wc -l | tr -d ' ')" 0
