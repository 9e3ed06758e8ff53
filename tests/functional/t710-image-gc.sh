#!/bin/sh
# rkt image gc: what it removes, what pods keep, beside runs and imports, and killed at any call.
. "${0%/*}/lib.sh"
. "${0%/*}/crash.sh"
need_root
need strace flock gzip
accept_unsigned
make_image example.com/app
IMAGE_FILE=other.aci make_image example.com/other
app=$T/images/app.aci other=$T/images/other.aci
fetched() { rkt fetch --full "$1" 2>"$T/err"; }
id=$(fetched "$app")
other_id=$(fetched "$other")
cas=$RKT_DIR/cas
# aged ID: used last two days ago.
aged() { touch -d '2 days ago' "$cas/image/$1"; }
has_tree() { [ -d "$cas/tree/$1/rootfs" ]; }
has_image() { [ -e "$cas/image/$1" ]; }
blobs() { find "$cas/blob" -type f | wc -l; }
trees() { find "$cas/tree" -mindepth 1 -maxdepth 1 | wc -l; }
# dropped: what gc said, and that the image with all its files has gone.
dropped() {
	! has_image "$1" && [ ! -e "$cas/tree/$1" ] && [ ! -e "$cas/ref/name,$2" ]
}

# ---- by age
run rkt image gc
expect_status 0 "image gc"
is "says nothing when nothing is old" "$(cat "$T/out" "$T/err")" ""
check "and removes nothing" test "$(blobs) $(trees)" = "2 2"
aged "$id"
run rkt image gc --grace-period=72h
check "two days are less than three" has_image "$id"
run rkt image gc
expect_stdout "^successfully removed aci for image: \"$id\"$" "an image not used for a day goes"
expect_stderr '^rkt: gc: 1 image\(s\) successfully removed$' "and is counted"
check "with its tree, blob and name" dropped "$id" example.com%2Fapp
check "the other one stays" has_tree "$other_id"
is "so one blob is left" "$(blobs)" 1
aged "$other_id"
rkt run --net=none example.com/other -- exit=0 >"$T/out" 2>&1
run rkt image gc
check "to run an image is to use it" has_image "$other_id"
fails_with 'cannot be negative' "a negative period" rkt image gc --grace-period=-1s
run "$RKT" --dir="$T/none" image gc
expect_status 0 "no data directory is no error"

# ---- of pods in every state
rkt gc --grace-period=0s >/dev/null 2>&1
fetched "$app" >/dev/null
start_rkt run --net=none example.com/app --exec=/bin/sleep -- 600
wait_for 10 sh -c "ls $RKT_DIR/pods/run/*/appsinfo/app/pid"
run rkt image gc --grace-period=0s
check "of a running pod: the image stays" has_image "$id"
check "of no pod: it goes" dropped "$other_id" example.com%2Fother
kill "$pid"
wait "$pid" 2>/dev/null
run rkt image gc --grace-period=0s
refute "of an exited pod: the image goes" has_image "$id"
check "but not the files it stands on" has_tree "$id"
rkt gc --mark-only 2>/dev/null
run rkt image gc --grace-period=0s
check "nor when it is marked" has_tree "$id"
rkt gc --grace-period=0s >/dev/null 2>&1
run rkt image gc
expect_stderr "removed the files of image \"$id\"" "when the pod has gone, its files go, of whatever age"
is "and nothing is left" "$(find "$cas" -type f; trees)" 0

fetched "$app" >/dev/null
uuid=$(rkt prepare example.com/app -- exit=7 2>/dev/null)
run rkt image gc --grace-period=0s
check "of a prepared pod: the image stays" has_image "$id"
rkt image rm "$id" >/dev/null 2>&1
run rkt image gc --grace-period=0s
check "of a prepared pod whose image was removed: the tree stays" has_tree "$id"
run rkt run-prepared --net=none "$uuid"
expect_status 7 "and the pod runs"
rkt gc --grace-period=0s >/dev/null 2>&1
rkt image gc >/dev/null 2>&1
refute "then it goes" has_tree "$id"

# A pod that copied its image needs no tree.
fetched "$app" >/dev/null
uuid=$(rkt prepare --no-overlay example.com/app -- exit=7 2>/dev/null)
rkt image rm "$id" >/dev/null 2>&1
refute "copied: the tree goes with the image" has_tree "$id"
run rkt run-prepared --net=none "$uuid"
expect_status 7 "and the pod runs"

# The tree of a stage1 is one that a pod stands on.
fetched "$app" >/dev/null
uuid=$(rkt prepare --stage1-path="$RKT_BUILD/lib/rkt/stage1-images/stage1-fly.aci" example.com/app -- exit=7 2>/dev/null)
stage1=$(cat "$RKT_DIR/pods/prepared/$uuid/stage1TreeStoreID")
aged "$stage1"
run rkt image gc
check "of a prepared pod: the stage1 stays" has_image "$stage1"
rkt image rm "$stage1" "$id" >/dev/null 2>&1
run rkt image gc --grace-period=0s
check "with its tree, when it is removed" has_tree "$stage1"
run rkt run-prepared --net=host "$uuid"
expect_status 7 "and the pod runs with it"
rkt gc --grace-period=0s >/dev/null 2>&1
rkt image gc >/dev/null 2>&1
is "then both trees go" "$(trees)" 0

# What cannot be read may name anything.
fetched "$app" >/dev/null
aged "$id"
uuid=$(rkt prepare example.com/app 2>/dev/null)
aged "$id"
mv "$RKT_DIR/pods/prepared/$uuid/appsinfo/app/treeStoreID" "$T/kept"
run rkt image gc
refute "a pod without a list: the image goes" has_image "$id"
fetched "$app" >/dev/null
aged "$id"
mkdir "$RKT_DIR/pods/prepared/$uuid/appsinfo/app/treeStoreID"
run rkt image gc
check "a pod with an unreadable list: it stays" has_image "$id"
rkt rm "$uuid" >/dev/null 2>&1

# ---- what dead processes left
rkt image gc --grace-period=0s >/dev/null 2>&1
gzip -dc "$app" >"$T/images/app.tar.aci"
fetched "$app" >/dev/null
is "the same image in another compression is the same image" "$(fetched "$T/images/app.tar.aci")" "$id"
is "with one blob" "$(blobs)" 1
hex=$(printf '%0128d' 7)
mkdir -p "$cas/blob/sha512/00" "$cas/tree/sha512-$(printf '%064d' 1)" "$cas/tmp/dir-dead/rootfs" "$cas/blob/sha512/11"
echo x >"$cas/blob/sha512/00/$hex"
echo x >"$cas/blob/sha512/11/1$hex"
echo x >"$cas/tmp/dl-new"
echo x >"$cas/tmp/dl-old"
touch -d '2 days ago' "$cas/tmp/dl-old"
flock "$RKT_DIR/locks/blob,1$hex" -c "$(printf '%s --dir=%s image gc' "$RKT" "$RKT_DIR")" >"$T/out" 2>"$T/err"
status=$?
expect_status 0 "image gc among ruins"
expect_stderr "removed blob \"$hex\"" "a blob without an image goes"
check "one that somebody publishes stays" test -e "$cas/blob/sha512/11/1$hex"
is "so does the image's own" "$(blobs)" 2
is "a tree that was never finished goes" "$(trees)" 1
is "of unfinished work a new download stays" "$(ls "$cas/tmp")" dl-new
run rkt image gc --grace-period=0s
is "no period spares no blob, tree or download" "$(find "$cas" -type f; trees)" 0
fetched "$app" >/dev/null
flock "$RKT_DIR/locks/image,$id" -c "$(printf '%s --dir=%s image gc --grace-period=0s' "$RKT" "$RKT_DIR")" >"$T/out" 2>"$T/err"
check "an image that somebody works on is passed over" has_tree "$id"
echo '{' >"$cas/image/sha512-$(printf '%064d' 1)"
fails_with 'image document|read' "a document that cannot be read" rkt image gc
check "keeps all blobs" test "$(blobs)" -eq 1
rm "$cas/image/sha512-$(printf '%064d' 1)"

# ---- a run and a removal that meet: the pod says what it needs, then looks whether it is there
delayed() { # WHEN: a run that waits before or after it looks
	start traced strace -f -qq -o "$T/strace" -e trace=utimensat -e inject=utimensat:"$1"=6000000:when=1 "$RKT" \
		--dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" "$accept" run --net=none "$id" -- exit=7
	wait_for 10 sh -c "readlink $RKT_DIR/pods/prepare/*/appsinfo/app/treeStoreID"
	[ "$1" = delay_enter ] || wait_for 10 grep -q utimensat "$T/strace" || sleep 0.3
}
delayed delay_enter
run rkt image rm "$id"
expect_status 0 "an image is removed before the pod has looked"
wait "$pid"
is "the run fails" $? 254
like "and says why" "$(cat "$T/bg.err")" "^rkt: run: .*image $id was removed from the store meanwhile$"
fetched "$app" >/dev/null
delayed delay_exit
run rkt image gc --grace-period=0s
check "gc, after it has looked: the files stay" has_tree "$id"
run rkt image rm "$id"
check "rm: they stay, too" has_tree "$id"
wait "$pid"
is "the run does not notice" $? 7

# ---- sixteen at once, gc in a loop
together() { # PERIOD IMAGE
	: >"$T/loop"
	while [ -e "$T/loop" ]; do rkt image gc --grace-period="$1" >>"$T/gc.out" 2>&1 || echo bad >>"$T/gc.bad"; done &
	_loop=$!
	pids="$pids $_loop"
	_all=
	for _i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
		"$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" "$accept" run --net=none "$2" \
			-- exit=7 >"$T/out.$_i" 2>"$T/err.$_i" </dev/null &
		_all="$_all $!"
	done
	ran=0 refused=0
	for _p in $_all; do
		wait "$_p"
		case $? in
		7) ran=$((ran + 1)) ;;
		254) refused=$((refused + 1)) ;;
		esac
	done
	rm -f "$T/loop"
	wait "$_loop"
}
fetched "$app" >/dev/null
together 24h example.com/app
is "sixteen runs beside a gc in a loop" "$ran" 16
together 0s "$app"
is "beside one that removes all it can: they run or are refused" $((ran + refused)) 16
is "with one word of why" "$(grep -hc -e 'removed from the store meanwhile' -e 'no image' "$T"/err.* | awk '{ s += $1 } END { print s }')" "$refused"
diag "$ran ran"
check "not all are refused" test "$ran" -ge 1
refute "no gc failed" test -e "$T/gc.bad"
fetched "$app" >/dev/null
run rkt image verify "$id"
expect_status 0 "and the store is whole"

# ---- killed (T29)
rkt gc --grace-period=0s >/dev/null 2>&1
rkt image gc --grace-period=0s >/dev/null 2>&1
ruins() {
	fetched "$app" >/dev/null
	fetched "$other" >/dev/null
	uuid=$(rkt prepare example.com/other -- exit=7 2>/dev/null)
	rkt image rm "$other_id" >/dev/null 2>&1
	mkdir -p "$cas/blob/sha512/00"
	echo x >"$cas/blob/sha512/00/$hex"
}
sound() {
	why=
	rkt image list >"$T/list" 2>&1 || { why="image list: $(cat "$T/list")"; return 1; }
	! has_image "$id" || rkt image verify "$id" >"$T/list" 2>&1 || { why="verify: $(cat "$T/list")"; return 1; }
	run rkt run-prepared --net=none "$uuid"
	[ "$status" -eq 7 ] || { why="the pod of a removed image: $status $(err)"; return 1; }
	rkt gc --grace-period=0s >/dev/null 2>&1
	rkt image gc --grace-period=0s >"$T/list" 2>&1 || { why="the next gc: $(cat "$T/list")"; return 1; }
	[ "$(find "$cas" -type f; trees)" = 0 ] || { why="left: $(find "$cas" -type f) $(ls "$cas/tree")"; return 1; }
}
ruins
calls image gc --grace-period=0s
sound
for at in $(spread 1 24); do
	ruins
	watched 1 "$at" image gc --grace-period=0s
	if sound; then ok "T29 image gc killed at call $at"; else
		not_ok "T29 image gc killed at call $at"
		diag "$why"
	fi
done
mostly_killed
