#!/bin/sh
# Debian as an image of several layers: made by mmdebstrap, buildah and umoci, fetched from a registry, compared with what umoci and podman make of it.
. "${0%/*}/lib.sh"
. "${0%/*}/ocilib.sh"
need_root
need mmdebstrap buildah umoci podman skopeo docker-registry
accept_unsigned
sources=
for f in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
	if [ -s "$f" ]; then sources=$f && break; fi
done
run outside mmdebstrap --quiet --variant=essential bookworm "$T/debian.tar" ${sources:+"$sources"}
expect_status 0 "mmdebstrap makes a tree"
check "a registry" start_registry
# Others keep their storage below $T, as plain directories, and their mounts to themselves.
apart() {
	_tool=$1
	shift
	unshare -m --propagation private "$_tool" --root "$T/$_tool" --runroot "$T/$_tool.run" --storage-driver vfs "$@"
}
box=$(apart buildah from scratch)
check "buildah adds it" apart buildah add -q "$box" "$T/debian.tar" /
run apart buildah config --entrypoint '["/bin/sh", "-c"]' --cmd '"dpkg -l dash | tail -n 1"' --env A=b --workingdir /usr "$box"
run apart buildah commit -q --disable-compression=false "$box" "oci:$T/lay:one"
expect_status 0 "buildah makes an image"
run umoci unpack --image "$T/lay:one" "$T/work"
expect_status 0 "umoci takes it apart"
root=$T/work/rootfs
rm -rf "$root/usr/share/doc" "$root/etc/cron.daily"
mkdir "$root/etc/cron.daily"
echo new >"$root/etc/cron.daily/new"
echo changed >>"$root/etc/issue"
ln "$root/etc/issue" "$root/etc/issue.again"
ln -sfn usr/share "$root/share"
chown 5:6 "$root/etc/hostname"
chmod 4711 "$root/usr/bin/env"
run umoci repack --image "$T/lay:two" "$T/work"
expect_status 0 "and makes a second layer"
rm -rf "$T/work" "$T/debian.tar"
check "skopeo sends it" skopeo copy -q --dest-tls-verify=false "oci:$T/lay:two" "docker://$registry/debian:two"

run rkt fetch --full "docker://$registry/debian:two"
expect_status 0 "rkt fetches it"
out >"$T/id"
stored_hash "$(out)" >"$T/hash.rkt"
check "thousands of files" test "$(wc -l <"$T/hash.rkt")" -gt 3000
umoci unpack --image "$T/lay:two" "$T/umoci" >/dev/null 2>&1
python3 "$TESTS/treehash.py" "$T/umoci/rootfs" >"$T/hash.umoci"
check "it is what umoci makes of it" diff "$T/hash.umoci" "$T/hash.rkt"
rm -rf "$T/umoci"
run apart podman pull -q --tls-verify=false "$registry/debian:two"
expect_status 0 "podman fetches it"
# With plain directories what podman mounts is one.
where=$(apart podman image mount "$registry/debian:two")
# It gives directories whose files a later layer replaces a time of its own; umoci and we do not.
no_times() { sed -E 's/( 0o4[0-7]{4} [0-9]+ [0-9]+) [0-9]+/\1 -/'; }
python3 "$TESTS/treehash.py" "$where" | no_times >"$T/hash.podman"
no_times <"$T/hash.rkt" >"$T/hash.again"
check "it is what podman makes of it, times of directories apart" diff "$T/hash.podman" "$T/hash.again"
run rkt run --net=none "docker://$registry/debian:two"
expect_stdout '^ii +dash' "and it runs"
run rkt run --net=none "docker://$registry/debian:two" -- 'cat /etc/cron.daily/*; ls /usr/share/doc; pwd'
expect_stdout '^new$' "with its second layer"
expect_stdout '^/usr$' "in its directory"
run rkt image save --format=aci "$(cat "$T/id")" "$T/debian.aci"
run rkt fetch --full "$T/debian.aci"
expect_status 0 "it leaves as an ACI"
python3 "$TESTS/treehash.py" "$RKT_DIR/cas/tree/$(out)/rootfs" >"$T/hash.aci"
check "with all of its root" diff "$T/hash.rkt" "$T/hash.aci"
run rkt run --net=none "$T/debian.aci"
expect_stdout '^ii +dash' "which runs as well"
