#!/bin/sh
# The runner notices what goes wrong in a test, and the library notices what a test leaves behind.
. "${0%/*}/lib.sh"
need_root

top=$(cd "${0%/*}/../.." && pwd)
mkdir -p "$T/tests/functional"
try() { # BODY on stdin; the test is called try
	cat >"$T/tests/functional/try.sh"
	run env -u RKT_TEST_COUNTS RKT_TEST_MUST_RUN="${must:-0}" RKT_TEST_TIMEOUT=5 "$top/scripts/tap-run" "$T/tests/functional/try.sh"
}
last() { tail -n 1 "$T/out"; }

try <<-'END'
	echo 'ok 1 - a'; echo 'not ok 2 - b'; echo 1..2
END
is "a failed point is counted" "$(last)" "1 passed, 1 failed"
expect_status 1 "and the exit status says so"
try <<-'END'
	echo 'ok 1 - a'; echo 1..2
END
is "a missing point is a failure" "$(last)" "1 passed, 1 failed"
try <<-'END'
	echo 'ok 1 - a'; echo 1..1; exit 3
END
is "an exit status is a failure" "$(last)" "1 passed, 1 failed"
try <<-'END'
	echo 'ok 1 - a'; kill -KILL $$
END
is "so is death" "$(last)" "1 passed, 1 failed"
try <<-'END'
	:
END
is "so is silence" "$(last)" "0 passed, 1 failed"
try <<-'END'
	echo 'ok 1 - a'; echo 1..1; exec sleep 60
END
is "so is a test that does not end" "$(last)" "1 passed, 1 failed"
try <<-'END'
	echo 'ok 1 - a # SKIP no such thing'; echo 1..1
END
is "a skip is neither" "$(last)" "0 passed, 0 failed"
try <<-'END'
	echo report >"${ASAN_OPTIONS##*log_path=}.1"; echo 'ok 1 - a'; echo 1..1
END
is "a sanitizer's report is a failure" "$(last)" "1 passed, 1 failed"
# The machine is here the namespace of this test.
try <<-'END'
	echo 1 >/proc/sys/net/ipv4/ip_forward; echo 'ok 1 - a'; echo 1..1
END
is "a switch of the machine that was turned is a failure" "$(last)" "1 passed, 1 failed"
expect_stdout '^# /proc/sys/net/ipv4/ip_forward:1$' "which is named"
echo 0 >/proc/sys/net/ipv4/ip_forward
try <<-'END'
	ip link add rkt000000000 type veth peer name wire9; echo 'ok 1 - a'; echo 1..1
END
is "so is an interface" "$(last)" "1 passed, 1 failed"
ip link del rkt000000000
must=1
try <<-'END'
	echo '1..0 # SKIP no such thing'
END
is "unless every test must run" "$(last)" "0 passed, 1 failed"
must=0

# Residue: each of these tests leaves one thing behind; who leaves nothing may have to wait until others are quiet.
nested() {
	{ echo ". '$top/tests/functional/lib.sh'"; cat; } >"$T/tests/functional/try.sh"
	run env RKT_TEST_PATIENCE="${patience:-0}" sh "$T/tests/functional/try.sh"
}
patience=5
nested <<-'END'
	ok clean
END
expect_status 0 "a clean test leaves nothing"
patience=0
# What these three leave names its place, so that it can be taken away again.
nested <<-'END'
	mkdir "$T/m" && mount -t tmpfs none "$T/m" && echo "left $T/m"
END
expect_stdout '^# mount: .*/m ' "a mount is noticed"
left=$(sed -n 's/^left //p' "$T/out")
umount "$left" && rm -rf --one-file-system "${left%/m}"
nested <<-'END'
	(cd "$T" && exec setsid sleep 30 >/dev/null 2>&1 </dev/null) & echo "left $!"
END
expect_stdout '^# process: .*/cwd -> ' "a process is noticed"
kill "$(sed -n 's/^left //p' "$T/out")"
nested <<-'END'
	mkdir -p "$RKT_DIR/pods/run/left"
END
expect_stdout '^# pod: .*/left$' "a pod directory is noticed"
if mkdir /sys/fs/cgroup/pids/rkt-test-$$ 2>/dev/null; then rmdir /sys/fs/cgroup/pids/rkt-test-$$; group=/sys/fs/cgroup/pids; else group=/sys/fs/cgroup; fi
nested <<-END
	mkdir $group/rkt-left-$$
END
rmdir "$group/rkt-left-$$"
expect_stdout '^# cgroup: .*/rkt-left-' "a control group is noticed"
