#!/bin/sh
# The driver of CNI with Debian's plugins, in every version, and with plugins that mean ill (T24, T47).
# Host and pod are network namespaces of this test; plugins write their state below $T.
. "${0%/*}/lib.sh"
need_root
need unshare nsenter ip iptables busybox

box=$RKT_BUILD/tests/cnibox
# new_ns: a network namespace that a process holds; $pid is the process.
new_ns() {
	start unshare -n sh -c 'ip link set lo up && exec sleep 3600'
	wait_for 10 sh -c "[ \"\$(readlink /proc/$pid/ns/net)\" != \"\$(readlink /proc/$$/ns/net)\" ] &&
		nsenter --net=/proc/$pid/ns/net ip -o link show lo up | grep -q lo"
}
new_ns
host=$pid
new_ns
pod=$pid
pod_ns=/proc/$pod/ns/net
on_host() { nsenter --net="/proc/$host/ns/net" "$@"; }
in_pod() { nsenter --net="$pod_ns" "$@"; }
conf_dir=$T/etc/net.d
mkdir -p "$conf_dir"
# add NET[:ARGS] [PORTS], del [NETNS], check_net, reload: of eth0 in the pod; $T/state is the record.
add() {
	_net=$1
	shift
	on_host "$box" add "$T/etc" "$_net" "${ifname:-eth0}" "$pod_ns" "$T/state" "$@"
}
del() { on_host "$box" del "$T/state" "${1-$pod_ns}"; }
check_net() { on_host "$box" check "$T/state" "$pod_ns"; }
reload() { on_host "$box" reload "$T/state" "$pod_ns"; }
ifname=

links() { on_host ip -o link show | sed -e 's/^[0-9]*: //' -e 's/:.*//' | sort; }
leases() { find "$T/leases" -type f ! -name lock ! -name 'last_reserved*' 2>/dev/null | wc -l; }
nat_rules() { on_host iptables -t nat -S | grep -c -e '-j DNAT'; }

# chain VERSION: a bridge and whatever can follow it in this version.
chain() {
	cat <<-END
	{ "cniVersion": "$1", "name": "chain", "plugins": [
	  { "type": "bridge", "bridge": "br0", "isGateway": true, "ipMasq": true, "unknown": [1.50, 1e3],
	    "capabilities": { "mac": true, "ips": true },
	    "dns": { "nameservers": ["10.0.0.53"] }, "ipam": { "type": "host-local", "dataDir": "$T/leases",
	      "ranges": [[{ "subnet": "10.89.7.0/24" }], [{ "subnet": "fd00:89:7::/64" }]],
	      "routes": [{ "dst": "0.0.0.0/0" }] } },
	  { "type": "tuning", "dataDir": "$T/tuning", "sysctl": { "net.ipv4.conf.all.log_martians": "1" } },
	  { "type": "portmap", "capabilities": { "portMappings": true } }
	  ${2-} ] }
	END
}
bandwidth=', { "type": "bandwidth", "capabilities": { "bandwidth": true } }'
firewall=', { "type": "firewall", "backend": "iptables" }'
ports='[{"hostPort":8089,"containerPort":80,"protocol":"tcp"}]'
mkdir "$T/www"
echo hello >"$T/www/index.html"
on_host ip addr add 192.0.2.1/32 dev lo
start nsenter --net="$pod_ns" busybox httpd -f -p 80 -h "$T/www"
check "the pod serves" wait_for 10 in_pod busybox wget -q -O - http://127.0.0.1/

# both_families VERSION: does the answer have both addresses?
both_families() {
	case $1 in
	0.1.0 | 0.2.0) expect_stdout '"ip4":\{"ip":"10\.89\.7\.[0-9]+/24".*"ip6":\{"ip":"fd00:89:7::[0-9a-f]+/64"' "$1: the answer has both families" ;;
	*) expect_stdout '"address":"10\.89\.7\.[0-9]+/24".*"address":"fd00:89:7::[0-9a-f]+/64"' "$1: the answer has both families" ;;
	esac
}

# ---- Debian's plugins, version by version --------------------------------------------------------

for v in 0.1.0 0.2.0 0.3.0 0.3.1 0.4.0 1.0.0; do
	case $v in
	0.1.0 | 0.2.0) chain "$v" ;;
	0.3.*) chain "$v" "$bandwidth" ;;
	*) chain "$v" "$bandwidth $firewall" ;;
	esac >"$conf_dir/10-chain.conflist"
	before=$(links)
	run add "chain:MAC=0a:00:00:00:89:07;ingressRate=8000000;ingressBurst=8000000;X=y" "$ports"
	expect_status 0 "$v: ADD"
	like "$v: the answer says its version" "$(out)" "\"cniVersion\":\"$v\""
	both_families "$v"
	like "$v: name servers are passed on" "$(out)" '10\.0\.0\.53'
	like "$v: the pod has the address" "$(in_pod ip -o addr show eth0)" '10\.89\.7\.[0-9]+/24'
	like "$v: and the hardware address that was asked for" "$(in_pod ip -o link show eth0)" '0a:00:00:00:89:07'
	is "$v: tuning tuned" "$(in_pod cat /proc/sys/net/ipv4/conf/all/log_martians)" 1
	is "$v: the port leads to the pod" "$(on_host busybox wget -q -O - http://192.0.2.1:8089/)" hello
	case $v in
	0.1.0 | 0.2.0 | 0.3.*)
		run check_net
		expect_stderr 'no check before version 0\.4\.0' "$v: there is no CHECK"
		;;
	*)
		like "$v: bandwidth is limited" "$(on_host tc qdisc show)" 'tbf'
		like "$v: the firewall lets the pod through" "$(on_host iptables -S CNI-FORWARD)" '10\.89\.7\.'
		;;
	esac
	on_host iptables -t nat -F
	is "$v: somebody flushes the table" "$(nat_rules)" 0
	run reload
	expect_status 0 "$v: reload"
	is "$v: and the port leads to the pod again" "$(on_host busybox wget -q -O - http://192.0.2.1:8089/)" hello
	run del
	expect_status 0 "$v: DEL"
	run del
	expect_status 0 "$v: DEL again"
	is "$v: no rule is left" "$(nat_rules)" 0
	is "$v: no lease is left" "$(leases)" 0
	is "$v: no link but the bridge is left" "$(links | grep -v '^br0$')" "$before"
	on_host ip link del br0
	run add 'chain:ingressRate=8000000;ingressBurst=8000000'
	expect_status 0 "$v: ADD again"
	# Not above: portmap 1.1.1 looks for the rules of one family in the table of the other.  Nor without a rate: bandwidth panics.
	case $v in 0.4.0 | 1.0.0) check "$v: CHECK" check_net ;; esac
	run del ''
	expect_status 0 "$v: DEL without the namespace"
	is "$v: no lease is left by that" "$(leases)" 0
	# Plugin bridge learns from the pod's interface what it masqueraded, and lets that lie now.
	for t in iptables ip6tables; do on_host $t -t nat -F && on_host $t -t nat -X; done
	in_pod ip link del eth0 2>/dev/null
	run del ''
	expect_status 0 "$v: DEL when everything is gone"
	on_host ip link del br0
done

chain 1.0.0 >"$conf_dir/10-chain.conflist"
run add 'chain:IP=10.89.7.77'
like "an address is granted" "$(out)" '"address":"10\.89\.7\.77/24"'
in_pod ip link del eth0
run check_net
expect_status 254 "CHECK sees that somebody took the interface out"
expect_stderr '^rkt: cnibox: plugin (bridge|tuning): CHECK: ' "and says who says so"
run del
expect_status 0 "DEL bears it"
fails_with 'IP=10\.89\.7\.300: address expected' "an address that is none is refused" add 'chain:IP=10.89.7.300'
is "before anything is made" "$(leases)" 0
fails_with 'plugin bridge: ADD: .*10\.88\.0\.1' "an address outside of the range is refused by the plugin" add 'chain:IP=10.88.0.1'
is "and undone" "$(leases) $(in_pod ip -o link show eth0 2>/dev/null)" '0 '
on_host ip link del br0

for v in 0.1.0 0.3.1 0.4.0 1.0.0; do
	cat >"$conf_dir/20-ptp.conf" <<-END
	{ "cniVersion": "$v", "name": "ptp", "type": "ptp", "ipMasq": true, "ipam": { "type": "static",
	  "addresses": [{ "address": "10.89.8.2/24", "gateway": "10.89.8.1" }] } }
	END
	run add ptp
	expect_status 0 "$v: ptp with static"
	check "$v: the pod reaches its gateway" in_pod busybox ping -c 1 -W 30 10.89.8.1
	case $v in 0.4.0 | 1.0.0) check "$v: CHECK of ptp" check_net ;; esac
	run del
	expect_status 0 "$v: DEL of ptp"
	run del ''
	expect_status 0 "$v: DEL of ptp again, without the namespace"
	refute "$v: eth0 is gone" in_pod ip link show eth0
	cat >"$conf_dir/20-ptp.conf" <<-END
	{ "cniVersion": "$v", "name": "mac", "type": "macvlan", "master": "lower0", "capabilities": { "ips": true },
	  "ipam": { "type": "host-local", "dataDir": "$T/leases", "subnet": "10.89.9.0/24" } }
	END
	on_host ip link add lower0 type veth peer name lower1
	run add 'mac:ips=10.89.9.9'
	like "$v: macvlan with the address of a capability" "$(out)" '10\.89\.9\.9/24'
	run del
	expect_status 0 "$v: DEL of macvlan"
	is "$v: the lease is gone" "$(leases)" 0
	on_host ip link del lower0
	echo "{ \"cniVersion\": \"$v\", \"name\": \"lo\", \"type\": \"loopback\" }" >"$conf_dir/20-ptp.conf"
	in_pod ip link set lo down
	ifname=lo
	run add lo
	expect_status 0 "$v: loopback"
	like "$v: is up" "$(in_pod ip -o link show lo)" '[<,]UP'
	run del
	expect_status 0 "$v: DEL of loopback"
	ifname=
	in_pod ip link set lo up
done
cat >"$conf_dir/20-ptp.conf" <<END
{ "cniVersion": "1.0.0", "name": "small", "type": "ptp", "ipam": { "type": "host-local", "dataDir": "$T/leases",
  "ranges": [[{ "subnet": "10.89.10.0/24", "rangeStart": "10.89.10.2", "rangeEnd": "10.89.10.2" }]] } }
END
run add small
expect_status 0 "the only address of a pool"
mv "$T/state" "$T/first"
ifname=eth1
fails_with 'plugin ptp: ADD: .*no IP addresses available' "an exhausted pool is one line" add small
mv "$T/first" "$T/state"
ifname=
run del
is "and the first pod's address can be given back" "$status $(leases)" '0 0'

# ---- plugins that mean ill -----------------------------------------------------------------------

# bad NAME SCRIPT: a plugin of our own, in a network of that name alone.  once: it is bad at ADD only.
# shellcheck disable=SC2016 # expanded by the plugin
once='[ $CNI_COMMAND = ADD ] || exit 0; '
bad() {
	printf '#!/bin/sh\n%s\n' "$2" >"$conf_dir/$1"
	chmod 755 "$conf_dir/$1"
	echo "{ \"cniVersion\": \"1.0.0\", \"name\": \"$1\", \"type\": \"$1\" }" >"$conf_dir/30-$1.conf"
}
# Numbers of seconds that nobody else sleeps on this machine.
mark=$$
running() { pgrep -f "sleep $1.$mark\$" >/dev/null; }
good='echo "{\"cniVersion\":\"1.0.0\",\"ips\":[]}"'

bad env "${once}env >$T/env; ls -l /proc/\$\$/fd >$T/fds; pwd >$T/cwd; cat >$T/stdin; cut -d ' ' -f 1,6 /proc/\$\$/stat >$T/ids; $good"
cat >"$conf_dir/30-env.conf" <<END
{ "cniVersion": "1.0.0", "name": "env", "type": "env", "n": [1.0, 1.50, 1e3, 18446744073709551616, -0] }
END
run env LD_LIBRARY_PATH=/bad GCONV_PATH=/bad NOTIFY_SOCKET=/bad LISTEN_FDS=1 LANG=C IFS=x ENV=/bad CNI_IFNAME=bad CNI_PATH=/caller:relative: \
	nsenter --net="/proc/$host/ns/net" "$box" add "$T/etc" 'env:A=b' eth0 "$pod_ns" "$T/state" 7</dev/null 8</dev/null
expect_status 0 "a plugin that looks around"
is "sees CNI_* and PATH (T24)" "$(sed 's/=.*//' "$T/env" | grep -v -x -e PWD -e OLDPWD -e _ -e SHLVL | sort | tr '\n' ' ')" \
	"CNI_ARGS CNI_COMMAND CNI_CONTAINERID CNI_IFNAME CNI_NETNS CNI_PATH PATH "
is "its arguments" "$(grep ARGS "$T/env")" 'CNI_ARGS=IgnoreUnknown=1;A=b'
is "the directories" "$(grep CNI_PATH "$T/env")" "CNI_PATH=$conf_dir:/caller:/usr/lib/rkt/plugins/net:/usr/lib/cni:/opt/cni/bin"
like "programs of the administrator" "$(grep ^PATH "$T/env")" ':/usr/sbin:'
# From 10 on they are the shell's own.
is "three descriptors" "$(sed -n 's/.* \([0-9]\) -> .*/\1/p' "$T/fds" | tr '\n' ' ')" '0 1 2 '
is "the root directory" "$(cat "$T/cwd")" /
like "a session of its own" "$(cat "$T/ids")" '^([0-9]+) \1$'
is "and the numbers of its configuration as they were written" "$(cat "$T/stdin")" \
	'{"type":"env","n":[1.0,1.50,1e3,18446744073709551616,-0],"name":"env","cniVersion":"1.0.0"}'

export RKT_CNI_TIMEOUT_MS=2000
bad hang "sleep 98761.$mark; $good"
fails_with 'plugin hang: ADD: did not end within 2000 ms and was killed' "a plugin that hangs is killed (T47)" add hang
refute "with whom it started" running 98761
bad daemon "echo \$CNI_COMMAND >>$T/daemon; (setsid sh -c 'sleep 98762.$mark & sleep 98763.$mark' &) >/dev/null 2>&1 </dev/null; sleep 98764.$mark"
fails_with 'plugin daemon: ADD: did not end' "a plugin that hangs and has a daemon" add daemon
is "was asked to undo it" "$(tr '\n' ' ' <"$T/daemon")" 'ADD DEL '
refute "its daemon is gone" running '9876[234]'
unset RKT_CNI_TIMEOUT_MS
bad quiet "(setsid sh -c 'exec sleep 98765.$mark' &) ; $good"
run add quiet
expect_status 0 "a daemon that keeps the pipes open is not waited for"
refute "and not left behind" running 98765
bad huge "yes | head -c 1073741824; echo done >$T/huge; $good"
fails_with 'plugin huge: ADD: wrote more than 1048576 bytes and was killed' "1 GB of output ends at the limit (T47)" add huge
refute "the plugin did not get to its end" test -e "$T/huge"
bad moan "${once}yes moan | head -c 100000000 >&2; printf 'x\\033[31m bad\\n' >&2; exit 3"
fails_with 'plugin moan: ADD: .*moan; x\\x1b\[31m bad$' "the end of standard error is told, on one line, without escapes" add moan
bad junk 'echo "all is well"'
fails_with 'plugin junk: ADD: exited 0 with a result that is no JSON' "junk is no result (T47)" add junk
bad nothing 'exit 0'
fails_with 'plugin nothing: ADD: exited 0 with no result' "nothing is no result" add nothing
bad wrong 'echo "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"everywhere\"}]}"'
fails_with 'plugin wrong: ADD: malformed result: \.ips\[0\]\.address' "an address that is none is no result" add wrong
bad told "$once"'echo "{\"code\":11,\"msg\":\"try later\",\"details\":\"busy\"}"; exit 1'
fails_with 'plugin told: ADD: try later: busy \(code 11\)$' "a plugin's own words are told" add told
bad mute "$once"'exit 5'
fails_with 'plugin mute: ADD: exited 5 without a word' "so is silence" add mute
bad signal "$once"'kill -SEGV $$'
fails_with 'plugin signal: ADD: was ended by signal 11' "and a signal" add signal
echo '{"cniVersion":"1.0.0","name":"gone","plugins":[{"type":"env"},{"type":"not-there"}]}' >"$conf_dir/30-gone.conflist"
rm "$T/env"
fails_with "plugin not-there: in none of the directories $conf_dir:" "a plugin that is not there" add gone
refute "is missed before the first one runs" test -e "$T/env"

# ---- lists that break in the middle --------------------------------------------------------------

# plugins one, two and three note who is called with what; two fails when $T/fail says so.
# shellcheck disable=SC2016 # expanded by the plugin
for n in one two three; do
	bad $n '
in=$(cat); prev=; case $in in *prevResult*) prev=+ ;; esac
echo "$CNI_COMMAND ${0##*/}$prev" >>'"$T"'/calls
case $CNI_COMMAND in ADD) [ ${0##*/} = two ] && [ -e '"$T"'/fail ] && { echo "no luck" >&2; exit 1; } ;; esac
case $CNI_COMMAND in DEL) [ ${0##*/} = two ] && [ -e '"$T"'/fail-del ] && { echo "no way" >&2; exit 1; } ;; esac
[ $CNI_COMMAND != ADD ] || '"$good"
	rm "$conf_dir/30-$n.conf"
done
three='"plugins":[{"type":"one"},{"type":"two"},{"type":"three"}]'
calls() { tr '\n' ' ' <"$T/calls"; rm "$T/calls"; }
echo "{\"cniVersion\":\"1.0.0\",\"name\":\"three\",$three}" >"$conf_dir/40-three.conflist"
run add three
is "ADD goes forward, with the answer of the one before" "$status $(calls)" '0 ADD one ADD two+ ADD three+ '
run check_net
is "CHECK too, with the last answer" "$status $(calls)" '0 CHECK one+ CHECK two+ CHECK three+ '
touch "$T/fail-del"
run del
is "DEL goes back, and on after an error" "$status $(calls)" '254 DEL three+ DEL two+ DEL one+ '
expect_stderr 'plugin two: DEL: no way' "which is told"
touch "$T/fail"
fails_with 'plugin two: ADD: no luck; and it could not be undone: plugin two: DEL: no way' "an undoing that fails is told, too" add three
rm "$T/fail-del" "$T/calls"
fails_with 'plugin two: ADD: no luck$' "a list that breaks" add three
is "is undone as a whole" "$(calls)" 'ADD one ADD two+ DEL three+ DEL two+ DEL one+ '
rm "$T/fail"
echo "{\"cniVersion\":\"1.0.0\",\"disableCheck\":true,\"name\":\"three\",$three}" >"$conf_dir/40-three.conflist"
run add three
run check_net
is "disableCheck disables it" "$status $(calls)" '254 ADD one ADD two+ ADD three+ '
run del
calls >/dev/null
echo "{\"cniVersion\":\"0.3.1\",\"name\":\"three\",$three}" >"$conf_dir/40-three.conflist"
run add three
run del
is "before 0.4.0 a DEL gets no result" "$status $(calls)" '0 ADD one ADD two+ ADD three+ DEL three DEL two DEL one '

# ---- somebody kills us ---------------------------------------------------------------------------

bad wait "echo \$\$ >$T/waiting; exec sleep 98766.$mark"
cat >"$conf_dir/30-wait.conf" <<END
{ "cniVersion": "1.0.0", "name": "wait", "plugins": [
  { "type": "ptp", "ipam": { "type": "host-local", "dataDir": "$T/leases", "subnet": "10.89.11.0/24" } },
  { "type": "wait" } ] }
END
start on_host "$box" add "$T/etc" wait eth0 "$pod_ns" "$T/state"
check "the second plugin waits" wait_for 10 test -s "$T/waiting"
is "the first has an address" "$(leases)" 1
waiting=$(cat "$T/waiting")
parent=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/${waiting:?}/status")
is "it is the plugin of who shall be killed" "$(readlink "/proc/${parent:?}/exe")" "$box"
kill -KILL "$parent"
check "who is killed takes the plugin along" wait_for 10 sh -c "! kill -0 $waiting"
RKT_CNI_TIMEOUT_MS=3000 run del
expect_stderr 'plugin wait: DEL: did not end' "what it left is undone by the record, hanging plugin or not (T47)"
is "the address is free" "$(leases)" 0
refute "the interface is gone" in_pod ip link show eth0

# ---- configuration -------------------------------------------------------------------------------

bad_conf() {
	echo "$1" >"$conf_dir/99-bad.conf"
	fails_with "network $conf_dir/99-bad\.conf: $2" "$3" add env
}
bad_conf '{"name":"x","type":"../../bin/sh"}' '\.type: "\.\./\.\./bin/sh" is not the name of a plugin' 'a plugin named ../../bin/sh (T47)'
bad_conf '{"name":"x","type":"ptp","ipam":{"type":"../../x"}}' '\.ipam\.type: ' 'neither may address management be'
bad_conf '{"name":"../x","type":"ptp"}' '\.name: ' 'a network named ../x'
bad_conf '{"name":"x","type":"ptp","cniVersion":"1.1.0"}' '.*newer than 1\.0\.0' 'a version that is not ours'
bad_conf '{"name":"x","type":"ptp"' 'line 2, column 0: ' 'a file that is no JSON'
bad_conf '{"name":"x","cniVersion":"1.0.0","plugins":[{"type":"ptp","cniVersion":"0.4.0"},{"type":"portmap"}]}' \
	'\.plugins\[0\]\.cniVersion: "0\.4\.0", but the list is of version 1\.0\.0' 'a plugin of another version than its list'
rm "$conf_dir/99-bad.conf"
fails_with 'network "nowhere" is not configured; there are: chain, ' "a network that nobody configured" add nowhere
