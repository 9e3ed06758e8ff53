# shellcheck shell=sh
# hostlib.sh — a host, its neighbours and their networks, all made of network namespaces.  Source it before lib.sh:
#
#   . "${0%/*}/hostlib.sh"    the test starts over in a network namespace (and a mount namespace with a /sys of it) of its own:
#                             that is "the host" on which rkt runs
#   . "${0%/*}/lib.sh"
#   add_host NAME N           another host on the wire of number N: 10.9.N.2 and fd09:N::2, the host itself is .1 and ::1
#   at NAME COMMAND...        there; serve_at NAME PORT: somebody to talk to there
#   snapshot                  what must be the same before and after: links, addresses, routes, firewall
if [ -z "${RKT_TEST_HOST-}" ]; then
	[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP not root"; exit 0; }
	RKT_TEST_HOST=net exec unshare -n -m --propagation private sh "${0%/*}/../functional/ownhost.sh" "$0" "$@"
fi

# at NAME COMMAND...: in that host's network.
at() {
	eval "_at=\$host_$1"
	shift
	nsenter --net=/proc/"$_at"/ns/net -- "$@"
}

# serve_at NAME PORT: peersay there, until the test ends.
serve_at() {
	eval "_at=\$host_$1"
	nsenter --net=/proc/"$_at"/ns/net -- "$RKT_BUILD/tests/peersay" "$2" >/dev/null 2>&1 </dev/null &
	pids="$pids $!"
	wait_for 10 at "$1" "$RKT_BUILD/tests/peersay" 127.0.0.1 "$2"
}

# add_host NAME N: a namespace with a wire to us; its process is $host_NAME.
add_host() {
	unshare -n sleep 3600 >/dev/null 2>&1 </dev/null &
	_pid=$!
	pids="$pids $_pid"
	eval "host_$1=$_pid"
	while [ "$(readlink /proc/self/ns/net)" = "$(readlink /proc/$_pid/ns/net)" ]; do sleep 0.02; done
	ip link add "wire$2" type veth peer name wire netns $_pid
	ip addr add "10.9.$2.1/24" dev "wire$2"
	ip -6 addr add "fd09:$2::1/64" dev "wire$2" nodad
	ip link set "wire$2" up
	at "$1" ip link set lo up
	at "$1" ip addr add "10.9.$2.2/24" dev wire
	at "$1" ip -6 addr add "fd09:$2::2/64" dev wire nodad
	at "$1" ip link set wire up
	at "$1" ip route add default via "10.9.$2.1"
	at "$1" ip -6 route add default via "fd09:$2::1"
	# The kernel says a little later that both ends are up; a snapshot shows what it says.
	wait_for 10 grep -qx up "/sys/class/net/wire$2/operstate" || diag "wire$2 does not come up"
}

# The kernel's own link-local addresses come when they come; what a host that forwards answers to besides is not a pod's.
snapshot() {
	ip -o link | sed 's/^[0-9]*: //; s/link-netns[a-z]* [^ ]*//'
	ip -o addr | sed 's/^[0-9]*: //; s/valid_lft.*//' | grep -v fe80:
	ip -4 route show table all
	ip -6 route show table all | sed 's/expires [^ ]*//' | grep -v -e fe80: -e ^anycast
	nft list ruleset
}
