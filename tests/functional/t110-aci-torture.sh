#!/bin/sh
# Every image of the torture list against unpack: refused with a line that names it, or extracted exactly;
# a canary tree beside the target is never touched.  Then what a list cannot hold: a full disk, a read-only
# target, kill -9 in the middle, and what GNU tar makes of the same archives.
. "${0%/*}/lib.sh"
need python3 zstd tar
need_root
unpack=$RKT_BUILD/lib/rkt/stage0/unpack
mkaci=$RKT_BUILD/bin/mkaci
here=$(cd "${0%/*}" && pwd)

cases() {
	mkdir "$T/torture"
	PYTHONDONTWRITEBYTECODE=1 python3 "$here/torture/run.py" "$unpack" "$T/torture" >"$T/points" 2>"$T/err"
	status=$?
	: >"$T/out"
	while IFS= read -r line; do
		case $line in
		"ok "*) ok "${line#ok }" ;;
		"not ok "*) not_ok "${line#not ok }" ;;
		*) echo "$line" ;;
		esac
	done <"$T/points"
	# A list that ended early is no list.
	check "the whole list was run" test "$(grep -c '^ok' "$T/points")" -ge 380
	expect_status 0 "no case failed"
}

# extract IMAGE DIR: both programs; the reply of extract is in $T/reply.
extract() {
	mkfifo "$T/pipe.$$"
	"$unpack" extract 3<"$T/pipe.$$" 4>"$T/reply" 5<"$2" &
	_pid=$!
	"$unpack" inflate 3<"$1" 4>"$T/pipe.$$" 5>"$T/reply.inflate"
	wait "$_pid"
	_status=$?
	rm -f "$T/pipe.$$"
	return $_status
}

listing() {
	(cd "$1" && find . -printf '%p\t%y\t%m\t%U:%G\t%n\t%l\t%T@\t%s\n' | sed 's/\(\td\t.*\)\t[0-9]*$/\1/' | LC_ALL=C sort)
	(cd "$1" && find . -type f -exec sha256sum {} + | LC_ALL=C sort)
}

make_tree() {
	mkdir -p "$1/rootfs/bin" "$1/rootfs/deep/er" "$1/rootfs/closed"
	cp "$(command -v busybox || command -v ls)" "$1/rootfs/bin/busybox"
	for n in sh ls cat; do ln "$1/rootfs/bin/busybox" "$1/rootfs/bin/$n"; done
	ln -s ../bin/busybox "$1/rootfs/deep/link"
	printf 'x%.0s' $(seq 150) >"$1/rootfs/deep/er/$(printf 'n%.0s' $(seq 180))"
	mknod "$1/rootfs/null" c 1 3
	mknod "$1/rootfs/loop" b 7 0
	mkfifo "$1/rootfs/fifo"
	chown 1000:4294967294 "$1/rootfs/deep/er"
	chmod 4755 "$1/rootfs/bin/busybox"
	chmod 1777 "$1/rootfs/deep"
	printf 'a' >"$1/rootfs/closed/file"
	touch -h -d '1969-12-31 23:59:58.75 UTC' "$1/rootfs/deep/link"
	touch -d '2100-01-02 03:04:05.123456789 UTC' "$1/rootfs/closed/file"
	touch -d '1970-01-01 UTC' "$1/rootfs/bin"
	chmod 0555 "$1/rootfs/closed"
	printf '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/tree"}' >"$1/manifest"
}

# ---- the same archive by GNU tar and by us ----
differential() {
	make_tree "$T/src"
	for format in gnu posix ustar; do
		if [ "$format" = ustar ]; then
			chown 1000:1000 "$T/src/rootfs/deep/er"
			touch -d '2001-01-01 UTC' "$T/src/rootfs/closed/file"
			touch -h -d '2001-01-01 UTC' "$T/src/rootfs/deep/link"
		fi
		tar --format=$format --numeric-owner -C "$T/src" -czf "$T/$format.aci" manifest rootfs
		mkdir "$T/tar.$format" "$T/ours.$format"
		tar --numeric-owner -xpzf "$T/$format.aci" -C "$T/tar.$format" rootfs
		check "$format: extracted" extract "$T/$format.aci" "$T/ours.$format"
		listing "$T/tar.$format/rootfs" >"$T/want"
		listing "$T/ours.$format/rootfs" >"$T/got"
		check "$format: the same tree as by tar" diff -u "$T/want" "$T/got"
	done
	for kind in none gzip bzip2 xz zstd; do
		"$mkaci" --compression=$kind "$T/src" "$T/$kind.aci"
		"$unpack" inflate 3<"$T/$kind.aci" 4>"$T/tar.$kind" 5>/dev/null
		check "mkaci $kind: GNU tar reads it" tar -tf "$T/$kind.aci"
		check "mkaci $kind: the same tar" cmp "$T/tar.none" "$T/tar.$kind"
	done
	"$mkaci" --compression=gzip "$T/src" "$T/again.aci"
	check "mkaci: the same bytes twice" cmp "$T/gzip.aci" "$T/again.aci"
	mkdir "$T/ours.mkaci"
	check "mkaci: extracted" extract "$T/gzip.aci" "$T/ours.mkaci"
	listing "$T/src/rootfs" >"$T/want"
	listing "$T/ours.mkaci/rootfs" >"$T/got"
	check "mkaci: the same tree" diff -u "$T/want" "$T/got"
	echo '{' >"$T/src/manifest"
	refute "mkaci: bad manifest" "$mkaci" "$T/src" "$T/bad.aci"
	refute "mkaci: nothing left of it" ls "$T/bad.aci" "$T/bad.aci.new"
}

# ---- row 60: what happens around us ----
big_image() {
	mkdir -p "$T/big/rootfs"
	head -c 30000000 /dev/urandom >"$T/big/rootfs/blob"
	printf '{"acKind":"ImageManifest","acVersion":"0.8.11","name":"example.com/big"}' >"$T/big/manifest"
	"$mkaci" --compression=none "$T/big" "$T/big.aci"
}

# In a mount namespace of its own: $1 = options of the tmpfs, $2 = remount options or "".
on_tmpfs() {
	mkdir -p "$T/mnt"
	mkfifo "$T/pipe"
	# shellcheck disable=SC2016
	unshare -m --propagation private sh -c '
		mount -t tmpfs -o "$1" tmpfs "$T/mnt" && mkdir "$T/mnt/t" || exit 9
		[ -z "$2" ] || mount -o remount,"$2" "$T/mnt" || exit 9
		"$3" extract 3<"$T/pipe" 4>"$T/reply" 5<"$T/mnt/t" &
		"$3" inflate 3<"$T/big.aci" 4>"$T/pipe" 5>"$T/reply.inflate"
		wait $!' sh "$1" "$2" "$unpack" 2>"$T/err"
	status=$?
	rm -f "$T/pipe"
}

surroundings() {
	big_image
	on_tmpfs size=10m ""
	expect_status 1 "60 full disk: refused"
	like "60 full disk: says so" "$(cat "$T/reply")" 'entry ."rootfs/blob.": write: No space left on device'
	like "60 full disk: inflate ends too" "$(cat "$T/reply.inflate")" 'Broken pipe'
	on_tmpfs size=50m ro
	expect_status 1 "60 read-only target: refused"
	like "60 read-only target: says so" "$(cat "$T/reply")" 'Read-only file system'
	mkdir "$T/killed" "$T/second"
	mkfifo "$T/pipe"
	"$unpack" extract 3<"$T/pipe" 4>"$T/reply" 5<"$T/killed" &
	pid=$!
	{
		head -c 5000000 "$T/big.aci"
		kill -9 $pid
	} >"$T/pipe"
	wait $pid 2>/dev/null
	is "60 killed in the middle: no reply" "$(wc -c <"$T/reply")" 0
	check "60 then again" extract "$T/big.aci" "$T/second"
	check "60 the same bytes" cmp "$T/big/rootfs/blob" "$T/second/rootfs/blob"
	mkdir "$T/a" "$T/b"
	"$unpack" extract 3<"$T/big.aci" 4>"$T/reply.a" 5<"$T/a" &
	pid=$!
	"$unpack" extract 3<"$T/big.aci" 4>"$T/reply.b" 5<"$T/b"
	wait $pid
	check "60 two at once" diff -r "$T/a" "$T/b"
	like "60 both said so" "$(head -qn 1 "$T/reply.a" "$T/reply.b" | sort -u)" '^\{"ok":true'
}

usage() {
	run "$unpack"
	expect_status 2 "no mode"
	run "$unpack" explode
	expect_status 2 "unknown mode"
	run "$unpack" extract --max-bytes=x
	expect_status 2 "malformed limit"
	run "$unpack" extract --max-bytes=-1
	expect_status 2 "negative limit"
	run "$unpack" extract extra
	expect_status 2 "extra argument"
	run "$unpack" inflate
	expect_status 2 "no descriptors"
}

cases
differential
surroundings
usage
finish
