#!/bin/sh
# Who changes files under our hands while an image is fetched (threats.md T11, T45), and pods that begin in the same moment.
. "${0%/*}/lib.sh"
need_root
need python3 gpg strace

# ---- T45: the file is another one after it was verified ------------------------------------------------

make_key maker
mkdir "$T/good" "$T/bad"
echo good >"$T/good/word"
echo bad >"$T/bad/word"
IMAGE_FILE=good.aci IMAGE_EXEC='["/bin/cat","/word"]' make_image example.com/app "$T/good"
IMAGE_FILE=bad.aci IMAGE_EXEC='["/bin/cat","/word"]' make_image example.com/app "$T/bad"
sign_image "$T/images/good.aci" maker
trust_key maker example.com
cp "$T/images/good.aci" "$T/images/img.aci"
cp "$T/images/good.aci.asc" "$T/images/img.aci.asc"
cat >"$T/swap" <<'P'
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
a, b = sys.argv[1].encode(), sys.argv[2].encode()
while True:
    for _ in range(200):
        libc.syscall(316, -100, a, -100, b, 2)  # renameat2, RENAME_EXCHANGE
P
[ "$(uname -m)" = x86_64 ] || sed -i 's/316/276/' "$T/swap"
python3 "$T/swap" "$T/images/img.aci" "$T/images/bad.aci" &
swap=$!
pids="$pids $swap"
good=0 refused=0 other=
i=0
while [ $i -lt 40 ]; do
	i=$((i + 1))
	run rkt fetch "$T/images/img.aci"
	case $status in
	0) good=$((good + 1)) ;;
	254) refused=$((refused + 1)) ;;
	*) other="$other $status" ;;
	esac
	run rkt run --net=none example.com/app
	[ "$status" -ne 0 ] || [ "$(cat "$T/out")" = good ] || other="$other ran:$(cat "$T/out")"
done
kill "$swap"
wait "$swap" 2>/dev/null
diag "T45: $good fetched, $refused refused"
is "T45: only the verified bytes were ever used" "$other" ""
check "T45: some of both kinds were tried" test $((good + refused)) -eq 40 -a $refused -gt 0
run rkt image list --no-legend
is "T45: one image is in the store at most" "$(($(wc -l <"$T/out") <= 1))" 1

# ---- T11: directories are exchanged for links during extraction ----------------------------------------

mkdir -p "$T/wide" "$T/canary"
i=0
while [ $i -lt 400 ]; do
	mkdir -p "$T/wide/a/b$i"
	echo x >"$T/wide/a/b$i/file"
	i=$((i + 1))
done
IMAGE_FILE=wide.aci make_image example.com/wide "$T/wide"
cat >"$T/exchange" <<'P'
import ctypes, glob, os, sys
libc = ctypes.CDLL(None, use_errno=True)
tmp, canary, out = sys.argv[1:4]
number = 316 if os.uname().machine == "x86_64" else 276
tries = 0
open(out, "w").close()
while not os.path.exists(out + ".end"):
    for root in glob.glob(tmp + "/*/rootfs"):
        evil = root + "/evil"
        try:
            os.symlink(canary, evil)
        except OSError:
            pass
        for name in ("a", "a/b5", "a/b200", "a/b399", "etc", "bin"):
            for _ in range(20):
                if libc.syscall(number, -100, (root + "/" + name).encode(), -100, evil.encode(), 2) == 0:
                    tries += 1
        try:
            os.unlink(evil)
        except OSError:
            pass
        with open(out + ".new", "w") as f:
            f.write(str(tries))
        os.rename(out + ".new", out)
P
python3 "$T/exchange" "$RKT_DIR/cas/tmp" "$T/canary" "$T/tries" &
exchange=$!
pids="$pids $exchange"
# For five seconds, and longer where they do not suffice for what shall be tried.
tries() { _n=$(cat "$T/tries" 2>/dev/null); echo "${_n:-0}"; }
end=$(($(date +%s) + 5))
odd=
while [ "$(date +%s)" -lt $end ] || { [ "$(tries)" -le 100 ] && [ "$(date +%s)" -lt $((end + 100)) ]; }; do
	run timeout 300 "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" --insecure-options=image fetch "$T/images/wide.aci"
	[ "$status" -eq 0 ] || [ "$status" -eq 254 ] || odd="$odd $status"
	rkt image rm example.com/wide >/dev/null 2>&1
	rkt image gc --grace-period=0s >/dev/null 2>&1
done
: >"$T/tries.end"
wait "$exchange"
diag "T11: $(tries) exchanges"
check "T11: it was tried" test "$(tries)" -gt 100
is "T11: every fetch ended as it should" "$odd" ""
is "T11: nothing was written outside" "$(find "$T/canary" -mindepth 1 | wc -l)" 0
rm -f "$T/images/img.aci" "$T/images/bad.aci"

# ---- pods that begin in the same moment, where what they share is missing -------------------------------

accept_unsigned
run rkt fetch "$T/images/good.aci"
bad=
for round in 1 2 3 4 5 6; do
	rm -rf "$RKT_DIR/skeleton-1"
	all=
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
		"$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" "$accept" run --net=none example.com/app \
			--exec=/bin/inspect -- exit=7 >/dev/null 2>"$T/err.$i" </dev/null &
		all="$all $!"
	done
	for p in $all; do
		wait "$p"
		[ $? -eq 7 ] || bad="$bad $round"
	done
	grep -h ^rkt: "$T"/err.* | head -n 3 | sed 's/^/# /'
done
is "sixteen pods at once make the skeleton and none takes it from another" "$bad" ""
is "which is whole" "$(find "$RKT_DIR/skeleton-1" | wc -l)" 19
# One that has found none is kept for a while before it takes away what is there; another makes one meanwhile and uses it.
rm -rf "$RKT_DIR/skeleton-1"
mkdir "$T/vol"
start traced strace -f -qq -o "$T/slow" -P ../../../skeleton-1 -e trace=rename -e inject=rename:delay_enter=4000000:when=1 "$RKT" \
	--dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" "$accept" run --net=none example.com/app --exec=/bin/inspect -- exit=7
slow=$pid
check "one is about to make it" wait_for 10 grep -q skeleton-1 "$T/slow"
start_rkt run --net=none --volume=v,kind=host,source="$T/vol" example.com/app --mount=volume=v,target=/v --exec=/bin/sh -- -c \
	'touch /v/up; until [ -e /v/go ]; do sleep 0.1; done; cat /dev/zero | head -c 3; ls /dev'
check "another pod runs" wait_for 10 test -e "$T/vol/up"
wait "$slow"
is "the one ends as it should" $? 7
touch "$T/vol/go"
wait "$pid"
is "the other still has its devices" "$(tr -d '\0' <"$T/bg.out" | tr '\n' ' ')" "console fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero "
rm -rf "$RKT_DIR/skeleton-1"
run flock "$RKT_DIR" "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" "$accept" run --net=none example.com/app --exec=/bin/inspect -- exit=7
expect_status 7 "a pod does not wait for who makes it"
refute "nor does it make one" test -e "$RKT_DIR/skeleton-1"
run rkt run --net=none example.com/app --exec=/bin/inspect -- exit=7
check "the next one does" test -d "$RKT_DIR/skeleton-1/dev"
