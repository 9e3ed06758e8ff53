#!/bin/sh
# Images that lie on disk: layouts and archives as umoci and skopeo write them, and hostile ones.
. "${0%/*}/lib.sh"
. "${0%/*}/ocilib.sh"
need_root
need umoci skopeo python3 busybox
accept_unsigned
make_images <<'END'
base = Layer().dir('.').busybox('echo', 'cat').bytes()
two = Layer().file('page', 'one\n').bytes()
app = dict(Entrypoint=['/bin/echo', 'says'], Cmd=['hello'])
one, other = Image([base, two], **app), Image([base], Entrypoint=['/bin/echo', 'other'])
arm = Image([base], arch='arm64', **app)
write_layout(T + '/lay', {'v1': one})
write_layout(T + '/two', {'v1': one, 'v2': other})
write_layout(T + '/none', {})
many = Image([base], Entrypoint=['/bin/echo'])
many.doc['layers'] *= 501
write_layout(T + '/many', {'v1': many})
write_layout(T + '/bare', {None: one})
write_layout(T + '/index', {None: Index(arm, other)})
for bad in 'version', 'missing', 'size', 'flip', 'link', 'dir', 'fifo':
    write_layout(T + '/' + bad, {'v1': one})
blob = lambda where, data: T + '/%s/blobs/sha256/%s' % (where, digest(data)[7:])
open(T + '/version/oci-layout', 'w').write('{"imageLayoutVersion":"2.0.0"}')
os.remove(blob('missing', one.blobs[1]))
open(blob('size', one.blobs[1]), 'ab').write(b'x')
data = open(blob('flip', one.blobs[1]), 'rb').read()
open(blob('flip', one.blobs[1]), 'wb').write(data[:-1] + bytes([data[-1] ^ 1]))
for where, how in ('link', lambda p: os.symlink('/etc/passwd', p)), ('dir', os.mkdir), ('fifo', os.mkfifo):
    os.remove(blob(where, one.blobs[1]))
    how(blob(where, one.blobs[1]))
def save(name, *entries):
    with tarfile.open(T + '/' + name, 'w') as t:
        for n, data in entries:
            i = tarfile.TarInfo(n)
            if isinstance(data, str):
                i.type, i.linkname = tarfile.SYMTYPE, data
                t.addfile(i)
            else:
                i.size = len(data)
                t.addfile(i, io.BytesIO(data))
entry = lambda tags, *layers: {'Config': 'c.json', 'RepoTags': tags, 'Layers': list(layers)}
js = lambda *e: json.dumps(e).encode()
save('linked.tar', ('c.json', one.config), ('a/layer.tar', base), ('b/layer.tar', two), ('c/layer.tar', '../b/layer.tar'),
     ('manifest.json', js(entry(['busybox:1', 'quay.io/x/y:z'], 'a/layer.tar', 'c/layer.tar'))))
save('several.tar', ('c.json', one.config), ('o.json', other.config), ('a/layer.tar', base), ('b/layer.tar', two),
     ('manifest.json', js(entry(['a/b:1'], 'a/layer.tar', 'b/layer.tar'), {'Config': 'o.json', 'RepoTags': ['a/b:2'], 'Layers': ['a/layer.tar']})))
save('escape.tar', ('c.json', one.config), ('a/layer.tar', '/etc/passwd'), ('manifest.json', js(entry(None, 'a/layer.tar'))))
save('dotdot.tar', ('../c.json', one.config))
save('nolist.tar', ('c.json', one.config))
save('badlist.tar', ('manifest.json', b'{}'))
save('badmembers.tar', ('manifest.json', js({'Config': 1, 'Layers': []})))
save('wronglayer.tar', ('c.json', one.config), ('a/layer.tar', two), ('manifest.json', js(entry(None, 'a/layer.tar', 'a/layer.tar'))))
END
in_pod() { rkt run --net=none "$@"; }

# ---- layouts
run in_pod "oci:$T/lay"
is "the only image of a layout" "$(out)" "says hello"
run sh -c 'cd "$1" && shift && exec "$@"' sh "$T" "$RKT" --dir="$RKT_DIR" "$accept" run --net=none oci:lay:v1 -- by name
is "by name, and a relative path" "$(out)" "says by name"
run in_pod "oci:$T/two:v2"
is "one of two" "$(out)" other
run in_pod "oci:$T/bare"
is "one without a name" "$(out)" "says hello"
run in_pod "oci:$T/index"
is "the one of an index that is for this machine" "$(out)" other
run in_pod "oci:$T/index,arch=amd64"
is "by its label" "$(out)" other
rm -rf "$T/lay"
make_images <<'END'
write_layout(T + '/lay', {'v1': Image([Layer().dir('.').busybox('echo')], Entrypoint=['/bin/echo', 'changed'])})
END
run in_pod "oci:$T/lay"
is "a layout that has changed" "$(out)" changed
refuses 'several images.*v1, v2' "no name where there are several" rkt fetch "oci:$T/two"
refuses 'no image "v3".*there are: v1, v2' "another name" rkt fetch "oci:$T/two:v3"
refuses 'index.json|no image' "an empty layout" rkt fetch "oci:$T/none"
refuses 'No such file' "no layout at all" rkt fetch "oci:$T/nothing"
refuses 'oci-layout' "a directory that is none" rkt fetch "oci:$T/etc"
refuses '"2.0.0" is not 1.0.0' "another version" rkt fetch "oci:$T/version"
refuses 'index.json' "a broken index" sh -c 'printf "{" >"$1/two/index.json"; shift; exec "$@"' sh "$T" "$RKT" --dir="$RKT_DIR" "$accept" fetch "oci:$T/two:v1"
rm -rf "$RKT_DIR"
refuses 'blob sha256:.*No such file' "a blob is missing" rkt fetch "oci:$T/missing"
refuses 'blob sha256:.*more than' "a blob of another size" rkt fetch "oci:$T/size"
refuses 'blob sha256:.*has digest' "a blob of another content" rkt fetch "oci:$T/flip"
refuses 'blob sha256:.*(No such file|link)' "T39 a blob that is a link out of the layout" rkt fetch "oci:$T/link"
refuses 'is not a regular file' "a directory" rkt fetch "oci:$T/dir"
refuses 'is not a regular file' "a pipe" rkt fetch "oci:$T/fifo"
refuses '501 entries, at most 500' "more layers than can be stacked" rkt fetch "oci:$T/many"
is "nothing of these is an image" "$(rkt image list --no-legend)" ""

# ---- archives
rm -rf "$T/lay"
make_images <<'END'
write_layout(T + '/lay', {'v1': Image([Layer().dir('.').busybox('echo').bytes(), Layer().file('page', 'one\n').bytes()], Entrypoint=['/bin/echo', 'says'], Cmd=['hello'])})
END
skopeo copy -q "oci:$T/lay:v1" "oci-archive:$T/oci.tar:v1" >/dev/null 2>&1
skopeo copy -q "oci:$T/lay:v1" "docker-archive:$T/docker.tar:team/app:v1" >/dev/null 2>&1
gzip -k "$T/oci.tar"
run in_pod "oci-archive:$T/oci.tar"
is "an archive of skopeo" "$(out)" "says hello"
run in_pod "oci-archive:$T/oci.tar.gz:v1"
is "compressed, by name" "$(out)" "says hello"
run in_pod "docker-archive:$T/docker.tar"
is "what docker save writes" "$(out)" "says hello"
run in_pod "docker-archive:$T/docker.tar:docker.io/team/app:v1"
is "by any spelling of its name" "$(out)" "says hello"
run rkt image list
expect_stdout 'registry-1.docker.io/team/app:v1' "which is what it is called then"
run in_pod "docker-archive:$T/linked.tar:busybox:1" --exec /bin/cat -- /page
is "a layer that is a link to another" "$(out)" one
run rkt fetch --full "docker-archive:$T/linked.tar"
first=$(out)
rm -rf "$RKT_DIR"
run rkt fetch --full "docker-archive:$T/linked.tar"
is "has the same id every time" "$(out)" "$first"
run in_pod "docker-archive:$T/several.tar:a/b:2"
is "one of several" "$(out)" other
refuses 'several images.*a/b:1, a/b:2' "no name where there are several" rkt fetch "docker-archive:$T/several.tar"
refuses 'no image "a/b:3".*a/b:1, a/b:2' "another name" rkt fetch "docker-archive:$T/several.tar:a/b:3"
refuses 'No such file|link' "T39 a layer that is a link out of the archive" rkt fetch "docker-archive:$T/escape.tar"
refuses '"../c.json"' "a path out of it" rkt fetch "docker-archive:$T/dotdot.tar"
refuses 'oci-layout' "no list" rkt fetch "docker-archive:$T/nolist.tar"
refuses 'manifest.json: not a list' "a list that is none" rkt fetch "docker-archive:$T/badlist.tar"
refuses 'manifest.json: .*Config' "wrong members" rkt fetch "docker-archive:$T/badmembers.tar"
refuses 'the config says' "another layer than its config says" rkt fetch "docker-archive:$T/wronglayer.tar"
refuses 'No such file' "no archive" rkt fetch "oci-archive:$T/nothing.tar"
refuses 'oci-archive|regular file' "a directory" rkt fetch "oci-archive:$T/lay"
accept=
refuses 'insecure-options=image' "none of them is signed" rkt fetch "oci:$T/lay:v1"
