#!/bin/sh
# Sockets of a service manager (LISTEN_FDS): they reach the app that they are for, and nobody else.
. "${0%/*}/lib.sh"
need_root
need python3
make_image example.com/app
IMAGE_FILE=a.aci IMAGE_APP='"ports":[{"name":"web","protocol":"tcp","port":18081,"socketActivated":true}]' make_image example.com/web
rkt fetch --insecure-options=image "$image" >/dev/null 2>&1
IMAGE_FILE=b.aci IMAGE_APP='"ports":[{"name":"dns","protocol":"udp","port":18082,"count":3,"socketActivated":true}]' make_image example.com/dns
rkt fetch --insecure-options=image "$image" >/dev/null 2>&1
make_image example.com/app
accept_unsigned
rkt fetch "$image" >/dev/null 2>&1

# activate PORTS LIE ARGS...: as a service manager does, sockets of those kinds from 3 on; their inodes go to $T/inodes.
cat >"$T/activate" <<'P'
import fcntl, os, socket, struct, sys
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS: up
kinds, lie, out = sys.argv[1].split(","), sys.argv[2], sys.argv[3]
held = []
for k in kinds:
    if k == "unix":
        s = socket.socket(socket.AF_UNIX)
        s.bind("\0rkt-test-%d" % os.getpid())
        s.listen()
    else:
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if k[0] == "u" else socket.SOCK_STREAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", int(k[1:])))
        if k[0] == "t":
            s.listen()
    held.append(s)
high = [os.dup2(s.fileno(), 100 + i) for i, s in enumerate(held)]
for i, fd in enumerate(high):
    os.dup2(fd, 3 + i, inheritable=True)
os.set_inheritable(100, False)
with open(out, "w") as f:
    for i in range(len(held)):
        f.write(os.readlink("/proc/self/fd/%d" % (3 + i)) + "\n")
for i in range(len(held)):
    os.set_inheritable(100 + i, False)
os.environ["LISTEN_FDS"] = str(len(held)) if lie != "many" else "4000"
os.environ["LISTEN_FDNAMES"] = ":".join("name%d" % i for i in range(len(held)))
os.environ["LISTEN_PID"] = str(os.getpid()) if lie != "pid" else "1"
os.execv(sys.argv[4], sys.argv[4:])
P
activate() {
	_kinds=$1 _lie=$2
	shift 2
	run unshare -n python3 "$T/activate" "$_kinds" "$_lie" "$T/inodes" \
		"$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" "$accept" run --net=none "$@"
}
# shellcheck disable=SC2016
look='echo "pid $LISTEN_PID $$ fds $LISTEN_FDS names $LISTEN_FDNAMES"; ls -l /proc/$$/fd >/tmp/l; sed -n "s/.* \([0-9]*\) -> /\1 /p" /tmp/l'

activate t18080,unix,u18090 no example.com/app --exec=/bin/sh -- -c "$look"
expect_status 0 "three sockets"
is "their number, their names, the app's own pid" "$(sed -n 's/^pid \([0-9]*\) \1 //p' "$T/out")" "fds 3 names name0:name1:name2"
is "they are the caller's, in order" "$(sed -n 's/^[345] //p' "$T/out")" "$(cat "$T/inodes")"
refute "and there is nothing else" grep -E '^([6-9]|1[1-9]|[2-9][0-9]+) ' "$T/out" # 10 is the shell's own

activate t18080 pid example.com/app --exec=/bin/sh -- -c "$look"
is "LISTEN_PID of somebody else: they are not ours" "$(sed -n 's/^pid //p' "$T/out" | tr -d ' 0-9')" "fdsnames"
refute "and do not leak" grep -E '^[3-9] socket' "$T/out"

activate u18083,t18081 no example.com/web --name=web --exec=/bin/sh -- -c "$look" --- example.com/dns --name=dns --exec=/bin/sh -- -c "$look"
expect_status 0 "two apps"
is "the port decides" "$(sed -n 's/.* web\[[0-9]*\]: 3 //p' "$T/out")" "$(sed -n 2p "$T/inodes")"
is "for each" "$(sed -n 's/.* dns\[[0-9]*\]: 3 //p' "$T/out")" "$(sed -n 1p "$T/inodes")"
is "and the name goes along" "$(sed -n 's/.* dns\[[0-9]*\]: pid .* names //p' "$T/out")" name0

fails_activate() {
	activate "$1" "$2" example.com/web --name=web --- example.com/dns --name=dns
	if [ "$status" -eq 254 ] && grep -Eq "$3" "$T/err"; then ok "$4"; else not_ok "$4"; fi
}
fails_activate t18099 no 'socket 3 of LISTEN_FDS: no app' "a socket that no app takes"
fails_activate t18081 many 'LISTEN_FDS=4000' "a number that is no number of sockets"

activate t18080 no --private-users example.com/app --exec=/bin/sh -- -c "$look"
is "with a user namespace" "$(sed -n 's/^3 //p' "$T/out")" "$(cat "$T/inodes")"
