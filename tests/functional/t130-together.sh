#!/bin/sh
# Sixteen rkt run of one image that is not yet there: it is downloaded once, and all of them succeed.
. "${0%/*}/lib.sh"
need_root
need gpg
mkdir -p "$T/more"
head -c 8M /dev/urandom >"$T/more/ballast"
make_image example.com/app "$T/more"
make_key alice
sign_image "$image" alice
trust_key alice example.com/app
start_server

i=0
all=
while [ $i -lt 16 ]; do
	i=$((i + 1))
	"$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" run --net=none "$server_url/app.aci" \
		--exec=/bin/inspect -- status exit=3 >"$T/out.$i" 2>"$T/err.$i" </dev/null &
	all="$all $!"
done
good=0
for p in $all; do
	wait "$p"
	if [ $? -eq 3 ]; then good=$((good + 1)); else tail -n 3 "$T"/err.* | sed 's/^/# /'; fi
done
is "all sixteen ran" "$good" 16
is "each of them as a pod of its own" "$(sed -n 's/^hostname=//p' "$T"/out.* | sort -u | wc -l)" 16
is "the image came once" "$(requests '^GET /app\.aci ')" 1
is "the signature came at most once" "$(requests '^GET /app\.aci\.asc ')" 1
is "one image is stored" "$(rkt image list --no-legend | grep -c example.com/app)" 1

# The one that downloads is killed: the next goes on where it stopped.
rkt image rm example.com/app >/dev/null 2>&1
head -c 8M /dev/urandom >"$T/more/ballast"
IMAGE_FILE=next.aci make_image example.com/app "$T/more"
sign_image "$image" alice
echo '/next.aci rate=1000000' >"$T/httpd.rules"
start_rkt fetch "$server_url/next.aci"
first=$pid
half() { [ "$(find "$RKT_DIR/cas/tmp" -type f -size +1M | wc -l)" -ge 1 ]; }
check "half of it is there" wait_for 10 half
start_rkt fetch "$server_url/next.aci"
second=$pid
kill -KILL "$first"
wait "$first" 2>/dev/null
: >"$T/httpd.rules"
wait "$second"
is "the second one finishes" "$?" 0
is "by asking for the rest" "$(requests '^GET /next\.aci 206 range=bytes=[1-9]')" 1
