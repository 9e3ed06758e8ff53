#!/bin/sh
# Layers: what a stack of them shows is what umoci makes of it, file by file, and what an ACI made of it holds; the torture cases 55-57 and
# hostile ones.
. "${0%/*}/lib.sh"
. "${0%/*}/ocilib.sh"
need_root
need umoci skopeo python3 busybox
accept_unsigned
check "a registry" start_badreg "$T/layout"
make_images <<'END'
D = Layer
refs = {}
def case(name, *layers, **k): refs[name] = Image(list(layers), **k)
base = lambda: D().dir('.').dir('d', mode=0o750, uid=7, gid=8, when=1400000001).file('d/a', 'a').file('d/b', 'b').dir('d/s').file('d/s/x', 'x').dir('usr').dir('usr/lib').symlink('lib', 'usr/lib').file('f', 'f')
case('plain', base())
case('whiteout', base(), D().gone('d/a').file('d/c', 'c'))
case('whiteout-dir', base(), D().gone('d/s'), D().dir('d').dir('d/s').file('d/s/y', 'y'))
case('dir-again', base(), D().gone('d').dir('d', mode=0o700).file('d/n', 'n'))
case('before', base(), D().gone('d/a').file('d/a', 'new'))
case('after', base(), D().file('d/a', 'new').gone('d/a'))
case('opaque-first', base(), D().opaque('d').file('d/n', 'n'))
case('opaque-last', base(), D().file('d/n', 'n').opaque('d'))
case('opaque-new', base(), D().dir('e').opaque('e').file('e/n', 'n'))
case('gone-both', base(), D().gone('d/s').gone('d/s/x'))
case('gone-nothing', base(), D().gone('nothing').gone('d/nothing').gone('no/thing'))
case('file-over-dir', base(), D().file('d', 'now a file'))
case('dir-over-file', base(), D().dir('f').file('f/x', 'x'), D().file('f/y', 'y'))
case('dir-over-link', base(), D().dir('lib').file('lib/x', 'x'))
case('link-over-dir', base(), D().symlink('d', 'usr'))
case('hard-link', base(), D().link('l', 'd/a'), D().file('d/a', 'other'))
case('hard-link-both', base(), D().link('d/l', 'd/a').link('d/m', 'd/a'))
case('same-name-twice', base(), D().file('t', 'one').file('t', 'two').dir('u').file('u', 'file now'))
case('attributes', base(), D().dir('d', mode=0o1777, uid=1, gid=2, when=1300000000, xattrs={'user.k': 'v'}).file('x', 'x', mode=0o4755, uid=3, xattrs={'user.a': 'b'}))
case('root-mode', D().dir('.', mode=0o711, when=1200000000).file('f', 'f'), D().file('g', 'g'))
case('root-in-layer-two', D().file('f', 'f'), D().dir('.', mode=0o700, uid=5, when=1200000000))
case('empty-layers', base(), b'', b'\0' * 10240, D().file('z', 'z'))
case('names', base(), D().file('./d/./n', 'n').file('/abs', 'abs').file('d/' + 'l' * 255, 'long').file('d/\u00e4 b\n', 'odd'))
case('special', base(), D().add('fifo', tarfile.FIFOTYPE).symlink('dangling', '/no/where').symlink('out', '../../etc'))
case('twice', base(), D().file('d/a', '1').bytes(), D().file('d/a', '2').bytes(), D().file('d/a', '1').bytes())
# what follows umoci does otherwise, or not at all
case('implied', base(), D().file('d/s/new', 'n'))
case('through-link', base(), D().file('lib/x', 'x').gone('lib/nothing'), D().file('usr/lib/y', 'y'))
case('to-link', base().dir('lib2').file('lib2/o', 'o'), D().gone('lib2').symlink('lib2', 'usr/lib'), D().file('lib2/n', 'n'))
case('opaque-root', base(), D().opaque('.').file('only', 'this'))
case('link-of-gone', base(), D().gone('d/a').link('l', 'd/a'))
# refused
case('bad-dotdot', base(), D().file('../out', 'x'))
case('bad-wh', base(), D().file('d/.wh.', ''))
case('bad-wh-dot', base(), D().file('d/.wh...', ''))
case('bad-wh-self', base(), D().file('d/.wh..', ''))
case('bad-wh-link', base().symlink('away', T + '/canary'), D().file('away/.wh.secret', ''))
case('wh-of-link', base().symlink('away', T + '/canary'), D().gone('away'))
case('wh-under-link', base().symlink('away', T + '/canary'), D().gone('away').gone('away/secret'))
case('opaque-link', base().symlink('away', T + '/canary'), D().opaque('away'))
case('bad-wh-data', base(), D().file('d/.wh.a', 'data'))
case('bad-wh-parent', base(), D().file('.wh.d/a', ''))
case('bad-chr', base(), D().add('c', tarfile.CHRTYPE, dev=(0, 0)))
case('bad-link', base(), D().link('l', 'nothing/there'))
case('bad-link-dir', base(), D().link('l', 'd'))
case('bad-link-out', base(), D().link('l', '../../etc/passwd'))
case('bad-root', D().file('.', 'x'))
case('bad-own-link', base(), D().symlink('k', '/etc').file('k/passwd', 'x'))
case('bad-below-link', base(), D().symlink('k', '/etc'), D().file('k/rkt-was-here', 'x').link('k/h', 'f'))
case('bad-diff', base(), diff_ids=[digest(b'other')])
case('bad-count', base(), diff_ids=[digest(b'x'), digest(b'y')])
case('bad-none')
case('bad-truncated', base().bytes()[:1000])
case('bad-opaque-xattr', base(), D().dir('d', xattrs={'trusted.overlay.opaque': 'y'}))
write_layout(T + '/layout', refs)
with open(T + '/names', 'w') as f:
    for n in refs: f.write(n + '\n')
END
mkdir "$T/canary"
echo alive >"$T/canary/secret"
get() { run rkt fetch --full "docker://$registry/x:$1"; }
unpack() {
	rm -rf "$T/umoci"
	umoci unpack --image "$T/layout:$1" "$T/umoci" >/dev/null 2>&1
}
ours=' wh-of-link wh-under-link opaque-link implied through-link to-link opaque-root link-of-gone '
while read -r name; do
	case $name in bad-*) continue ;; esac
	get "$name"
	expect_status 0 "$name: is fetched"
	id=$(out)
	stored_hash "$id" >"$T/hash.$name"
	run rkt image save --format=aci "$id" "$T/$name.aci"
	run rkt fetch --full "$T/$name.aci"
	python3 "$TESTS/treehash.py" "$RKT_DIR/cas/tree/$(out)/rootfs" >"$T/hash.aci"
	check "$name: an ACI of it holds the same" diff "$T/hash.$name" "$T/hash.aci"
	case $ours in *" $name "*) continue ;; esac
	unpack "$name"
	python3 "$TESTS/treehash.py" "$T/umoci/rootfs" >"$T/hash.umoci"
	check "$name: shows what umoci shows" diff "$T/hash.$name" "$T/hash.umoci"
done <"$T/names"
line() { grep "^$2 " "$T/hash.$1"; }
is "implied: a directory that a layer does not name looks as below" "$(line implied d/s)" "$(line plain d/s)"
is "through-link: what a layer puts behind a link of a lower one is there" "$(line through-link usr/lib/x | cut -d' ' -f1)" usr/lib/x
is "through-link: and the link stays" "$(line through-link lib)" "$(line plain lib)"
is "through-link: together with what comes later" "$(line through-link usr/lib/y | cut -d' ' -f1)" usr/lib/y
is "to-link: a directory becomes a link" "$(line to-link lib2 | cut -d' ' -f2,6)" "0o120777 usr/lib"
is "to-link: and is used as one" "$(line to-link usr/lib/n | cut -d' ' -f1)" usr/lib/n
is "opaque-root: nothing of below" "$(cut -d' ' -f1 "$T/hash.opaque-root" | tr '\n' ' ')" ". only "
is "link-of-gone: the content, not the name" "$(grep -c '^l \|^d/a ' "$T/hash.link-of-gone")" 1

refused() { # NAME WHY
	get "$1"
	if [ "$status" -eq 254 ] && tail -n 1 "$T/err" | grep -Eq -e "$2"; then ok "$1: refused"; else not_ok "$1: refused"; fi
}
refused bad-dotdot '"\.\./out"'
refused bad-wh 'layer sha256:.*\.wh\.'
refused bad-wh-dot 'layer sha256:'
refused bad-wh-self 'layer sha256:'
refused bad-wh-data 'whiteout with data'
refused bad-wh-parent 'layer sha256:'
refused bad-chr 'layer sha256:.*"c"'
refused bad-link 'no layer has it'
refused bad-link-dir 'that is a directory'
refused bad-link-out 'layer sha256:'
refused bad-root 'root is not a directory'
refused bad-own-link 'layer sha256:.*link'
for name in bad-wh-link wh-of-link wh-under-link opaque-link; do
	get "$name"
	cp "$T/out" "$T/out.$name"
	is "T05 $name: nothing outside goes" "$(cat "$T/canary/secret")" alive
done
is "T05 a whiteout of a link takes the link away" "$(stored_hash "$(cat "$T/out.wh-of-link")" | grep -c '^away ')" 0
get bad-below-link
refute "T16 nothing is written through a link of the image" test -e /etc/rkt-was-here
refused bad-diff 'its content has digest sha256:.*, and the config says'
refused bad-count 'layers'
refused bad-none 'no layers'
refused bad-truncated 'layer sha256:'
get bad-opaque-xattr
expect_status 0 "an attribute of overlayfs in a layer"
is "means nothing" "$(stored_hash "$(out)" | grep -c '^d/a ')" 1
is "nothing unfinished stays" "$(find "$RKT_DIR/cas/tmp" -mindepth 1 -name 'dir-*')" ""
ids=$(rkt image list --full --no-legend --fields=id)
# shellcheck disable=SC2086 # one argument an image
run rkt image verify $ids
expect_status 0 "stored images are what was fetched"
id=$(rkt image list --full --no-legend --fields=id,name | awk '/^sha256.*:opaque-first/ { print $1 }')
tree=$(stored_trees "$id")
python3 -c 'import os, sys; os.removexattr(sys.argv[1], "trusted.overlay.opaque")' "${tree%%:*}/d"
run rkt image verify "$id"
expect_status 254 "but this one was tampered with"
