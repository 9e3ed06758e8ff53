"""Rows 41–48 and T08, T09: ends, tails and compressions."""
import bz2
import gzip
import lzma
import struct
import subprocess
import zlib

from pack import *
from run import ok, rej


def f(name="rootfs/f", data=b"x", **kw):
    return entry(name, data, **kw)


def run_zstd(data, *args):
    return subprocess.run(["zstd", "-q", "-c", *args], input=data, stdout=subprocess.PIPE, check=True).stdout


good = aci(f())
there = lambda t: t.names() == [b"f"] and t.read("f") == b"x"

# ---- 41 to 43: the end ----
head = aci(end=b"")
rej("41 cut in a header", head + f()[:300], "truncated: the archive ends inside a header")
rej("41 cut in data", head + f(data=b"y" * 3000)[:2000], "truncated: the archive ends inside file data")
rej("41 cut in a pax body", head + pax(("path", "rootfs/" + "y" * 600))[:700], "truncated")
ok("41 cut in padding", head + f()[:512 + 1], there)
ok("41 cut in padding, later", head + f()[:512 + 200], there)
ok("41 no end blocks", head + f(), there)
ok("41 half an end block", head + f() + b"\0" * 512, there)
ok("41 one zero block, then an entry", head + f() + b"\0" * 512 + f("rootfs/g"), there)
ok("41 one zero block, then garbage", head + f() + b"\0" * 512 + b"garbage" * 1000, there)
rej("41 cut in the last zero block", head + f() + b"\0" * 100, "truncated")
ok("42 garbage after the end", good + b"tail" * 100000, there)
ok("43 second archive after the end", good + aci(f("rootfs/second")), there)
rej("41 nothing at all", b"", "unknown image filetype")
rej("41 only zeros", b"\0" * 10240, "no manifest in the image")
rej("41 only the manifest", MANIFEST + END, "no rootfs")
rej("41 text", b'{"acKind":"ImageManifest"}' + b" " * 600, "unknown image filetype")

# ---- 44: gzip ----
gz = gzip.compress(good, mtime=0)
ok("44 gzip", gz, there)
ok("44 T09 gzip of two members", gzip.compress(good[:700]) + gzip.compress(good[700:]), there)
ok("44 T09 gzip of a thousand members", b"".join(gzip.compress(good[i:i + 4]) for i in range(0, len(good), 4)), there)
raw = zlib.compressobj(9, zlib.DEFLATED, -15)
body = raw.compress(good) + raw.flush()
trailer = struct.pack("<II", zlib.crc32(good), len(good))
start = b"\x1f\x8b\x08\x1e" + b"\0" * 4 + b"\0\x03" + struct.pack("<H", 4) + b"abcd" + b"name\0" + b"comment\0"
ok("44 gzip with FEXTRA FNAME FCOMMENT FHCRC", start + struct.pack("<H", zlib.crc32(start) & 0xffff) + body + trailer, there)
rej("44 gzip with a wrong header CRC", start + b"\x12\x34" + body + trailer, "damaged gzip data")
rej("44 gzip with a wrong CRC", gz[:-8] + b"\1\2\3\4" + gz[-4:], "damaged gzip data")
rej("44 gzip with a wrong length", gz[:-4] + b"\1\2\3\4", "damaged gzip data")
rej("44 T09 gzip cut in the trailer", gz[:-3], "truncated gzip data")
rej("44 T09 gzip cut in data", gz[:100], "truncated gzip data")
rej("44 gzip cut in the second member", gz + gz[:9], "truncated gzip data")
rej("44 T09 gzip with garbage behind", gz + b"garbage", "trailing garbage after the gzip data")
rej("44 gzip with zeros behind", gz + b"\0" * 512, "trailing garbage after the gzip data")
rej("44 gzip of nothing", gzip.compress(b""), "")
rej("44 T08 gzip of gzip", gzip.compress(gz), "truncated: the archive ends inside a header")
rej("44 zlib, not gzip", zlib.compress(good), "unknown image filetype")

# ---- 45: xz ----
xz = lzma.compress(good)
ok("45 xz", xz, there)
ok("45 xz of two streams with padding", lzma.compress(good[:700]) + b"\0" * 8 + lzma.compress(good[700:]) + b"\0" * 4, there)
for what, check in (("CRC32", lzma.CHECK_CRC32), ("SHA256", lzma.CHECK_SHA256), ("no", lzma.CHECK_NONE)):
    ok("45 xz with %s check" % what, lzma.compress(good, check=check), there)
rej("45 xz with a dictionary of 1.5 GiB", lzma.compress(good, filters=[{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 4096}]).replace(
    b"\x21\x01\x00", b"\x21\x01\x27", 1), "damaged xz data")  # header CRC no longer fits


def huge_dictionary():
    """The same with the CRC of the block header corrected: only the memory limit stands."""
    data = bytearray(lzma.compress(good, filters=[{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 4096}]))
    size = (data[12] + 1) * 4
    data[12 + 4] = 0x25
    data[12 + size - 4:12 + size] = struct.pack("<I", zlib.crc32(bytes(data[12:12 + size - 4])))
    return bytes(data)


rej("45 xz with a dictionary of 1.5 GiB and its CRC", huge_dictionary, "more memory than the limit of 256 MiB", code=7)
rej("45 xz cut", xz[:-5], "truncated xz data")
rej("45 xz with garbage behind", xz + b"garbage" * 4, "damaged xz data")
rej("45 xz with a flipped bit", xz[:60] + bytes([xz[60] ^ 1]) + xz[61:], "damaged xz data")
rej("45 lzma-alone", lzma.compress(good, lzma.FORMAT_ALONE), "unknown image filetype")

# ---- 46: bzip2 ----
bz = bz2.compress(good)
ok("46 bzip2", bz, there)
ok("46 bzip2 of two streams", bz2.compress(good[:700]) + bz2.compress(good[700:]), there)
rej("46 bzip2 cut", bz[:-6], "truncated bzip2 data")
rej("46 bzip2 with garbage behind", bz + b"garbage", "trailing garbage after the bzip2 data")
rej("46 bzip2 with a flipped bit", bz[:60] + bytes([bz[60] ^ 1]) + bz[61:], "damaged bzip2 data")

# ---- 47: zstd ----
zs = run_zstd(good)
skippable = b"\x5a\x2a\x4d\x18" + struct.pack("<I", 7) + b"skipped"
ok("47 zstd", zs, there)
ok("47 T09 zstd of two frames", run_zstd(good[:700]) + run_zstd(good[700:]), there)
ok("47 T09 zstd, skippable frames first, between and last", skippable + run_zstd(good[:700]) + skippable + run_zstd(good[700:]) + skippable, there)
ok("47 zstd without checksum", run_zstd(good, "--no-check"), there)
ok("47 zstd with a window of 128 MiB", lambda: run_zstd(good, "--long=27", "--no-content-size"), there)
rej("47 zstd with a window of 2 GiB", lambda: run_zstd(good, "--ultra", "--long=31", "--no-content-size"), "window larger than the limit", code=7)
rej("47 zstd with a dictionary id", b"\x28\xb5\x2f\xfd" + bytes([zs[4] & 0x20 | 0x01]) + b"\x2a" + zs[5:], "damaged zstd data")
rej("47 T09 zstd cut", zs[:-3], "truncated zstd data")
rej("47 T09 zstd with garbage behind", zs + b"garbage", "trailing garbage after the zstd data")
rej("47 zstd with a flipped bit", zs[:-2] + bytes([zs[-2] ^ 1]) + zs[-1:], "damaged zstd data")
rej("47 only a skippable frame", skippable, "")

# ---- 48: bombs ----
def zeros(total, pack):
    """An image with a file of @total zeros, made a piece at a time."""
    pieces = [aci(hdr("rootfs/zeros", size=total), end=b"")] + [b"\0" * (1 << 20)] * (total >> 20) + [END]
    out = b"".join(pack.compress(p) for p in pieces)
    return out + pack.flush()


rej("48 T08 zeros by gzip", lambda: zeros(96 << 20, zlib.compressobj(9, zlib.DEFLATED, 31)), "limit of 256 times its size", code=7)
rej("48 T08 10 GiB of zeros by zstd", lambda: run_zeros_zstd(), "limit of 256 times its size", code=7)
rej("48 T08 zeros by bzip2", lambda: zeros(96 << 20, bz2.BZ2Compressor()), "limit of 256 times its size", code=7)
ok("48 60 MiB of zeros are no bomb", lambda: zeros(60 << 20, zlib.compressobj(1, zlib.DEFLATED, 31)), lambda t: t.st("zeros").st_size == 60 << 20)


def run_zeros_zstd():
    """10 GiB by repeating one frame of 64 MiB: nobody has to hold it."""
    frame = run_zstd(b"\0" * (64 << 20))
    return run_zstd(aci(hdr("rootfs/zeros", size=10 << 30), end=b"")) + frame * 160 + run_zstd(END)
