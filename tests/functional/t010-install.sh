#!/bin/sh
# What is built is what was promised: few libraries, static stages, an installation that can be moved and removed.
. "${0%/*}/lib.sh"
need_root
top=$(cd "${0%/*}/../.." && pwd)

if ! nm -D "$RKT" 2>/dev/null | grep -q __asan_init; then
	run ldd "$RKT"
	like "rkt loads no library" "$(cat "$T/out" "$T/err")" 'statically linked|not a dynamic executable'
fi
for f in "$RKT_BUILD"/lib/rkt/stage1/*/rootfs/*; do
	[ -f "$f" ] || continue
	case $f in */net) continue ;; esac # runs on the host's side only
	unlike "${f#"$RKT_BUILD"/lib/rkt/} is static" "$(ldd "$f" 2>&1)" '=>'
done
for f in ns fly; do
	check "flavor $f is there to run" test -x "$RKT_BUILD/lib/rkt/stage1/$f/rootfs/run"
	check "flavor $f is there as an image" test -s "$RKT_BUILD/lib/rkt/stage1-images/stage1-$f.aci"
done

mk() { make -s -C "$top" B="$RKT_BUILD" DESTDIR="$T/dest" PREFIX=/opt/rkt "$@"; }
run mk install
expect_status 0 "make install"
bin=$T/dest/opt/rkt/bin/rkt
run "$bin" version
expect_stdout '^rkt Version: [0-9]' "the installed program runs where it was put"
check "stages lie beside it" test -x "$T/dest/opt/rkt/lib/rkt/stage1/ns/rootfs/run"
check "the manual is installed" test -s "$T/dest/opt/rkt/share/man/man1/rkt.1"
make_image example.com/app
run "$bin" --dir="$RKT_DIR" --local-config="$T/etc" --system-config="$T/lib" --insecure-options=image run --net=none \
	"$image" --exec=/bin/inspect -- exit=9
expect_status 9 "and runs a pod with its own stages"
run mk uninstall
expect_status 0 "make uninstall"
is "leaves no file" "$(find "$T/dest" ! -type d | head)" ""
