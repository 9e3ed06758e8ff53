#!/bin/sh
# T64: list and gc of ten thousand exited pods with 256 descriptors, counted; what list shows comes from summaries or manifests alike.
. "${0%/*}/lib.sh"
need_root
need strace python3
accept_unsigned
PODS=10000
LIST_CALLS=9 # for each pod of a list that has a summary
IMAGE_EXEC='["/bin/true"]' make_image example.com/true
IMAGE_FILE=two.aci IMAGE_VERSION=2.0 make_image example.com/two
rkt fetch "$T/images/true.aci" "$T/images/two.aci" >/dev/null 2>&1
pods=$RKT_DIR/pods/run

# ---- a summary says what the manifest says
rkt run --net=none example.com/true >/dev/null 2>&1
one=$(find "$pods" -mindepth 1 -maxdepth 1)
rkt run --net=none example.com/two --name=first --- example.com/true --name=second --exec=/bin/false >/dev/null 2>&1
two=$(find "$pods" -mindepth 1 -maxdepth 1 ! -path "$one")
uuid=$(rkt prepare example.com/two 2>/dev/null)
# Time passes between two lists: neither ages nor the widths that they give to columns count.
shown() { rkt list "$@" | tr -s '\t' | sed 's/[0-9]* \(second\|minute\|hour\)s\{0,1\} ago/AGO/g; s/now/AGO/g'; }
check "an ended pod has a summary" test -L "$one/summary"
like "of its apps" "$(readlink "$two/summary")" '^1 first example.com/two:2.0 sha512-[0-9a-f]{12} second example.com/true:1.0.0 sha512-[0-9a-f]{12}$'
shown >"$T/with"
shown --full >"$T/with.full"
rkt list --format=json >"$T/with.json"
is "list shows all of it" "$(grep -c -e 'first.*two:2.0' -e 'second.*true:1.0.0' -e 'true.*exited' -e 'two.*prepared' "$T/with")" 4
# odd TEXT: list reads the manifest instead
odd() {
	for _p in "$one" "$two" "$RKT_DIR/pods/prepared/$uuid"; do
		rm -f "$_p/summary"
		[ -z "$1" ] || ln -s "$1" "$_p/summary"
	done
	shown | cmp -s - "$T/with" && shown --full | cmp -s - "$T/with.full" && rkt list --format=json | cmp -s - "$T/with.json"
}
id=$(readlink "$one/summary" | grep -o 'sha512-.*')
check "the same without" odd ''
check "the same with one of another version" odd "2 evil example.com/evil $id"
check "with an app too few words" odd "1 evil example.com/evil"
check "with words too many" odd "1 evil example.com/evil $id more"
check "with a name that is none" odd "1 Evil! example.com/evil $id"
check "with a control character" odd "1 evil example.com/$(printf '\033')[31m $id"
check "with half an id" odd "1 evil example.com/evil sha512-12"
check "with two spaces" odd "1 evil  example.com/evil $id"
check "with no end" odd "1 $(printf '%01500d' 1)"
rm -f "$one/summary"
mkdir "$one/summary"
check "with a directory in its place" sh -c "$RKT --dir=$RKT_DIR list | grep -q true:1.0.0"
rmdir "$one/summary"
ln -s "1 true example.com/true:1.0.0 $id" "$one/summary"
rkt rm "${two##*/}" "$uuid" >/dev/null 2>&1
# What a summary cannot say, the manifest says.
IMAGE_FILE=odd.aci IMAGE_VERSION='1 0' make_image example.com/odd
rkt fetch "$T/images/odd.aci" >/dev/null 2>&1
uuid=$(rkt prepare example.com/odd 2>/dev/null)
refute "an odd version makes no summary" test -L "$RKT_DIR/pods/prepared/$uuid/summary"
check "and is listed" sh -c "$RKT --dir=$RKT_DIR list | grep -q 'odd:1 0'"
rkt rm "$uuid" >/dev/null 2>&1

# ---- many: all files of the top directory and the records of the apps are the same files; no roots, for brevity
python3 - "$one" $PODS <<'END'
import os, sys
one, n = sys.argv[1], int(sys.argv[2])
base = os.path.dirname(one)
files = [f.name for f in os.scandir(one) if f.is_file(follow_symlinks=False)]
links = [(f.name, os.readlink(f.path)) for f in os.scandir(one) if f.is_symlink()]
for i in range(1, n):
	pod = '%s/%08x-0000-4000-8000-%012x' % (base, i, i)
	os.makedirs(pod + '/appsinfo/true', 0o750)
	for f in files:
		os.link(one + '/' + f, pod + '/' + f)
	for name, to in links:
		os.symlink(to, pod + '/' + name)
END
limited() {
	(
		# shellcheck disable=SC3045 # every sh of ours has it
		ulimit -n 256
		"$@"
	)
}
run limited traced strace -qq -o "$T/calls" "$RKT" --dir="$RKT_DIR" list --no-legend
expect_status 0 "T64: list of $PODS pods with 256 descriptors"
is "every pod is listed" "$(wc -l <"$T/out")" $PODS
n=$(grep -vcE '\+\+\+|---|<unfinished' "$T/calls")
diag "system calls of list with $PODS pods: $n"
check "with at most $LIST_CALLS calls a pod" test "$n" -le $((LIST_CALLS * PODS + 2000))
run limited rkt list --format=json
is "in JSON, too" "$(grep -o '"state":"exited"' "$T/out" | wc -l)" $((PODS * 2))
run limited rkt gc
expect_status 0 "gc marks $PODS pods with 256 descriptors"
is "all of them" "$(grep -c moving "$T/err")" $PODS
run limited rkt gc --grace-period=0s
expect_status 0 "T64: gc of $PODS pods with 256 descriptors"
is "every pod is gone" "$(find "$RKT_DIR/pods" -mindepth 2 -maxdepth 2 | wc -l)" 0
