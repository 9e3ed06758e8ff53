#!/bin/sh
# Name servers that nobody named: a pod that can reach the host's gets them, unless the image, a volume or an option says otherwise.
. "${0%/*}/hostlib.sh"
. "${0%/*}/lib.sh"
need ip nsenter
accept_unsigned

# The host's files are whatever they are here; in mount namespaces of ours they are known.
cat >"$T/host.sh" <<'END'
mount --bind "$1/host-etc" /etc && mount --bind "$1/host-run" /run/systemd && shift && exec "$@"
END
mkdir -p "$T/host-etc" "$T/host-run/resolve" "$T/net.d" /run/systemd
on_host() {
	unshare -m --propagation private sh "$T/host.sh" "$T" "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" \
		--system-config="$T/lib" --insecure-options=image "$@"
}
# show ARG...: the app's resolv.conf, "none" without one.
show() {
	run on_host run "$@" --exec=/bin/sh -- -c 'cat /etc/resolv.conf 2>/dev/null || echo none'
	out
}
servers() { show "$@" | grep -v -e '^#' -e '^$'; }

make_image example.com/app
check "the image is stored" rkt fetch --insecure-options=image "$image"
cat >"$T/host-etc/resolv.conf" <<'END'
# of the host
search one.example two.example
nameserver 127.0.0.53
nameserver 192.0.2.53	# a comment
nameserver fe80::1%wire1
nameserver ::1
nameserver 2001:db8::53
options edns0 trust-ad
sortlist 10.0.0.0
END
is "a pod of network default: the servers that mean the same there" "$(servers --net=default example.com/app)" \
	'search one.example two.example
nameserver 192.0.2.53
nameserver 2001:db8::53
options edns0 trust-ad'
is "one that reaches the host only: none" "$(show --net=default-restricted example.com/app)" none
is "one without a network: none" "$(show --net=none example.com/app)" none
is "one with the host's network: the host's file" "$(show --net=host example.com/app)" "$(cat "$T/host-etc/resolv.conf")"
run on_host run --net=host example.com/app --exec=/bin/sh -- -c 'echo x >/etc/resolv.conf'
expect_stderr 'Read-only' "which it cannot write"
is "flavor fly: the host's file" "$(show --stage1-name=coreos.com/rkt/stage1-fly example.com/app)" "$(cat "$T/host-etc/resolv.conf")"
is "two apps have one each" "$(on_host run --net=default example.com/app --name=a --exec=/bin/cat -- /etc/resolv.conf --- \
	example.com/app --name=b --exec=/bin/cat -- /etc/resolv.conf 2>/dev/null | grep -c 'nameserver 192\.0\.2\.53')" 2
is "users of its own: the same" "$(servers --net=default --private-users example.com/app | grep -c nameserver)" 2
is "a root that cannot be written: the same" "$(servers --net=default example.com/app --readonly-rootfs=true | grep -c nameserver)" 2
is "no overlay: the same" "$(servers --net=default --no-overlay example.com/app | grep -c nameserver)" 2

# ---- who says otherwise --------------------------------------------------------------------------

is "--dns" "$(servers --net=default --dns=198.51.100.7 example.com/app)" 'nameserver 198.51.100.7'
is "--dns=none" "$(show --net=default --dns=none example.com/app)" none
is "--dns=host is the very file" "$(show --net=default --dns=host example.com/app)" "$(cat "$T/host-etc/resolv.conf")"
mkdir -p "$T/own/etc" "$T/void/etc" "$T/dangling/etc" "$T/odd/etc/resolv.conf" "$T/vol/etc"
echo 'nameserver 198.51.100.1' >"$T/own/etc/resolv.conf"
: >"$T/void/etc/resolv.conf"
ln -s ../run/systemd/resolve/stub-resolv.conf "$T/dangling/etc/resolv.conf"
for name in own void dangling odd; do
	make_image "example.com/$name" "$T/$name"
	rkt fetch --insecure-options=image "$image" >/dev/null 2>&1
done
is "the image, if its file says anything" "$(show --net=default example.com/own)" 'nameserver 198.51.100.1'
is "also with the host's network" "$(show --net=host example.com/own)" 'nameserver 198.51.100.1'
is "not if it is empty, as docker leaves it" "$(servers --net=default example.com/void | grep -c nameserver)" 2
is "nor if it is a link to what only a running system has" "$(servers --net=default example.com/dangling | grep -c nameserver)" 2
is "an image with something else there runs as it is" "$(on_host run --net=default example.com/odd --exec=/bin/sh -- -c 'test -d /etc/resolv.conf && echo dir' 2>/dev/null)" dir
: >"$T/vol/empty"
volume="--volume=r,kind=host,source=$T/vol/empty"
is "a volume, also an empty one" "$(show --net=default "$volume" example.com/app --mount=volume=r,target=/etc/resolv.conf)" ""
volume="--volume=r,kind=host,source=$T/vol/etc"
is "a volume above it" "$(show --net=default "$volume" example.com/app --mount=volume=r,target=/etc)" none
is "nothing is made in it" "$(ls "$T/vol/etc")" ""

# ---- what the host may have ----------------------------------------------------------------------

printf 'nameserver 127.0.0.53\noptions edns0\n' >"$T/host-etc/resolv.conf"
is "a host with a resolver of its own only: none" "$(show --net=default example.com/app)" none
printf 'nameserver 192.0.2.99\nsearch three.example\n' >"$T/host-run/resolve/resolv.conf"
is "unless it is systemd's, which says whom it asks" "$(servers --net=default example.com/app)" 'nameserver 192.0.2.99
search three.example'
rm "$T/host-etc/resolv.conf"
ln -s /run/systemd/resolve/resolv.conf "$T/host-etc/resolv.conf"
is "a link is followed" "$(servers --net=default example.com/app | head -n 1)" 'nameserver 192.0.2.99'
rm "$T/host-etc/resolv.conf" "$T/host-run/resolve/resolv.conf"
is "a host without the file: none" "$(show --net=default example.com/app)" none
is "with its network, too" "$(show --net=host example.com/app)" none
printf 'search only.example\n' >"$T/host-etc/resolv.conf"
is "a search list without servers: none" "$(show --net=default example.com/app)" none

# ---- apps that are added -------------------------------------------------------------------------

printf 'nameserver 192.0.2.53\n' >"$T/host-etc/resolv.conf"
for net in default host; do
	on_host app sandbox --net=$net --uuid-file-save="$T/uuid-$net" >"$T/$net.out" 2>&1 </dev/null &
	pid=$!
	pids="$pids $pid"
	check "$net: there is a pod" wait_for 20 test -s "$T/uuid-$net"
	uuid=$(cat "$T/uuid-$net")
	check "$net: it is ready" wait_for 20 rkt status --wait-ready=5s "$uuid"
	check "$net: an app is added" on_host app add "$uuid" example.com/app --name=late --exec=/bin/sleep -- 300
	check "$net: and started" on_host app start --app=late "$uuid"
	run on_host enter --app=late "$uuid" /bin/cat /etc/resolv.conf
	expect_stdout '^nameserver 192\.0\.2\.53$' "$net: it has the host's servers"
	rkt stop "$uuid" >/dev/null 2>&1
	wait "$pid"
done
