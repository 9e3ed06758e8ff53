# shellcheck shell=sh disable=SC2034,SC2154
# netlib.sh — what the tests t52x share: namespaces as hosts and pods, peers, the built-in networks by tests/netbox.
#
#   new_ns NAME          a network namespace with lo up; $ns_NAME is the pid that holds it
#   in_ns NAME CMD...    runs CMD there
#   link_ns A IFA B IFB  a cable between two
#   new_pod NAME UUID    a namespace and a pod directory whose lock its holder has
#   two_hosts            a (the host of the pods), b (another host), c (one behind a, on the other side)

netbox=$RKT_BUILD/tests/netbox
net_default='{"name":"default","type":"rkt-ptp","subnets":["172.16.28.0/24","fd72:6b74:1c::/64"],"ipMasq":true,"defaultRoute":true}'
net_restricted='{"name":"default-restricted","type":"rkt-ptp","subnets":["172.31.0.0/16","fd72:6b74:1f::/64"],"ipMasq":false,"defaultRoute":false}'

hold_ns() {
	pids="$pids $2"
	# Nothing may ever be done to the namespace that the test itself is in.
	wait_for 10 sh -c "[ \"\$(readlink /proc/$2/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]" || {
		not_ok "a namespace for $1"
		exit 1
	}
	eval "ns_$1=$2"
	in_ns "$1" ip link set lo up
}

new_ns() {
	unshare --net sleep 3600 &
	hold_ns "$1" $!
}

in_ns() {
	eval "_ns=\$ns_$1"
	shift
	nsenter --net="/proc/$_ns/ns/net" "$@"
}

link_ns() {
	eval "_peer=\$ns_$3"
	in_ns "$1" ip link add "$2" type veth peer name "$4" netns "$_peer"
	in_ns "$1" ip link set "$2" up
	in_ns "$3" ip link set "$4" up
}

pod_dir() {
	eval "echo \"$RKT_DIR/pods/run/\$uuid_$1\""
}

new_pod() {
	mkdir -p "$RKT_DIR/pods/run/$2"
	eval "uuid_$1=$2"
	flock --no-fork "$RKT_DIR/pods/run/$2" unshare --net sleep 3600 &
	hold_ns "$1" $!
}

# end_pod NAME: as a crash does: nobody holds the namespace or the lock any more.
end_pod() {
	eval "_ns=\$ns_$1"
	kill -KILL "$_ns"
	wait "$_ns" 2>/dev/null
	return 0
}

# box VERB POD CONF IFNAME [ARGS]: one call of the driver, on host a.
box() {
	eval "_pod=\$ns_$2"
	_netns=/proc/$_pod/ns/net
	[ -e "$_netns" ] || _netns=-
	_verb=$1 _dir=$(pod_dir "$2")
	shift 2
	in_ns a "$netbox" "$_verb" "$_dir" "$_netns" "$@"
}

fwset() {
	_dir=$(pod_dir "$1")
	shift
	in_ns a "$netbox" fwset "$_dir" "$@"
}

fwclear() {
	in_ns a "$netbox" fwclear "$(pod_dir "$1")" "$2"
}

# address POD FAMILY: of eth0, as the answer says; 4 or 6.
address() {
	sed -e 's/.*"ips"://' -e 's/"address":"/\n/g' "$(pod_dir "$1")/eth0.json" | sed -n 's|/.*||p' |
		if [ "$2" = 4 ]; then grep -v :; else grep : | grep -v '^\['; fi | head -n 1
}

peer() {
	python3 "${0%/*}/netpeer.py" "$@"
}

# serve NS KIND ADDR PORT NAME: until the test ends; what datagrams bring is in $T/NAME.seen.
serve() {
	rm -f "$T/$5.ready"
	eval "_ns=\$ns_$1"
	nsenter --net="/proc/$_ns/ns/net" python3 "${0%/*}/netpeer.py" serve "$2" "$3" "$4" "$T/$5.ready" "$5" >"$T/$5.seen" 2>&1 </dev/null &
	serve_pid=$!
	pids="$pids $serve_pid"
	wait_for 5 test -e "$T/$5.ready"
}

# ask NS KIND ADDR PORT [SOURCE]: the answer, "NAME PEER", or an error text and status 1.
ask() {
	_from=$1
	shift
	in_ns "$_from" python3 "${0%/*}/netpeer.py" ask "$@"
}

# no_answer NS KIND ADDR PORT: as ask, for who expects none: without much patience.
no_answer() {
	NETPEER_SECONDS=2
	export NETPEER_SECONDS
	ask "$@"
	_answer=$?
	unset NETPEER_SECONDS
	return $_answer
}

two_hosts() {
	new_ns a
	# a new namespace has the first one's settings
	in_ns a sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward; echo 0 >/proc/sys/net/ipv6/conf/all/forwarding'
	new_ns b
	new_ns c
	link_ns a up0 b eth0
	link_ns a up1 c eth0
	in_ns a ip addr add 10.77.0.1/24 dev up0
	in_ns a ip addr add 10.78.0.1/24 dev up1
	in_ns b ip addr add 10.77.0.2/24 dev eth0
	in_ns c ip addr add 10.78.0.2/24 dev eth0
	in_ns a ip addr add fd77::1/64 dev up0 nodad
	in_ns a ip addr add fd78::1/64 dev up1 nodad
	in_ns b ip addr add fd77::2/64 dev eth0 nodad
	in_ns c ip addr add fd78::2/64 dev eth0 nodad
	for _f in -4 -6; do
		case $_f in -4) _b=10.77.0.1 _c=10.78.0.1 ;; *) _b=fd77::1 _c=fd78::1 ;; esac
		in_ns b ip $_f route add default via $_b
		in_ns c ip $_f route add default via $_c
	done
}

# picture: everything that a pod could leave on host a.  Without the counters of names and handles, which never go back, and without the
# kernel's own link-local addresses, which come when they come.
picture() {
	in_ns a nft list ruleset
	in_ns a ip -d link
	in_ns a ip -o addr | grep -v fe80:
	in_ns a ip -4 route show table all
	in_ns a ip -6 route show table all | grep -v -e fe80: -e ^anycast
	in_ns a ip rule
	find "$RKT_DIR/net" -type f 2>/dev/null | sort
}
