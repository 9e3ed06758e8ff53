#!/bin/sh
# The proxy of published ports: a pod's namespace, the host's, and another host's, all made here.
. "${0%/*}/lib.sh"
need_root
need python3 nsenter unshare ip ss nstat setpriv prlimit sysctl
here=$(cd "${0%/*}" && pwd)
box=$RKT_BUILD/tests/proxybox

# ---- three namespaces in a row: pod - host - other ----
new_ns() { # sets $pid: a process in a network namespace of its own
	start unshare --net sleep 3600
	wait_for 5 sh -c "[ \$(readlink /proc/$pid/ns/net) != \$(readlink /proc/self/ns/net) ]"
	nsenter --net="/proc/$pid/ns/net" ip link set lo up
}
new_ns && pod=$pid
new_ns && host=$pid
new_ns && other=$pid
in_pod() { nsenter --net="/proc/$pod/ns/net" "$@"; }
in_host() { nsenter --net="/proc/$host/ns/net" "$@"; }
in_other() { nsenter --net="/proc/$other/ns/net" "$@"; }
in_host ip link add pod type veth peer name eth0 netns "$pod"
in_host ip link add other type veth peer name eth0 netns "$other"
in_host ip addr add 10.77.0.1/24 dev pod
in_host ip addr add fd77::1/64 dev pod nodad
in_pod ip addr add 10.77.0.2/24 dev eth0
in_pod ip addr add fd77::2/64 dev eth0 nodad
for _a in 192.0.2.1/24 192.0.2.9/24; do in_host ip addr add $_a dev other; done
for _a in 2001:db8::1/64 2001:db8::9/64; do in_host ip addr add $_a dev other nodad; done
in_other ip addr add 192.0.2.2/24 dev eth0
in_other ip addr add 2001:db8::2/64 dev eth0 nodad
in_host ip link set pod up
in_host ip link set other up
in_pod ip link set eth0 up
in_other ip link set eth0 up

start nsenter --net="/proc/$pod/ns/net" python3 "$here/proxypeer.py" serve "$T/serving" "$T/ends"
check "the pod serves" wait_for 20 test -e "$T/serving"

client() { # NAMESPACE MODE ARGS...: what it says goes to $T/out
	_where=$1
	shift
	run "$_where" timeout 400 python3 "$here/proxypeer.py" "$@"
}
says() { # DESCRIPTION WANT NAMESPACE MODE ARGS...
	_d=$1 _want=$2
	shift 2
	client "$@"
	is "$_d" "$(out)" "$_want"
}
# shellcheck disable=SC2016 # python's
maps() { # HOSTPORT:PODPORT/PROTO[@IP]...: portMappings
	python3 -c 'import json,re,sys
m=[re.fullmatch(r"(\d+):(\d+)/(tcp|udp)(?:@(.+))?",a) for a in sys.argv[1:]]
print(json.dumps([dict(hostPort=int(x[1]),containerPort=int(x[2]),protocol=x[3],**({"hostIP":x[4]} if x[4] else {})) for x in m]))' "$@"
}
start_proxy() { # MAPS ADDRESSES...: sets $proxy
	: >"$T/proxy.out"
	# shellcheck disable=SC2086 # words
	nsenter --net="/proc/$host/ns/net" $wrap "$box" "$@" >"$T/proxy.out" 2>"$T/proxy.err" </dev/null &
	proxy=$!
	proxies="$proxies $proxy"
	pids="$pids $proxy"
	wait_for 5 grep -q ready "$T/proxy.out" && wait_for 5 jailed "$proxy"
}
wrap=
proxies=
# They ignore what ends others.
cleanup() {
	for _p in $proxies; do
		case " $(cat "/proc/$$/task/$$/children") " in *" $_p "*) kill -KILL "$_p" ;; esac
	done
}
jailed() { # it has given up its privileges and serves
	grep -q '^Uid:	65534	65534	65534	65534$' "/proc/$1/status" && [ "$(readlink "/proc/$1/fd/1")" = /dev/null ]
}
asleep() { # it waits: 40 looks in a row find it so
	for _i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40; do
		grep -q '^State:	S' "/proc/$proxy/status" || return 1
	done
}
peak_kb() { sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$proxy/status"; }
sockets() { find "/proc/$1/fd" -lname 'socket:*' | wc -l; }

m=$(maps 8000:7000/tcp 8001:7001/tcp 8002:7002/tcp 8003:7003/tcp 8004:7004/tcp 8005:7005/tcp 8006:7006/tcp 8009:7999/tcp \
	8000:7000/udp 8100:7000/tcp@192.0.2.9 8100:7000/udp@192.0.2.9 8101:7000/tcp@2001:db8::9 8102:7000/tcp@127.0.0.1 8103:7000/tcp@0.0.0.0 8104:7000/tcp@::)
check "the proxy serves" start_proxy "$m" 10.77.0.2 fd77::2
main=$proxy

# ---- what it is allowed ----
value_of() { sed -n "s/^$1:	*//p" "/proc/$proxy/status"; }
for _set in CapInh CapPrm CapEff CapBnd CapAmb; do is "$_set" "$(value_of $_set)" 0000000000000000; done
is "groups" "$(value_of Gid | tr '\t' ' '),$(value_of Groups | tr -d ' ')" "65534 65534 65534 65534,"
is "no new privileges" "$(value_of NoNewPrivs)" 1
sanitized || is "a seccomp filter" "$(value_of Seccomp)" 2
is "it is in /" "$(readlink "/proc/$proxy/cwd")" /
is "sockets, an epoll set and /dev/null are all that is open" \
	"$(find "/proc/$proxy/fd" -type l -printf '%l\n' | sed 's/:.*//' | sort | uniq -c | awk '{ print $1 $2 }' | tr '\n' ' ')" "3/dev/null 1anon_inode 24socket "
is "no core file, no child" "$(awk '/core file size|Max processes/ { print $(NF-2), $(NF-1) }' "/proc/$proxy/limits" | tr '\n' ' ')" "0 0 0 0 "

# ---- tcp ----
for where in "in_host 127.0.0.1" "in_host ::1" "in_host 192.0.2.1" "in_host 10.77.0.1" "in_host fd77::1" "in_other 192.0.2.1" "in_other 192.0.2.9" \
	"in_other 2001:db8::1" "in_pod 10.77.0.1" "in_pod fd77::1"; do
	# shellcheck disable=SC2086
	set -- $where
	says "tcp, $1 to $2, with a half-close" "hello-$2bye" "$1" ask "$2" 8000 "hello-$2"
done
says "who comes from 127.0.0.1 is not 127.0.0.1 for the app" 10.77.0.1 in_host tell 127.0.0.1 8004
says "nor ::1" fd77::1 in_host tell ::1 8004
says "a reset by the app is a reset" reset in_other broken 192.0.2.1 8003
says "nobody listens in the pod: a reset, no end" reset in_other broken 2001:db8::1 8009
client in_other leave 192.0.2.1 8006 reset
check "a reset by the client is a reset" wait_for 10 grep -qx reset "$T/ends"
client in_other leave 192.0.2.1 8006 properly
check "and an end an end" wait_for 10 grep -qx end "$T/ends"

says "one address: there" hello192bye in_other ask 192.0.2.9 8100 hello192
says "and nowhere else" refused in_other refused 192.0.2.1 8100
says "nor in the other family" refused in_other refused 2001:db8::9 8100
says "one IPv6 address: there" hellov6bye in_other ask 2001:db8::9 8101 hellov6
says "and nowhere else, IPv6" refused in_other refused 2001:db8::1 8101
says "loopback only: there" hellolobye in_host ask 127.0.0.1 8102 hellolo
says "and not for others" refused in_other refused 192.0.2.1 8102
says "0.0.0.0 is IPv4" hello4bye in_other ask 192.0.2.1 8103 hello4
says "and not IPv6" refused in_other refused 2001:db8::1 8103
says ":: is IPv6" hello6bye in_other ask 2001:db8::1 8104 hello6
says "and not IPv4" refused in_other refused 192.0.2.1 8104

# a neighbour who sends packets for 127.0.0.1 and ::1 our way; that his packets come at all, the last line shows
in_other ip addr del 127.0.0.1/8 dev lo
in_other ip addr del ::1/128 dev lo
in_other ip route add 127.0.0.1/32 via 192.0.2.1 src 192.0.2.2
in_other ip -6 route add ::1/128 via 2001:db8::1
dropped() { in_host nstat -asz IpExtInNoRoutes IpInAddrErrors Ip6InHdrErrors Ip6InAddrErrors | awk 'NR > 1 { n += $2 } END { print n }'; }
dropped=$(dropped)
says "127.0.0.1 of a neighbour does not answer" "no answer" in_other unreached 127.0.0.1 8102
says "nor through a port of every address" "no answer" in_other unreached 127.0.0.1 8000
says "nor does ::1" "no answer" in_other unreached ::1 8000
check "his packets came and were thrown away ($dropped, then $(dropped))" test "$(dropped)" -gt "$dropped"

# ---- much ----
says "1 GiB to the pod arrives unchanged" same in_other upload 192.0.2.1 8001 1073741824
says "1 GiB from the pod" 1073741824 in_other download 2001:db8::1 8002 1073741824
says "2000 connections at once, each with its own words" 2000 in_other many 192.0.2.1 8000 2000
only() { [ "$(sockets "$proxy")" -eq "$1" ]; }
check "which leave nothing" wait_for 10 only 24

# ---- who is slow ----
mkfifo "$T/gate"
slow() { # MODE ARGS...: holds until the gate is closed; sets $pid
	nsenter --net="/proc/$other/ns/net" python3 "$here/proxypeer.py" "$@" >"$T/slow.out" 2>&1 <"$T/gate" &
	pid=$!
	pids="$pids $pid"
}
slow hold 192.0.2.1 8002 1073741824
reader=$pid
slow push 2001:db8::1 8005
writer=$pid
exec 9>"$T/gate"
check "a client that does not read, and an app that does not" wait_for 20 grep -q 'pushed some' "$T/slow.out"
says "others are served meanwhile" hellobye in_other ask 192.0.2.1 8000
says "and get much" 67108864 in_other download 192.0.2.1 8002 67108864
check "the proxy waits for the slow ones without spinning" wait_for 10 asleep
exec 9>&-
wait "$reader" "$writer"
slow crowd 192.0.2.1 8000 300
exec 9>"$T/gate"
check "300 connections" wait_for 30 grep -q open "$T/slow.out"
buffers() { in_host ss -tmnHO 'sport = :8000' | grep -c 'skmem:(r[0-9]*,rb65536,t[0-9]*,tb65536,'; }
most() { [ "$(buffers)" -ge "$1" ]; }
check "in a crowd, buffers are small: of all but the first 256" wait_for 5 most 44
check "and of these they are not" test "$(buffers)" -le 60
exec 9>&-
wait "$pid"
says "they are gone, and others served" hellobye in_other ask 192.0.2.1 8000
peak=$(peak_kb)
sanitized || check "all this took less than 8 MiB of memory ($peak KiB)" test "$peak" -lt 8192

# ---- udp ----
for where in "in_host 127.0.0.1 10.77.0.1" "in_host ::1 fd77::1" "in_other 192.0.2.1 10.77.0.1" "in_other 192.0.2.9 10.77.0.1" "in_other 2001:db8::1 fd77::1" \
	"in_other 2001:db8::9 fd77::1" "in_pod 10.77.0.1 10.77.0.1"; do
	# shellcheck disable=SC2086
	set -- $where
	client "$1" udp "$2" 8000 one two
	is "udp, $1 to $2: two clients, each gets its own, from the address that it asked" "$(out | tr '\n' ' ')" "$3 one $3 two $3 TWO $3 ONE "
done
client in_other udp 192.0.2.9 8100 a
is "udp on one address" "$(out | tr '\n' ' ')" "10.77.0.1 a 10.77.0.1 A "
says "a datagram of 60000 bytes" 60000 in_host udpbig 127.0.0.1 8000 60000
before=$(sockets "$proxy")
says "1500 clients, more than there are places" 1500 in_other udpmany 192.0.2.1 8000 1500
check "which cost no more than 1024 sockets" test "$(sockets "$proxy")" -le $((before + 1024))
client in_other udp 2001:db8::1 8000 new
is "the next one is answered as well" "$(out | tr '\n' ' ')" "fd77::1 new fd77::1 NEW "

# ---- signals ----
for _s in INT TERM HUP QUIT; do kill -$_s "$proxy"; done
says "signals of a terminal do not end it" hellobye in_other ask 192.0.2.1 8000
refute "root's own debugger apart, nobody may trace it" setpriv --reuid=65534 --regid=65534 --clear-groups cat "/proc/$proxy/environ"

# ---- pods of one family ----
check "a pod with IPv4 only" start_proxy "$(maps 8200:7004/tcp 8200:7000/udp)" 10.77.0.2
says "an IPv4 client" 10.77.0.1 in_other tell 192.0.2.1 8200
says "an IPv6 client" 10.77.0.1 in_other tell 2001:db8::1 8200
client in_other udp 2001:db8::1 8200 x
is "and its datagrams" "$(out | tr '\n' ' ')" "10.77.0.1 x 10.77.0.1 X "
check "a pod with IPv6 only" start_proxy "$(maps 8201:7004/tcp 8201:7000/udp)" fd77::2
says "an IPv6 client of it" fd77::1 in_other tell 2001:db8::1 8201
says "an IPv4 client of it" fd77::1 in_other tell 192.0.2.1 8201
client in_host udp 127.0.0.1 8201 x
is "and its datagrams, IPv4" "$(out | tr '\n' ' ')" "fd77::1 x fd77::1 X "

# ---- a host that has switched IPv6 off ----
main_host=$host
new_ns && host=$pid
in_host sysctl -qw net.ipv6.conf.all.disable_ipv6=1
check "without IPv6 every address is every IPv4 address" start_proxy "$(maps 8202:7999/tcp 8202:7999/udp)" 10.77.0.2
says "there" reset in_host broken 127.0.0.1 8202
host=$main_host

# ---- ports that are taken ----
refused_box() { # DESCRIPTION LINE MAPS ADDRESSES...
	_d=$1 _line=$2
	shift 2
	run in_host timeout 200 "$box" "$@"
	is "$_d" "$(cat "$T/err")" "proxybox: $_line"
	expect_status 1 "which ends it"
}
refused_box "a port that is taken" "port 8000/tcp: Address already in use" "$(maps 8300:7000/tcp 8000:7000/tcp)" 10.77.0.2
refused_box "for one address" "port 127.0.0.1:8000/udp: Address already in use" "$(maps 8300:7000/tcp 8000:7000/udp@127.0.0.1)" 10.77.0.2
refused_box "on one address, wanted for all" "port 8102/tcp: Address already in use" "$(maps 8102:7000/tcp)" 10.77.0.2
refused_box "an address that is not the host's" "port [2001:db8::77]:8300/tcp: Cannot assign requested address" "$(maps 8300:7000/tcp@2001:db8::77)" 10.77.0.2
refused_box "a pod without an address" "the pod has no address" "$(maps 8300:7000/tcp)"
says "nothing of them is left" refused in_other refused 192.0.2.1 8300
says "a connection that the app ends first, so that the proxy remembers it for a minute" 10.77.0.1 in_other tell 192.0.2.1 8004
kill -KILL "$main"
wait_for 5 sh -c "! kill -0 $main"
check "it is remembered" wait_for 5 sh -c "nsenter --net=/proc/$host/ns/net ss -tnH state time-wait 'sport = :8004' | grep -q ."
check "after the end of a proxy its ports are free at once" start_proxy "$(maps 8000:7000/tcp 8004:7004/tcp)" 10.77.0.2
says "and served" hellobye in_other ask 192.0.2.1 8000

# ---- too many ----
wrap="setpriv --bounding-set=-sys_resource prlimit --nofile=64:64"
check "a proxy that may have 64 descriptors" start_proxy "$(maps 8400:7000/tcp)" 10.77.0.2
wrap=
mkfifo "$T/go"
nsenter --net="/proc/$other/ns/net" python3 "$here/proxypeer.py" queue 192.0.2.1 8400 60 17 >"$T/queue.out" 2>&1 <"$T/go" &
pid=$!
pids="$pids $pid"
exec 9>"$T/go"
check "as many connections as it can have are served, the others wait" wait_for 30 grep -qx 'early 17, later 0' "$T/queue.out"
check "and so does it" wait_for 10 asleep
exec 9>&-
wait "$pid"
is "they get their turn" "$(tail -n 1 "$T/queue.out")" "in the end 43"

soft_limit() { # of descriptors, by its own user: that needs no privilege
	setpriv --reuid=65534 --regid=65534 --clear-groups prlimit --pid "$proxy" --nofile="$1":
}
check "another one" start_proxy "$(maps 8401:7000/tcp)" 10.77.0.2
soft_limit 20
nsenter --net="/proc/$other/ns/net" python3 "$here/proxypeer.py" many 192.0.2.1 8401 1 >"$T/few.out" 2>&1
is "with hardly a descriptor" "$(cat "$T/few.out")" 1
soft_limit 6
nsenter --net="/proc/$other/ns/net" python3 "$here/proxypeer.py" many 192.0.2.1 8401 50 >"$T/few.out" 2>&1 &
pid=$!
pids="$pids $pid"
check "with none it waits" wait_for 10 asleep
soft_limit 4096
wait "$pid"
is "and serves when there are some again" "$(cat "$T/few.out")" 50

# ---- the end ----
sh -c 'nsenter --net="$1" "$2" "$3" 10.77.0.2 >"$4" 2>&1 & echo $! >"$5"; wait' sh "/proc/$host/ns/net" "$box" "$(maps 8500:7000/tcp)" "$T/child.out" "$T/child" &
parent=$!
wait_for 5 test -s "$T/child"
proxy=$(cat "$T/child")
pids="$pids $proxy" # should it live on
check "a proxy with a parent of its own" wait_for 5 jailed "$proxy"
kill -KILL "$parent"
check "dies with it" wait_for 5 sh -c "! kill -0 $proxy"
