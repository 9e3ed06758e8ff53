#!/bin/sh
# The built-in networks: interfaces, addresses of both families, leases; who reaches whom; what is found again after others touched it.
. "${0%/*}/lib.sh"
. "${0%/*}/netlib.sh"
need_root
need nsenter ip nft python3 flock

two_hosts
u1=11111111-1111-4111-8111-0000000000a1
u2=22222222-2222-4222-8222-0000000000b2
u3=33333333-3333-4333-8333-0000000000c3
u4=11111111-4444-4444-8444-0000000000d4

# ---- one pod of each network ---------------------------------------------------------------------
is "nothing is forwarded before" "$(in_ns a cat /proc/sys/net/ipv4/ip_forward)" 0
# What there is for good after the first pod: the folder of the network, conntrack's hooks.  So the picture comes after one.
new_pod p1 $u1
new_pod p2 $u2
new_pod r1 $u3
run box add r1 "$net_restricted" eth0
expect_status 0 "a pod joins default-restricted"
is "that turns no forwarding on" "$(in_ns a cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding | tr '\n' ' ')" "0 0 "
run box add p1 "$net_default" eth0
expect_status 0 "a pod joins default"
expect_stdout '"address":"172.16.28.2/24","gateway":"172.16.28.1"' "it has the first address of IPv4"
expect_stdout '"address":"fd72:6b74:1c::2/64","gateway":"fd72:6b74:1c::1"' "and of IPv6"
expect_stdout '"name":"eth0","mac":"[0-9a-f:]{17}","sandbox":"/proc/' "the answer names the interface in the pod"
expect_stdout '"routes":\[\{"dst":"0.0.0.0/0","gw":"172.16.28.1"\},\{"dst":"::/0","gw":"fd72:6b74:1c::1"\}\]' "and the routes"
is "IPv4 is forwarded now, and IPv6" "$(in_ns a cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding | tr '\n' ' ')" "1 1 "
is "the host goes on with its own autoconfiguration" "$(in_ns a cat /proc/sys/net/ipv6/conf/up0/accept_ra)" 2
is "but not from the pod" "$(in_ns a cat /proc/sys/net/ipv6/conf/rkt111111110/accept_ra)" 0
is "nor does the pod from the host" "$(in_ns p1 cat /proc/sys/net/ipv6/conf/eth0/accept_ra)" 0
is "no end waits for its link-local address" "$(in_ns a cat /proc/sys/net/ipv6/conf/rkt111111110/accept_dad) $(in_ns p1 cat /proc/sys/net/ipv6/conf/eth0/accept_dad)" "0 0"
is "the host's end checks who sends" "$(in_ns a cat /proc/sys/net/ipv4/conf/rkt111111110/rp_filter)" 1
like "the interface says whose it is" "$(in_ns a ip -d link show rkt111111110)" "alias $u1 eth0"
run box add p2 "$net_default" eth0 "IP=172.16.28.77;IP6=fd72:6b74:1c::77;MAC=02:00:00:00:00:77"
expect_stdout '172.16.28.77/24.*::77/64' "a pod gets the addresses that it asks for"
expect_stdout '"mac":"02:00:00:00:00:77","sandbox"' "and the MAC"
for p in p1 p2; do check "check finds everything of $p" box check $p "$net_default" eth0; done
check "check finds everything of the restricted pod" box check r1 "$net_restricted" eth0
fwset p1 "$net_default" eth0 >/dev/null
fwset p2 "$net_default" eth0 >/dev/null
fwset r1 "$net_restricted" eth0 >/dev/null
is "the table knows three pods" "$(in_ns a "$netbox" fwpods | sort | tr '\n' ' ')" "$u1 $u2 $u3 "

# ---- who reaches whom ----------------------------------------------------------------------------
serve a tcp 0.0.0.0 7001 host4
serve a tcp :: 7002 host6
serve b tcp 0.0.0.0 7001 b4
serve b tcp :: 7002 b6
serve p2 tcp 0.0.0.0 7001 second4
serve p2 tcp :: 7002 second6
serve r1 tcp 0.0.0.0 7001 confined4
is "pod to host" "$(ask p1 tcp 172.16.28.1 7001)" "host4 172.16.28.2"
is "pod to host, IPv6" "$(ask p1 tcp fd72:6b74:1c::1 7002)" "host6 fd72:6b74:1c::2"
is "host to pod" "$(ask a tcp 172.16.28.77 7001)" "second4 172.16.28.1"
is "pod to another host, behind the host's address" "$(ask p1 tcp 10.77.0.2 7001)" "b4 10.77.0.1"
is "the same by IPv6" "$(ask p1 tcp fd77::2 7002)" "b6 fd77::1"
is "pod to pod, as itself" "$(ask p1 tcp 172.16.28.77 7001)" "second4 172.16.28.2"
is "pod to pod by IPv6" "$(ask p1 tcp fd72:6b74:1c::77 7002)" "second6 fd72:6b74:1c::2"
is "a restricted pod reaches the host" "$(ask r1 tcp 172.31.0.1 7001)" "host4 172.31.0.2"
is "and the host reaches it" "$(ask a tcp 172.31.0.2 7001)" "confined4 172.31.0.1"
run no_answer r1 tcp 10.77.0.2 7001
expect_status 1 "but it has no way to others"
in_ns r1 ip route add default via 172.31.0.1
in_ns r1 ip -6 route add default via fd72:6b74:1f::1
in_ns b ip route add 172.31.0.0/16 via 10.77.0.1
run no_answer r1 tcp 10.77.0.2 7001
expect_status 1 "nor when it makes itself one, and they would answer"
run no_answer r1 tcp fd77::2 7002
expect_status 1 "nor by IPv6"
in_ns a nft flush chain inet rkt confine
is "(the firewall is what prevents that)" "$(ask r1 tcp 10.77.0.2 7001)" "b4 172.31.0.2"
fwset r1 "$net_restricted" eth0 >/dev/null

# ---- sources that are not the pod's --------------------------------------------------------------
serve b udp 0.0.0.0 7003 sink4
serve b udp :: 7004 sink6
mac=$(in_ns a ip -o link show rkt111111110 | sed 's|.*link/ether \([0-9a-f:]*\).*|\1|')
frame() { in_ns p1 python3 "${0%/*}/netpeer.py" raw eth0 "$mac" "$@"; }
frame 172.16.28.99 10.77.0.2 7003 spoofed
frame fd72:6b74:1c::99 fd77::2 7004 spoofed
frame 10.77.0.1 10.77.0.2 7003 spoofed-host
frame fd77::1 fd77::2 7004 spoofed-host
frame 172.16.28.2 10.77.0.2 7003 honest
frame fd72:6b74:1c::2 fd77::2 7004 honest
wait_for 5 grep honest "$T/sink4.seen"
wait_for 5 grep honest "$T/sink6.seen"
is "packets with another's address are dropped, those with its own are not" "$(cat "$T/sink4.seen")" "10.77.0.1 honest"
is "the same by IPv6" "$(cat "$T/sink6.seen")" "fd77::1 honest"

# ---- found again ---------------------------------------------------------------------------------
in_ns a ip addr del 172.16.28.1/32 dev rkt111111110
run box check p1 "$net_default" eth0
expect_stderr "address of the host's end rkt111111110: 172.16.28.1/32 is missing" "check names an address that is gone"
in_ns a ip route del 172.16.28.2 2>/dev/null
in_ns a ip -6 route del fd72:6b74:1c::2
check "reload" box reload p1 "$net_default" eth0
check "puts addresses and routes back" box check p1 "$net_default" eth0
in_ns p1 ip -6 route del fd72:6b74:1c::/64
run box check p1 "$net_default" eth0
expect_stderr "route of the pod's end eth0: fd72:6b74:1c::/64 is missing" "check names a route that is gone in the pod"
in_ns p1 ip -6 route add fd72:6b74:1c::/64 via fd72:6b74:1c::1
in_ns a ip link set rkt111111110 down
in_ns a ip link set rkt111111110 name elsewhere
in_ns a ip link set elsewhere up
run box check p1 "$net_default" eth0
expect_stderr "is called elsewhere, not rkt111111110" "check finds an interface that was renamed"
check "reload" box reload p1 "$net_default" eth0
check "gives it its name back" box check p1 "$net_default" eth0
is "and all works" "$(ask p1 tcp 10.77.0.2 7001) $(ask p1 tcp fd77::2 7002)" "b4 10.77.0.1 b6 fd77::1"
in_ns a ip link set rkt222222220 down
in_ns a ip link set rkt222222220 name elsewhere
check "del finds a renamed one, too" box del p2 "$net_default" eth0
fwclear p2 ''
unlike "nothing of it is left" "$(picture)" "elsewhere|172.16.28.77"
check "del of what is gone" box del p2 "$net_default" eth0
in_ns a ip link del rkt111111110
run box check p1 "$net_default" eth0
expect_stderr "there is no interface" "check of a deleted interface"
run box reload p1 "$net_default" eth0
expect_stderr "needs a new start" "reload cannot help there and says so"
check "del goes through" box del p1 "$net_default" eth0
run box add p1 "$net_default" eth0
expect_stdout '172.16.28.78/24.*::78/64' "addresses go round, after the last that was given"

# ---- two pods whose UUIDs begin alike ------------------------------------------------------------
new_pod p4 $u4
check "a pod with the same eight digits" box add p4 "$net_default" eth0
like "has an interface of another name" "$(in_ns a ip -d link show rkt444444440)" "alias $u4 eth0"
check "is checked" box check p4 "$net_default" eth0
check "and the first one still" box check p1 "$net_default" eth0
check "its del" box del p4 "$net_default" eth0
check "leaves the other alone" box check p1 "$net_default" eth0
check "a pod in two networks" box add p1 "$net_restricted" eth1
check "both are there" box check p1 "$net_default" eth0
check "and the second" box check p1 "$net_restricted" eth1
check "it leaves one" box del p1 "$net_restricted" eth1
check "the other stays" box check p1 "$net_default" eth0

# ---- bad input -----------------------------------------------------------------------------------
new_pod bad 55555555-5555-4555-8555-0000000000e5
before=$(picture)
refuses() { # REGEX DESCRIPTION CONF ARGS
	fails_with "$1" "$2" box add bad "$3" eth0 "${4-}"
}
refuses '172.16.28.78 is taken' "an address that another pod has" "$net_default" "IP=172.16.28.78"
refuses 'no address for a pod' "the gateway's address" "$net_default" "IP=172.16.28.1"
refuses 'no address for a pod' "an address of elsewhere" "$net_default" "IP=10.0.0.1"
refuses 'not an address' "no address" "$net_default" "IP=172.16.28"
refuses 'another family' "IP6 of the wrong family" "$net_default" "IP6=172.16.28.9"
refuses 'MAC=' "a MAC that is none" "$net_default" "MAC=01:00:00:00:00:01"
refuses 'argument "FOO"' "an unknown argument" "$net_default" "FOO=1"
refuses 'subnet "172.16.28.1/24": not the address' "a subnet with bits below its length" '{"name":"n","type":"rkt-ptp","subnets":["172.16.28.1/24"]}'
refuses 'two of one family' "two subnets of a family" '{"name":"n","type":"rkt-ptp","subnets":["172.16.28.0/24","172.16.29.0/24"]}'
tiny='{"name":"tiny","type":"rkt-ptp","subnets":["172.16.99.0/30"]}'
is "a refusal leaves nothing" "$(picture)" "$before"
new_pod full 66666666-6666-4666-8666-0000000000f6
check "the only address of a small network" box add full "$tiny" eth0
before=$(picture)
refuses 'every address is taken' "an exhausted pool" "$tiny"
is "leaves nothing" "$(picture)" "$before"
in_ns a ip route add 172.16.98.2 via 10.77.0.2
other='{"name":"other","type":"rkt-ptp","subnets":["172.16.98.0/24"]}'
run box add bad "$other" eth0
expect_stdout '172.16.98.3/24' "an address that the kernel has a route to is passed over"
box del bad "$other" eth0
in_ns a ip route del 172.16.98.2
in_ns a ip route add 172.16.98.0/24 via 10.77.0.2
refuses 'the host has a route to the network' "a network that is somebody else's" "$other"
in_ns a ip route del 172.16.98.0/24

# ---- crashes -------------------------------------------------------------------------------------
# A lease whose pod is dead is nobody's.  Its interface may live as long as somebody holds the namespace: then the address waits.
end_pod full
wait_for 10 sh -c "! nsenter --net=/proc/$ns_a/ns/net ip link show rkt666666660"
run box add bad "$tiny" eth0
expect_stdout '172.16.99.2/30' "the address of a pod that crashed goes to the next"
check "the late del of the first" box del full "$tiny" eth0
check "takes nothing from the second" box check bad "$tiny" eth0
is "whose lease it is" "$(cat "$RKT_DIR/net/tiny/172.16.99.2")" "$uuid_bad eth0"
box del bad "$tiny" eth0

# killed N: an add that dies when it enters its Nth system call; status 98: it was over before.
killed() {
	traced in_ns a "$RKT_BUILD/tests/killat" 1 "$1" -- "$netbox" add "$(pod_dir bad)" "/proc/$ns_bad/ns/net" "$net_default" eth0 >"$T/out" 2>"$T/err"
}
before=$(picture)
n=60 deaths=0 bad=0
while killed $n; [ $? -ne 98 ]; do
	rm -f "$(pod_dir bad)/eth0.json"
	box del bad "$net_default" eth0 || bad=$((bad + 1))
	[ "$(picture)" = "$before" ] || { bad=$((bad + 1)) && diag "after call $n: $(picture | diff - /dev/fd/3 3<<-X
	$before
	X
	)"; }
	deaths=$((deaths + 1))
	n=$((n + 4))
done
box del bad "$net_default" eth0
is "whenever an add dies, del undoes it" $bad 0
check "(it died often enough: $deaths times)" [ $deaths -gt 20 ]
# What one leaves that dies between making the file of a lease and writing into it.
: >"$RKT_DIR/net/default/172.16.28.200"
box add bad "$net_default" eth0 >/dev/null
box del bad "$net_default" eth0
is "the file of a lease without a word is nobody's, and goes with the next" "$(picture)" "$before"
box add bad "$net_default" eth0 >/dev/null
end_pod bad
wait_for 10 sh -c "! nsenter --net=/proc/$ns_a/ns/net ip link show rkt555555550"
check "del without a namespace" box del bad "$net_default" eth0
is "leaves nothing" "$(picture)" "$before"

# ---- a hundred -----------------------------------------------------------------------------------
i=0
while [ $i -lt 100 ]; do
	u=$(printf '%08x-0000-4000-8000-%012x' $((0x70000000 + i)) $((0x424200000000 + i)))
	mkdir -p "$RKT_DIR/pods/run/$u"
	flock --no-fork "$RKT_DIR/pods/run/$u" unshare --net sleep 1000 &
	many="${many-} $u:$!"
	pids="$pids $!"
	i=$((i + 1))
done
for m in $many; do
	wait_for 20 sh -c "[ \"\$(readlink /proc/${m#*:}/ns/net)\" != \"\$(readlink /proc/self/ns/net)\" ]" || exit 1
done
# each VERB: of all of them at once; prints what those say that failed.
each() {
	: >"$T/failed"
	for m in $many; do
		d=$RKT_DIR/pods/run/${m%:*}
		case $1 in fw*) set -- "$1" "$d" ;; *) set -- "$1" "$d" "/proc/${m#*:}/ns/net" ;; esac
		(nsenter --net="/proc/$ns_a/ns/net" "$netbox" "$@" "$net_default" eth0 >"$T/many.${m%:*}" 2>&1 ||
			cat "$T/many.${m%:*}" >>"$T/failed") &
		jobs="${jobs-} $!"
	done
	for j in $jobs; do wait "$j"; done
	jobs=
	cat "$T/failed"
}
is "a hundred pods join at once" "$(each add)" ""
is "each with an address of its own" "$(cat "$T"/many.* | grep -o '"address":"[^"]*"' | sort -u | wc -l)" 200
is "all are as they should be" "$(each check)" ""
each_clear() {
	for m in $many; do
		nsenter --net="/proc/$ns_a/ns/net" "$netbox" fwclear "$RKT_DIR/pods/run/${m%:*}" eth0 2>&1 &
		jobs="${jobs-} $!"
	done
	for j in $jobs; do wait "$j"; done
	jobs=
}
is "the firewall learns of all" "$(each fwset)" ""
is "(it lists them)" "$(in_ns a "$netbox" fwpods | grep -c '^7000')" 100
is "and forgets them" "$(each_clear)$(in_ns a "$netbox" fwpods | grep -c '^7000')" 0
is "and leave at once" "$(each del)" ""
is "without a trace" "$(picture)" "$before"
for m in $many; do kill "${m#*:}"; done

# ---- a machine without IPv6 ----------------------------------------------------------------------
in_ns a sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
new_pod p5 77777777-7777-4777-8777-0000000000f7
run box add p5 "$net_default" eth0
unlike "without IPv6 there is an address of IPv4 only" "$(out)" fd72
expect_stdout '172.16.28' "which there is"
check "del" box del p5 "$net_default" eth0

cleanup() {
	rm -rf "$RKT_DIR/pods"
}
