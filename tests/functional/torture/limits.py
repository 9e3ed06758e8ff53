"""Rows 48, 60, 61 and T08: budgets, many entries."""
import subprocess

from pack import *
from run import ok, rej


def f(name="rootfs/f", data=b"x", **kw):
    return entry(name, data, **kw)


many = aci(*(f("rootfs/%d" % i) for i in range(200)))
rej("48 T08 entries", many, "limit of 100 entries", extract=["--max-entries=100"], code=7)
ok("48 entries just within", many, lambda t: len(t.names()) == 200, extract=["--max-entries=202"])
rej("48 T08 nested directories", aci(*(dir("rootfs/" + "d/" * i) for i in range(1, 40))), "limit of 20 directories", extract=["--max-depth=20"], code=7)
rej("48 T08 bytes of files", aci(f(data=b"x" * 600), f("rootfs/g", b"x" * 600)), 'entry "rootfs/g": image holds more than the limit of 1100 bytes', extract=["--max-bytes=1100"], code=7)
rej("48 T08 bytes when decompressed", aci(f(data=b"x" * 600)), "limit of 2000 bytes when decompressed", inflate=["--max-bytes=2000"], code=7)
rej("48 T08 path", aci(f("rootfs/" + "n" * 60)), "limit of 50 bytes", extract=["--max-path=50"], code=7)
ok("61 66000 entries", lambda: aci(*(dir("rootfs/%d" % i) for i in range(66)), *(f("rootfs/%d/%d" % (i % 66, i), b"") for i in range(66000))),
   lambda t: sum(len(t.names(str(i))) for i in range(66)) == 66000)
ok("61 data ends at and around block borders", aci(*(f("rootfs/%d" % n, b"b" * n) for n in (0, 1, 511, 512, 513, 65535, 65536, 65537, 131071, 200000))),
   lambda t: all(t.read(str(n)) == b"b" * n for n in (0, 1, 511, 512, 513, 65535, 65536, 65537, 131071, 200000)))


# ---- 61: past 4 GiB ----
FAR = 1 << 32


def far(t):
    st = t.st("f")
    with open(t.path("f"), "rb") as file:
        file.seek(FAR - 1)
        return file.read() == b"\0x" and st.st_size == FAR + 1 and st.st_blocks < 1 << 14 and t.read("z") == b"z"


def holes():
    """2^32 + 1 bytes of which only the last is stored."""
    return aci(pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "rootfs/f"), ("GNU.sparse.realsize", str(FAR + 1))), f(data=pad(b"1\n%d\n1\n" % FAR) + b"x"), f("rootfs/z", b"z"))


def zeros():
    """The same without a map: all the zeros are in the archive, which is compressed."""
    frame = run_zstd(b"\0" * (64 << 20))
    return run_zstd(aci(hdr("rootfs/f", size=FAR + 1), end=b"")) + frame * 64 + run_zstd(pad(b"x") + f("rootfs/z", b"z") + END)


def run_zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


ok("61 2^32 + 1 bytes, sparse", holes, far)
ok("61 2^32 + 1 bytes, most of them zeros", zeros, far, inflate=["--max-ratio=0"])
