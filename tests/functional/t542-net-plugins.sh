#!/bin/sh
# Pods in networks of CNI plugins: configuration files, lists, arguments, name servers, ports, plugins that misbehave, crashes.
. "${0%/*}/hostlib.sh"
. "${0%/*}/lib.sh"
need ip nft nsenter python3 iptables
[ -x /usr/lib/cni/bridge ] || skip "plugins" "no /usr/lib/cni/bridge"
accept_unsigned
mkdir -p "$T/extra/bin" "$T/etc/net.d" "$T/lib/net.d"
cp "$RKT_BUILD/tests/peersay" "$T/extra/bin/"
for f in ping ip; do ln -s busybox "$T/extra/bin/$f"; done
IMAGE_EXEC='["/bin/sh"]' IMAGE_APP='"ports":[{"name":"web","protocol":"tcp","port":80}]' make_image example.com/net "$T/extra"
rkt fetch "$image" >/dev/null 2>&1
peersay=$RKT_BUILD/tests/peersay
add_host b 1

# conf FILE: from stdin, with @D@ for the directory of leases.
conf() { sed "s|@D@|$T/leases|" >"$T/etc/net.d/$1"; }
conf 10-br.conflist <<'E2'
{ "cniVersion": "1.0.0", "name": "br", "plugins": [
  { "type": "bridge", "bridge": "cnibr", "isDefaultGateway": true, "ipMasq": true, "hairpinMode": true,
    "capabilities": { "ips": true, "mac": true },
    "ipam": { "type": "host-local", "dataDir": "@D@", "ranges": [[{ "subnet": "10.44.0.0/24" }], [{ "subnet": "fd44::/64" }]] },
    "dns": { "nameservers": ["10.44.0.53", "fd44::53"], "search": ["example.com"], "options": ["ndots:2"], "domain": "example.com" } },
  { "type": "tuning", "sysctl": { "net.core.somaxconn": "321" } },
  { "type": "bandwidth", "capabilities": { "bandwidth": true } },
  { "type": "portmap", "capabilities": { "portMappings": true } } ] }
E2
conf 20-old.conf <<'E2'
{ "name": "old", "type": "ptp", "ipMasq": true,
  "ipam": { "type": "host-local", "dataDir": "@D@", "subnet": "10.45.0.0/24", "routes": [{ "dst": "0.0.0.0/0" }] } }
E2
conf 30-four.conf <<'E2'
{ "cniVersion": "0.4.0", "name": "four", "type": "macvlan", "master": "wire1", "mode": "bridge",
  "ipam": { "type": "static", "addresses": [{ "address": "10.9.1.44/24" }] } }
E2
sed 's/"br"/"vendor"/; s/cnibr/vendorbr/; s/10\.44/10.46/; s/fd44/fd46/' "$T/etc/net.d/10-br.conflist" >"$T/lib/net.d/50-vendor.conflist"
# the first pod of such plugins leaves chains and a bridge, as they do everywhere
rkt run --net=br,old --port=web:8080 example.com/net -- -c true 2>"$T/err" || diag "$(cat "$T/err")"
snapshot | grep -v '^#' >"$T/before"

in_pod() { run rkt run --net="$1" example.com/net -- -c "$2"; }
in_pod br 'ip addr show eth0; cat /etc/resolv.conf; cat /proc/sys/net/core/somaxconn'
expect_status 0 "a list of four plugins"
like "an address of each family" "$(out)" 'inet 10\.44\.0\.[0-9]+/24'
like "IPv6" "$(out)" 'inet6 fd44::'
like "name servers of the network" "$(out)" '^nameserver 10\.44\.0\.53$'
like "and its search list" "$(out)" '^search example\.com$'
like "a plugin that tunes" "$(out)" '^321$'
run rkt run --net=br --dns=9.9.9.9 example.com/net -- -c 'cat /etc/resolv.conf'
unlike "--dns wins" "$(out)" '10\.44'
run rkt run --net=br --dns=none example.com/net -- -c 'cat /etc/resolv.conf 2>/dev/null; echo end'
unlike "--dns=none wants none" "$(out)" '10\.44'
mkdir "$T/link" && mkdir -p "$T/extra2/etc" && ln -s /bin/echo "$T/extra2/etc/resolv.conf"
in_pod old 'ip addr show eth0; ip route'
like "a file of rkt 1.30's time, without a version" "$(out)" 'inet 10\.45\.0\.'
in_pod four 'ip addr show eth0; ping -c 1 -W 20 10.9.1.2 >/dev/null && echo neighbour'
like "macvlan with a static address" "$(out)" 'inet 10\.9\.1\.44/24'
like "on the wire" "$(out)" '^neighbour$'
in_pod vendor 'ip addr show eth0'
like "networks of the vendor's directory" "$(out)" 'inet 10\.46\.'
in_pod 'br:IP=10.44.0.99;MAC=02:00:00:00:00:63' 'ip addr show eth0'
like "an address asked for" "$(out)" 'inet 10\.44\.0\.99/24'
like "a hardware address asked for" "$(out)" '02:00:00:00:00:63'
in_pod four,br,default 'ip -o addr'
like "in the order of the files: br is eth0" "$(out)" 'eth0 .*inet 10\.44\.'
like "four is eth1" "$(out)" 'eth1 .*inet 10\.9\.1\.44'
like "default is eth2" "$(out)" 'eth2 .*inet 172\.16\.28\.'
run rkt net ls
like "net ls: plugins and files" "$(out)" "^br[[:space:]]+bridge,tuning,bandwidth,portmap[[:space:]]+10.44.0.0/24,fd44::/64[[:space:]]+yes[[:space:]]+$T/etc/net.d/10-br.conflist[[:space:]]+-"
sed 's/"old"/"default"/' "$T/etc/net.d/20-old.conf" >"$T/etc/net.d/05-mine.conf"
in_pod default 'ip addr show eth0'
like "a file of that name is the network default" "$(out)" 'inet 10\.45\.0\.'
rm "$T/etc/net.d/05-mine.conf"

# ---- ports by a plugin, and a reload ------------------------------------------------------------------------
start_rkt run --net='br:ingressRate=8000000;ingressBurst=8000000' --port=web:8080 --uuid-file-save="$T/uuid" example.com/net -- -c 'exec peersay 80'
wait_for 10 sh -c "$RKT --dir=$RKT_DIR status --wait-ready=10s --uuid-file=$T/uuid"
uuid=$(cat "$T/uuid")
check "portmap publishes: from another host" wait_for 5 at b "$peersay" 10.9.1.1 8080
is "whose address the app sees" "$(at b "$peersay" 10.9.1.1 8080)" "peer=10.9.1.2"
check "and from 127.0.0.1" "$peersay" 127.0.0.1 8080
like "bandwidth was asked for" "$(tc qdisc show 2>/dev/null)" 'tbf'
nft flush ruleset
refute "flushed, the plugin's rules are gone" at b "$peersay" 10.9.1.1 8080
run rkt net reload
expect_status 0 "net reload"
is "calls it again" "$(at b "$peersay" 10.9.1.1 8080)" "peer=10.9.1.2"
rkt enter "$uuid" /bin/ip route add 192.0.2.0/24 dev eth0 2>/dev/null
rkt stop "$uuid" >/dev/null
wait "$pid"
nft delete table inet rkt 2>/dev/null

# ---- published by us where no plugin can ----------------------------------------------------------------------
rm "$T/uuid"
start_rkt run --net=old --port=web:8080 --uuid-file-save="$T/uuid" example.com/net -- -c 'exec peersay 80'
wait_for 10 sh -c "$RKT --dir=$RKT_DIR status --wait-ready=10s --uuid-file=$T/uuid"
uuid=$(cat "$T/uuid")
check "ports of a network without portmap" wait_for 5 "$peersay" 127.0.0.1 8080
check "from another host" at b "$peersay" 10.9.1.1 8080
kill -9 "$pid"
wait "$pid" 2>/dev/null
wait_for 10 sh -c "! $RKT --dir=$RKT_DIR list | grep -q running"
rkt gc --grace-period=0s >/dev/null 2>&1
is "after kill -9 and gc no address is leased" "$(find "$T/leases" -type f ! -name lock ! -name 'last*' | wc -l)" 0
unlike "nor has ptp left its rules" "$(iptables-save; ip6tables-save)" '10\.45\.0\.'
refute "and our table is gone" nft list table inet rkt

# ---- plugins that misbehave --------------------------------------------------------------------------------------
mkdir "$T/plugins"
plugin() {
	cat >"$T/plugins/$1"
	chmod +x "$T/plugins/$1"
	echo "{\"cniVersion\":\"0.4.0\",\"name\":\"$1\",\"type\":\"$1\"}" >"$T/etc/net.d/90-$1.conf"
}
CNI_PATH=$T/plugins
export CNI_PATH
plugin hang <<'E2'
#!/bin/sh
[ "$CNI_COMMAND" = DEL ] && exit 0
sleep 1000 & echo $! >"$0.pid"; wait
E2
plugin flood <<'E2'
#!/bin/sh
[ "$CNI_COMMAND" = DEL ] && exit 0
exec cat /dev/zero
E2
plugin junk <<'E2'
#!/bin/sh
[ "$CNI_COMMAND" = DEL ] && exit 0
echo 'not { json'
E2
plugin mute <<'E2'
#!/bin/sh
exit 0
E2
plugin refuse <<'E2'
#!/bin/sh
[ "$CNI_COMMAND" = DEL ] && exit 0
echo '{"code": 7, "msg": "no luck today", "details": "none at all"}'; exit 1
E2
plugin thief <<'E2'
#!/bin/sh
[ "$CNI_COMMAND" = DEL ] && { echo gone >>"$0.del"; exit 0; }
echo '{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.48.0.2/24"}]}'
E2
rm "$T/uuid"
start_rkt run --net=thief --uuid-file-save="$T/uuid" example.com/net -- -c 'sleep 3000'
wait_for 10 sh -c "$RKT --dir=$RKT_DIR status --wait-ready=10s --uuid-file=$T/uuid"
fails_with "address 10.48.0.2 is that of pod $(cat "$T/uuid")" "one that gives a pod's address away" rkt run --net=thief example.com/net -- -c true
check "is asked to take it back" test -s "$T/plugins/thief.del"
rkt stop "$(cat "$T/uuid")" >/dev/null
wait "$pid"
RKT_CNI_TIMEOUT_MS=3000
export RKT_CNI_TIMEOUT_MS
fails_with 'network "hang".*hang' "a plugin that hangs" rkt run --net=hang example.com/net -- -c true
unset RKT_CNI_TIMEOUT_MS
refute "is killed with what it started" kill -0 "$(cat "$T/plugins/hang.pid")"
fails_with 'network "flood"' "one that prints without end" rkt run --net=flood example.com/net -- -c true
fails_with 'network "junk"' "one that prints junk" rkt run --net=junk example.com/net -- -c true
fails_with 'network "mute".*no result' "one that says nothing" rkt run --net=mute example.com/net -- -c true
fails_with 'no luck today' "one that refuses: its own words" rkt run --net=br,refuse example.com/net -- -c true
echo '{"cniVersion":"0.4.0","name":"gone","type":"no-such-plugin"}' >"$T/etc/net.d/90-gone.conf"
fails_with 'no-such-plugin' "one that is not there" rkt run --net=gone example.com/net -- -c true
echo '{"cniVersion":"0.4.0","name":"gone","type":"../../bin/sh"}' >"$T/etc/net.d/90-gone.conf"
fails_with '90-gone\.conf' "one with a path for a name" rkt run --net=gone example.com/net -- -c true
echo '{"cniVersion":"0.4.0","name":"gone","plugins":[{"cniVersion":"1.0.0","type":"bridge"}]}' >"$T/etc/net.d/90-gone.conflist"
rm "$T/etc/net.d/90-gone.conf"
fails_with '90-gone\.conflist' "a plugin of another version than its list" rkt run --net=gone example.com/net -- -c true
rm "$T"/etc/net.d/90-*
conf 60-tiny.conflist <<'E2'
{ "cniVersion": "1.0.0", "name": "tiny", "plugins": [
  { "type": "bridge", "bridge": "tinybr", "isGateway": true,
    "ipam": { "type": "host-local", "dataDir": "@D@", "subnet": "10.47.0.0/30" } } ] }
E2
rm "$T/uuid"
start_rkt run --net=tiny --uuid-file-save="$T/uuid" example.com/net -- -c 'sleep 3000'
wait_for 10 sh -c "$RKT --dir=$RKT_DIR status --wait-ready=10s --uuid-file=$T/uuid"
fails_with 'no IP addresses available' "an exhausted pool" rkt run --net=tiny example.com/net -- -c true
rkt stop "$(cat "$T/uuid")" >/dev/null
wait "$pid"

# somebody else is on its bridge; "there" /sys shows the network of another host, as it does in a namespace made without a /sys of its own
there() {
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m --propagation private sh -c 'nsenter --net="$0" mount -t sysfs sysfs /sys && exec "$@"' "/proc/$host_b/ns/net" \
		"$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" "$@"
}
ip link add tenant type veth peer name tenant1
ip link set tenant1 master tinybr
cp "$T/etc/net.d/60-tiny.conflist" "$T/tiny"
fails_with 'bridge "tinybr" is in use' "net rm: a bridge that somebody is on" rkt net rm tiny
fails_with 'bridge "tinybr" is in use' "and so wherever /sys leads" there net rm tiny
check "it stays" ip link show tinybr
check "and stays configured" cmp "$T/tiny" "$T/etc/net.d/60-tiny.conflist"
ip link del tenant
run rkt net rm tiny
expect_status 0 "net rm"
refute "its file is gone" test -e "$T/etc/net.d/60-tiny.conflist"
refute "and its bridge" ip link show tinybr
ip link add tinybr type bridge
ip link set tinybr up
cp "$T/tiny" "$T/etc/net.d/60-tiny.conflist"
run there net rm tiny
expect_status 0 "net rm wherever /sys leads"
refute "its bridge is gone" ip link show tinybr
ip link add tinybr type veth peer name tenant
cp "$T/tiny" "$T/etc/net.d/60-tiny.conflist"
run rkt net rm tiny
expect_status 0 "net rm where no bridge has that name"
check "an interface of another kind stays" ip link show tinybr
ip link del tinybr
is "no pod is left of all this" "$(rkt list --no-legend | grep -c running)" 0
is "no address is leased" "$(find "$T/leases" -type f ! -name lock ! -name 'last*' | wc -l)" 0
