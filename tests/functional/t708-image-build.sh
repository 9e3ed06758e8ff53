#!/bin/sh
# rkt image build: a directory as an OCI image, that umoci, skopeo and podman take as well; the same every time.
. "${0%/*}/lib.sh"
. "${0%/*}/ocilib.sh"
need_root
need umoci skopeo podman python3 busybox docker-registry
accept_unsigned
dir=$T/root
make_rootfs "$dir"
mkdir -p "$dir/srv/data" "$dir/empty"
echo page >"$dir/srv/page"
ln "$dir/srv/page" "$dir/srv/again"
ln -s ../srv/page "$dir/etc/link"
mkfifo "$dir/srv/fifo"
cp "$dir/bin/true" "$dir/srv/setuid"
chown 5:6 "$dir/srv/setuid" "$dir/srv/data"
chmod 4755 "$dir/srv/setuid"
python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.note", b"n")' "$dir/srv/page"
python3 -c 'import os, sys; os.setxattr(sys.argv[1], "security.capability", bytes.fromhex("0100000200040000000000000000000000000000"))' "$dir/bin/busybox"
touch -d '2001-02-03 04:05:06' "$dir/srv/page" "$dir"
chmod 711 "$dir"
python3 "$TESTS/treehash.py" "$dir" >"$T/hash"
build() {
	rkt image build --name=team/made:v1 --exec=/bin/sh --environment=A="b c" --environment=PATH=/bin --user=alice --working-dir=/srv \
		--user-label=org.example.kind=test --port=80/tcp --port=5000-5001/udp --volume=/srv/data --stop-signal=SIGUSR1 "$@"
}
for format in oci oci-archive docker-archive; do
	run build --format=$format "$dir" "$T/made.$format" -- -c 'id -u; pwd; echo "$A"; cat /etc/link'
	expect_status 0 "build as $format"
	run skopeo inspect --config "$format:$T/made.$format"
	is "skopeo reads what it runs" "$(python3 -c 'import json, sys; c = json.load(sys.stdin)["config"]; print(c["Entrypoint"], c["User"], c["WorkingDir"], sorted(c["ExposedPorts"]), list(c["Volumes"]), c["Labels"])' <"$T/out")" \
		"['/bin/sh'] alice /srv ['5000-5001/udp', '80/tcp'] ['/srv/data'] {'org.example.kind': 'test'}"
done
build "$dir" "$T/twice.tar" -- -c 'id -u; pwd; echo "$A"; cat /etc/link'
run build "oci:$T/short" -- -c true
expect_status 254 "a word is missing"
run build "$dir" "oci:$T/short" -- -c 'id -u; pwd; echo "$A"; cat /etc/link'
expect_status 0 "the format before the place, as skopeo writes it"
check "is the same" diff -r "$T/short" "$T/made.oci"
run build --format=oci-archive "$dir" "oci-archive:$T/short.tar" -- -c 'id -u; pwd; echo "$A"; cat /etc/link'
check "said twice" cmp "$T/short.tar" "$T/made.oci-archive"
fails_with 'output "oci:.*": --format says oci-archive' "two formats" rkt image build --name=x --format=oci-archive "$dir" "oci:$T/no"
fails_with 'output "oci:.*:v1": a path without a colon' "a name belongs to --name" rkt image build --name=x "$dir" "oci:$T/no:v1"
fails_with 'output "oci:": a path expected' "no path" rkt image build --name=x "$dir" oci:
refute "nothing of it is there" test -e "$T/no"
run rkt fetch "oci:$T/short"
run rkt image save "$(out)" "docker-archive:$T/short.docker"
expect_status 0 "save takes it, too"
check "and writes that format" skopeo inspect --config "docker-archive:$T/short.docker"
check "the same every time" cmp "$T/twice.tar" "$T/made.oci-archive"
run rkt run --net=none "oci:$T/made.oci"
is "rkt runs it" "$(out | tr '\n' ' ')" "1000 /srv b c page "
run rkt run --net=none "docker-archive:$T/made.docker-archive:team/made:v1" -- -c 'echo other'
is "with other arguments" "$(out)" other
run rkt image list --no-legend --fields=name
expect_stdout '/team/made:v1$' "by its name"
run rkt fetch --full "oci-archive:$T/made.oci-archive"
stored_hash "$(out)" >"$T/hash.rkt"
check "it is the directory" diff "$T/hash" "$T/hash.rkt"
umoci unpack --image "$T/made.oci:v1" "$T/bundle" >/dev/null 2>&1
python3 "$TESTS/treehash.py" "$T/bundle/rootfs" >"$T/hash.umoci"
check "so it is to umoci" diff "$T/hash" "$T/hash.umoci"
apart() { unshare -m --propagation private podman --root "$T/podman" --runroot "$T/podman.run" --storage-driver vfs "$@"; }
run apart pull -q "oci-archive:$T/made.oci-archive"
expect_status 0 "podman takes it"
where=$(apart image mount "$(cat "$T/out")")
python3 "$TESTS/treehash.py" "$where" >"$T/hash.podman"
# It gives the root a time of its own.
tail -n +2 "$T/hash" >"$T/hash.below"
check "and it is the directory to podman" sh -c "tail -n +2 '$T/hash.podman' | diff '$T/hash.below' -"
check "a registry" start_registry
run rkt image push "$(rkt image list --full --no-legend --fields=id,name | awk '/team\/made/ { print $1; exit }')" "docker://$registry/team/made:v1"
expect_status 0 "it can be sent"
run skopeo inspect --tls-verify=false --format '{{.Name}} {{.Architecture}}' "docker://$registry/team/made:v1"
is "and is there" "$(out)" "$registry/team/made $(python3 -c 'import platform; print({"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine()))')"
run build --arch=armv7l --format=oci "$dir" "$T/arm"
run skopeo inspect --raw --config "oci:$T/arm"
expect_stdout '"architecture": ?"arm".*"variant": ?"v7"' "for another machine"

# ---- wrong
fails_with 'must provide a directory' "no output" rkt image build --name=x "$dir"
fails_with 'must provide a name' "no name" rkt image build "$dir" "$T/x.tar"
fails_with 'option --name: .*lower-case' "a bad name" rkt image build --name=Team/X "$dir" "$T/x.tar"
fails_with 'option --arch: .*z80' "an unknown architecture" rkt image build --name=x --arch=z80 "$dir" "$T/x.tar"
refuses 'No such file' "no such directory" rkt image build --name=x "$T/nothing" "$T/x.tar"
refuses 'Not a directory' "a file" rkt image build --name=x "$T/hash" "$T/x.tar"
refuses 'root of this machine' "the root of the machine" rkt image build --name=x / "$T/x.tar"
refuses 'File exists' "what is there is not replaced" rkt image build --name=x "$dir" "$T/twice.tar"
refuses 'cannot be a volume' "the root as a volume" rkt image build --name=x --volume=/ "$dir" "$T/x.tar"
refuses 'ExposedPorts.*is not PORT' "a port that is none" rkt image build --name=x --port=http "$dir" "$T/x.tar"
refuses 'aci.*(choose|one of|oci)' "no such format" rkt image build --name=x --format=aci "$dir" "$T/x.tar"
mkdir "$T/odd"
: >"$T/odd/.wh.file"
refuses '^rkt: build: .*\.wh\.file would take a file away' "a file that would be a whiteout" rkt image build --name=x "$T/odd" "$T/x.tar"
is "nothing half made stays" "$(find "$T" -maxdepth 1 -name '.rkt-*' -o -maxdepth 1 -name 'x.tar')" ""
