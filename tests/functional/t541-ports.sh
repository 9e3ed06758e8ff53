#!/bin/sh
# Published ports: from other hosts, the host itself, 127.0.0.1 and ::1, and the pod; whatever the firewall does with what is forwarded.
. "${0%/*}/hostlib.sh"
. "${0%/*}/lib.sh"
need ip nft nsenter
accept_unsigned
mkdir -p "$T/extra/bin"
cp "$RKT_BUILD/tests/peersay" "$T/extra/bin/"
IMAGE_EXEC='["/bin/sh"]' IMAGE_APP='"ports":[{"name":"web","protocol":"tcp","port":80},{"name":"dns","protocol":"udp","port":53}]' \
	make_image example.com/net "$T/extra"
rkt fetch "$image" >/dev/null 2>&1
peersay=$RKT_BUILD/tests/peersay
add_host b 1
add_host c 2
# so that b and c can meet through the host without a pod
echo 1 >/proc/sys/net/ipv4/ip_forward
serve_at c 8080
snapshot >"$T/before"

# start_pod OPTION...: serves on 80 and 53; sets $uuid.  $at: where port 8080 answers.
at=127.0.0.1
start_pod() {
	rm -f "$T/uuid"
	start_rkt run "$@" --uuid-file-save="$T/uuid" example.com/net -- -c 'peersay 53 & exec peersay 80'
	wait_for 10 sh -c "$RKT --dir=$RKT_DIR status --wait-ready=1s --uuid-file=$T/uuid" || diag "$(cat "$T/bg.err")"
	uuid=$(cat "$T/uuid")
	wait_for 10 env PEERSAY_SECONDS=1 "$peersay" 127.0.0.1 5353 udp up || diag "no datagrams yet"
	wait_for 10 "$peersay" $at 8080 || diag "no connection yet"
}

stop_pod() {
	rkt stop "$uuid" >/dev/null
	wait "$pid"
}

# asks WHAT WHERE ADDRESS PORT [udp TEXT]: "peer=…" or "nothing".
ask() { "$@" 2>/dev/null || echo nothing; }

# everywhere WHAT PEER_OF_B: the matrix of places.
everywhere() {
	is "$1: from another host" "$(ask at b "$peersay" 10.9.1.1 8080)" "peer=$2"
	is "$1: by IPv6" "$(ask at b "$peersay" fd09:1::1 8080)" "peer=$3"
	is "$1: UDP" "$(ask at b "$peersay" 10.9.1.1 5353 udp hello)" "peer=$2
hello"
	is "$1: UDP by IPv6" "$(ask at b "$peersay" fd09:1::1 5353 udp hello)" "peer=$3
hello"
	like "$1: from the host, by its address" "$(ask "$peersay" 10.9.2.1 8080)" '^peer=172\.16\.28\.'
	like "$1: by 127.0.0.1" "$(ask "$peersay" 127.0.0.1 8080)" '^peer=172\.16\.28\.1$'
	like "$1: by ::1" "$(ask "$peersay" ::1 8080)" '^peer=fd72:6b74:1c::1$'
	like "$1: UDP by 127.0.0.1" "$(ask "$peersay" 127.0.0.1 5353 udp hello)" '^peer=172\.16\.28\.1$'
	like "$1: from the pod itself" "$(rkt enter "$uuid" /bin/peersay 10.9.1.1 8080 2>/dev/null)" '^peer=172\.16\.28\.'
	like "$1: from the pod itself by IPv6" "$(rkt enter "$uuid" /bin/peersay fd09:1::1 8080 2>/dev/null)" '^peer=fd72:6b74:1c::'
}

# ---- no other firewall ---------------------------------------------------------------------------------
start_pod --net=default --port=web:8080 --port=dns:5353
everywhere "open firewall" 10.9.1.2 fd09:1::2
like "the port of another host, through this one, is that host's" "$(ask at b "$peersay" 10.9.2.2 8080)" '^peer=10\.9\.1\.2$'
refute "127.0.0.1 of a neighbour does not lead in" sh -c "nsenter --net=/proc/$host_b/ns/net ip addr add 127.0.0.2/8 dev wire 2>/dev/null; nsenter --net=/proc/$host_b/ns/net ip route add 127.0.0.77 via 10.9.1.1 dev wire 2>/dev/null && nsenter --net=/proc/$host_b/ns/net $peersay 127.0.0.77 8080"
run rkt status --format=json "$uuid"
like "JSON has the ports" "$(out)" '"hostPort": ?8080'
like "the rules carry the pod's name" "$(nft list ruleset)" "dnat .*comment \"$uuid\""
fails_with '8080/tcp.*Address already in use' "a port that is taken" rkt run --net=default --port=web:8080 example.com/net
is "of which nothing is left" "$(rkt list --no-legend | grep -c .)" 1
proxy=$(pgrep -P "$pid" -x net)
check "who serves the sockets has no privilege" sh -c "grep -q '^CapEff:.0000000000000000' /proc/$proxy/status && grep -q '^Uid:.65534' /proc/$proxy/status && grep -q '^NoNewPrivs:.1' /proc/$proxy/status"

# ---- the firewall is flushed, and gets a policy of its own ------------------------------------------------
nft flush ruleset
everywhere "flushed" 172.16.28.1 fd72:6b74:1c::1
nft 'add table inet site; add chain inet site forward { type filter hook forward priority 0; policy drop; }'
nft list table inet site >"$T/site"
run rkt net reload
expect_status 0 "reload under a policy of drop"
everywhere "FORWARD policy drop" 172.16.28.1 fd72:6b74:1c::1
nft list table inet site >"$T/site.after"
check "the other table is as it was" cmp "$T/site" "$T/site.after"
nft delete table inet site
rkt net reload
everywhere "reloaded" 10.9.1.2 fd09:1::2
stop_pod
snapshot >"$T/after"
check "nothing is left" diff "$T/before" "$T/after"
check "the port is free again" sh -c "! $peersay 127.0.0.1 8080"

# ---- from the start under such a policy -----------------------------------------------------------------------
nft 'add table inet site; add chain inet site forward { type filter hook forward priority 0; policy drop; }'
start_pod --net=default --port=web:8080 --port=dns:5353
everywhere "policy drop from the start" 172.16.28.1 fd72:6b74:1c::1
stop_pod
nft delete table inet site
snapshot >"$T/after"
check "nothing is left of that" diff "$T/before" "$T/after"

# ---- one address, the restricted network --------------------------------------------------------------------------
at=10.9.1.1
start_pod --net=default-restricted --port=web:10.9.1.1:8080 --port=dns:5353
is "a given address serves; a network that reaches the host only sees the host" "$(ask at b "$peersay" 10.9.1.1 8080)" "peer=172.31.0.1"
is "another does not" "$(ask at b "$peersay" 10.9.2.1 8080)" nothing
is "nor 127.0.0.1" "$(ask "$peersay" 127.0.0.1 8080)" nothing
kill -9 "$pid"
wait "$pid" 2>/dev/null
wait_for 10 sh -c "! $RKT --dir=$RKT_DIR list | grep -q running"
refute "killed, nobody serves" "$peersay" 10.9.1.1 8080
rkt gc --grace-period=0s >/dev/null 2>&1
snapshot >"$T/after"
check "and gc takes the rest" diff "$T/before" "$T/after"

# ---- beside iptables-legacy --------------------------------------------------------------------------------------
# Its tables are none of nftables'; one that was looked at stays until the namespace ends, so this comes behind all that is without one.
legacy() { for _l in iptables-legacy ip6tables-legacy; do "$_l" "$@" || return 1; done; }
legacy_rules() { for _l in iptables-legacy-save ip6tables-legacy-save; do "$_l"; done | grep -v '^#' | sed 's/ \[.*//'; }
way_out() { rkt enter "$uuid" /bin/peersay "$@" 2>/dev/null || echo nothing; }
start_pod --net=default --port=web:8080 --port=dns:5353
if ! legacy -P FORWARD DROP 2>"$T/legacy"; then
	skip "ports and networks beside iptables-legacy" "no ip_tables: $(tail -n 1 "$T/legacy")"
else
	legacy_rules >"$T/site"
	like "the policy is iptables-legacy's" "$(cat "$T/site")" '^:FORWARD DROP'
	unlike "of which nftables knows nothing" "$(nft list ruleset)" 'policy drop|# Warning'
	is "what a pod sends out is dropped, as the administrator has it" "$(way_out 10.9.2.2 8080)" nothing
	run rkt net reload
	expect_status 0 "reload beside iptables-legacy"
	everywhere "iptables-legacy, FORWARD DROP" 172.16.28.1 fd72:6b74:1c::1
	stop_pod
	start_pod --net=default --port=web:8080 --port=dns:5353
	everywhere "iptables-legacy, FORWARD DROP from the start" 172.16.28.1 fd72:6b74:1c::1
	legacy_rules >"$T/site.after"
	check "its rules are as they were" cmp "$T/site" "$T/site.after"
	legacy -A FORWARD -i rkt+ -j ACCEPT
	legacy -A FORWARD -o rkt+ -j ACCEPT
	is "the way out, which a rule of theirs opens, is hidden by ours" "$(way_out 10.9.2.2 8080)" peer=10.9.2.1
	is "by IPv6 too" "$(way_out fd09:2::2 8080)" peer=fd09:2::1
	legacy -F FORWARD
	legacy -P FORWARD ACCEPT
fi
stop_pod
snapshot >"$T/after"
check "nothing is left of that beside their tables" diff "$T/before" "$T/after"

# ---- bad input --------------------------------------------------------------------------------------------------------
fails_with 'port' "no such port" rkt run --net=default --port=nope:8080 example.com/net
fails_with 'port' "no number" rkt run --net=default --port=web:http example.com/net
fails_with 'none' "without a network" rkt run --net=none --port=web:8080 example.com/net
fails_with 'host' "with the host's" rkt run --net=host --port=web:8080 example.com/net
fails_with '8080' "twice" rkt run --net=default --port=web:8080 --port=dns:8080 --port=web:8080 example.com/net
fails_with '10\.1\.2\.3' "an address that is not ours" rkt run --net=default --port=web:10.1.2.3:8080 example.com/net
is "no pod is left of these" "$(rkt list --no-legend | grep -c running)" 0
