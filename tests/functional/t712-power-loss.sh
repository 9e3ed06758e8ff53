#!/bin/sh
# T33 The power fails while an image is fetched: what the store's calls have put on disk by then (a model of powerloss.py, from a
# trace of the real program) is a store that is right, and the next fetch completes it.
. "${0%/*}/lib.sh"
. "${0%/*}/ocilib.sh"
need_root
need strace docker-registry python3 busybox
accept_unsigned
check "a registry" start_registry
make_images <<'END'
base = Layer().dir('.').busybox('echo').dir('d').file('d/a', 'a').bytes()
push('http://%s/v2/x' % registry, 'v1', Image([base, Layer().gone('d/a').file('d/b', 'b').bytes()], Entrypoint=['/bin/echo', 'ran']))
END
calls=$(sed -n "s/^CALLS = '\(.*\)'/\1/p" "$TESTS/powerloss.py")
tracing() { # OUT ARG...
	_out=$1
	shift
	traced strace -f -y -qq -o "$_out" -e "trace=$calls" "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" "$accept" "$@"
}
loss() { python3 "$TESTS/powerloss.py" "$@"; }
each() { # WHAT IMAGE TRACE: the store at each point
	what=$1 image=$2 trace=$3 n=0 bad='' unhealed='' left=''
	full=$RKT_DIR
	total=$(loss check "$trace" "$full/cas" | grep -vc WRONG)
	while [ $n -le "$total" ]; do
		RKT_DIR=$T/lost
		rm -rf "$RKT_DIR"
		mkdir -p "$RKT_DIR"
		loss cut "$trace" "$full/cas" $n "$RKT_DIR/cas"
		for id in $(rkt image list --full --no-legend --fields=id 2>/dev/null); do
			rkt image verify "$id" >/dev/null 2>&1 || bad="$bad $n"
		done
		rkt fetch --full "$image" >"$T/id" 2>"$T/fetch.err" || unhealed="$unhealed $n"
		[ "$(rkt run --net=none "$image" --exec=/bin/echo -- ran 2>>"$T/fetch.err")" = ran ] || unhealed="$unhealed $n"
		rkt image verify "$(cat "$T/id")" >/dev/null 2>&1 || bad="$bad $n"
		rkt gc --grace-period=0s >/dev/null 2>&1
		rkt gc --grace-period=0s >/dev/null 2>&1
		rkt image gc --grace-period=0s >/dev/null 2>&1
		left="$left$(find "$RKT_DIR/cas/tmp" "$RKT_DIR/cas/tree" -mindepth 1)"
		n=$((n + 1))
	done
	RKT_DIR=$full
	check "$what: at $n points" test $n -ge 5
	is "T33 $what: what is listed is whole" "$bad" ""
	is "T33 $what: the next fetch completes it" "$unhealed" ""
	is "T33 $what: and image gc leaves nothing" "$left" ""
}
run tracing "$T/oci.trace" fetch "docker://$registry/x:v1"
expect_status 0 "an OCI image is fetched"
loss check "$T/oci.trace" "$RKT_DIR/cas" >"$T/order"
is "T33 nothing is published before it is on disk" "$(grep WRONG "$T/order")" ""
is "blobs, trees, the manifest, the image, its names" "$(sed 's|/.*||' "$T/order" | uniq | tr '\n' ' ')" "blob tree blob image ref "
each "an OCI image" "docker://$registry/x:v1" "$T/oci.trace"
rm -rf "$RKT_DIR"
make_image example.com/app
aci=$image
run tracing "$T/aci.trace" fetch "$aci"
expect_status 0 "an ACI is fetched"
loss check "$T/aci.trace" "$RKT_DIR/cas" >"$T/order"
is "T33 nothing is published before it is on disk" "$(grep WRONG "$T/order")" ""
each "an ACI" "$aci" "$T/aci.trace"
cleanup() { rm -rf "$T/lost"; }
