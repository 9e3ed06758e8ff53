"""Tar archives packed by hand: every header field can be set to what no packer would write."""
import json

BLOCK = 512
USTAR = b"ustar\x0000"
GNU = b"ustar  \x00"
V7 = b"\x00" * 8
END = b"\x00" * 1024

# Offsets of ustar fields: name -> (offset, width).
FIELDS = {
    "name": (0, 100), "mode": (100, 8), "uid": (108, 8), "gid": (116, 8), "size": (124, 12), "mtime": (136, 12),
    "chksum": (148, 8), "type": (156, 1), "link": (157, 100), "magic": (257, 8), "uname": (265, 32),
    "gname": (297, 32), "major": (329, 8), "minor": (337, 8), "prefix": (345, 155), "tail": (500, 12),
}
NUMBERS = ("mode", "uid", "gid", "size", "mtime", "major", "minor")


def to_bytes(v):
    return v if isinstance(v, bytes) else v.encode()


def base256(v, width):
    """GNU binary number: the top bit marks it, two's complement behind."""
    mod = 1 << (8 * width)
    raw = (v % mod).to_bytes(width, "big")
    return bytes([raw[0] | 0x80]) + raw[1:]


def number(v, width):
    if isinstance(v, bytes):
        return v
    if v < 0 or v >= 8 ** (width - 1):
        return base256(v, width)
    return b"%0*o\x00" % (width - 1, v)


def hdr(name, type="0", signed=False, chksum=None, **kw):
    """One header block; every keyword of FIELDS may be given, bytes are taken as they are."""
    vals = {"mode": 0o644, "uid": 0, "gid": 0, "size": 0, "mtime": 1000000000, "major": 0, "minor": 0,
            "magic": USTAR, "link": b"", "uname": b"", "gname": b"", "prefix": b"", "tail": b""}
    vals.update(kw)
    vals["name"], vals["type"] = name, type
    h = bytearray(BLOCK)
    for key, v in vals.items():
        off, width = FIELDS[key]
        raw = number(v, width) if key in NUMBERS else to_bytes(v)
        h[off:off + width] = raw[:width].ljust(width, b"\x00")
    h[148:156] = b"        "
    total = sum(c - 256 if signed and c > 127 else c for c in h)
    h[148:156] = b"%06o\x00 " % total if chksum is None else chksum
    return bytes(h)


def pad(data):
    return data + b"\x00" * (-len(data) % BLOCK)


def entry(name, data=b"", type="0", **kw):
    data = to_bytes(data)
    kw.setdefault("size", len(data))
    return hdr(name, type, **kw) + pad(data)


def dir(name, mode=0o755, **kw):
    return entry(name, type="5", mode=mode, **kw)


def symlink(name, target, **kw):
    return entry(name, type="2", link=target, mode=0o777, **kw)


def hardlink(name, target, **kw):
    return entry(name, type="1", link=target, **kw)


def record(key, value):
    body = b" " + to_bytes(key) + b"=" + to_bytes(value) + b"\n"
    n = len(body)
    while len(str(n)) + len(body) != n:
        n = len(str(n)) + len(body)
    return str(n).encode() + body


def pax(*records, type="x", **kw):
    """An extended header; a record is (key, value) or raw bytes."""
    body = b"".join(r if isinstance(r, bytes) else record(*r) for r in records)
    return entry("PaxHeaders/x", body, type=type, **kw)


def longname(name, type="L", nul=True):
    return entry("././@LongLink", to_bytes(name) + (b"\x00" if nul else b""), type=type, magic=GNU)


def manifest_text(**kw):
    doc = {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/torture"}
    doc.update(kw)
    return json.dumps(doc).encode()


MANIFEST = entry("manifest", manifest_text())
ROOTFS = dir("rootfs")


def aci(*entries, manifest=MANIFEST, rootfs=ROOTFS, end=END):
    return (manifest or b"") + (rootfs or b"") + b"".join(entries) + end
