#!/bin/sh
# An OCI image leaves as an ACI: the root that its layers show, the manifest that rkt sees, the same bytes every time, whole or not at all.
# What layers do to each other is tried case by case by t701.
. "${0%/*}/lib.sh"
. "${0%/*}/ocilib.sh"
need_root
need python3 busybox tar
make_images <<'END'
import random
random.seed(7)
D = Layer
cap = bytes([1, 0, 0, 2, 0, 4, 0, 0] + [0] * 12).decode('latin-1')
def special(l, name, kind, dev): return l.add(name, kind, dev=dev, mode=0o620, uid=0, gid=5)
base = D().dir('.', mode=0o711, when=1200000000).busybox('echo', 'cat', 'sh', 'stat')
base.dir('dev').dir('srv', mode=0o2775, uid=33, gid=34, when=1400000001).file('srv/a', 'a', when=1400000002.5).file('srv/b', 'b')
base.dir('deep').dir('deep/er').dir('deep/er/est').file('deep/er/est/one', '1').file('deep/er/two', '2').file('deep/three', '3')
base.file('set', 'x', mode=0o4755, uid=1000, gid=70000).file('capable', 'y', mode=0o755, xattrs={'security.capability': cap, 'user.note': 'äöü\n='})
base.link('alias', 'srv/b').link('srv/alias', 'srv/b').symlink('soft', '/srv/../nowhere').file('big', b'big' * 100000)
base.file('z' * 200 + '/' + 'y' * 200, 'long').file('tab\tnew\nline', 'odd').dir('var').dir('var/cache', mode=0o1777).file('var/cache/stale', 'x')
two = D().dir('srv', mode=0o700, uid=1, gid=2, when=1450000000).gone('srv/a').file('srv/c', 'c').opaque('var/cache').file('var/cache/new', 'n')
two.file('deep/er', 'a file now').dir('big').file('big/inside', 'i').add('dev/fifo', tarfile.FIFOTYPE)
special(two, 'dev/null', tarfile.CHRTYPE, (1, 3))
special(two, 'dev/loop7', tarfile.BLKTYPE, (7, 7))
two.link('copied', 'srv/b')
three = D().gone('deep/er').dir('deep/er').file('deep/er/four', '4').gone('alias').file('.hidden', 'h')
layers = [base.bytes(), two.bytes(), three.bytes()]
app = dict(Entrypoint=['/bin/echo', 'says'], Cmd=['hello'], Env=['WHO=me', 'PATH=/bin'], User='1:2', WorkingDir='/srv', StopSignal='SIGUSR1',
           ExposedPorts={'80/tcp': {}}, Volumes={'/var/cache': {}}, Labels={'k': 'v'})
many = [D().dir('.').busybox('cat').dir('d').file('d/same', 'from 0\n').bytes()]
many += [D().dir('d', when=1500000000 + i).file('d/%03d' % i, str(i)).file('d/same', 'from %d\n' % i).gone('d/%03d' % (i - 1)).bytes() for i in range(1, 121)]
write_layout(T + '/layout', {'full': Image(layers, **app), 'many': Image(many, Entrypoint=['/bin/cat', '/d/same']),
    'large': Image([layers[0], D().file('large', random.randbytes(40 << 20)).bytes()], how='plain', **app),
    'zeros': Image([layers[0], D().file('0', bytes(100 << 20)).file('more', 'm').bytes()], how='plain', **app),
    'root': Image([D().file('bin/f', 'f').bytes(), D().file('bin/g', 'g').dir('.', mode=0o750, uid=9, when=1300000000).bytes(), D().file('h', 'h').bytes()])})
END
accept_unsigned
fetch() { rkt fetch --full "$@" 2>/dev/null; }
aci_hash() { python3 "$TESTS/treehash.py" "$RKT_DIR/cas/tree/$1/rootfs"; }
clean() { is "$1" "$(find "$T" -maxdepth 1 -name '.rkt-*' -o -maxdepth 1 -name 'x.aci')" ""; }
start_badreg "$T/layout" || exit 1
name=127.0.0.1_${registry#*:}/team/app
oci=$(fetch "docker://$registry/team/app:full")
stored_hash "$oci" >"$T/want"

# ---- whole
run rkt image save --format=aci "$name:full" "$T/full.aci"
expect_status 0 "an OCI image leaves as an ACI"
is "says nothing" "$(cat "$T/out" "$T/err")" ""
run rkt image save --format=aci "$oci" "$T/again.aci"
check "the same bytes every time" cmp "$T/full.aci" "$T/again.aci"
tar -tzf "$T/full.aci" --quoting-style=escape >"$T/names"
is "first the manifest, then the root" "$(head -n 3 "$T/names" | tr '\n' ' ')" "manifest rootfs/ rootfs/.hidden "
is "the rest sorted" "$(sed 's|/$||; s|/|!|g' "$T/names" | LC_ALL=C sort -c 2>&1)" ""
unlike "no mark of a layer is in it" "$(cat "$T/names")" '\.wh\.|PaxHeader'
aci=$(fetch "$T/full.aci")
like "it is fetched as any other" "$aci" '^sha512-'
aci_hash "$aci" >"$T/got"
check "its root is that of the OCI image" diff "$T/want" "$T/got"
for line in '\.hidden 0o100644' 'big/inside ' 'capable .*security\.capability.*user\.note' 'copied .*' 'deep/er/four ' 'dev/fifo 0o10' 'dev/loop7 0o60620 0 5 .* 7:7' \
	'dev/null 0o20620 0 5 .* 1:3' 'set 0o104755 1000 70000' 'soft .* /srv/\.\./nowhere' 'srv 0o40700 1 2 1450000000' 'srv/b .* = copied' 'var/cache/new ' 'zzzz.*/yyyy'; do
	like "among it: $line" "$(cat "$T/got")" "^$line"
done
is "and nothing of what layers took away" "$(grep -cE '^(srv/a|alias|deep/er/est|deep/er/two|var/cache/stale) ' "$T/got")" 0
rkt image cat-manifest --pretty-print=false "$oci" >"$T/manifest.oci"
rkt image cat-manifest --pretty-print=false "$aci" >"$T/manifest.aci"
check "its manifest is the one that rkt sees" cmp "$T/manifest.oci" "$T/manifest.aci"
like "with the name and the labels" "$(rkt image list --full --no-legend --fields=id,name | grep "$aci")" "$name:full"
like "also for this machine" "$(cat "$T/manifest.aci")" "\"labels\":\\[\\{\"name\":\"arch\",\"value\":\"$(image_arch)\"\\},\\{\"name\":\"os\",\"value\":\"linux\"\\},\\{\"name\":\"version\",\"value\":\"full\"\\}\\]"
check "and the app" python3 -c '
import json, sys
app = json.load(open(sys.argv[1]))["app"]
assert app["exec"] == ["/bin/echo", "says", "hello"] and app["user"] == "1" and app["group"] == "2" and app["workingDirectory"] == "/srv", app
assert app["ports"][0]["name"] == "80-tcp" and app["mountPoints"][0]["path"] == "/var/cache" and app["userLabels"] == {"k": "v"}, app' "$T/manifest.aci"
run rkt image rm "$oci"
run rkt image gc --grace-period=0s
run rkt run --net=none "$T/full.aci"
is "it runs where the OCI image is gone" "$(out)" "says hello"
run rkt run --net=none "$aci" --exec=/bin/cat -- /proc/self/status /deep/er/four
like "as the user that it names" "$(out)" '^Uid:.1.1.1.1$'
is "with its files" "$(tail -n 1 "$T/out")" 4

# ---- odd ones
many=$(fetch "docker://$registry/x:many")
run rkt image save --format=aci "$many" "$T/many.aci"
expect_status 0 "121 layers"
run sh -c "ulimit -n 64 && exec '$RKT' --dir='$RKT_DIR' --local-config='$T/etc' --system-config='$T/lib' image save --format=aci '$many' '$T/few.aci'"
check "also with few descriptors" cmp "$T/many.aci" "$T/few.aci"
aci_hash "$(fetch "$T/many.aci")" >"$T/got"
is "show what the last ones say" "$(grep '^d' "$T/got" | cut -d' ' -f1,5 | tr '\n' ' ')" "d 1500000120000000000 d/120 1500000000000000000 d/same 1500000000000000000 "
run rkt run --net=none "$T/many.aci"
is "and it runs" "$(out)" "from 120"
root=$(fetch "docker://$registry/x:root")
rkt image save --format=aci "$root" "$T/root.aci"
stored_hash "$root" >"$T/want"
aci_hash "$(fetch "$T/root.aci")" >"$T/got"
check "the root looks as the layer says that names it" diff "$T/want" "$T/got"
zeros=$(fetch "docker://$registry/x:zeros")
rkt image save --format=aci "$zeros" "$T/zeros.aci"
rkt image save --format=aci "$zeros" "$T/zeros.again"
check "what compresses to nothing: the same every time" cmp "$T/zeros.aci" "$T/zeros.again"
run rkt fetch --full "$T/zeros.aci"
expect_status 0 "and nobody takes it for a bomb"
stored_hash "$zeros" >"$T/want"
aci_hash "$(out)" >"$T/got"
check "nor loses any of it" diff "$T/want" "$T/got"
run rkt image save --format=oci-archive "$aci" "$T/back.tar"
back=$(fetch "oci-archive:$T/back.tar")
aci_hash "$aci" >"$T/want"
stored_hash "$back" >"$T/got"
check "and back to an OCI image" diff "$T/want" "$T/got"

# ---- or not at all
large=$(fetch "docker://$registry/x:large")
echo precious >"$T/taken"
ln -s "$T/elsewhere" "$T/dangling"
for to in taken dangling; do
	refuses 'File exists' "$to: what is there is not replaced" rkt image save --format=aci "$large" "$T/$to"
done
is "nor written to" "$(cat "$T/taken"; ls "$T/elsewhere" 2>/dev/null)" precious
refuses 'No such file' "no such directory" rkt image save --format=aci "$large" "$T/nowhere/x.aci"
mkdir "$T/small"
# shellcheck disable=SC2016 # the shell inside expands
run unshare -m --propagation private sh -c '
	mount -t tmpfs -o size=8m tmpfs "$1/small" || exit 9
	"$2" --dir="$1/data" --local-config="$1/etc" --system-config="$1/lib" image save --format=aci "$3" "$1/small/x.aci"
	s=$?
	ls -A "$1/small"
	exit $s' sh "$T" "$RKT" "$large"
expect_status 254 "a full disk"
is "is told in one line" "$(grep -c . "$T/err"; grep -c 'No space left' "$T/err")" "1
1"
is "and nothing stays on it" "$(out)" ""
# Who writes, by the file that has no name yet (or a hidden one, where there are no files without a name).
writer() { find /proc/[0-9]*/fd -maxdepth 1 \( -lname "$T/*(deleted)" -o -lname "$T/.rkt-*" \) 2>/dev/null | sed -n '1s|^/proc/\([0-9]*\)/.*|\1|p'; }
writing() { [ -n "$(writer)" ]; }
for signal in HUP TERM KILL; do
	start_rkt image save --format=aci "$large" "$T/x.aci"
	check "$signal: it writes" wait_for 10 writing
	check "and is ended" kill -s $signal "$pid"
	wait "$pid" 2>/dev/null
	check "with who did the work" wait_for 10 sh -c '! kill -0 "$1" 2>/dev/null' sh "$(writer)"
	clean "nothing half made stays"
done
start_rkt image save --format=aci "$large" "$T/x.aci"
check "who does the work" wait_for 10 writing
kill -s TERM "$(writer)"
wait "$pid"
like "may be interrupted" "$? $(cat "$T/bg.err")" "^254 rkt: save: image \"$large\": .*interrupted$"
clean "and leaves nothing"
start_rkt image save --format=aci "$large" "$T/x.aci"
check "who does the work" wait_for 10 writing
kill -s KILL "$(writer)"
wait "$pid"
is "may die" "$?" 254
clean "and leaves nothing"
start_rkt image save --format=aci "$large" "$T/gone.aci"
check "while it writes" wait_for 10 writing
run rkt image rm "$large"
check "the image is removed" kill -0 "$pid"
wait "$pid"
is "it ends well" "$?" 0
large=$(fetch "docker://$registry/x:large")
stored_hash "$large" >"$T/want"
aci_hash "$(fetch "$T/gone.aci")" >"$T/got"
check "with everything" diff "$T/want" "$T/got"
aci=$(fetch "$T/gone.aci")
start_rkt image save --format=oci "$aci" "$T/back"
packer() { find /proc/[0-9]*/fd -maxdepth 1 -lname "$RKT_DIR/cas/tmp/*/layer" 2>/dev/null | sed -n '1s|^/proc/\([0-9]*\)/.*|\1|p'; }
packing() { [ -n "$(packer)" ]; }
check "while the root of an ACI is packed for an OCI image" wait_for 20 packing
stopped=$(packer)
kill -s STOP "$stopped"
rkt image rm "$aci" >/dev/null 2>&1 &
remover=$!
pids="$pids $remover"
sleep 1
check "who removes it" kill -0 "$remover"
check "waits" test -d "$RKT_DIR/cas/tree/$(basename "$(find "$RKT_DIR/cas/tree" -maxdepth 1 -name "$aci*")")/rootfs"
kill -s CONT "$stopped"
wait "$pid"
is "that one ends well, too" "$?" 0
stored_hash "$(fetch "oci:$T/back")" >"$T/got"
check "with everything" diff "$T/want" "$T/got"
run unshare -U --map-root-user "$RKT" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" image save --format=aci "$large" "$T/x.aci"
expect_status 254 "who cannot see what layers hide"
expect_stderr 'Operation not permitted' "gets no image"
tree=$(stored_trees "$large")
mv "${tree%%:*}" "$T/stolen"
refuses 'layers of it are missing' "a layer that is not there" rkt image save --format=aci "$large" "$T/x.aci"
mv "$T/stolen" "${tree%%:*}"
clean "nothing half made stays"
