#!/bin/sh
# rkt attach: streams and terminals of running apps, several clients, and what they cannot do to each other.
. "${0%/*}/lib.sh"
. "${0%/*}/podlib.sh"
need_root
IMAGE_EXEC='["/bin/sh"]' make_image example.com/app
accept_unsigned
rkt fetch "$image" >/dev/null 2>&1

# ---- streams -------------------------------------------------------------------------------------

up example.com/app --stdin=stream --stdout=stream --stderr=stream --exec=/bin/sh -- -c \
	'echo early; while read -r l; do echo "out $l"; echo "err $l" >&2; [ "$l" != quit ] || exit 5; done'
run rkt attach --mode=list "$uuid"
expect_status 0 "attach --mode=list"
is "it lists the three" "$(grep -c '"name": "std' "$T/out")" 3
expect_stdout '"version": 1' "in JSON"

attached one 7 "$uuid"
echo hello >&7
check "input reaches the app, output comes back" wait_for 5 grep -q '^out hello$' "$T/one"
check "what it said before is shown" grep -q '^early$' "$T/one"
check "standard error comes as such" wait_for 5 grep -q '^err hello$' "$T/one.err"

first=$client
listening two --mode=stdout "$uuid"
second=$client client=$first
wait_for 5 grep -q early "$T/two"
echo again >&7
check "a second client hears the same" wait_for 5 grep -q '^out again$' "$T/two"
kill "$second"
wait "$second"
is "a client that is killed says so" $? 143
echo alone >&7
check "and the others go on" wait_for 5 grep -q '^out alone$' "$T/one"

nobody_waits one --mode=stdout "$uuid"

echo quit >&7
exec 7>&-
check "attach ends with the app" ended "$client"
wait "$client"
is "with status 0" $? 0
wait "$pid"
is "and the pod with the app's" $? 5

# ---- only some -----------------------------------------------------------------------------------

up example.com/app --name=a --stdin=stream --exec=/bin/sh -- -c 'read l; echo "got $l"; sleep 600' --- \
	example.com/app --name=b --exec=/bin/sleep -- 600
fails_with 'several apps' "an app must be chosen" rkt attach "$uuid"
fails_with 'was not started with' "an app that offers nothing" rkt attach --app=b "$uuid"
fails_with 'does not offer' "a stream that is not offered" rkt attach --app=a --mode=stdout "$uuid"
fails_with 'no app "c"' "an app that is not there" rkt attach --app=c "$uuid"
echo word | rkt attach --app=a --mode=stdin "$uuid" 2>/dev/null
is "input alone ends with the input" $? 0
check "and arrived" wait_for 5 grep -q 'a\[[0-9]*\]: got word' "$T/bg.out"
is "the socket is root's alone" "$(stat -c %a "$RKT_DIR/pods/run/$uuid/attach")" 600
refute "no app sees it" rkt enter --app=b "$uuid" /bin/sh -c 'find / -xdev -name attach -type s | grep .'
down
fails_with 'is not running' "a pod that has ended" rkt attach "$uuid"

# ---- one app has ended, another goes on ---------------------------------------------------------------

up example.com/app --name=a --stdin=stream --stdout=stream --exec=/bin/sh -- -c 'echo up; read l; echo "last $l"' --- \
	example.com/app --name=r --annotation=rkt.io/restart=on-failure:3 --stdin=stream --stdout=stream --exec=/bin/sh -- -c 'echo up; read l; echo "did $l"; [ "$l" = well ]' --- \
	example.com/app --name=b --exec=/bin/sleep -- 600
listening r.out --app=r --mode=stdout "$uuid"
other=$client
listening a.out --app=a --mode=stdout "$uuid"
wait_for 10 grep -q up "$T/a.out"
wait_for 10 grep -q up "$T/r.out"
echo word | rkt attach --app=a --mode=stdin "$uuid"
check "attach ends with its app" ended "$client"
is "and has all of it" "$(tr '\n' ' ' <"$T/a.out")" 'up last word '
run timeout 10 "$RKT" --dir="$RKT_DIR" attach --app=a "$uuid"
expect_status 254 "attach to an app that has ended"
expect_stderr '^rkt: attach: app "a": the app does not run$' "says so"
run timeout 10 "$RKT" --dir="$RKT_DIR" attach --app=a --mode=stdin "$uuid"
expect_status 254 "and to its input"
run timeout 10 "$RKT" --dir="$RKT_DIR" attach --app=a --mode=list "$uuid"
expect_status 254 "there is nothing to list"
echo badly | rkt attach --app=r --mode=stdin "$uuid"
check "an app that is started again" wait_for 10 sh -c "$RKT --dir=$RKT_DIR status $uuid | grep -qx restarts-r=1"
check "keeps who is attached" kill -0 "$other"
echo well | rkt attach --app=r --mode=stdin "$uuid"
check "until it is not started again" ended "$other"
is "in all its runs" "$(tr '\n' ' ' <"$T/r.out")" 'up did badly up did well '
run timeout 10 "$RKT" --dir="$RKT_DIR" attach --app=r "$uuid"
expect_stderr '^rkt: attach: app "r": the app does not run$' "attach to an app that is not started again"
check "the pod goes on" kill -0 "$pid"
down

# ---- a terminal ----------------------------------------------------------------------------------

up example.com/app --stdin=tty --stdout=tty --stderr=tty --exec=/bin/sh -- -c 'tty; stty -echo; while read -r l; do echo "got $l"; done'
run rkt attach --mode=list "$uuid"
expect_stdout '"name": "tty-in"' "a terminal is listed"
fails_with 'exclude each other' "a terminal and streams" rkt attach --mode=tty,stdin "$uuid"
attached tty 8 --mode=tty "$uuid"
echo one >&8
check "what is typed is read" wait_for 5 grep -q 'got one' "$T/tty"
check "it is a terminal inside" grep -q '^/dev/pts/[0-9]' "$T/tty"
run rkt enter "$uuid" /bin/sh -c 'ls /dev/pts; ls -l /dev/console'
expect_status 0 "and its console too"
kill -9 "$client"
wait "$client" 2>/dev/null
exec 8>&-
printf 'two\n' | rkt attach --mode=tty-in "$uuid"
listening tty2 --mode=tty-out "$uuid"
check "a client that was killed leaves the terminal to the next" wait_for 5 grep -q 'got two' "$T/tty2"
kill -9 "$pid"
check "attach ends when the supervisor is killed" ended "$client"
wait "$client" "$pid" 2>/dev/null
rkt gc --grace-period=0s >/dev/null 2>&1

# ---- refused -------------------------------------------------------------------------------------

up example.com/app --exec=/bin/sleep -- 600
fails_with 'was started with' "a pod without anything to attach to" rkt attach "$uuid"
fails_with 'option --mode: "x"' "an unknown mode" rkt attach --mode=x "$uuid"
down
