#!/bin/sh
# T62 The clock is set to 1970 or to 2040 while something is fetched, verified or collected: no mass deletion, and what a signature
# is worth is judged by the clock and told.  Everything runs under clockshift (see its head).
. "${0%/*}/lib.sh"
need_root
need gpg python3
shift_to() { # YEAR: seconds from now
	python3 -c "import calendar, sys, time; print(calendar.timegm((int(sys.argv[1]), 1, 2, 0, 0, 0)) - int(time.time()))" "$1"
}
at() { # YEAR ARG...: rkt in that year
	_shift=$(shift_to "$1")
	shift
	traced "$RKT_BUILD/tests/clockshift" "$_shift" -- "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" "$@"
}
for year in 1970 2040; do
	run traced "$RKT_BUILD/tests/clockshift" "$(shift_to $year)" -- python3 -c "import time; print(time.gmtime().tm_year)"
	is "the clock says $year" "$(out)" $year
done

# ---- signatures
make_key alice 1y
make_key bob
for n in one two three; do
	make_image example.com/$n
	sign_image "$image" alice
	eval "$n=\$image"
done
trust_key alice example.com
trust_key bob example.com
# shellcheck disable=SC2154 # set by eval
fails_with 'one.aci.*: the key or subkey that made the signature has expired' "T62 in 2040 the key has expired" at 2040 fetch "$one"
fails_with 'one.aci.*: no usable OpenPGP public key in it; the clock says 1970-01-02' "T62 in 1970 nobody has made it yet" at 1970 fetch "$one"
is "neither is stored" "$(rkt image list --no-legend)" ""
is "and nothing is left" "$(find "$RKT_DIR/cas/tmp" -mindepth 1)" ""
# shellcheck disable=SC2154 # set by eval
run rkt fetch "$one" "$two" "$three"
expect_status 0 "now it is good"

# ---- images, of which one was used long ago
images() { rkt image list --no-legend --fields=name | sort | tr '\n' ' '; }
id=$(rkt image list --full --no-legend --fields=id,name | awk '/one/ { print $1 }')
touch -d '3 days ago' "$RKT_DIR/cas/image/$id"
for year in 1970 2040; do
	run at $year image list
	expect_status 0 "T62 in $year images are listed"
	run at $year image verify example.com/two
	expect_status 0 "T62 and verified"
done
mkdir -p "$RKT_DIR/cas/tmp/dl-part"
run at 1970 image gc --grace-period=24h
expect_status 0 "T62 image gc in 1970"
expect_stderr 'the clock says 1970-01-02T.*the latest of the images is of 2.*: nothing is old' "says what is wrong"
is "and removes nothing" "$(images)" "example.com/one:1.0.0 example.com/three:1.0.0 example.com/two:1.0.0 "
run at 2040 image gc --grace-period=24h
expect_status 0 "T62 image gc in 2040"
expect_stderr 'the clock says 2040-01-02T.*their age is counted from there' "says what is wrong"
is "and removes what was old before the clock was set" "$(images)" "example.com/three:1.0.0 example.com/two:1.0.0 "
check "but no download that could be resumed" test -d "$RKT_DIR/cas/tmp/dl-part"

# ---- pods
pods() { rkt list --no-legend | grep -Eo 'prepared|exited garbage|exited' | sort | tr '\n' ' '; }
run rkt prepare example.com/two
run rkt run --net=none example.com/two --exec=/bin/true
expect_status 0 "a pod"
run rkt gc
for year in 1970 2040; do
	run at $year list
	expect_status 0 "T62 in $year pods are listed"
	run at $year gc
	expect_status 0 "T62 and gc has nothing to do"
	expect_stderr 'the clock says ' "but to say what is wrong"
	is "a prepared pod stays prepared" "$(pods)" "exited garbage prepared "
done
run at 2040 run --net=none --uuid-file-save="$T/uuid" example.com/three --exec=/bin/true
expect_status 0 "T62 what is in the store runs in 2040"
run rkt image gc --grace-period=24h
is "and stays when the clock is right again" "$(images)" "example.com/three:1.0.0 example.com/two:1.0.0 "
run rkt gc --expire-prepared=1ms
is "a prepared pod that is old by a clock that is right goes" "$(pods | grep -c prepared)" 0
