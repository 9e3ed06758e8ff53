"""Rows 23–26, 28–33, 39–41, 63, 64: headers that lie."""
from pack import *
from run import ok, rej


def f(name="rootfs/f", data=b"x", **kw):
    return entry(name, data, **kw)


def owner(uid, gid=0):
    return lambda t: (t.st("f").st_uid, t.st("f").st_gid) == (uid, gid)


# ---- 23: several headers for one entry ----
P = ("path", "rootfs/p")
ok("23 pax path over the name", aci(pax(P), f()), lambda t: t.names() == [b"p"])
rej("23 pax and GNU long name", aci(pax(P), longname("rootfs/l"), f()), "two extension headers name this entry")
rej("23 GNU long name and pax", aci(longname("rootfs/l"), pax(P), f()), "two extension headers name this entry")
rej("23 pax linkpath and GNU long link", aci(pax(("linkpath", "a")), longname("b", "K"), symlink("rootfs/s", "c")), "two extension headers name this entry")
ok("23 long name with other pax records", aci(pax(("uid", "7")), longname("rootfs/l"), f()), lambda t: t.st("l").st_uid == 7)
rej("23 two pax headers", aci(pax(P), pax(("uid", "1")), f()), "two extension headers of one kind")
rej("23 pax header at the end", aci(pax(P)), "without an entry")
rej("23 pax header at EOF", aci(pax(P), end=b""), "after an extension header")
rej("23 pax header for a global one", aci(pax(P), pax(("comment", "c"), type="g"), f()), "global header between")
rej("23 nine global headers", aci(*[pax(("comment", "c"), type="g")] * 9, f()), "too many extension headers")

# ---- 24: records ----
for what, raw, text in (
        ("too short", b"6 path=rootfs/p\n", "wrong length"), ("too long", b"99 path=rootfs/p\n", "malformed length"),
        ("overflow", b"99999999999999999999 path=a\n", "malformed length"), ("leading zero", b"017 path=rootfs/p\n", "malformed length"),
        ("leading space", b" 17 path=rootfs/p\n", "malformed length"), ("sign", b"+17 path=rootfs/p\n", "malformed length"), ("no digits", b"path=x\n", "malformed length"),
        ("zero", b"0 path=x\n", "malformed length"), ("only a length", b"3 \n", "wrong length"),
        ("no =", b"8 pathx\n", 'has no "="'), ("no newline", b"16 path=rootfs/p", "wrong length"), ("NUL in the key", record(b"pa\0th", "x"), "malformed key"),
        ("empty key", record("", "x"), "malformed key"), ("NULs behind", record(*P) + b"\0\0", "malformed length")):
    rej("24 record: " + what, aci(pax(raw), f()), text)
ok("24 empty path deletes", aci(pax(("path", "")), f()), lambda t: t.names() == [b"f"])
ok("24 unknown keys", aci(pax(("VENDOR.x", "y"), ("SCHILY.ino", "5"), ("comment", "c")), f()), lambda t: t.read("f") == b"x")
ok("24 key twice: last wins", aci(pax(("path", "rootfs/q"), P), f()), lambda t: t.names() == [b"p"])
for key in ("GNU.volume.filename", "GNU.dumpdir"):
    rej("24 " + key, aci(pax((key, "x")), f()), "not allowed in an image")
rej("24 unknown character set", aci(pax(("hdrcharset", "EBCDIC")), f()), "not a known character set")

# ---- 25, 40: sizes ----
big = b"d" * 1300
ok("25 pax size over 0", aci(pax(("size", "1300")), hdr("rootfs/f", size=0) + pad(big), f("rootfs/z")), lambda t: t.read("f") == big and t.names() == [b"f", b"z"])
ok("25 pax size below the header's", aci(pax(("size", "1")), hdr("rootfs/f", size=1300) + pad(b"x"), f("rootfs/z")), lambda t: t.read("f") == b"x" and t.names() == [b"f", b"z"])
for what, e in (("symlink", symlink("rootfs/s", "t")), ("directory", dir("rootfs/d")), ("fifo", entry("rootfs/p", type="6"))):
    rej("25 pax size on a " + what, aci(pax(("size", "512")), e, b"\0" * 512), "data for an entry that has none")
    ok("25 pax size 0 on a " + what, aci(pax(("size", "0")), e, f("rootfs/z")), lambda t: b"z" in t.names())
for v in ("-1", "0x10", "1e3", "", " 1", "9223372036854775808", "1.0"):
    rej("25 pax size %r" % v, aci(pax(("size", v)), f()), '"size" is not a size')
rej("25 pax size over 8 GiB", aci(pax(("size", str(9 << 30))), f()), "truncated")
rej("25 pax size over the limit", aci(pax(("size", str(1 << 40))), f()), "limit of 34359738368 bytes", code=7)
rej("40 negative size", aci(hdr("rootfs/f", size=-1)), "malformed size")
rej("40 size beyond the end", aci(hdr("rootfs/f", size=99999)), "truncated")
for what, kw in (("symlink", dict(type="2", link="t")), ("directory", dict(type="5")), ("fifo", dict(type="6"))):
    ok("40 header size on a " + what, aci(hdr("rootfs/s", size=512, **kw), f("rootfs/z")), lambda t: t.names() == [b"s", b"z"])
rej("40 data in a name with a slash", aci(entry("rootfs/d/", b"data")), "directory with data")

# ---- 26: global headers ----
ok("26 comment, as git archive", aci(f(), manifest=pax(("comment", "0123abcd"), type="g") + MANIFEST), lambda t: t.read("f") == b"x")
for key, v in (("path", "rootfs/p"), ("linkpath", "x"), ("size", "1"), ("uid", "0"), ("gid", "0"), ("mtime", "1"), ("SCHILY.xattr.user.a", "b"), ("hdrcharset", "BINARY"), ("GNU.sparse.map", "0,1")):
    rej("26 global " + key, aci(pax((key, v), type="g"), f()), "may not stand in a global header")

# ---- 28, 29, 63: ids ----
ok("28 ids of 4294967294", aci(pax(("uid", "4294967294"), ("gid", "4294967294")), f()), owner(4294967294, 4294967294))
for v in ("4294967295", "9223372036854775808", "-1", "", "1.5"):
    rej("28 pax uid %r" % v, aci(pax(("uid", v)), f()), "not a user or group id")
    rej("28 pax gid %r" % v, aci(pax(("gid", v)), f()), "not a user or group id")
ok("29 base-256 ids, size and time", aci(hdr("rootfs/f", uid=base256(3000000, 8), gid=base256(4000000, 8), size=base256(1, 12), mtime=base256(1 << 33, 12), magic=GNU) + pad(b"x")),
   lambda t: owner(3000000, 4000000)(t) and t.st("f").st_mtime == 1 << 33)
ok("29 negative base-256 time", aci(f(mtime=base256(-100, 12), magic=GNU)), lambda t: t.st("f").st_mtime == -100)
rej("29 negative base-256 uid", aci(f(uid=base256(-1, 8))), "malformed user id")
rej("29 base-256 uid of 2^32-1", aci(f(uid=base256(4294967295, 8))), "malformed user id")
rej("29 base-256 size, overflow", aci(hdr("rootfs/f", size=b"\x80\x01" + b"\0" * 10)), "malformed size")
rej("29 base-256 time, overflow", aci(f(mtime=b"\xbf" + b"\xff" * 11)), "malformed time")
ok("63 numbers win over names", aci(f(uid=1000, gid=65534, uname="root", gname="root")), owner(1000, 65534))

# ---- 30: octal fields ----
ok("30 leading spaces", aci(f(uid=b"    12\x00 ", mode=b"   644 \x00")), owner(10))
ok("30 no terminator", aci(f(uid=b"00000012")), owner(10))
ok("30 NULs are 0", aci(f(uid=b"\x00" * 8, mtime=b"\x00" * 12)), owner(0))
for what, kw in (("digit 8", dict(uid=b"0000018\x00")), ("digit 9", dict(mtime=b"00000000009\x00")), ("junk behind", dict(uid=b"12\x00junk\x00")),
                 ("letters", dict(mode=b"abc\x00")), ("minus", dict(gid=b"-1\x00")), ("digits behind a NUL", dict(size=b"0\x00000000001\x00"))):
    rej("30 " + what, aci(hdr("rootfs/f", **kw) + pad(b"x")), 'entry "rootfs/f" at offset')

# ---- 31, 32: checksum, old headers ----
ok("31 signed checksum", aci(f(b"rootfs/\xff\xfe", signed=True)), lambda t: t.names() == [b"\xff\xfe"])
rej("31 wrong checksum", aci(f(chksum=b"000001\x00 ")), "wrong checksum")
rej("31 checksum of NULs", aci(f(chksum=b"\x00" * 8)), "wrong checksum")
ok("32 v7 headers inside", aci(f(magic=V7, type="\0"), entry("rootfs/d/", type="\0", magic=V7, mode=0o700), f("rootfs/d/x", magic=V7)), lambda t: t.read("d/x") == b"x" and t.mode("d") == 0o700)
rej("32 v7 header first", aci(manifest=entry("manifest", manifest_text(), magic=V7)), "unknown image filetype")

# ---- 33: types ----
ok("33 contiguous file", aci(f(type="7")), lambda t: t.read("f") == b"x")
ok("33 volume label", aci(entry("label", type="V", magic=GNU), f()), lambda t: t.names() == [b"f"])
rej("33 volume label with data", aci(entry("label", b"x", type="V", magic=GNU), f()), "volume label with data")
for c in "89ABCDEFMNSZabz~":
    rej("33 type %s" % c, aci(entry("rootfs/f", b"", type=c)), 'entry "rootfs/f" at offset')

# ---- 39: sparse ----
TEXT = "pack without --sparse"
rej("39 GNU sparse", aci(entry("rootfs/f", b"x" * 512, type="S", magic=GNU)), TEXT)
rej("39 pax sparse 0.0", aci(pax(("GNU.sparse.size", "1024"), ("GNU.sparse.numblocks", "1"), ("GNU.sparse.offset", "0"), ("GNU.sparse.numbytes", "1")), f()), TEXT)
rej("39 pax sparse 0.1", aci(pax(("GNU.sparse.size", "1024"), ("GNU.sparse.map", "0,1")), f()), TEXT)
rej("39 T08 pax sparse 1.0, map of 2^31", aci(pax(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "rootfs/s"), ("GNU.sparse.realsize", str(1 << 62))), f(data=b"2147483648\n0\n")), TEXT)
rej("39 star sparse", aci(pax(("SCHILY.realsize", "1024")), f()), TEXT)

# ---- 64: what other packers leave in the prefix area ----
ok("64 Solaris X header", aci(pax(("mtime", "5")), f("rootfs/a"), pax(("path", "rootfs/b"), type="X"), f()), lambda t: t.names() == [b"a", b"b"])
ok("64 xstar layout", aci(f(prefix=b"\x00" * 131 + b"07654321000\x00" + b"07654321000\x00", tail=b"\x00" * 8 + b"tar\x00")), lambda t: t.names() == [b"f"])
ok("64 old GNU times in the prefix", aci(f(magic=GNU, prefix=b"07654321000\x00" * 2)), lambda t: t.names() == [b"f"])
