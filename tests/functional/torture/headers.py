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
for v in ("4294967295", "9223372036854775808", "-1", "1.5"):
    rej("28 pax uid %r" % v, aci(pax(("uid", v)), f()), "not a user or group id")
    rej("28 pax gid %r" % v, aci(pax(("gid", v)), f()), "not a user or group id")
ok("28 empty ids take back: the header's count", aci(*(pax((k, "5"), (k, "")) + f("rootfs/" + k, uid=12, gid=34) for k in ("uid", "gid")), f("rootfs/z", uid=1)),
   lambda t: [(t.st(n).st_uid, t.st(n).st_gid) for n in ("uid", "gid", "z")] == [(12, 34), (12, 34), (1, 0)])
ok("28 an empty id, then one", aci(pax(("uid", ""), ("uid", "9")), f(uid=12)), owner(9))
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
A, B = b"a" * 700, b"b" * 300
MAP = ((0, 700), (5000, 300), (9000, 0))
want = A + b"\0" * 4300 + B + b"\0" * 3700


def numbers(*v):
    return b"".join(number(n, 12) for n in v)


def gnu_sparse(pieces, data, real, more=(), **kw):
    """A header of type S with its map; @more are blocks of further pieces."""
    h = bytearray(hdr(kw.pop("name", "rootfs/s"), "S", magic=GNU, size=kw.pop("size", len(data)), **kw))
    at = b"".join(numbers(*p) for p in pieces)
    h[386:386 + len(at)] = at
    h[482] = bool(more)
    h[483:495] = number(real, 12)
    h[148:156] = b"        "
    h[148:156] = b"%06o\x00 " % sum(h)
    blocks = b""
    for i, m in enumerate(more):
        blocks += b"".join(numbers(*p) for p in m).ljust(504, b"\0") + bytes([i + 1 < len(more)]) + b"\0" * 7
    return bytes(h) + blocks + pad(data)


def gnu_pax(*records, data=A + B, **kw):
    return pax(*((("GNU.sparse." + k, str(v)) for k, v in records))) + entry("rootfs/GNUSparseFile.0/s", data, **kw)


def relabel(h, kind):
    h = bytearray(h)
    h[156:157] = kind.encode()
    h[157:165] = b"rootfs/a"
    h[124:136] = number(0, 12)
    h[148:156] = b"        "
    h[148:156] = b"%06o\x00 " % sum(h[:512])
    return bytes(h)


def text_map(*v):
    return pad(b"".join(b"%d\n" % n for n in v))


def is_sparse(t):
    return t.read("s") == want and t.read("z") == b"x" and t.names() == [b"s", b"z"]


Z = f("rootfs/z")
V1 = (("major", 1), ("minor", 0), ("name", "rootfs/s"), ("realsize", 9000))
V0 = (("size", 9000), ("numblocks", 3))
PAIRS = tuple(r for o, n in MAP for r in (("offset", o), ("numbytes", n)))
TEXT = text_map(3, *(n for p in MAP for n in p))
ok("39 GNU sparse", aci(gnu_sparse(MAP, A + B, 9000), Z), is_sparse)
ok("39 GNU sparse with blocks of its map", aci(gnu_sparse([(0, 100), (100, 100), (200, 100), (300, 100)], A + B, 9000,
   [[(400 + 10 * i, 10) for i in range(21)], [(610, 90), (5000, 300), (9000, 0)]]), Z), is_sparse)
ok("39 GNU sparse with a long name", aci(longname("rootfs/" + "l" * 200), gnu_sparse(MAP, A + B, 9000), Z), lambda t: t.read("l" * 200) == want)
ok("39 GNU sparse, only a hole", aci(gnu_sparse([(1 << 20, 0)], b"", 1 << 20), Z), lambda t: t.read("s") == b"\0" * (1 << 20) and t.st("s").st_blocks == 0)
ok("39 pax sparse 0.0", aci(gnu_pax(*V0, ("name", "rootfs/s"), *PAIRS), Z), is_sparse)
ok("39 pax sparse 0.1", aci(gnu_pax(*V0, ("name", "rootfs/s"), ("map", ",".join("%d,%d" % p for p in MAP))), Z), is_sparse)
ok("39 pax sparse 1.0", aci(gnu_pax(*V1, data=TEXT + A + B), Z), is_sparse)
ok("39 pax sparse 1.0, size by pax", aci(pax(("size", str(len(TEXT) + 1000)), *(("GNU.sparse." + k, str(v)) for k, v in V1)) + hdr("rootfs/g") + pad(TEXT + A + B), Z), is_sparse)
ok("39 sparse file with an owner, a time and a mode", aci(gnu_sparse(MAP, A + B, 9000, uid=7, mode=0o4711, mtime=99), Z), lambda t: is_sparse(t) and (t.st("s").st_uid, t.mode("s"), t.st("s").st_mtime) == (7, 0o4711, 99))
for what, pieces in (("overlapping", ((0, 700), (699, 300))), ("unsorted", ((5000, 300), (0, 700)))):
    rej("39 GNU sparse, " + what, aci(gnu_sparse(pieces, A + B, 9000)), "overlap or do not ascend")
    rej("39 pax sparse 0.1, " + what, aci(gnu_pax(("size", 9000), ("map", ",".join("%d,%d" % p for p in pieces)))), "overlap or do not ascend")
    rej("39 pax sparse 1.0, " + what, aci(gnu_pax(*V1, data=text_map(2, *(n for p in pieces for n in p)) + A + B)), "overlap or do not ascend")
rej("39 GNU sparse beyond its end", aci(gnu_sparse(MAP[:2], A + B, 5299)), "beyond its end")
rej("39 pax sparse 1.0 beyond its end", aci(gnu_pax(*V1[:3], ("realsize", 5299), data=TEXT + A + B)), "beyond its end")
rej("39 GNU sparse, less data than the map says", aci(gnu_sparse(MAP, A, 9000)), "does not fit the data")
rej("39 GNU sparse, more data than the map says", aci(gnu_sparse(MAP, A + B + b"c", 9000)), "does not fit the data")
rej("39 pax sparse 1.0, more data than the map says", aci(gnu_pax(*V1, data=TEXT + A + B + b"c")), "does not fit the data")
rej("39 pax sparse 0.0, less data than the map says", aci(gnu_pax(*V0, *PAIRS, data=A)), "does not fit the data")
rej("39 T08 GNU sparse of 8 EiB", aci(gnu_sparse(((0, 700), (5000, 300)), A + B, base256((1 << 63) - 1, 12))), "limit of 34359738368 bytes", code=7)
rej("39 GNU sparse of more than 8 EiB", aci(gnu_sparse(MAP, A + B, base256(1 << 63, 12))), "malformed number in a sparse map")
rej("39 T08 GNU sparse, 100 of 1 GiB", aci(*(gnu_sparse([(1 << 30, 0)], b"", 1 << 30, name="rootfs/%d" % i) for i in range(100))), "limit of 34359738368 bytes", code=7)
rej("39 GNU sparse, gap in the map", aci(gnu_sparse(((0, 700), (b"\0" * 12, b"\0" * 12), (5000, 300)), A + B, 9000)), "gap in a sparse map")
rej("39 GNU sparse, a block behind a map with room", aci(gnu_sparse(MAP[:1], A + B, 9000, [MAP[1:]])), "gap in a sparse map")
rej("39 GNU sparse, malformed number", aci(gnu_sparse(((b"00000000000\0", b"0000000127x\0"),), A, 9000)), "malformed number in a sparse map")
rej("39 GNU sparse, cut in its map", gnu_sparse(MAP, A + B, 9000, [[]])[:512 + 100].join((aci(end=b""), b"")), "gap in a sparse map")
rej("39 GNU sparse, cut in a block of its map", aci(end=b"") + gnu_sparse([(i, 1) for i in range(4)], b"", 9000, [MAP])[:512 + 100], "truncated: the archive ends inside a sparse map")
rej("39 T08 GNU sparse, 300000 pieces", lambda: aci(gnu_sparse([(0, 0)] * 4, b"", 9000, [[(0, 0)] * 21] * 14300)), "limit of 262144")
rej("39 type S in a ustar header", aci(entry("rootfs/s", b"x", type="S")), "unknown entry type")
for kind in "0125":
    rej("39 map in a GNU header of type " + kind, aci(f("rootfs/a"), relabel(gnu_sparse(MAP, b"", 9000), kind)), "sparse map in an entry of another type")
rej("39 pax records and a GNU map", aci(pax(("GNU.sparse.size", "9000"), ("GNU.sparse.map", "0,700")), gnu_sparse(MAP, A + B, 9000)), "for an entry of another type")
rej("39 pax records for a directory", aci(pax(("GNU.sparse.size", "9000"), ("GNU.sparse.map", "0,0")), dir("rootfs/d")), "for an entry of another type")
rej("39 T08 pax sparse 1.0, map of 2^31", aci(gnu_pax(*V1, data=b"2147483648\n0\n")), "limit of 262144")
rej("39 pax sparse 1.0 without data", aci(gnu_pax(*V1, data=b"")), "sparse file without a map")
rej("39 pax sparse 1.0, cut map", aci(gnu_pax(*V1, data=text_map(3, 0, 700))), "malformed number in a sparse map")
rej("39 pax sparse 1.0, map without an end", aci(gnu_pax(*V1, data=b"1\n0\n7")), "sparse map is cut off")
for what, bad in (("a comment", b"#\n1\n0\n1000\n"), ("a sign", b"1\n+0\n1000\n"), ("an empty line", b"1\n\n0\n1000\n"), ("20 digits", b"1\n0\n00000000000000001000\n")):
    rej("39 pax sparse 1.0, %s in the map" % what, aci(gnu_pax(*V1, data=pad(bad) + A + B)), "malformed number in a sparse map")
for what, records, text in (
        ("no size", V1[:3], "incomplete or contradictory"), ("1.1", (("major", 1), ("minor", 1), V1[3]), "unknown format"), ("2.0", (("major", 2), ("minor", 0), V1[3]), "unknown format"),
        ("1.0 with pairs", V1 + PAIRS, "incomplete or contradictory"), ("1.0 with a list", V1 + (("map", "0,1000"),), "incomplete or contradictory"),
        ("0.0 and 0.1", V0[:1] + PAIRS + (("map", "0,1000"),), "is given twice"), ("another number of pieces", (("size", 9000), ("numblocks", 2)) + PAIRS, "another number of pieces"),
        ("a length without an offset", V0 + (("numbytes", 5),), "has no offset"), ("two offsets", V0 + (("offset", 1), ("offset", 2)), "is given twice"),
        ("an offset at the end", (("size", 9000),) + PAIRS + (("offset", 1),), "incomplete or contradictory"), ("a list of three", (("size", 9000), ("map", "0,700,5000")), "cut off"),
        ("an empty list", (("size", 9000), ("map", "")), "malformed number"), ("a negative offset", V0 + (("offset", -1),), "is not a number"),
        ("two sizes", (("size", 9000),) + V0, "is given twice"), ("size and realsize", V0 + (("realsize", 9000),) + PAIRS, "incomplete or contradictory"), ("an unknown key", V0 + (("x", 1),), "not allowed in an image"),
        ("an empty name", V1[:2] + (("name", ""),), "is empty")):
    rej("39 pax records: " + what, aci(gnu_pax(*records)), text)
rej("39 name and long name", aci(longname("rootfs/l"), gnu_pax(*V1, data=TEXT + A + B)), "two extension headers name this entry")
rej("39 name with ..", aci(gnu_pax(*V1[:2], ("name", "rootfs/../../x"), V1[3], data=TEXT + A + B)), '".." component')
rej("39 star sparse", aci(pax(("SCHILY.realsize", "1024")), f()), "star")
rej("39 the manifest is sparse", aci(manifest=pax(("GNU.sparse.size", "9000"), ("GNU.sparse.map", "0,%d" % len(manifest_text())), ("GNU.sparse.name", "manifest")) + entry("m", manifest_text())), "not a regular file")

# ---- 64: what other packers leave in the prefix area ----
ok("64 Solaris X header", aci(pax(("mtime", "5")), f("rootfs/a"), pax(("path", "rootfs/b"), type="X"), f()), lambda t: t.names() == [b"a", b"b"])
ok("64 xstar layout", aci(f(prefix=b"\x00" * 131 + b"07654321000\x00" + b"07654321000\x00", tail=b"\x00" * 8 + b"tar\x00")), lambda t: t.names() == [b"f"])
ok("64 old GNU times in the prefix", aci(f(magic=GNU, prefix=b"07654321000\x00" * 2)), lambda t: t.names() == [b"f"])
