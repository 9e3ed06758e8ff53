#!/bin/sh
# Where the streams of apps lead: lines with names, nothing, pipes; floods and readers who do not read (T27, T61).
. "${0%/*}/lib.sh"
need_root
IMAGE_EXEC='["/bin/sh"]' make_image example.com/app
accept_unsigned
rkt fetch "$image" >/dev/null 2>&1

# ---- several apps --------------------------------------------------------------------------------

run rkt run --net=none example.com/app --name=one --exec=/bin/sh -- -c 'echo to out; echo to err >&2; printf "no end"' --- \
	example.com/app --name=two --exec=/bin/sh -- -c 'sleep 0.3; echo second'
expect_status 0 "two apps"
expect_stdout '^\[[0-9]+\.[0-9]{6}\] one\[[0-9]+\]: to out$' "a line has time, name and number"
expect_stdout '^\[[0-9]+\.[0-9]{6}\] two\[[0-9]+\]: second$' "of each app"
expect_stdout '^\[[0-9]+\.[0-9]{6}\] one\[[0-9]+\]: no end$' "a line without its end is one"
expect_stderr '^\[[0-9]+\.[0-9]{6}\] one\[[0-9]+\]: to err$' "standard error is standard error"
refute "and not standard output" grep 'to err' "$T/out"
refute "nothing came before its app had a number" grep '\[0\]:' "$T/out"

run rkt run --net=none example.com/app --exec=/bin/sh -- -c 'printf "a\tb\001c"; echo to err >&2'
is "the only app writes to the caller itself" "$(od -c "$T/out" | head -1)" "$(printf 'a\tb\001c' | od -c | head -1)"

run rkt run --net=none example.com/app --name=one --exec=/bin/sh -- -c 'head -c 20000 /dev/zero | tr "\0" x; echo' --- \
	example.com/app --name=two --exec=/bin/true
expect_status 0 "a line of 20000 bytes"
is "is cut into three" "$(grep -c 'one\[' "$T/out")" 3
is "and loses nothing" "$(sed 's/^[^:]*: //' "$T/out" | tr -d '\n' | wc -c)" 20000

run rkt run --net=none example.com/app --name=one --exec=/bin/sh -- -c 'i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i + 1)); done' --- \
	example.com/app --name=two --exec=/bin/sh -- -c 'i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i + 1)); done'
is "every line of two busy apps arrives" "$(grep -c 'line' "$T/out")" 6000
is "each whole" "$(grep -vcE '^\[[0-9.]+\] (one|two)\[[0-9]+\]: line [0-9]+$' "$T/out")" 0

# ---- null ----------------------------------------------------------------------------------------

run rkt run --net=none example.com/app --stdout=null --exec=/bin/sh -- -c 'echo lost; echo kept >&2'
expect_status 0 "--stdout=null"
is "nothing came out" "$(wc -c <"$T/out")" 0
expect_stderr '^kept$' "but the other stream did"
run rkt run --net=none example.com/app --stderr=null --stdin=null --exec=/bin/sh -- -c 'echo kept; echo lost >&2; cat'
expect_stdout '^kept$' "--stderr=null"
refute "and nothing else" grep lost "$T/err"

# ---- T27: a flood, and a reader who does not read ------------------------------------------------

mkfifo "$T/fifo"
tail -f /dev/null <"$T/fifo" &
reader=$!
pids="$pids $reader"
"$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" --insecure-options=image run --net=none \
	--uuid-file-save="$T/uuid" example.com/app --name=flood --exec=/bin/sh -- -c 'exec cat /dev/zero' --- \
	example.com/app --name=calm --exec=/bin/sleep -- 600 >"$T/fifo" 2>/dev/null &
pid=$!
pids="$pids $pid"
wait_for 10 test -s "$T/uuid"
check "the pod is ready" rkt status --wait-ready=100s "$(cat "$T/uuid")"
sleep 1
a=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
sleep 1
b=$(awk '{ print $14 + $15 }' "/proc/$pid/stat")
kib=$(awk '/^Private/ { s += $2 } END { print s }' "/proc/$pid/smaps_rollup")
diag "supervisor of a flood that nobody reads: $kib KiB, $((b - a)) ticks in a second"
sanitized || check "T27: its memory is bounded" test "$kib" -le 4096
check "T27: it does not spin" test $((b - a)) -le 20
is "T27: nothing of it is on disk" "$(find "$RKT_DIR/pods/run" -size +512k | wc -l)" 0
run rkt stop --force "$(cat "$T/uuid")"
expect_status 0 "stop --force of a pod whose output is stuck"
check "T27: it ends" wait_for 15 sh -c "! kill -0 $pid 2>/dev/null"
kill "$reader" 2>/dev/null
wait "$pid" 2>/dev/null

# a reader who goes away: the pod goes on
# shellcheck disable=SC2016
run sh -c '{ "$1" --dir="$2" --local-config="$3/etc" --system-config="$3/lib" --insecure-options=image run --net=none \
	example.com/app --name=one --exec=/bin/sh -- -c "i=0; while [ \$i -lt 20000 ]; do echo line \$i; i=\$((i + 1)); done; exit 3" --- \
	example.com/app --name=two --exec=/bin/true; echo $? >"$3/status"; } | head -n 1' - "$RKT" "$RKT_DIR" "$T"
is "a reader who leaves after a line" "$(wc -l <"$T/out")" 1
is "does not end the pod: it has the status of its app" "$(cat "$T/status")" 3

# ---- T61: what an app writes does not steer a terminal -------------------------------------------

need script
# shellcheck disable=SC2016
printf '#!/bin/sh\nexec "%s" --dir="%s" --local-config="%s/etc" --system-config="%s/lib" --insecure-options=image run --net=none example.com/app --name=one --exec=/bin/printf -- "a\\033]0;title\\007b\\n" --- example.com/app --name=two --exec=/bin/true\n' \
	"$RKT" "$RKT_DIR" "$T" "$T" >"$T/on-tty"
chmod 755 "$T/on-tty"
script -qec "$T/on-tty" /dev/null </dev/null >"$T/typed" 2>&1
check "T61: the line is there" grep -q 'one\[.*a.*b' "$T/typed"
refute "T61: its control characters are not" grep -q "$(printf '\033')" "$T/typed"

# ---- bad input -----------------------------------------------------------------------------------

fails_with 'option --stdin: "log"' "--stdin=log" rkt run --net=none example.com/app --stdin=log
fails_with 'option --stdout: "file"' "--stdout=file" rkt run --net=none example.com/app --stdout=file
fails_with 'annotation coreos.com/rkt/stage2/stderr: "x"' "an annotation nobody checked before" \
	rkt run --net=none example.com/app --annotation=coreos.com/rkt/stage2/stderr=x
fails_with 'cannot have both' "streams and a terminal" rkt run --net=none example.com/app --stdin=stream --stdout=tty
fails_with 'no terminals' "fly has no terminals" rkt run --stage1-name=coreos.com/rkt/stage1-fly example.com/app --stdin=tty
