#!/bin/sh
# T29: kill -9 of fetch, prepare, enter, stop, gc, rm and image rm at calls spread over their lives; the next command works and nothing is left.
. "${0%/*}/lib.sh"
. "${0%/*}/crash.sh"
need_root
make_image example.com/app
accept_unsigned
id=$(rkt fetch --full "$image" 2>/dev/null)
like "the image is there" "$id" '^sha512-'

started() { ls "$RKT_DIR/pods/run/$(cat "$T/uuid" 2>/dev/null)"/appsinfo/app/pid; }

# live_pod: sets $pid and $uuid.
live_pod() {
	rm -f "$T/uuid"
	start_rkt run --net=none --uuid-file-save="$T/uuid" example.com/app --exec=/bin/sh -- -c 'sleep 1000 & sleep 1000'
	wait_for 15 started || not_ok "a pod to work with"
	uuid=$(cat "$T/uuid")
}

ended_pod() {
	rm -f "$T/uuid"
	run rkt run --net=none --uuid-file-save="$T/uuid" example.com/app --exec=/bin/true
	uuid=$(cat "$T/uuid")
}

# ---- prepare
calls prepare example.com/app
for at in $(spread 1 10); do
	watched 1 "$at" prepare example.com/app
	survives "T29 prepare killed at call $at"
done

# ---- gc and rm
ended_pod
calls gc --grace-period=0s
for at in $(spread 1 12); do
	ended_pod
	watched 1 "$at" gc --grace-period=0s
	survives "T29 gc killed at call $at"
done
ended_pod
calls rm "$uuid"
for at in $(spread 1 10); do
	ended_pod
	watched 1 "$at" rm "$uuid"
	survives "T29 rm killed at call $at"
done

# ---- enter: the pod does not notice, the next one works
live_pod
calls enter "$uuid" /bin/inspect exit=4
expect_status 4 "enter, only watched"
cp "$T/calls" "$T/calls.enter"
for role in 1 2 2f 3 4; do
	cp "$T/calls.enter" "$T/calls"
	bad=
	for at in $(spread $role 6); do
		watched $role "$at" enter "$uuid" /bin/inspect exit=4
		run rkt enter "$uuid" /bin/inspect exit=4
		[ "$status" -eq 4 ] || bad="$bad $at"
	done
	is "T29 enter ($role) killed at six calls: the next one works" "$bad" ""
done
check "T29 the pod lives" kill -0 "$pid"
rkt stop --force "$uuid" >/dev/null 2>&1
wait "$pid" 2>/dev/null
survives "T29 nothing is left of killed enters"

# ---- stop: the pod runs on or ends, and the next stop ends it
for force in '' --force; do
	live_pod
	# shellcheck disable=SC2086 # none or one
	calls stop $force "$uuid"
	wait "$pid" 2>/dev/null
	cp "$T/calls" "$T/calls.stop"
	for role in 1 2; do
		cp "$T/calls.stop" "$T/calls"
		for at in $(spread $role 5); do
			live_pod
			# shellcheck disable=SC2086
			watched $role "$at" stop $force "$uuid"
			run timeout 200 "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" stop --force "$uuid"
			check "T29 stop $force ($role) killed at call $at: the pod ends" wait_for 15 sh -c "! kill -0 $pid"
			wait "$pid" 2>/dev/null
			survives "T29 and nothing is left"
		done
	done
done

# ---- image rm and fetch: what is listed is whole, the next fetch gives the same image
stored() {
	why=
	wait_for 20 quiet || { why="still there: $left"; return 1; }
	run rkt image list --fields=id --full --no-legend
	[ "$status" -eq 0 ] || { why="image list: $(err)"; return 1; }
	if grep -q '^sha512-' "$T/out"; then
		run rkt image verify "$id"
		[ "$status" -eq 0 ] || { why="what is listed is not whole: $(err)"; return 1; }
	fi
	[ "$(rkt fetch --full "$image" 2>"$T/err")" = "$id" ] || { why="the next fetch: $(err)"; return 1; }
	run rkt image verify "$id"
	[ "$status" -eq 0 ] || { why="verify: $(err)"; return 1; }
}
whole() {
	if stored; then ok "$1"; else
		not_ok "$1"
		diag "$why"
	fi
}
calls image rm "$id"
for at in $(spread 1 10); do
	rkt fetch "$image" >/dev/null 2>&1
	watched 1 "$at" image rm "$id"
	whole "T29 image rm killed at call $at"
done
rkt image rm "$id" >/dev/null 2>&1
calls fetch "$image"
cp "$T/calls" "$T/calls.fetch"
for role in 1:4 1f:4 2:14 2f:8 3:10 3f:6; do
	cp "$T/calls.fetch" "$T/calls"
	for at in $(spread "${role%:*}" "${role#*:}"); do
		rkt image rm "$id" >/dev/null 2>&1
		watched "${role%:*}" "$at" fetch "$image"
		whole "T29 fetch (${role%:*}) killed at call $at"
	done
done
rkt gc --grace-period=0s >/dev/null 2>&1
is "T29 no unfinished file is left" "$(ls "$RKT_DIR/cas/tmp")" ""
is "T29 and one tree" "$(find "$RKT_DIR/cas/tree" -mindepth 1 -maxdepth 1 | wc -l)" 1
mostly_killed
