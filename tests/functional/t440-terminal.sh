#!/bin/sh
# shellcheck disable=SC2016 # scripts for shells inside pods are not expanded here
# --interactive and enter on a terminal: a pty of the pod's own between the caller's and the app.
. "${0%/*}/lib.sh"
need_root
need python3
make_image example.com/app
accept_unsigned
run rkt fetch "$image"
expect_status 0 "the image is there"

# on_terminal INPUT CMD...: runs CMD on a new terminal of 33 lines and 77 columns, types INPUT once it has
# printed "ready"; the terminal's output goes to $T/out, the exit status to $status.
on_terminal() {
	cat >"$T/terminal.py" <<-'END'
	import os, pty, sys, select, struct, fcntl, termios, time
	text = sys.argv[1].encode().decode("unicode_escape").encode()
	pid, fd = pty.fork()
	if pid == 0:
	    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
	    os.execvp(sys.argv[2], sys.argv[2:])
	seen, typed, end = b"", False, time.time() + 300
	while time.time() < end:
	    if not select.select([fd], [], [], 0.2)[0]:
	        continue
	    try:
	        data = os.read(fd, 4096)
	    except OSError:
	        break
	    if not data:
	        break
	    seen += data
	    if b"ready" in seen and not typed:
	        typed = True
	        if text == b"RESIZE":
	            fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 44, 99, 0, 0))
	        else:
	            os.write(fd, text)
	os.write(1, seen.replace(b"\r", b""))
	sane = termios.tcgetattr(fd)[3] & termios.ICANON
	st = os.waitpid(pid, 0)[1]
	os.write(1, b"\nsane terminal\n" if sane else b"\nraw terminal\n")
	sys.exit(os.waitstatus_to_exitcode(st) & 255)
	END
	run python3 "$T/terminal.py" "$@"
}
R="--dir=$RKT_DIR --local-config=$T/etc --system-config=$T/lib $accept"

for flavor in ns fly; do
	F="$R run --net=none --interactive --stage1-name=coreos.com/rkt/stage1-$flavor example.com/app --exec=/bin/sh --"
	# shellcheck disable=SC2086
	on_terminal 'word\n' "$RKT" $F -c 'test -t 0 && test -t 1 && test -t 2 && echo ready; read x; echo got $x; exit 5'
	expect_status 5 "$flavor: the exit status comes through a terminal"
	expect_stdout '^got word$' "$flavor: what is typed arrives"
	expect_stdout '^sane terminal$' "$flavor: the caller's terminal is put back"
	# shellcheck disable=SC2086
	on_terminal '' "$RKT" $F -c 'busybox stty size; echo ready'
	expect_stdout '^33 77$' "$flavor: the window size is passed on"
	# shellcheck disable=SC2086
	on_terminal '\x03' "$RKT" $F -c 'trap "echo interrupted; exit 6" INT; echo ready; while :; do sleep 0.05; done'
	expect_status 6 "$flavor: ^C is a SIGINT of the app, not of rkt"
	# shellcheck disable=SC2086
	on_terminal RESIZE "$RKT" $F -c 'trap "busybox stty size; exit 0" WINCH; echo ready; while :; do sleep 0.05; done'
	expect_stdout '^44 99$' "$flavor: a resize is passed on"
done

# The pty is the pod's: its number and device are not the caller's (T15).
# shellcheck disable=SC2086
on_terminal '' "$RKT" $R run --net=none --interactive example.com/app --exec=/bin/sh -- -c 'busybox tty; ls /dev/pts; stat -c %t:%T /dev/console; stat -c %t:%T /dev/pts/0; echo ready'
expect_stdout '^/dev/pts/0$|^/dev/console$' "T15 the terminal is the pod's first"
is "T15 and /dev/console is the same device" "$(grep -c '^88:0$' "$T/out")" 2

# T26: typing into it from inside is refused
# shellcheck disable=SC2086
on_terminal '' "$RKT" $R run --net=none --interactive example.com/app -- try=tiocsti
expect_stdout '^try_tiocsti=(EPERM|ENOSYS)' "T26 no injected input"

# enter gets a terminal as well
start_rkt run --net=none --uuid-file-save="$T/uuid" example.com/app --exec=/bin/sleep -- 600
wait_for 10 test -s "$T/uuid"
check "a pod to enter" timeout 200 "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" status --wait-ready "$(cat "$T/uuid")"
# shellcheck disable=SC2086
on_terminal 'word\n' "$RKT" $R enter "$(cat "$T/uuid")" /bin/sh -c 'test -t 0 && echo ready; read x; echo got $x; exit 9'
expect_status 9 "enter: exit status"
expect_stdout '^got word$' "enter: what is typed arrives"
expect_stdout '^sane terminal$' "enter: the caller's terminal is put back"
run rkt stop --force "$(cat "$T/uuid")"
fails_with 'one app|interactive' "--interactive is for one app" rkt run --net=none --interactive example.com/app --name=a example.com/app --name=b

# T15: something else where the app's terminals should be
mkdir "$T/pts"
mkfifo "$T/pts/ptmx"
rm -f "$T/uuid"
start_rkt run --net=none --uuid-file-save="$T/uuid" --volume=p,kind=host,source="$T/pts" example.com/app --mount=volume=p,target=/dev/pts --exec=/bin/sleep -- 600
wait_for 10 test -s "$T/uuid"
check "a pod with a volume over its terminals" rkt status --wait-ready=100s "$(cat "$T/uuid")"
# shellcheck disable=SC2086
on_terminal '' "$RKT" $R enter "$(cat "$T/uuid")" /bin/true
expect_status 254 "T15 enter wants a terminal of a terminal file system"
expect_stdout "rkt: enter: the app's /dev/pts is not a terminal file system" "T15 and says so"
kill "$pid"
wait "$pid" 2>/dev/null || : # a test ends with the status of its last command
