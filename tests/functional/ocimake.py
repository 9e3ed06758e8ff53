# ocimake — OCI images made by hand, good and bad, for the tests of pulling.
#
# An Image is a list of Layers and a config; it can be written into an OCI layout and pushed to a registry.  Whatever a test wants to be
# wrong is given as an override, so that everything else is right.
import gzip, hashlib, io, json, os, shutil, subprocess, sys, tarfile, urllib.request

KINDS = {'manifest': 'application/vnd.oci.image.manifest.v1+json', 'config': 'application/vnd.oci.image.config.v1+json',
         'layer': 'application/vnd.oci.image.layer.v1.tar', 'index': 'application/vnd.oci.image.index.v1+json'}
WHEN = 1500000000

def digest(data):
    return 'sha256:' + hashlib.sha256(data).hexdigest()

class Layer:
    def __init__(self):
        self.out = io.BytesIO()
        self.tar = tarfile.open(fileobj=self.out, mode='w', format=tarfile.PAX_FORMAT)

    def add(self, name, kind=tarfile.REGTYPE, data=b'', mode=None, uid=0, gid=0, when=WHEN, to='', xattrs=None, dev=(0, 0)):
        t = tarfile.TarInfo(name)
        t.type, t.size, t.uid, t.gid, t.mtime, t.linkname = kind, len(data), uid, gid, when, to
        t.mode = mode if mode is not None else 0o755 if kind == tarfile.DIRTYPE else 0o644
        t.devmajor, t.devminor = dev
        t.pax_headers = {'SCHILY.xattr.' + k: v for k, v in (xattrs or {}).items()}
        self.tar.addfile(t, io.BytesIO(data))
        return self

    def dir(self, name, **k): return self.add(name, tarfile.DIRTYPE, **k)
    def file(self, name, data, **k): return self.add(name, data=data if isinstance(data, bytes) else data.encode(), **k)
    def symlink(self, name, to, **k): return self.add(name, tarfile.SYMTYPE, to=to, mode=0o777, **k)
    def link(self, name, to, **k): return self.add(name, tarfile.LNKTYPE, to=to, **k)
    def gone(self, name): return self.file(os.path.join(os.path.dirname(name), '.wh.' + os.path.basename(name)), b'')
    def opaque(self, name): return self.file(os.path.join(name, '.wh..wh..opq'), b'')
    def busybox(self, *names):
        """A root that can run things: bin/busybox under each of the names."""
        with open(shutil.which('busybox'), 'rb') as f:
            self.dir('bin').file('bin/busybox', f.read(), mode=0o755)
        for n in names:
            self.link('bin/' + n, 'bin/busybox')
        return self
    def bytes(self):
        self.tar.close()
        return self.out.getvalue()

def pack(data, how):
    if how == 'plain':
        return data
    if callable(how):
        return how(data)
    if how == 'gzip':
        return gzip.compress(data, 1, mtime=0)
    return subprocess.run(how.split(), input=data, stdout=subprocess.PIPE, check=True).stdout

class Image:
    def __init__(self, layers, arch='amd64', os='linux', how='gzip', diff_ids=None, media=None, config_more=None, **config):
        """how: of all layers or a list; config: members of "config"."""
        raw = [l if isinstance(l, bytes) else l.bytes() for l in layers]
        hows = how if isinstance(how, list) else [how] * len(raw)
        self.blobs = [pack(r, h) for r, h in zip(raw, hows)]
        doc = {'architecture': arch, 'os': os, 'config': config,
               'rootfs': {'type': 'layers', 'diff_ids': diff_ids or [digest(r) for r in raw]}}
        doc.update(config_more or {})
        self.config = json.dumps(doc).encode()
        self.doc = {'schemaVersion': 2, 'mediaType': KINDS['manifest'], 'config': self.descriptor(self.config, KINDS['config']),
                    'layers': [self.descriptor(b, media or KINDS['layer'] + ('' if h == 'plain' else '+gzip'))
                               for b, h in zip(self.blobs, hows)]}
        self.arch = arch

    @staticmethod
    def descriptor(data, kind, **more):
        return dict({'mediaType': kind, 'digest': digest(data), 'size': len(data)}, **more)

    def manifest(self):
        return json.dumps(self.doc).encode()

    def all(self):
        return [self.config] + self.blobs

class Index:
    def __init__(self, *images, more=None):
        self.images = images
        self.doc = {'schemaVersion': 2, 'mediaType': KINDS['index'], 'manifests': [
            Image.descriptor(i.manifest(), i.doc['mediaType'], **({'platform': {'os': 'linux', 'architecture': i.arch}} if isinstance(i, Image) else {}))
            for i in images]}
        self.doc.update(more or {})

    def manifest(self):
        return json.dumps(self.doc).encode()

    def all(self):
        return [x for i in self.images for x in i.all() + [i.manifest()]]

def write_layout(path, refs):
    """refs: {name or None: Image or Index}."""
    os.makedirs(path + '/blobs/sha256', exist_ok=True)
    with open(path + '/oci-layout', 'w') as f:
        f.write('{"imageLayoutVersion":"1.0.0"}')
    entries = []
    for name, image in refs.items():
        for data in image.all() + [image.manifest()]:
            with open(path + '/blobs/sha256/' + digest(data)[7:], 'wb') as f:
                f.write(data)
        note = {'annotations': {'org.opencontainers.image.ref.name': name}} if name else {}
        entries.append(Image.descriptor(image.manifest(), image.doc['mediaType'], **note))
    with open(path + '/index.json', 'w') as f:
        json.dump({'schemaVersion': 2, 'manifests': entries}, f)

def _send(method, url, data, kind):
    return urllib.request.urlopen(urllib.request.Request(url, method=method, data=data, headers={'Content-Type': kind}))

def push(base, tag, image):
    """base: http://HOST:PORT/v2/NAME."""
    def document(i, name):
        for child in getattr(i, 'images', []):
            document(child, digest(child.manifest()))
        for data in i.all() if isinstance(i, Image) else []:
            to = _send('POST', base + '/blobs/uploads/', b'', 'text/plain').headers['Location']
            _send('PUT', to + ('&' if '?' in to else '?') + 'digest=' + digest(data), data, 'application/octet-stream')
        _send('PUT', base + '/manifests/' + name, i.manifest(), i.doc['mediaType'])
    document(image, tag)
