#!/bin/sh
# Images on their way out: saved for others and for ourselves, sent to a real registry, ACIs as OCI images.
. "${0%/*}/lib.sh"
. "${0%/*}/ocilib.sh"
need_root
need docker-registry skopeo umoci python3 busybox
accept_unsigned
check "a registry" start_registry
make_images <<'END'
import random
random.seed(3)
base = Layer().dir('.').busybox('echo').bytes()
two = Layer().file('page', 'one\n').gone('nothing').bytes()
app = dict(Entrypoint=['/bin/echo', 'says'], Cmd=['hello'])
push('http://%s/v2/team/app' % registry, 'v1', Image([base, two, two], **app))
push('http://%s/v2/team/big' % registry, 'v1', Image([base, Layer().file('big', random.randbytes(20 << 20)).bytes()], how='plain', **app))
END
host=$registry
name=127.0.0.1_${host#*:}/team/app:v1
in_pod() { rkt run --net=none "$@"; }
run rkt fetch --full "docker://$host/team/app:v1"
id=$(out)

# ---- saved
for format in oci oci-archive docker-archive; do
	run rkt image save --format=$format "$name" "$T/out.$format"
	expect_status 0 "save as $format"
	transport=$format
	run skopeo inspect --raw "$transport:$T/out.$format"
	expect_status 0 "which skopeo reads"
done
is "the layout has the very manifest" "$(python3 -c 'import hashlib, subprocess, sys; print(hashlib.sha256(subprocess.check_output(["skopeo", "inspect", "--raw", "oci:" + sys.argv[1]])).hexdigest())' "$T/out.oci")" "${id#sha256-}"
run umoci unpack --image "$T/out.oci:v1" "$T/bundle"
expect_status 0 "umoci unpacks it"
run rkt image save "$id" "$T/again.tar"
check "the same every time" cmp "$T/again.tar" "$T/out.oci-archive"
refuses 'File exists' "what is there is not replaced" rkt image save "$id" "$T/again.tar"
ln -s "$T/elsewhere" "$T/dangling"
mkdir "$T/there"
ln -s "$T/there" "$T/directory"
for format in oci oci-archive docker-archive aci; do
	for link in dangling directory; do
		refuses 'File exists' "T54 a link is no place for $format either" rkt image save --format=$format "$id" "$T/$link"
	done
done
is "T54 nothing is written through it" "$(ls -A "$T/there"; ls "$T/elsewhere" 2>/dev/null)" ""
refuses 'No such file' "no such directory" rkt image save "$id" "$T/nowhere/x.tar"
refuses 'oci|one of' "no such format" rkt image save --format=zip "$id" "$T/x.zip"
is "nothing half made stays" "$(find "$T" -maxdepth 1 -name '.rkt-*' -o -maxdepth 1 -name 'x.*')" ""
run rkt image rm "$id"
run in_pod "oci:$T/out.oci:v1"
is "loaded again" "$(out)" "says hello"
run rkt fetch --full "oci-archive:$T/out.oci-archive"
is "it is the same image" "$(out)" "$id"
run in_pod "docker-archive:$T/out.docker-archive"
is "also from docker's archive" "$(out)" "says hello"

# ---- sent
run rkt fetch "docker://$host/team/app:v1"
new_log
run rkt image push "$id" "docker://$host/other/copy:new"
expect_status 0 "push"
is "prints the digest" "$(out)" "sha256:${id#sha256-}"
is "nothing is sent that another repository has" "$(registry_asked 'PATCH ')" 0
run skopeo inspect --tls-verify=false --raw "docker://$host/other/copy:new"
expect_status 0 "it is there"
new_log
run rkt image push "$id" "docker://$host/other/copy:again"
is "nothing at all when it is there" "$(registry_asked '"\(PATCH\|POST\) ')" 0
run rkt fetch --full "docker://$host/team/big:v1"
big=$(out)
kill "$registry_pid"
wait "$registry_pid" 2>/dev/null
rm -rf "$T/registry"
check "a new registry" start_registry
new_log
run rkt image push "$big" "docker://$registry/fresh/big:1"
expect_status 0 "everything, where nothing is"
is "a large layer in pieces" "$(registry_asked '"PATCH ')" 4
rm -rf "$RKT_DIR"
run in_pod "docker://$registry/fresh/big:1"
is "and back" "$(out)" "says hello"
refuses 'docker://HOST/NAME' "not a place to send to" rkt image push "$big" "oci:$T/x"
refuses 'no image' "not an image" rkt image push "sha256-00" "docker://$registry/x"

# ---- ACIs
mkdir -p "$T/extra/etc"
echo root:x:0:0::/:/bin/sh >"$T/extra/etc/passwd"
ln "$T/extra/etc/passwd" "$T/extra/etc/second"
IMAGE_EXEC='["/bin/echo","an","aci"]' make_image example.com/aci "$T/extra"
run rkt fetch --full "$image"
aci=$(out)
run rkt image push "$aci" "docker://$registry/made/aci:1"
expect_status 0 "an ACI is sent as an OCI image"
first=$(out)
run in_pod "docker://$registry/made/aci:1"
is "and runs" "$(out)" "an aci"
oci=$(rkt image list --full --no-legend --fields=id,name | awk '/made\/aci/ { print $1 }')
stored_hash "$oci" >"$T/hash.oci"
python3 "$TESTS/treehash.py" "$RKT_DIR/cas/tree/$aci/rootfs" >"$T/hash.aci"
check "from the same root" diff "$T/hash.aci" "$T/hash.oci"
run rkt image push "$aci" "docker://$registry/made/aci:2"
is "with the same digest every time" "$(out)" "$first"
run rkt image save --format=oci "$aci" "$T/aci.oci"
run umoci unpack --image "$T/aci.oci:$(umoci ls --layout "$T/aci.oci")" "$T/aci.bundle"
python3 "$TESTS/treehash.py" "$T/aci.bundle/rootfs" >"$T/hash.umoci"
check "which umoci unpacks as well" diff "$T/hash.aci" "$T/hash.umoci"
run rkt image save --format=aci "$aci" "$T/copy.aci"
check "as an ACI it is what was fetched" cmp "$T/copy.aci" "$image"
