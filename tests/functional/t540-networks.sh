#!/bin/sh
# Pods in networks: the built-in ones, between two other hosts, in both families; what the verbs say of them; what is left.
. "${0%/*}/hostlib.sh"
. "${0%/*}/lib.sh"
need ip nft nsenter python3
accept_unsigned
mkdir -p "$T/extra/bin"
cp "$RKT_BUILD/tests/peersay" "$T/extra/bin/"
for f in ping ip; do ln -s busybox "$T/extra/bin/$f"; done
IMAGE_EXEC='["/bin/sh"]' IMAGE_APP='"ports":[{"name":"web","protocol":"tcp","port":80},{"name":"dns","protocol":"udp","port":53}]' \
	make_image example.com/net "$T/extra"
rkt fetch "$image" >/dev/null 2>&1
add_host b 1
add_host c 2
serve_at b 7000
snapshot >"$T/before"
sysctl -n net.ipv4.ip_forward >"$T/forward"

# in_pod NET SCRIPT: its words on stdout.
in_pod() { run rkt run --net="$1" example.com/net -- -c "$2"; }

# ---- default ---------------------------------------------------------------------------------------
in_pod default 'ip addr show eth0; ip route; ip -6 route; cat /proc/net/if_inet6'
expect_status 0 "a pod runs in the network default"
like "it has an address" "$(out)" 'inet 172\.16\.28\.[0-9]+/24'
like "of both families" "$(out)" 'inet6 fd72:6b74:1c::[0-9a-f]+/64'
like "and a way out" "$(out)" '^default via 172\.16\.28\.1 dev eth0'
snapshot >"$T/after"
check "nothing is left of it" diff "$T/before" "$T/after"
in_pod default 'ping -c 1 -W 20 172.16.28.1 >/dev/null && ping -6 -c 1 -W 20 fd72:6b74:1c::1 >/dev/null && echo both'
is "the host answers" "$(out)" both
in_pod default 'peersay 10.9.1.2 7000; peersay fd09:1::2 7000; peersay 10.9.1.2 7000 udp'
is "another host sees the host's address" "$(out)" "peer=10.9.1.1
peer=fd09:1::1
peer=10.9.1.1"
run rkt run example.com/net -- -c 'ip addr show eth0'
like "it is the network of pods that name none" "$(out)" 'inet 172\.16\.28\.'
run rkt run --net example.com/net -- -c 'ip addr show eth0'
like "and of --net alone" "$(out)" 'inet 172\.16\.28\.'
in_pod 'default:IP=172.16.28.77;MAC=02:00:00:00:00:4d' 'ip addr show eth0'
like "an address can be asked for" "$(out)" 'inet 172\.16\.28\.77/24'
like "and a hardware address" "$(out)" 'link/ether 02:00:00:00:00:4d'

# ---- default-restricted ------------------------------------------------------------------------------
in_pod default-restricted 'ip route; ping -c 1 -W 20 172.31.0.1 >/dev/null && echo host; peersay 10.9.1.2 7000 || echo closed'
like "default-restricted reaches the host" "$(out)" '^host$'
like "and nobody else" "$(out)" '^closed$'
unlike "it has no default route" "$(out)" '^default'
in_pod default,default-restricted 'ip addr; ip route'
like "several networks, by the names of their files: 99-default-restricted.conf is eth0" "$(out)" 'inet 172\.31\.[0-9]+\.[0-9]+/16 .*eth0'
like "99-default.conf is eth1" "$(out)" 'inet 172\.16\.28\.[0-9]+/24 .*eth1'
in_pod all 'ip addr'
like "all are all that are configured" "$(out)" 'eth1'

# ---- what the verbs say --------------------------------------------------------------------------------
start_rkt run --net=default,default-restricted --uuid-file-save="$T/uuid" example.com/net -- -c 'sleep 3000'
check "a pod stays" wait_for 10 sh -c "$RKT --dir=$RKT_DIR status --uuid-file=$T/uuid 2>/dev/null | grep -q networks=default"
uuid=$(cat "$T/uuid")
run rkt status "$uuid"
like "status names networks and addresses" "$(out)" '^networks=default-restricted:ip4=172\.31\.[0-9.]+, default-restricted:ip6=fd72[^,]+, default:ip4=172\.16\.28\.'
run rkt list
like "list does so too" "$(out)" 'running.*default:ip4=172\.16\.28\.'
run rkt status --format=json "$uuid"
check "JSON has everything" python3 - "$T/out" <<'P'
import json, sys
nets = json.load(open(sys.argv[1]))["networks"]
assert [n["ifName"] for n in nets] == ["eth0", "eth1"], nets
n = nets[1]
assert n["netName"] == "default" and n["mask"] == "255.255.255.0" and n["ip"].startswith("172.16.28."), n
assert len(n["ips"]) == 2 and n["driver"] == "builtin" and n["args"] == "", n
P
run rkt net ls
like "net ls: the network and its pod" "$(out)" "^default[[:space:]]+builtin[[:space:]]+172.16.28.0/24,fd72:6b74:1c::/64[[:space:]]+yes[[:space:]]+-[[:space:]]+$(echo "$uuid" | cut -c1-8)"
run rkt net ls --format=json
check "and as JSON" python3 -c '
import json, sys
nets = {n["name"]: n for n in json.load(open(sys.argv[1]))}
assert [p["uuid"] for p in nets["default"]["pods"]] == [sys.argv[2]] and nets["default"]["file"] is None, nets' "$T/out" "$uuid"
fails_with "network \"default\" is used by pod $uuid" "a network in use is not removed" rkt net rm default
like "the host's end says whose it is" "$(ip -d link | grep -o "alias.*")" "$uuid"
refute "no name of the namespace anywhere" sh -c 'ls /run/netns/* /var/run/netns/* | grep .'
run rkt enter "$uuid" /bin/ip addr show eth1
like "enter is in the same network" "$(out)" 'inet 172\.16\.28\.'
nft list ruleset >"$T/rules"
like "the rules are in our table" "$(cat "$T/rules")" "comment \"$uuid\""
is "and only there" "$(grep -c '^table' "$T/rules")" 1

# ---- after the firewall was reloaded ---------------------------------------------------------------------
nft flush ruleset
run rkt enter "$uuid" /bin/peersay 10.9.1.2 7000
unlike "flushed, the way out is not hidden any more" "$(out)" 'peer=10.9.1.1'
run rkt net reload
expect_status 0 "net reload"
run rkt enter "$uuid" /bin/peersay 10.9.1.2 7000
is "puts it back" "$(out)" "peer=10.9.1.1"
nft list ruleset >"$T/rules.again"
check "all of it" cmp "$T/rules" "$T/rules.again"
run rkt net reload "$uuid"
nft list ruleset >"$T/rules.again"
check "doing it again changes nothing" cmp "$T/rules" "$T/rules.again"
rkt stop "$uuid" >/dev/null
wait "$pid"
snapshot >"$T/after"
check "nothing is left when the pod was stopped" diff "$T/before" "$T/after"
run rkt status "$uuid"
like "an exited pod still says where it was" "$(out)" '^networks=default-restricted:ip4='
fails_with 'is not running' "it has nothing to reload" rkt net reload "$uuid"
run rkt net rm default
expect_status 0 "an unused network is removed"
refute "with its leases" test -e "$RKT_DIR/net/default"

# ---- other kinds of pods -----------------------------------------------------------------------------------
run rkt run --net=default --private-users example.com/net -- -c 'ip addr show eth0; peersay 10.9.1.2 7000'
like "a pod with users of its own" "$(out)" '^peer=10.9.1.1$'
rm "$T/uuid"
start_rkt app sandbox --net=default --uuid-file-save="$T/uuid"
wait_for 10 sh -c "$RKT --dir=$RKT_DIR status --wait-ready=1s --uuid-file=$T/uuid"
uuid=$(cat "$T/uuid")
rkt app add "$uuid" example.com/net --name=one -- -c 'peersay 10.9.1.2 7000; sleep 3000' >/dev/null
rkt app start "$uuid" --app=one
check "an app of a mutable pod" wait_for 10 grep -q 'peer=10.9.1.1$' "$T/bg.out"
rkt stop "$uuid" >/dev/null
wait "$pid"
run rkt prepare example.com/net -- -c 'ip addr show eth0'
uuid=$(tail -n 1 "$T/out")
run rkt run-prepared --net=default "$uuid"
like "a prepared pod" "$(out)" 'inet 172\.16\.28\.'
snapshot >"$T/after"
check "nothing is left of these" diff "$T/before" "$T/after"

# ---- crashes ---------------------------------------------------------------------------------------------------
for ms in 5 10 15 20 30 40 60; do
	start_rkt run --net=default example.com/net -- -c 'sleep 3000'
	sleep "0.0$(printf %02d $ms)"
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
done
wait_for 10 sh -c "! $RKT --dir=$RKT_DIR list | grep -q running"
rkt gc --mark-only >/dev/null 2>&1
snapshot >"$T/after"
check "pods killed at seven moments, and marked by gc: nothing is left" diff "$T/before" "$T/after"
is "no lease either" "$(find "$RKT_DIR/net" -type f ! -name lock ! -name 'last*' | wc -l)" 0

# ---- many --------------------------------------------------------------------------------------------------------
i=0
batch=
while [ $i -lt 100 ]; do
	rkt run --net=default example.com/net -- -c 'ip -o addr show eth0' >>"$T/many" 2>>"$T/many.err" </dev/null &
	batch="$batch $!"
	i=$((i + 1))
	[ $((i % 10)) -ne 0 ] || { for p in $batch; do wait "$p" || echo bad >>"$T/many.bad"; done; batch=; }
done
refute "100 pods, ten at once: none fails" test -s "$T/many.bad"
is "each had an address" "$(grep -c 'inet 172' "$T/many")" 100
snapshot >"$T/after"
check "links, routes and tables are as before" diff "$T/before" "$T/after"
rkt gc --grace-period=0s >/dev/null 2>&1

# ---- bad input -----------------------------------------------------------------------------------------------------
fails_with 'network "nowhere" is not configured' "an unknown network" rkt run --net=nowhere example.com/net
fails_with 'network "default" is given twice' "a network twice" rkt run --net=default --net=default example.com/net
fails_with 'takes no arguments' "arguments for host" rkt run --net=host:IP=1.2.3.4 example.com/net
fails_with 'KEY=VALUE' "arguments that are none" rkt run --net=default:nonsense example.com/net
fails_with '\.\./x' "a name that is a path" rkt run --net=../x example.com/net
fails_with '172\.16\.29\.1' "an address of another network" rkt run --net=default:IP=172.16.29.1 example.com/net
fails_with 'FLAVOUR' "an argument that means nothing" rkt run --net=default:FLAVOUR=x example.com/net
mkdir -p "$T/etc/net.d"
echo '{"name": "broken",' >"$T/etc/net.d/10-broken.conf"
fails_with '10-broken\.conf' "a broken file" rkt run --net=default example.com/net
rm "$T/etc/net.d/10-broken.conf"
is "no pod is left of these" "$(rkt list --no-legend | grep -c .)" 0
snapshot >"$T/after"
check "and nothing else" diff "$T/before" "$T/after"
