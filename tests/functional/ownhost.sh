# shellcheck shell=sh
# ownhost.sh TEST [ARG...]: in new namespaces of network and mounts, makes a host of them and becomes TEST (lib.sh and hostlib.sh).
#
# What programs write outside of the test's folder (podman's and plugins' state and locks) is the test's own as well, where there is
# such a folder.  RKT_TEST_HOST=net: /sys shows the new network, too.
servers=$(readlink -f /etc/resolv.conf)
case $servers in /run/*) text=$(cat "$servers") ;; *) servers= ;; esac
for dir in /run /var/lib/cni /var/lib/containers /etc/cni/net.d; do
	[ ! -d $dir ] || mount -t tmpfs -o mode=755 tmpfs $dir
done
[ -z "$servers" ] || { mkdir -p "${servers%/*}" && printf '%s\n' "$text" >"$servers"; }
if [ "$RKT_TEST_HOST" = net ]; then
	mount -t sysfs sysfs /sys 2>/dev/null && mount --rbind /proc/1/root/sys/fs/cgroup /sys/fs/cgroup 2>/dev/null
fi
# A new namespace has the settings of the first one.
echo 0 >/proc/sys/net/ipv4/ip_forward
echo 0 >/proc/sys/net/ipv6/conf/all/forwarding
ip link set lo up
exec sh "$@"
