#!/bin/sh
# The same archive by GNU tar and by unpack gives the same tree; a full disk, a read-only target and a killed
# extractor end in one clear line.
. "${0%/*}/lib.sh"
need tar unshare
need_root
unpack=$RKT_BUILD/lib/rkt/stage0/unpack

# extract IMAGE DIR: both programs; the reply is in $T/reply.
extract() {
	mkfifo "$T/pipe"
	"$unpack" extract 3<"$T/pipe" 4>"$T/reply" 5<"$2" &
	_pid=$!
	"$unpack" inflate 3<"$1" 4>"$T/pipe" 5>"$T/reply.inflate"
	wait "$_pid"
	_status=$?
	rm -f "$T/pipe"
	return $_status
}

listing() {
	(cd "$1" && find . ! -type d -printf '%p\t%y\t%m\t%U:%G\t%n\t%l\t%T@\t%s\n' -o -printf '%p\t%y\t%m\t%U:%G\t%T@\n' | LC_ALL=C sort)
	(cd "$1" && find . -type f -exec sha256sum {} + | LC_ALL=C sort)
}

root=$T/src/rootfs
mkdir -p "$root/bin" "$root/deep/er" "$root/closed"
printf 'program' >"$root/bin/one"
for n in two three; do ln "$root/bin/one" "$root/bin/$n"; done
ln -s ../bin/one "$root/deep/link"
echo x >"$root/deep/er/$(printf 'n%.0s' $(seq 180))"
mknod "$root/null" c 1 3
mkfifo "$root/fifo"
chown 1000:3000000 "$root/deep/er"
chmod 4755 "$root/bin/one"
chmod 1777 "$root/deep"
printf 'a' >"$root/closed/file"
touch -h -d '1969-12-31 23:59:58 UTC' "$root/deep/link"
touch -d '2100-01-02 03:04:05.123456789 UTC' "$root/closed/file"
touch -d '1970-01-01 UTC' "$root/bin"
chmod 0555 "$root/closed"
printf '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/tree"}' >"$T/src/manifest"

truncate -s 3M "$root/holes"
for n in 0 1000000 2000000; do printf 'piece at %s' $n | dd of="$root/holes" bs=1 seek=$n conv=notrunc 2>/dev/null; done
truncate -s 1M "$root/one-hole"

for format in gnu posix gnu-sparse posix-sparse-0.0 posix-sparse-0.1 posix-sparse-1.0; do
	sparse=
	case $format in *-sparse-*) sparse="--sparse --sparse-version=${format##*-}" ;; *-sparse) sparse=--sparse ;; esac
	# shellcheck disable=SC2086 # several words, or none
	tar --format=${format%%-*} $sparse --numeric-owner -C "$T/src" -czf "$T/$format.aci" manifest rootfs
	mkdir "$T/tar.$format" "$T/ours.$format"
	tar --numeric-owner -xpzf "$T/$format.aci" -C "$T/tar.$format" rootfs
	check "$format: extracted" extract "$T/$format.aci" "$T/ours.$format"
	listing "$T/tar.$format/rootfs" >"$T/want"
	listing "$T/ours.$format/rootfs" >"$T/got"
	check "$format: the same tree as by tar" diff -u "$T/want" "$T/got"
	is "$format: holes take no room" "$(stat -c %b "$T/ours.$format/rootfs/one-hole")" 0
done
"$RKT_BUILD/bin/mkaci" "$T/src" "$T/ours.aci"
mkdir "$T/packed"
check "mkaci: extracted" extract "$T/ours.aci" "$T/packed"
listing "$root" >"$T/want"
listing "$T/packed/rootfs" >"$T/got"
check "mkaci: the same tree" diff -u "$T/want" "$T/got"

# on_tmpfs OPTIONS REMOUNT: the 30 MB image onto a file system of that kind, in a mount namespace of its own.
mkdir -p "$T/big/rootfs" "$T/mnt"
head -c 30000000 /dev/urandom >"$T/big/rootfs/blob"
cp "$T/src/manifest" "$T/big/manifest"
"$RKT_BUILD/bin/mkaci" --compression=none "$T/big" "$T/big.aci"
on_tmpfs() {
	# shellcheck disable=SC2016
	unshare -m --propagation private sh -c '
		mount -t tmpfs -o "$1" tmpfs "$T/mnt" && mkdir "$T/mnt/t" || exit 9
		[ -z "$2" ] || mount -o "remount,$2" "$T/mnt" || exit 9
		"$3" extract 3<"$T/big.aci" 4>"$T/reply" 5<"$T/mnt/t"' sh "$1" "$2" "$unpack" 2>"$T/err"
	# shellcheck disable=SC2034
	status=$?
}
on_tmpfs size=10m ""
expect_status 1 "full disk: refused"
like "full disk: says so" "$(cat "$T/reply")" 'rootfs/blob.*No space left on device'
on_tmpfs size=50m ro
expect_status 1 "read-only target: refused"
like "read-only target: says so" "$(cat "$T/reply")" 'Read-only file system'

run "$unpack" explode
expect_status 2 "unknown mode"
run "$unpack" extract --max-bytes=-1
expect_status 2 "negative limit"
