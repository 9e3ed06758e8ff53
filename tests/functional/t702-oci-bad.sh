#!/bin/sh
# Registries that lie, stall, break off or refuse, documents that are wrong, downloads that are killed: bounded, one line, nothing lost.
. "${0%/*}/lib.sh"
. "${0%/*}/ocilib.sh"
need_root
need python3 busybox
accept_unsigned
make_images <<'END'
import random
random.seed(1)
base = Layer().dir('.').busybox('echo').bytes()
big = Layer().file('big', random.randbytes(4 << 20)).bytes()
app = dict(Entrypoint=['/bin/echo', 'ran'])
def without(image, **changes):
    for k, v in changes.items():
        image.doc[k] = v
    return image
good = Image([base, big], **app)
refs = {'good': good, 'other': Image([base], Entrypoint=['/bin/echo', 'other'])}
refs['wide'] = Image([base] + [Layer().file(str(i), str(i)).bytes() for i in range(7)], **app)
refs['both'] = without(Image([base]), manifests=[])
refs['schema1'] = without(Image([base]), schemaVersion=1, mediaType='application/vnd.docker.distribution.manifest.v1+json')
refs['artifact'] = without(Image([base]), config=Image.descriptor(b'{}', 'application/vnd.oci.empty.v1+json'))
refs['odd-layer'] = Image([base], media='application/vnd.example.layer')
refs['no-digest'] = without(Image([base]), layers=[{'mediaType': KINDS['layer'], 'digest': 'sha256:../../../etc/passwd', 'size': 1}])
refs['negative'] = without(Image([base]), layers=[Image.descriptor(b'x', KINDS['layer']) | {'size': -1}])
small, large = Image([base, big]), Image([base, big])
small.doc['layers'][1]['size'] -= 1
large.doc['layers'][1]['size'] += 1
refs['small'], refs['large'] = small, large
refs['huge-config'] = Image([base], Labels={'x': 'y' * (9 << 20)})
refs['bomb'] = Image([Layer().file('zeros', bytes(300 << 20)).bytes()], how='gzip -9n')
refs['arch'] = Image([base], arch='arm64')
refs['os'] = Image([base], os='windows')
refs['config'] = Image([base], config_more={'rootfs': {'type': 'layers', 'diff_ids': 'x'}})
refs['volume-root'] = Image([base], Volumes={'/': {}})
write_layout(T + '/layout', refs)
open(T + '/big', 'w').write(digest(good.blobs[1]))
open(T + '/base', 'w').write(digest(good.blobs[0]))
END
check "a registry" start_badreg "$T/layout"
at=docker://$registry/x
big=$(cat "$T/big") base=$(cat "$T/base")
rule() { printf '%s\n' "$@" >"$T/badreg.rules"; }
fresh() { rm -rf "$RKT_DIR"; rule; : >"$T/badreg.log"; }

# ---- documents
refuses 'could be|both|manifests' "T41 a manifest that is an index too" rkt fetch "$at:both"
refuses 'is obsolete' "schema 1" rkt fetch "$at:schema1"
refuses 'manifest sha256:' "what is no container image" rkt fetch "$at:artifact"
refuses 'vnd.example.layer' "a layer of another kind" rkt fetch "$at:odd-layer"
refuses 'lower-case hex digits' "T40 a digest that is a path" rkt fetch "$at:no-digest"
refuses 'size' "a negative size" rkt fetch "$at:negative"
refuses 'config sha256:.*more than|size' "a huge config" rkt fetch "$at:huge-config"
refuses 'rootfs.diff_ids' "a wrong config" rkt fetch "$at:config"
refuses 'arm64' "another machine's" rkt fetch "$at:arch"
refuses 'windows' "another system's" rkt fetch "$at:os"
refuses 'cannot be a volume' "the root as a volume" rkt fetch "$at:volume-root"
refuses "$big.* bytes of it, not" "a layer that is longer than the manifest says" rkt fetch "$at:small"
refuses "$big" "one that is shorter" rkt fetch "$at:large"
refuses 'layer sha256:.*ratio|times' "a bomb" rkt fetch "$at:bomb"
is "nothing of these is an image" "$(rkt image list --no-legend)" ""
fresh
rule 'GET */manifests/good type=application/vnd.oci.image.index.v1+json'
refuses 'manifest sha256:' "T41 a manifest that the registry calls an index" rkt fetch "$at:good"
rule "GET */manifests/good digest=sha256:$(printf '%064d' 0)"
refuses 'has digest' "another digest than the registry says" rkt fetch "$at:good"
rule 'GET */manifests/good flip=1'
refuses 'manifest' "a damaged manifest" rkt fetch "$at:good"

# ---- answers
for status in 401 403; do
	rule "GET */manifests/good status=$status"
	refuses "answered $status|who we are" "not let in: $status" rkt fetch "$at:good"
done
rule 'GET */manifests/good status=404 "body={\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\",\"message\":\"not\\u001b[31mhere\"}]}"'
refuses 'answered 404.*MANIFEST_UNKNOWN' "not there, in the registry's words" rkt fetch "$at:good"
refute "without their control characters" grep -q "$(printf '\033')" "$T/err"
rule "GET */blobs/$big status=429 retry=1 times=2"
run rkt fetch "$at:good"
expect_status 0 "limited twice, then let in"
fresh
rule 'GET */manifests/good status=429 retry=1 times=1' "GET */manifests/good status=503 after=1 times=2"
run rkt fetch "$at:good"
expect_status 0 "the manifest limited, too"
is "is asked for until it comes" "$(grep -c manifests/good "$T/badreg.log")" 3
: >"$T/badreg.log"
rule 'GET */manifests/other status=429'
refuses 'answered 429 Too Many Requests' "limited for ever" rkt fetch "$at:other"
is "is asked for four times" "$(grep -c manifests/other "$T/badreg.log")" 4
fresh
rule "GET */blobs/$big status=500"
refuses "blob $big" "a server that fails" rkt fetch "$at:good"
is "gets as many tries as there are" "$(grep -c "blobs/$big" "$T/badreg.log")" 4
: >"$T/badreg.log"
rule
run rkt fetch "$at:good"
expect_status 0 "later it works"
is "and what was complete does not come again" "$(grep -c "blobs/$base" "$T/badreg.log")" 0

# ---- bytes
fresh
rule "GET */blobs/$big flip=1"
refuses "blob $big: .* sent other bytes" "T39 other bytes" rkt fetch "$at:good"
refute "are not kept" sh -c "ls '$RKT_DIR'/cas/tmp/dl-*"
fresh
rule "GET */blobs/$big cut=1000000 times=2"
run rkt fetch "$at:good"
expect_status 0 "broken off twice"
is "went on from there" "$(grep "blobs/$big" "$T/badreg.log" | sed 's/.* //' | tr '\n' ' ')" "- bytes=1000000- bytes=2000000- "
fresh
rule "GET */blobs/$big length=99999999999"
refuses 'bytes of it, not' "a length that is a lie" rkt fetch "$at:good"
fresh
rule "GET */blobs/$big endless=1"
refuses "blob $big: .* sends more than the [0-9]* bytes" "T39 a blob without an end" rkt fetch "$at:good"
rule 'GET */manifests/good endless=1'
refuses 'larger than [0-9]* bytes' "T39 a manifest without an end" rkt fetch "$at:good"
# The command line waits for half a minute, four times; the program behind it can be told to be less patient.
impatient() {
	python3 - "$RKT_BUILD/lib/rkt/stage0/fetch" "$at:good" <<-'END'
		import json, os, subprocess, sys
		T, program, url = os.environ['T'], *sys.argv[1:]
		request = {'op': 'fetch', 'dataDir': os.environ['RKT_DIR'], 'systemConfig': T + '/lib', 'localConfig': T + '/etc', 'insecure': ['image'],
		           'stallSeconds': 1, 'image': {'kind': 'oci', 'url': url, 'text': url}, 'pullPolicy': 'update'}
		asked, answers = os.pipe(), os.pipe()
		os.write(asked[1], json.dumps(request).encode())
		os.close(asked[1])
		def descriptors():
		    a, b = os.dup(asked[0]), os.dup(answers[1])
		    os.dup2(os.dup(a), 13); os.dup2(os.dup(b), 14); os.dup2(13, 3); os.dup2(14, 4)
		subprocess.run([program], preexec_fn=descriptors, close_fds=False, stdin=subprocess.DEVNULL, check=True)
		os.close(answers[1])
		print(json.loads(os.read(answers[0], 65536))['error']['text'])
	END
}
mkdir -p "$RKT_DIR"
rkt list >/dev/null
for how in stall=1 rate=40; do
	: >"$T/badreg.log"
	rule "GET */blobs/$big $how"
	run impatient
	expect_stdout "blob $big: .*too slow" "T39 a registry that is as good as silent: $how"
	is "T39 is given up" "$(grep -c "blobs/$big" "$T/badreg.log")" 4
done
fresh
rule "GET */blobs/$big stall=1"
start_rkt fetch "$at:good"
wait_for 10 grep -q "blobs/$big" "$T/badreg.log"
kill -TERM "$pid"
wait "$pid"
is "a registry that stalls can be left" "$?" 143
gone() { ! pgrep -f "$RKT_DIR" >/dev/null; }
check "by everybody" wait_for 5 gone

# ---- several layers at once
fresh
rule 'GET */blobs/* stall=1 after=1'
start_rkt fetch "$at:wide"
check "four layers are asked for at once" wait_for 10 sh -c "[ \$(grep -c '/blobs/' '$T/badreg.log') -eq 5 ]"
kill -TERM "$pid"
wait "$pid"
is "and no more, while these come" "$(grep -c '/blobs/' "$T/badreg.log")" 5

# ---- killed on the way
fresh
rule "GET */blobs/$big rate=400000"
start_rkt run --net=none "$at:good"
first=$pid
part() { find "$RKT_DIR/cas/tmp" -path '*/dl-*/data' -size +400k 2>/dev/null | grep -q .; }
check "a part of it is there" wait_for 20 part
start_rkt run --net=none "$at:good"
second=$pid
check "another one waits for it" wait_for 20 grep -q 'waiting for it' "$T/bg.err"
rule
pkill -KILL -P "$first"
kill -KILL "$first" 2>/dev/null
wait "$second"
is "who waited goes on" "$?" 0
is "runs it" "$(cat "$T/bg.out")" ran
check "from the byte where the first one died" grep -q "blobs/$big bytes=[1-9]" "$T/badreg.log"
run rkt gc --grace-period=0s
run rkt image rm "$(rkt image list --no-legend --full --fields=id)"
expect_status 0 "and nothing stays"
is "no blob, no tree" "$(find "$RKT_DIR/cas/tree" "$RKT_DIR/cas/blob" -mindepth 3 -maxdepth 3)" ""

# ---- sixteen, and the first is killed on the way
fresh
rule "GET */blobs/$big rate=200000"
start_rkt run --net=none "$at:good"
first=$pid
check "a part of it is there" wait_for 20 part
others=
for i in $(seq 15); do
	"$RKT" --dir="$RKT_DIR" "$accept" run --net=none "$at:good" -- "number $i" >"$T/out.$i" 2>"$T/err.$i" </dev/null &
	others="$others $!"
done
check "T31 fifteen wait for it" wait_for 20 sh -c "[ \$(cat '$T'/err.* | grep -c 'waiting for it') -eq 15 ]"
rule
pkill -KILL -P "$first"
kill -KILL "$first" 2>/dev/null
for p in $others; do wait "$p"; done
is "T31 fifteen that waited run it" "$(cat "$T"/out.* | grep -c 'number')" 15
asked=$(grep "blobs/$big" "$T/badreg.log" | sed 's/.* //' | tr '\n' ' ')
like "T31 one of them has gone on from the byte where the first one died, the rest moved nothing" "$asked" '^- bytes=[1-9][0-9]*- $'
is "T31 and what was complete came once" "$(grep -c "blobs/$base" "$T/badreg.log")" 1

# ---- killed anywhere while layers are unpacked: the next one finds a store that is right
fresh
for ms in 05 15 30 50 80 120; do
	start_rkt fetch "$at:good"
	sleep 0.$ms
	pkill -KILL -P "$pid" 2>/dev/null
	kill -KILL "$pid" 2>/dev/null
	wait "$pid"
done
run rkt run --net=none "$at:good"
is "after six that were killed" "$(out)" ran
run rkt image verify "$(rkt image list --no-legend --full --fields=id)"
expect_status 0 "the store is right"
run rkt gc --grace-period=0s
run rkt image gc --grace-period=0s
is "image gc leaves nothing unfinished" "$(find "$RKT_DIR/cas/tmp" "$RKT_DIR/cas/tree" -mindepth 1)" ""
