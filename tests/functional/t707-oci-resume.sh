#!/bin/sh
# Broken off at any byte, in either direction: what has arrived is not moved again, and the digest is the judge (threats.md T31, T39).
. "${0%/*}/lib.sh"
. "${0%/*}/ocilib.sh"
need_root
need docker-registry python3 busybox
accept_unsigned
make_images <<'END'
import random
random.seed(5)
base = Layer().dir('.').busybox('echo').bytes()
app = dict(Entrypoint=['/bin/echo', 'ran'])
one, two = (Layer().file('big%d' % k, random.randbytes(n << 20)).bytes() for k, n in enumerate((6, 3)))
image = Image([base, one, two], how='plain', **app)
write_layout(T + '/layout', {'v1': image})
open(T + '/one', 'w').write(digest(image.blobs[1]))
open(T + '/config', 'w').write(digest(image.config))
open(T + '/size', 'w').write(str(sum(len(b) for b in image.all()) + len(image.manifest())))
END
one=$(cat "$T/one")
part=$RKT_DIR/cas/tmp/dl-sha256-${one#sha256:}
random() { python3 -c "import random; random.seed('$1'); print(random.randrange($2, $3))"; }
wire() { # DIRECTION OFFSET...: to $registry; sets $registry to it
	rm -f "$T/wire.port"
	start python3 "$TESTS/cutproxy.py" "${registry#*:}" "$T/wire.port" "$@"
	wire_pid=$pid
	wait_for 10 test -s "$T/wire.port" || diag "no wire"
	registry=127.0.0.1:$(cat "$T/wire.port")
}

# ---- killed while a blob comes: the next one asks for the byte after the last on disk
check "a registry" start_badreg "$T/layout"
at=docker://$registry/x:v1
printf 'GET */blobs/%s rate=400000\n' "$one" >"$T/badreg.rules"
: >"$T/expected"
# More of it is on disk than the last one left.
grown() { [ "$(stat -c %s "$part/data" 2>/dev/null || echo 0)" -gt "$had" ]; }
had=0
for i in 1 2 3 4 5 6 7 8; do
	start_rkt fetch "$at"
	wait_for 10 sh -c "[ \$(grep -c 'blobs/$one' '$T/badreg.log') -ge $i ]"
	wait_for 10 grown
	sleep "0.$(random "kill $i" 100 400)"
	pkill -KILL -P "$pid"
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	wait_for 5 flock -n "$part" true
	had=$(stat -c %s "$part/data")
	echo "bytes=$had-" >>"$T/expected"
done
printf '' >"$T/badreg.rules"
run rkt run --net=none "$at"
is "killed eight times, then left alone" "$(out)" ran
grep "blobs/$one" "$T/badreg.log" | sed '1d;s/.* //' >"$T/asked"
check "T31 each asks for the byte after the last one that the one before had written" diff "$T/expected" "$T/asked"
check "at different bytes" test "$(sort -u "$T/expected" | wc -l)" -gt 4

# ---- bytes that were changed meanwhile
rm -rf "$RKT_DIR"
printf 'GET */blobs/%s cut=1000000 times=1\nGET */blobs/%s status=500 after=1\n' "$one" "$one" >"$T/badreg.rules"
run rkt fetch "$at"
is "half a blob is kept when nobody sends the rest" "$(stat -c %s "$part/data")" 1000000
printf x | dd of="$part/data" bs=1 seek=500 conv=notrunc status=none
printf '' >"$T/badreg.rules"
: >"$T/badreg.log"
run rkt run --net=none "$at"
is "T39 what does not fit together is fetched anew" "$(out)" ran
is "the rest first, then all of it" "$(grep "blobs/$one" "$T/badreg.log" | sed 's/.* //' | tr '\n' ' ')" "bytes=1000000- - "
rm -rf "$RKT_DIR"
printf 'GET */blobs/%s cut=1000000 times=1\nGET */blobs/%s norange=1\n' "$one" "$one" >"$T/badreg.rules"
run rkt run --net=none "$at"
is "T39 a registry that knows no ranges sends it once more" "$(out)" ran
rm -rf "$RKT_DIR"
printf 'GET */blobs/%s drip=100000\n' "$one" >"$T/badreg.rules"
: >"$T/badreg.log"
refuses "blob $one: transfer closed" "T39 one that breaks off again and again" rkt fetch "$at"
is "is asked sixty times" "$(grep -c "blobs/$one" "$T/badreg.log")" 60
kill "$badreg_pid"

# ---- a wire that breaks: 40 times at any byte of what a real registry sends
rm -rf "$RKT_DIR"
check "a real registry" start_registry
real=$registry
make_images <<'END'
import random
random.seed(5)
base = Layer().dir('.').busybox('echo').bytes()
one, two = (Layer().file('big%d' % k, random.randbytes(n << 20)).bytes() for k, n in enumerate((6, 3)))
push('http://%s/v2/x' % registry, 'v1', Image([base, one, two], how='plain', Entrypoint=['/bin/echo', 'ran']))
END
size=$(cat "$T/size")
# shellcheck disable=SC2046 # one argument an offset
wire down $(for i in $(seq 40); do random "cut $i" 1 "$size"; done)
run rkt run --net=none "docker://$registry/x:v1"
is "a wire that broke forty times" "$(out)" ran
# with the heads of all the answers, and documents that were broken off
check "moves every byte of a blob once" test "$(cat "$T/wire.port.passed")" -lt $((size + 65536))
kill "$wire_pid"

# ---- sending: a wire that breaks in the middle of a piece
run rkt image list --full --no-legend --fields=id
id=$(out)
registry=$real
wire up 3000000 9000000
run rkt image push "$id" "docker://$registry/other:v1"
expect_status 0 "a wire that breaks while a piece is sent"
rm -rf "$RKT_DIR"
run rkt run --net=none "docker://$real/other:v1"
is "all is there" "$(out)" ran

# ---- sending: this registry says how much of a piece it has
make_images <<'END'
import random
random.seed(6)
base = Layer().dir('.').busybox('echo').bytes()
write_layout(T + '/large', {'v1': Image([base, Layer().file('big', random.randbytes(40 << 20)).bytes()], how='plain', Entrypoint=['/bin/echo', 'ran'])})
write_layout(T + '/to', {})
END
big=$(find "$T/large/blobs/sha256" -type f -size +1M -printf '%s %f\n' | sort -n | sed -n '$s/.* //p')
run rkt fetch --full "oci:$T/large"
id=$(out)
check "a registry" start_badreg "$T/to"
printf 'PATCH */uploads/3 cut=5000000 times=1\nPATCH */uploads/3 status=503 retry=1 times=4 after=2\n' >"$T/badreg.rules"
run rkt image push "$id" "docker://$registry/x:v1"
expect_status 0 "an upload that is broken off, and refused for a while"
# the size of what follows the first pieces depends on the time they took
is "goes on from the byte that has arrived" "$(grep '^PATCH .*/3' "$T/badreg.log" | sed 's/.* \([0-9]*\)-.*/\1/' | head -n 5 | tr '\n' ' ')" "0 5000000 21777216 21777216 21777216 "
check "all of it is there" cmp "$T/to/blobs/sha256/$big" "$T/large/blobs/sha256/$big"
printf 'PATCH */uploads/* cut=1\n' >"$T/badreg.rules"
rm -rf "$T/to/blobs/sha256"/*
refuses 'push to "docker://[^"]*": blob sha256:' "one that never gets far" rkt image push "$id" "docker://$registry/x:v1"
check "is given up" test "$(grep -c PATCH "$T/badreg.log")" -lt 20
