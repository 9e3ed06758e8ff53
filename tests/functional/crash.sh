# shellcheck shell=sh
# crash.sh — for tests that kill rkt at counted system calls or named steps (killat.c).  Source it after lib.sh.
#
# Points are spread evenly over the calls of a run that is left alone; RKT_TEST_LONG=1 tries every call.

missed=0
tried=0

# watched ROLE POINT ARG...: rkt, killed there; $status as killat says.
watched() {
	_role=$1 _point=$2
	shift 2
	tried=$((tried + 1))
	run traced timeout 300 "$RKT_BUILD/tests/killat" "$_role" "$_point" -- "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" \
		--system-config="$T/lib" ${accept:+"$accept"} "$@"
	# The kernel does not promise how many calls a run takes: who was done before is not a crash.
	[ "$status" -ne 98 ] || missed=$((missed + 1))
}

# calls ARG...: counts a run that nobody disturbs into $T/calls; its status in $status.
calls() {
	watched count "$T/calls" "$@"
	tried=$((tried - 1))
}

# spread ROLE N: N of the role's call numbers, the first and the last among them.
spread() {
	awk -v role="$1" -v n="$2" -v long="${RKT_TEST_LONG:-0}" '$1 == role {
		if (long + 0 || n > $2) n = $2
		last = 0
		for (i = 0; i < n; i++) {
			at = n > 1 ? 1 + int(i * ($2 - 1) / (n - 1)) : 1
			if (at != last) print at
			last = at
		}
	}' "$T/calls"
}

quiet() {
	left=$(residue | grep -v '^pod: ')
	[ -z "$left" ]
}

leftovers() {
	find "$RKT_DIR"/pods -mindepth 2 -maxdepth 2 2>/dev/null
}

# settled: nothing runs, nothing is mounted, the next commands work, and gc leaves no pod; $why otherwise.
settled() {
	why=
	wait_for 20 quiet || { why="still there: $left"; return 1; }
	rkt list >"$T/list" 2>&1 || { why="list: $(cat "$T/list")"; return 1; }
	rkt gc --grace-period=0s --expire-prepared=0s >"$T/gc" 2>&1 || { why="gc: $(cat "$T/gc")"; return 1; }
	[ -z "$(leftovers)" ] || rkt gc --grace-period=0s --expire-prepared=0s >"$T/gc" 2>&1
	[ -z "$(leftovers)" ] || { why="gc left: $(leftovers) $(cat "$T/gc")"; return 1; }
}

# survives DESCRIPTION: settled, as a point.
survives() {
	if settled; then ok "$1"; else
		not_ok "$1"
		diag "$why"
	fi
}

# mostly_killed: a suite that killed nobody proves nothing.
mostly_killed() {
	check "$tried crashes, of which $missed came too late" test $((missed * 4)) -lt "$tried"
}
