"""Rows 1–4, 12–18, 20–22, 49, 50, 53, 54: names, layout, manifest."""
from pack import *
from run import ok, rej

TWICE = "named twice"


def f(name, data=b"x", **kw):
    return entry(name, data, **kw)


# ---- 1 to 4: cleaning ----
ok("01 ./ prefixes, . entry, //, /./, trailing slash",
   entry("./", type="5") + entry("./manifest", manifest_text()) + dir("./rootfs/") + f("./rootfs/a") + f("rootfs//b") +
   f("rootfs/./c") + entry("rootfs/d/", mode=0o700) + END,
   lambda t: t.names() == [b"a", b"b", b"c", b"d"] and t.mode("d") == 0o700)
for name in ("rootfs/../../etc/x", "../x", "rootfs/a/../../../x", "rootfs/..", "rootfs/../manifest"):
    rej("02 " + name, aci(f(name)), 'entry "%s": name with a ".." component' % name)
for name in ("/etc/x", "//etc/x", "/rootfs/x"):
    rej("03 " + name, aci(f(name)), 'entry "%s": absolute name' % name)
rej("03 absolute by pax", aci(pax(("path", "/etc/x")), f("rootfs/a")), 'entry "/etc/x": absolute name')
rej("04 .. that stays inside", aci(dir("rootfs/a"), f("rootfs/a/../b")), '".." component')

# ---- 12, 13: kinds that clash ----
rej("12 file as a parent", aci(f("rootfs/a"), f("rootfs/a/b")), 'entry "rootfs/a/b": a parent is not a directory')
rej("12 directory, then file", aci(dir("rootfs/a"), f("rootfs/a")), TWICE)
rej("12 implied directory, then file", aci(f("rootfs/a/b"), f("rootfs/a")), TWICE)
rej("12 file, then directory", aci(f("rootfs/a"), dir("rootfs/a")), TWICE)
rej("13 directory twice, other mode", aci(dir("rootfs/a"), dir("rootfs/a", 0o700)), TWICE)
rej("13 directory twice, with children between", aci(dir("rootfs/a"), f("rootfs/a/x"), dir("rootfs/a/")), TWICE)

# ---- 14: manifest ----
good = manifest_text()
for name, m, text in (
        ("two", MANIFEST + MANIFEST, TWICE),
        ("two, one with ./", MANIFEST + entry("./manifest", good), TWICE),
        ("symlink", symlink("manifest", "rootfs/m"), "not a regular file"),
        ("hard link", ROOTFS + f("rootfs/m", good) + hardlink("manifest", "rootfs/m"), "not a regular file"),
        ("directory", dir("manifest"), "not a regular file"),
        ("fifo", entry("manifest", type="6"), "not a regular file"),
        ("missing", b"", "no manifest"),
        ("empty", entry("manifest"), "empty manifest"),
        ("not JSON", entry("manifest", "{"), "manifest: "),
        ("wrong kind", entry("manifest", manifest_text(acKind="PodManifest")), "manifest: "),
        ("bad name", entry("manifest", manifest_text(name="../x")), "manifest: "),
        ("with ..", entry("rootfs/../manifest", good), '".." component')):
    rej("14 manifest: " + name, aci(manifest=m, rootfs=b"" if ROOTFS in m else ROOTFS), text)
rej("14 manifest: 5 MiB", aci(manifest=entry("manifest", b" " * (5 << 20) + good)), "limit of 4194304 bytes", code=7)
ok("14 manifest: named by pax", aci(manifest=pax(("path", "manifest")) + entry("other", good)))
ok("14 ./manifest", aci(manifest=entry("./manifest", good)))

# ---- 15, 16: layout ----
for name in ("rootfsevil/x", "extra", "Rootfs/", "rootfs2", "manifest/x", "manifest2"):
    rej("15 top level " + name, aci(f(name)), "an image holds only")
rej("16 no rootfs", aci(rootfs=b""), "no rootfs directory")
rej("16 rootfs only implied", aci(f("rootfs/a"), rootfs=b""), "no rootfs directory")
rej("16 T01 rootfs is a symlink", aci(f("rootfs/x"), rootfs=symlink("rootfs", "/")), 'entry "rootfs": not a directory')
rej("16 rootfs is a file", aci(rootfs=f("rootfs")), "not a directory")
rej("16 rootfs is a hard link", aci(f("rootfs/a"), rootfs=b"") [:-1024] + hardlink("rootfs", "rootfs/a") + END, "not a directory")
rej("16 rootfs twice", aci(ROOTFS), TWICE)
rej("16 rootfs twice, the second with /.", aci(dir("rootfs/.")), TWICE)
ok("16 rootfs last", aci(f("rootfs/a"), dir("rootfs", 0o711, mtime=12345), rootfs=b""),
   lambda t: t.mode() == 0o711 and t.st().st_mtime == 12345)
rej("16 T01 . is a symlink", aci(manifest=symlink(".", "/canary") + MANIFEST), 'entry ".": not a directory')
rej("16 T01 . is a file", aci(manifest=f(".") + MANIFEST), 'entry ".": not a directory')

# ---- 17, 18: order, implied directories ----
ok("17 manifest first", aci(f("rootfs/a")), lambda t: t.read("a") == b"x")
ok("17 manifest in the middle", aci(MANIFEST, f("rootfs/a"), manifest=b""), lambda t: t.read("a") == b"x")
ok("17 manifest last", aci(f("rootfs/a"), MANIFEST, manifest=b""), lambda t: t.read("a") == b"x")
ok("18 missing parents", aci(f("rootfs/a/b/c", uid=7)),
   lambda t: all(t.mode(d) == 0o755 and t.st(d).st_uid == 0 for d in ("a", "a/b")) and t.st("a/b/c").st_uid == 7)
ok("18 missing parents, then the parent", aci(f("rootfs/a/b"), dir("rootfs/a", 0o2710, uid=5), f("rootfs/a/c")),
   lambda t: t.mode("a") == 0o2710 and t.st("a").st_uid == 5 and t.names("a") == [b"b", b"c"])

# ---- 20, 21: lengths ----
for n in (100, 101, 155, 255):
    name = "rootfs/" + "a" * 60 + "/" + "b" * (n - 68)
    image = f(name[-(n - 68):], prefix=name[:67]) if n > 100 and n - 68 <= 100 else \
        f(name) if n <= 100 else pax(("path", name)) + f("rootfs/short")
    ok("20 path of %d bytes" % n, aci(image), lambda t, name=name: t.read(name[7:]) == b"x")
prefix = "rootfs/" + "p" * 148
ok("20 prefix of 155 and name of 100", aci(f("n" * 100, prefix=prefix)), lambda t: t.read("p" * 148 + "/" + "n" * 100) == b"x")
deep = "rootfs/" + "/".join("d" * 99 for _ in range(40))
ok("20 path of 4006 bytes", aci(pax(("path", deep)), f("rootfs/s")), lambda t: t.read(deep[7:]) == b"x")
rej("20 T08 path over PATH_MAX", aci(pax(("path", deep + "/" + "e" * 100)), f("rootfs/s")), "limit of 4095 bytes", code=7)
rej("20 T08 path of 64 kB", aci(pax(("path", "rootfs/" + "x/" * 32000)), f("rootfs/s")), "limit of 4095 bytes", code=7)
ok("20 1000 directories deep", aci(pax(("path", "rootfs/" + "d/" * 1000 + "x")), f("rootfs/s")), lambda t: t.read("d/" * 1000 + "x") == b"x")
rej("20 1024 directories deep", aci(pax(("path", "rootfs/" + "d/" * 1024 + "x")), f("rootfs/s")), "limit of 1024 directories", code=7)
ok("20 component of 255", aci(pax(("path", "rootfs/" + "c" * 255)), f("rootfs/s")), lambda t: t.read("c" * 255) == b"x")
rej("20 component of 256", aci(pax(("path", "rootfs/" + "c" * 256)), f("rootfs/s")), "component of more than 255")
ok("21 GNU magic: no prefix", aci(f("rootfs/a", magic=GNU, prefix=b"7654321\x00")), lambda t: t.names() == [b"a"])

# ---- 22: GNU long names ----
long = "rootfs/" + "l" * 200
for nul in (True, False):
    ok("22 long name, NUL %s" % nul, aci(longname(long, nul=nul), f("rootfs/x", magic=GNU)), lambda t: t.names() == [b"l" * 200])
ok("22 long link", aci(longname("t" * 300, "K"), symlink("rootfs/s", "t", magic=GNU)), lambda t: t.link("s") == b"t" * 300)
ok("22 both", aci(longname("t" * 300, "K"), longname(long), symlink("rootfs/s", "t", magic=GNU)), lambda t: t.link("l" * 200) == b"t" * 300)
rej("22 empty long name", aci(longname("", nul=False), f("rootfs/x")), "empty long name")
rej("22 long name of NULs", aci(longname("\0\0"), f("rootfs/x")), "empty long name")
rej("22 long name with a NUL inside", aci(longname("rootfs/a\0/b"), f("rootfs/x")), "NUL byte")
rej("22 long name of 1 GiB", aci(hdr("././@LongLink", "L", size=1 << 30)), "limit of 64 KiB", code=7)
rej("22 two long names", aci(longname(long), longname(long), f("rootfs/x")), "two extension headers")
rej("22 long name at the end", aci(longname(long)), "without an entry")
rej("22 long name at EOF", aci(longname(long), end=b""), "after an extension header")
rej("22 long name with ..", aci(longname("rootfs/../../etc/x"), f("rootfs/x")), '".." component')

# ---- 49, 50: bytes ----
odd = [b"new\nline", b"tab\t", b"\x1b[31mred", b"back\\slash", b"-rf", b"\xff\xfe", "\u202eevil".encode(), b"\xff" * 90, b"A", b"a"]
ok("49 T10 names are bytes", aci(*(f(b"rootfs/" + n) for n in odd)), lambda t: t.names() == sorted(odd))
ok("49 T10 names are bytes, by pax", aci(*(pax(("path", b"rootfs/" + n)) + f("rootfs/s") for n in odd)), lambda t: t.names() == sorted(odd))
ok("49 T10 255 times 0xff", aci(pax(("hdrcharset", "BINARY"), ("path", b"rootfs/" + b"\xff" * 255)), f("rootfs/s")), lambda t: t.names() == [b"\xff" * 255])
rej("49 T10 escaped in the message", aci(f(b"rootfs/\x1b[31mx\n"), f(b"rootfs/\x1b[31mx\n")), 'entry "rootfs/\\x1b[31mx\\x0a"')
rej("49 NUL by pax", aci(pax(("path", b"rootfs/a\x00b")), f("rootfs/s")), "NUL byte")
rej("50 empty name", aci(f("")), "empty name")
rej("50 name of slashes", aci(f("///")), "absolute name")
rej("50 name .", aci(f(".")), "not a directory")
rej("50 file rootfs/.", aci(f("rootfs/.")), "not a directory")
ok("50 name ././", aci(dir("././")))

# ---- 53, 54: what only later stages care about ----
ok("53 system directories that are links", aci(symlink("rootfs/dev", "/dev"), symlink("rootfs/proc", "/proc"), dir("rootfs/etc"),
   symlink("rootfs/etc/resolv.conf", "../../../../etc/x"), dir("rootfs/etc/hosts")), lambda t: t.link("dev") == b"/dev")
ok("54 whiteout names are names", aci(f("rootfs/.wh.x"), f("rootfs/.wh..wh..opq")), lambda t: t.names() == [b".wh..wh..opq", b".wh.x"])
