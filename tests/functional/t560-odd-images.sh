#!/bin/sh
# The compatibility corpus of threats.md section 4.4: images that are odd and must run all the same.
. "${0%/*}/lib.sh"
need_root
accept_unsigned

# image NAME DIR: stored; DIR lies over the usual tree.
image() {
	make_image "example.com/$1" "$2" && rkt fetch --insecure-options=image "$image" >/dev/null 2>&1
}
# bare NAME DIR: the tree is DIR and nothing else.
bare() {
	mkdir -p "$T/pack"
	mv "$2" "$T/pack/rootfs"
	make_manifest "example.com/$1" >"$T/pack/manifest"
	rm -f "$T/images/$1.aci"
	"$RKT_BUILD/bin/mkaci" "$T/pack" "$T/images/$1.aci" && rkt fetch --insecure-options=image "$T/images/$1.aci" >/dev/null 2>&1
	rm -rf "$T/pack"
}
app() { run rkt run --net=none "$@"; }
echo canary >"$T/canary"
mkdir "$T/dir"
echo seen >"$T/dir/file"

# ---- targets of volumes that are links --------------------------------------------------------------

mkdir -p "$T/links/data" "$T/links/var" "$T/links/run"
ln -s /nowhere/dir "$T/links/data/dir"
ln -s ../nowhere/file "$T/links/data/file"
ln -s "$T/canary" "$T/links/data/out"
ln -s /run "$T/links/var/run"
ln -s /proc/mounts "$T/links/data/mounts"
check "an image full of links is stored" image links "$T/links"
app --volume=d,kind=host,source="$T/dir" example.com/links --mount=volume=d,target=/data/dir --exec=/bin/cat -- /nowhere/dir/file
is "K: a dangling link as the target of a directory is made inside" "$(out)" seen
app --volume=f,kind=host,source="$T/dir/file" example.com/links --mount=volume=f,target=/data/file --exec=/bin/cat -- /nowhere/file
is "K: and as the target of a file" "$(out)" seen
app --volume=f,kind=host,source="$T/dir/file" example.com/links --mount=volume=f,target=/data/out --exec=/bin/cat -- "$T/canary"
is "K: a link to a file of the host leads into the image" "$(out)" seen
is "the host's file is untouched" "$(cat "$T/canary")" canary
app --volume=d,kind=host,source="$T/dir" example.com/links --mount=volume=d,target=/var/run/x --exec=/bin/cat -- /run/x/file
is "K: /var/run is a link to /run" "$(out)" seen

# ---- /etc -----------------------------------------------------------------------------------------

mkdir -p "$T/etc-links/etc"
ln -s /run/systemd/resolve/stub-resolv.conf "$T/etc-links/etc/resolv.conf"
ln -s /proc/self/mounts "$T/etc-links/etc/mtab"
ln -s "$T/canary" "$T/etc-links/etc/hosts"
ln -s "$T/canary" "$T/etc-links/etc/hostname"
check "an image whose /etc is links is stored" image etc "$T/etc-links"
app --dns=192.0.2.1 example.com/etc --exec=/bin/cat -- /etc/resolv.conf
expect_stdout '^nameserver 192.0.2.1$' "K: resolv.conf is an absolute link to nothing"
app example.com/etc --exec=/bin/head -- -n 1 /etc/mtab
expect_stdout ' / overlay ' "K: mtab is an absolute link"
is "K: nothing is written through links to the host" "$(cat "$T/canary")" canary

# ---- roots ----------------------------------------------------------------------------------------

mkdir -p "$T/root700/bin"
cp "$(command -v busybox)" "$T/root700/bin/busybox"
cp "$RKT_BUILD/tests/inspect" "$T/root700/bin/inspect"
chmod 700 "$T/root700"
check "an image with / of mode 0700 is stored" bare root700 "$T/root700"
app example.com/root700 --exec=/bin/busybox -- stat -c %a /
is "K: / keeps its mode 0700; there is neither /etc, /tmp, /dev, /proc nor /sys in the image" "$(out)" 700
app example.com/root700 --exec=/bin/busybox -- ls -d /proc/self /dev/null /sys/kernel /tmp
expect_status 0 "K: they are there all the same"
app example.com/root700 --user=1234 --group=1234 --exec=/bin/inspect
expect_status 254 "K: a user who may not enter / gets no program"
expect_stderr 'Permission denied' "and hears why"

mkdir -p "$T/setgid/bin"
cp "$(command -v busybox)" "$T/setgid/bin/busybox"
cp "$RKT_BUILD/tests/inspect" "$T/setgid/bin/inspect"
echo x >"$T/setgid/nobodys"
chown 65534:65534 "$T/setgid/nobodys"
chgrp 100 "$T/setgid"
chmod 2775 "$T/setgid"
check "an image with a set-group-id / is stored" bare setgid "$T/setgid"
app example.com/setgid --user=1234 --group=100 --exec=/bin/busybox -- sh -c 'busybox stat -c "%a %u %g" / /nobodys; busybox touch /mine && busybox stat -c %g /mine'
is "K: / keeps set-group-id and group, files of 65534 their owner" "$(out)" "2775 0 100
644 65534 65534
100"

# ---- where the data directory lies ----------------------------------------------------------------

mkdir "$T/shared"
cat >"$T/shared.sh" <<'END'
set -e
mount -t tmpfs tmpfs "$1"
mount --make-shared "$1"
mkdir -p "$1/data"
before=$(wc -l </proc/self/mountinfo)
"$2" --dir="$1/data" --local-config="$3" --system-config="$4" --insecure-options=image run --net=none "$5" --exec=/bin/echo -- ran
after=$(wc -l </proc/self/mountinfo)
echo "mounts $((after - before))"
END
IMAGE_FILE=plain.aci make_image example.com/plain
run unshare -m --propagation private sh "$T/shared.sh" "$T/shared" "$RKT" "$T/etc" "$T/lib" "$image"
is "K: on a shared mount nothing comes back to the host" "$(out)" "ran
mounts 0"
mkdir "$T/real"
ln -s "$T/real" "$T/linked-data"
run "$RKT" --dir="$T/linked-data" --local-config="$T/etc" --system-config="$T/lib" --insecure-options=image run --net=none "$image" \
	--exec=/bin/echo -- ran
is "K: a data directory that is a link" "$(out)" ran
"$RKT" --dir="$T/linked-data" --local-config="$T/etc" --system-config="$T/lib" gc --grace-period=0s >/dev/null 2>&1
