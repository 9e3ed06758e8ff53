#!/bin/sh
# One image imported twice at once, an import that is killed at any moment or has no room: the store stays good and the next one succeeds.
. "${0%/*}/lib.sh"
need_root
accept_unsigned
mkdir -p "$T/more/many"
i=0
while [ $i -lt 400 ]; do
	i=$((i + 1))
	echo $i >"$T/more/many/$i"
done
head -c 24M /dev/urandom >"$T/more/ballast"
make_image example.com/app "$T/more"

# good DESCRIPTION: the image is there, whole, once, and nothing unfinished is left after gc.
good() {
	run rkt image verify example.com/app
	expect_status 0 "$1: the store holds what was imported"
	is "$1: as one image" "$(rkt image list --fields=id --full --no-legend | wc -l)" 1
	is "$1: with one tree" "$(find "$RKT_DIR/cas/tree" -mindepth 1 -maxdepth 1 | wc -l)" 1
	rkt gc >/dev/null 2>&1
	is "$1: nothing is unfinished" "$(ls "$RKT_DIR/cas/tmp")" ""
}

# ---- two at once (formats.md section 17, 60)
start_rkt fetch --full "$image"
first=$pid
run rkt fetch --full "$image"
expect_status 0 "the second of two"
wait "$first"
is "the first of two" $? 0
is "both get the same id" "$(cat "$T/bg.out")" "$(out)"
good "two at once"

# ---- both have extracted it before either may publish
id=$(rkt image list --fields=id --full --no-legend)
rkt image rm "$id" >/dev/null 2>&1
# shellcheck disable=SC2016 # for the inner shell
start flock "$RKT_DIR/locks/image,$id" sh -c 'touch "$T/held"; until [ -e "$T/go" ]; do sleep 0.05; done'
wait_for 5 test -e "$T/held"
rkt fetch --full "$image" >"$T/one" 2>&1 &
one=$!
rkt fetch --full "$image" >"$T/two" 2>&1 &
two=$!
both() { [ "$(find "$RKT_DIR/cas/tmp" -path '*/rootfs/bin/busybox' | wc -l)" -eq 2 ]; }
check "formats.md 17, 60: two extractions of one image stand side by side" wait_for 20 both
is "neither is published" "$(ls "$RKT_DIR/cas/tree")" ""
touch "$T/go"
wait "$one"
is "the one that comes first" $? 0
wait "$two"
is "the one that comes second" $? 0
is "both get the same id" "$(tail -n 1 "$T/one") $(tail -n 1 "$T/two")" "$id $id"
good "two extractions"

# ---- killed (threats.md section 4.3)
workers() { find /proc/[0-9]*/cwd /proc/[0-9]*/root /proc/[0-9]*/fd -maxdepth 1 -lname "$RKT_DIR/*" 2>/dev/null; }
none() { [ -z "$(workers)" ]; }
killed_early=0
id=$(rkt image list --fields=id --full --no-legend)
for ms in 1 5 20 40 80 120 180 250 350 500; do
	# By id: killed between document and name, it has none.
	[ -z "$id" ] || rkt image rm "$id" >/dev/null 2>&1
	start_rkt fetch "$image"
	sleep "$(printf '0.%03d' $ms)"
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	[ $? -ne 137 ] || killed_early=$((killed_early + 1))
	check "killed after $ms ms: its helpers end by themselves" wait_for 20 none
	run rkt image list --fields=id --full --no-legend
	expect_status 0 "killed after $ms ms: the store can be read"
	id=$(grep "^sha512-" "$T/out")
	if [ -n "$id" ]; then
		run rkt image verify "$id"
		expect_status 0 "killed after $ms ms: what is listed is whole"
	fi
done
check "some of them were killed at work" test "$killed_early" -ge 3
run rkt fetch "$image"
expect_status 0 "the next import succeeds"
good "after all this"
run rkt run --net=none example.com/app -- exit=7
expect_status 7 "and the image runs"

# ---- a full disk at several places (formats.md section 17, 60): one line, and the next import succeeds where there is room
cat >"$T/full.sh" <<'END'
	rkt() { "$RKT" --dir="$T/disk" --local-config="$T/etc" --system-config="$T/lib" --insecure-options=image "$@"; }
	mount -t tmpfs -o "size=$1" tmpfs "$T/disk" || exit 9
	rkt fetch "$2" >"$T/out" 2>"$T/err"
	echo "fetch=$?"
	rkt image list --no-legend >"$T/listed" 2>&1
	echo "list=$?:$(grep -c sha512 "$T/listed")"
	rkt image gc --grace-period=0s >"$T/gc" 2>&1
	echo "gc=$?:$(find "$T/disk/cas" -type f | wc -l):$(find "$T/disk/cas/tree" "$T/disk/cas/tmp" -mindepth 1 | wc -l)"
	mount -o remount,size=300m "$T/disk" && rkt fetch --full "$2" >"$T/again" 2>&1
	echo "again=$?:$(rkt image verify "$(tail -n 1 "$T/again")" >/dev/null 2>&1 && echo whole)"
END
mkdir "$T/disk"
for room in 100k 10m 30m 44m; do
	run unshare -m --propagation private sh "$T/full.sh" $room "$image"
	expect_status 0 "a disk of $room"
	mv "$T/out" "$T/said"
	is "$room: the import fails, nothing is listed, nothing is left" "$(head -n 3 "$T/said" | tr '\n' ' ')" "fetch=254 list=0:0 gc=0:0:0 "
	is "$room: and then succeeds" "$(tail -n 1 "$T/said")" "again=0:whole"
done
