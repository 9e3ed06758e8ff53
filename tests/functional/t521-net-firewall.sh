#!/bin/sh
# Our table of the firewall: published ports with the peers' addresses, what must not get through them (T48), what others do to it (T49).
. "${0%/*}/lib.sh"
. "${0%/*}/netlib.sh"
need_root
need nsenter ip nft python3 flock

two_hosts
new_pod p1 11111111-1111-4111-8111-0000000000a1
new_pod p2 22222222-2222-4222-8222-0000000000b2

# What is somebody else's, and stays as it is to the last byte.
cat >"$T/theirs.nft" <<-END
	table inet theirs {
		set s {
			type ipv4_addr
			elements = { 192.0.2.1 }
		}
		chain in {
			type filter hook input priority 0; policy accept;
			tcp dport 9 counter drop comment "none"
		}
		chain nat {
			type nat hook prerouting priority dstnat; policy accept;
			tcp dport 9999 redirect to :7001
		}
	}
	table bridge theirs {
		chain f {
			type filter hook forward priority 0; policy drop;
		}
	}
	table ip rkt {
		chain c {
		}
	}
END
in_ns a nft -f "$T/theirs.nft"
theirs() {
	in_ns a nft list table inet theirs
	in_ns a nft list table bridge theirs
	in_ns a nft list table ip rkt
}
check "(there are tables of others)" in_ns a nft list table inet theirs
theirs=$(theirs)
all=$(in_ns a nft list ruleset)

box add p1 "$net_default" eth0 >/dev/null
box add p2 "$net_default" eth0 >/dev/null
ports="tcp,,8080,80 udp,,5300,53 tcp,10.77.0.1,8081,80 tcp,fd77::1,8082,80"
for p in p1 p2; do
	serve $p tcp :: 80 $p
	serve $p udp :: 53 $p-dns
done

# shellcheck disable=SC2086 # a list of ports
run fwset p1 "$net_default" eth0 $ports
expect_stdout 'forwarded=yes' "nobody filters: rules carry published ports (a bridge's rules do not count)"
ours=$(in_ns a nft list table inet rkt)
unlike "every rule of ours has a comment" "$(printf '%s\n' "$ours" | grep -E 'drop|dnat|masquerade' | grep -v comment)" .
is "others' tables are as they were" "$(theirs)" "$theirs"

# ---- who gets through ----------------------------------------------------------------------------
is "another host, as itself" "$(ask b tcp 10.77.0.1 8080)" "p1 ::ffff:10.77.0.2"
is "by IPv6" "$(ask b tcp fd77::1 8080)" "p1 fd77::2"
is "by the address of the other side" "$(ask b tcp 10.78.0.1 8080)" "p1 ::ffff:10.77.0.2"
is "datagrams" "$(ask b udp 10.77.0.1 5300)" "p1-dns ::ffff:10.77.0.2"
is "datagrams by IPv6" "$(ask b udp fd77::1 5300)" "p1-dns fd77::2"
is "a port of one address" "$(ask b tcp 10.77.0.1 8081)" "p1 ::ffff:10.77.0.2"
run no_answer b tcp 10.78.0.1 8081
expect_status 1 "not of another one"
is "a port of one address, IPv6" "$(ask b tcp fd77::1 8082)" "p1 fd77::2"
run no_answer b tcp fd78::1 8082
expect_status 1 "not of another one"
is "another network namespace behind the host" "$(ask c tcp 10.78.0.1 8080)" "p1 ::ffff:10.78.0.2"

# T48: what passes through the host to the same port of somebody else.
serve c tcp :: 8080 transit
is "the same port of a host behind us" "$(ask b tcp 10.78.0.2 8080)" "transit ::ffff:10.77.0.2"
is "the same by IPv6" "$(ask b tcp fd78::2 8080)" "transit fd77::2"
is "and a pod's way to the same port of others" "$(ask p1 tcp 10.78.0.2 8080)" "transit ::ffff:10.78.0.1"
# The host itself and the pods of the same network come to the sockets of the proxy, here to one of the test's.
serve a tcp :: 8080 socket
is "the host's own connections are left to sockets" "$(ask a tcp 127.0.0.1 8080) $(ask a tcp ::1 8080) $(ask a tcp 10.77.0.1 8080)" "socket ::ffff:127.0.0.1 socket ::1 socket ::ffff:10.77.0.1"
is "the pod's own, too (hairpin)" "$(ask p1 tcp 10.77.0.1 8080) $(ask p1 tcp fd77::1 8080)" "socket ::ffff:172.16.28.2 socket fd72:6b74:1c::2"
is "and its neighbours'" "$(ask p2 tcp 10.77.0.1 8080)" "socket ::ffff:172.16.28.3"

# T48: a neighbour that writes 127.0.0.1 on its packets.
mac=$(in_ns a ip -o link show up0 | sed 's|.*link/ether \([0-9a-f:]*\).*|\1|')
frame() { in_ns b python3 "${0%/*}/netpeer.py" raw eth0 "$mac" "$@"; }
: >"$T/p1-dns.seen"
frame 10.77.0.2 127.0.0.1 5300 to-loopback
frame fd77::2 ::1 5300 to-loopback
frame 10.77.0.2 127.9.9.9 5300 to-loopback
frame 127.0.0.1 10.77.0.1 5300 from-loopback
frame 10.77.0.2 10.77.0.1 5300 honest4
frame fd77::2 fd77::1 5300 honest6
wait_for 5 grep honest4 "$T/p1-dns.seen"
wait_for 5 grep honest6 "$T/p1-dns.seen"
is "a neighbour does not get in by 127.0.0.1 or ::1, nor as it" "$(grep -c loopback "$T/p1-dns.seen")" 0

# ---- T49: what others do to the table ------------------------------------------------------------
state=$(in_ns a nft list table inet rkt)
same() { is "$1" "$(in_ns a nft list table inet rkt)" "$state"; }
# shellcheck disable=SC2086
again() { fwset p1 "$net_default" eth0 $ports >/dev/null; }
again
same "setting it again changes nothing"
in_ns a nft delete rule inet rkt publish handle "$(in_ns a nft -a list chain inet rkt publish | sed -n 's/.*udp.*# handle //p' | head -n 1)"
unlike "(a rule is gone)" "$(in_ns a nft list table inet rkt | grep 'ip daddr' | grep udp)" .
again
same "a rule that was deleted comes back"
in_ns a nft flush chain inet rkt antispoof
again
same "that of all pods, too"
in_ns a nft flush table inet rkt
again
same "a flushed table is filled"
in_ns a nft delete table inet rkt
run no_answer b tcp 10.77.0.1 8081
expect_status 1 "(without it there is no port)"
again
same "a deleted one is made"
in_ns a nft flush ruleset
again
same "after a flush of everything"
is "and it works" "$(ask b tcp 10.77.0.1 8081)" "p1 ::ffff:10.77.0.2"
printf '%s\n' "$all" >"$T/all.nft"
in_ns a nft -f "$T/all.nft"
is "(the others put theirs back)" "$(theirs)" "$theirs"

fwset p2 "$net_default" eth0 tcp,,8090,80 udp,,5301,53 >/dev/null
is "two pods" "$(in_ns a "$netbox" fwpods | sort | tr '\n' ' ')" "$uuid_p1 $uuid_p2 "
fwset p2 "$net_default" eth0 tcp,,8091,80 udp,,5301,53 >/dev/null
run no_answer b tcp 10.77.0.1 8090
expect_status 1 "setting replaces what the pod had"
is "the new port is there" "$(ask b tcp 10.77.0.1 8091)" "p2 ::ffff:10.77.0.2"

# ---- flows ---------------------------------------------------------------------------------------
flow() { in_ns b python3 "${0%/*}/netpeer.py" ask-from 4444 10.77.0.1 5300; }
is "a flow of datagrams to the first pod" "$(flow)" "p1-dns ::ffff:10.77.0.2"
check "the pod goes" fwclear p1 eth0
fwset p2 "$net_default" eth0 udp,,5300,53 >/dev/null
is "the same flow comes to the next pod of this port" "$(flow)" "p2-dns ::ffff:10.77.0.2"
unlike "no rule of the first is left" "$(in_ns a nft list ruleset)" "$uuid_p1"

# ---- who else filters ----------------------------------------------------------------------------
filters() { # DESCRIPTION WANT: whether rules of ours carry ports
	run fwset p2 "$net_default" eth0 tcp,,8091,80
	expect_stdout "forwarded=$2" "$1"
}
in_ns a nft 'table ip filter { chain FORWARD { type filter hook forward priority 0; policy accept; }; }'
filters "a chain that lets everything through is no filter" yes
in_ns a nft 'chain ip filter FORWARD { policy drop; }'
filters "a policy of drop is one" no
unlike "no rule carries ports then" "$(in_ns a nft list table inet rkt)" "dnat"
in_ns a nft 'chain ip filter FORWARD { policy accept; }'
in_ns a nft 'add rule ip filter FORWARD iifname "nothing" counter accept'
filters "and so is any rule" no
in_ns a nft delete table ip filter
filters "and back" yes

# ---- the end -------------------------------------------------------------------------------------
before=$(in_ns a nft list table inet rkt)
check "clearing a pod that has nothing" fwclear p1 ''
is "changes nothing" "$(in_ns a nft list table inet rkt)" "$before"
# A fwset that dies at any point, and fwclear after it.
fwclear p2 eth0
n=60 deaths=0 bad=0
while
	traced in_ns a "$RKT_BUILD/tests/killat" 1 $n -- "$netbox" fwset "$(pod_dir p1)" "$net_default" eth0 tcp,,8080,80 >"$T/out" 2>&1
	[ $? -ne 98 ]
do
	fwclear p1 eth0 || bad=$((bad + 1))
	[ "$(in_ns a nft list ruleset)" = "$all" ] || bad=$((bad + 1))
	deaths=$((deaths + 1))
	n=$((n + 4))
done
fwclear p1 eth0
is "whenever setting dies, clearing undoes it" $bad 0
check "(it died often enough: $deaths times)" [ $deaths -gt 10 ]
is "after the last pod the firewall is as it was" "$(in_ns a nft list ruleset)" "$all"

# Two that change it at once wait for each other.
nsenter --net="/proc/$ns_a/ns/net" "$netbox" lock sleep 1000 &
holder=$!
pids="$pids $holder"
wait_for 5 sh -c "! flock --nonblock /proc/$ns_a/ns/net true"
run in_ns a timeout 1 "$netbox" fwset "$(pod_dir p1)" "$net_default" eth0
expect_status 124 "one waits while another one changes the firewall"
kill "$holder"
check "and then does its work" fwset p1 "$net_default" eth0
fwclear p1 eth0

cleanup() {
	rm -rf "$RKT_DIR/pods"
}
