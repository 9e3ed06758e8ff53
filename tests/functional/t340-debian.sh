#!/bin/sh
# A Debian root file system made by mmdebstrap, packed as a signed image, runs real programs in both flavors.
. "${0%/*}/lib.sh"
need_root
need mmdebstrap gpg

# The mirror is the one that this machine uses.
sources=
for f in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
	if [ -s "$f" ]; then sources=$f && break; fi
done
mkdir -p "$T/debian/rootfs"
run outside mmdebstrap --quiet --variant=apt bookworm "$T/debian.tar" ${sources:+"$sources"}
expect_status 0 "mmdebstrap makes a tree"
check "it unpacks" tar -C "$T/debian/rootfs" -xf "$T/debian.tar"
rm -f "$T/debian.tar"
IMAGE_EXEC='["/bin/bash"]' make_manifest example.com/debian >"$T/debian/manifest"
check "it is packed" "$RKT_BUILD/bin/mkaci" "$T/debian" "$T/images/debian.aci"
rm -rf "$T/debian"
make_key alice
check "and signed" sign_image "$T/images/debian.aci" alice
trust_key alice example.com/debian
run rkt fetch "$T/images/debian.aci"
expect_status 0 "it is fetched with verification"

for flavor in ns fly; do
	net=--net=none
	[ $flavor = ns ] || net=--net=host
	run rkt run $net --stage1-name=coreos.com/rkt/stage1-$flavor example.com/debian -- \
		-c 'apt-get --version; perl -e "print 1"; exit 7'
	expect_status 7 "$flavor: the shell's exit status is rkt's"
	expect_stdout '^apt 2\.' "$flavor: apt-get ran"
	expect_stdout '^1' "$flavor: perl ran"
	run rkt run $net --stage1-name=coreos.com/rkt/stage1-$flavor example.com/debian -- \
		-c 'useradd -m carol && su carol -c "id -un" && dpkg -l bash | grep -c ^ii'
	expect_status 0 "$flavor: users can be made and become"
	expect_stdout '^carol$' "$flavor: su became carol"
done
