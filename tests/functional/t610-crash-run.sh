#!/bin/sh
# T29: kill -9 of each process that takes part in rkt run, at every step that has a name and at calls between; the rest ends by itself and gc leaves nothing.
. "${0%/*}/lib.sh"
. "${0%/*}/crash.sh"
need_root
make_image example.com/app
accept_unsigned
run rkt fetch "$image"
expect_status 0 "the image is there"
mkdir "$T/vol"

set -- --debug run --net=none --volume=v,kind=host,source="$T/vol" example.com/app --mount=volume=v,target=/data \
	--memory=64M --exec=/bin/inspect -- exit=3

# ---- at every named step, of the supervisor and of the child that builds the pod
calls "$@"
expect_status 3 "a pod that is only watched"
sed -n 's/^.*step "\(.*\)": [0-9]* us$/\1/p' "$T/err" >"$T/steps"
cp "$T/calls" "$T/calls.run"
check "steps have names" test "$(wc -l <"$T/steps")" -ge 15
# not by redirection: a loop that has a file of the test open would count as left behind
line=1
while step=$(sed -n "${line}p" "$T/steps") && [ -n "$step" ]; do
	line=$((line + 1))
	for role in 2 2f; do
		watched "$role" "step:$step" "$@"
		[ "$status" -ne 98 ] || missed=$((missed - 1)) tried=$((tried - 1))
		[ "$status" -eq 98 ] || survives "T29 $role killed at \"$step\" (status $status)"
		[ "$status" -eq 98 ] || echo "$step" >>"$T/steps.hit"
	done
done
is "T29 each step was somebody's last" "$(sort -u "$T/steps.hit")" "$(sort -u "$T/steps")"

# ---- at calls in between: rkt, supervisor, child, init, its clone, the app's launch
for role in 1:10 2:10 2f:12 3:12 3f:10 4:6; do
	n=${role#*:}
	role=${role%:*}
	cp "$T/calls.run" "$T/calls"
	for at in $(spread "$role" "$n"); do
		watched "$role" "$at" "$@"
		case $status in
		3 | 98 | 137 | 254) survives "T29 $role killed at call $at (status $status)" ;;
		*) not_ok "T29 $role killed at call $at: status $status is nobody's" ;;
		esac
	done
done

# ---- a prepared pod runs once or not at all
for role in 1 2 2f 3 4; do
	cp "$T/calls.run" "$T/calls"
	for at in $(spread "$role" 4); do
		: >"$T/vol/ran"
		run rkt prepare --volume=v,kind=host,source="$T/vol" example.com/app --mount=volume=v,target=/data \
			--exec=/bin/sh -- -c 'echo ran >>/data/ran'
		uuid=$(out)
		watched "$role" "$at" run-prepared --net=none "$uuid"
		wait_for 20 quiet
		run rkt run-prepared --net=none "$uuid"
		is "T29 $role of run-prepared killed at call $at, then run again: the app did not run twice" \
			"$([ "$(wc -l <"$T/vol/ran")" -le 1 ] && echo once)" once
		[ "$status" -ne 0 ] || is "T29 and what says that it ran did" "$(cat "$T/vol/ran")" ran
	done
done
survives "T29 after all prepared pods"
run rkt run --net=none example.com/app --exec=/bin/inspect -- exit=5
expect_status 5 "T29 the next pod runs"
mostly_killed
