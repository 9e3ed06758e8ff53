"""Rows 5–11, 34, 35, 51, 52, 58, 65: links, nodes, the image's own whitelist."""
import os
import stat

from pack import *
from run import ok, rej

C = os.environ["TORTURE_CANARY"]
UP = "../" * 20 + C[1:]
LINK = "a parent directory is a symbolic link"


def f(name, data=b"x", **kw):
    return entry(name, data, **kw)


# ---- 5, 6, T02, T04: through symlinks ----
for row, what, target in (("05 T02", "absolute", C), ("06 T02", "relative", UP), ("06", "/", "/"), ("06", "inside", "b")):
    rej("%s file below a symlink, %s" % (row, what), aci(dir("rootfs/b"), symlink("rootfs/a", target), f("rootfs/a/pwn")),
        'entry "rootfs/a/pwn": ' + LINK)
rej("05 directory below a symlink", aci(symlink("rootfs/a", C), dir("rootfs/a/dir")), LINK)
rej("05 directory at a symlink", aci(symlink("rootfs/a", C), dir("rootfs/a")), "named twice")
rej("05 implied directories below a symlink", aci(symlink("rootfs/a", C), f("rootfs/a/x/y/z")), LINK)
rej("06 chain", aci(symlink("rootfs/a", "b"), symlink("rootfs/b", "c"), symlink("rootfs/c", "/"), f("rootfs/a/x")), LINK)
rej("06 T04 loop", aci(symlink("rootfs/a", "a"), f("rootfs/a/x")), LINK)
rej("06 T04 chain of 40", aci(*(symlink("rootfs/l%d" % i, "l%d" % (i + 1)) for i in range(40)), symlink("rootfs/l40", C), f("rootfs/l0/x")), LINK)
rej("06 T04 mix of links and ..", aci(dir("rootfs/d"), symlink("rootfs/a", "d/../../.."), f("rootfs/a/x")), LINK)
ok("06 links themselves", aci(symlink("rootfs/a", "../../../.."), symlink("rootfs/b", C), symlink("rootfs/c", "c")), lambda t: t.link("b") == C.encode())

# ---- 7, 9 to 11: duplicates ----
rej("07 symlink, then file", aci(symlink("rootfs/x", C + "/secret"), f("rootfs/x")), "named twice")
ok("09 hard link to a symlink", aci(symlink("rootfs/s", C + "/secret"), hardlink("rootfs/h", "rootfs/s")), lambda t: t.link("h") == (C + "/secret").encode())
rej("09 T03 write through it", aci(symlink("rootfs/s", C + "/secret"), hardlink("rootfs/h", "rootfs/s"), f("rootfs/h")), "named twice")
rej("10 hard link to a symlink as parent", aci(symlink("rootfs/s", C), hardlink("rootfs/h", "rootfs/s"), f("rootfs/h/x")), LINK)
rej("11 file, hard link, file again", aci(f("rootfs/a"), hardlink("rootfs/b", "rootfs/a"), f("rootfs/a", b"new")), "named twice")

# ---- 8, 65, T03: hard links ----
HARD = 'entry "rootfs/h": hard link to '
for target, text in (("../../etc/shadow", '".." component'), ("rootfs/" + UP + "/secret", '".." component'), ("/etc/shadow", "absolute name"),
                     (C + "/secret", "absolute name"), ("manifest", "not below rootfs"), ("rootfs", "not below rootfs"), ("a", "not below rootfs"),
                     ("rootfs/h", "not in the archive before it"), ("rootfs/d", "a directory"), ("rootfs/later", "not in the archive before it"),
                     ("rootfs/missing/x", "not in the archive before it"), ("", "unknown entry type")):
    image = aci(f("rootfs/a"), dir("rootfs/d"), pax(("linkpath", target)) + hardlink("rootfs/h", target[:100]) if target else hardlink("rootfs/h", ""), f("rootfs/later"))
    rej("08 T03 hard link to %s" % (target.replace(UP, "(up)").replace(C, "(canary)") or "nothing"), image, text)
rej("08 T03 hard link through a symlink", aci(symlink("rootfs/s", C), hardlink("rootfs/h", "rootfs/s/secret")), LINK)
rej("08 T03 hard link with data", aci(f("rootfs/a"), hardlink("rootfs/h", "rootfs/a", data="new")), "damaged tar header")
for what, magic, before in (("ustar", USTAR, b""), ("GNU", GNU, b""), ("v7", V7, b""), ("pax", USTAR, pax(("comment", "c")))):
    ok("40 hard link with the size of its file and no data, " + what, aci(f("rootfs/a", b"x" * 600), before + hardlink("rootfs/h", "rootfs/a", size=600, magic=magic), f("rootfs/z"), hardlink("rootfs/i", "rootfs/a", size=600, magic=magic)),
       lambda t: t.names() == [b"a", b"h", b"i", b"z"] and t.st("a").st_nlink == 3 and t.st("a").st_size == 600)
ok("40 the same at the very end", aci(f("rootfs/a", b"x" * 99999), pax(("comment", "c")) + hardlink("rootfs/h", "rootfs/a", size=99999)), lambda t: t.st("h").st_nlink == 2)
rej("08 T03 hard link with data by pax", aci(f("rootfs/a"), pax(("size", "3")), hardlink("rootfs/h", "rootfs/a")), "hard link with data")
ok("65 hard link with ./", aci(f("rootfs/a"), hardlink("rootfs/h", "./rootfs/a")), lambda t: t.st("h").st_nlink == 2)
ok("65 10000 names of one file", aci(f("rootfs/a"), *(hardlink("rootfs/h%d" % i, "rootfs/a") for i in range(10000))), lambda t: t.st("a").st_nlink == 10001)

# ---- 34, 35, T07: nodes ----
def is_node(t, name, kind, dev):
    st = t.st(name)
    return kind(st.st_mode) and st.st_rdev == dev


ok("34 char device 1:3", aci(entry("rootfs/n", type="3", mode=0o620, major=1, minor=3)), lambda t: is_node(t, "n", stat.S_ISCHR, os.makedev(1, 3)) and t.mode("n") == 0o620)
ok("34 T07 block device 8:0", aci(entry("rootfs/n", type="4", major=8, minor=0)), lambda t: is_node(t, "n", stat.S_ISBLK, os.makedev(8, 0)))
ok("34 highest numbers", aci(entry("rootfs/n", type="4", major=4095, minor=1048575)), lambda t: is_node(t, "n", stat.S_ISBLK, os.makedev(4095, 1048575)))
rej("34 major too high", aci(entry("rootfs/n", type="4", major=4096)), "malformed device number")
ok("34 device with a size", aci(hdr("rootfs/n", "3", major=1, minor=3, size=700), f("rootfs/z")), lambda t: t.names() == [b"n", b"z"])
rej("34 T06 char device 0:0", aci(entry("rootfs/n", type="3")), "character device 0:0")
rej("34 T06 char device 0:0, by pax", aci(pax(("SCHILY.devmajor", "0"), ("SCHILY.devminor", "0")), entry("rootfs/n", type="3", major=1)), "")
ok("35 fifo", aci(entry("rootfs/p", type="6")), lambda t: stat.S_ISFIFO(t.st("p").st_mode))
rej("35 fifo, then file", aci(entry("rootfs/p", type="6"), f("rootfs/p")), "named twice")
ok("35 hard links to fifo and device", aci(entry("rootfs/p", type="6"), entry("rootfs/n", type="3", major=1, minor=3), hardlink("rootfs/q", "rootfs/p"),
   hardlink("rootfs/m", "rootfs/n")), lambda t: t.st("p").st_nlink == 2 and t.st("m").st_nlink == 2)

# ---- 51: symlink targets ----
rej("51 empty target", aci(symlink("rootfs/s", "")), "without a target")
ok("51 target of 4095", aci(pax(("linkpath", "t" * 4095)), symlink("rootfs/s", "t")), lambda t: len(t.link("s")) == 4095)
rej("51 target of 4096", aci(pax(("linkpath", "t" * 4096)), symlink("rootfs/s", "t")), "target of more than 4095")
rej("51 target with NUL", aci(pax(("linkpath", b"a\x00b")), symlink("rootfs/s", "t")), "NUL byte")
ok("51 target of odd bytes", aci(symlink("rootfs/s", b"\xff\n")), lambda t: t.link("s") == b"\xff\n")

# ---- 52: read-only directories ----
ok("52 children of 0555 and of others", aci(dir("rootfs/a", 0o555), f("rootfs/a/b"), dir("rootfs/o", 0o700, uid=1000), f("rootfs/o/x", uid=2000)),
   lambda t: t.mode("a") == 0o555 and t.read("a/b") == b"x" and t.st("o/x").st_uid == 2000)

# ---- 58: the image's own pathWhitelist ----
def white(*paths):
    return entry("manifest", manifest_text(pathWhitelist=list(paths)))


body = dir("rootfs/d") + f("rootfs/d/a") + f("rootfs/d/b") + hardlink("rootfs/h", "rootfs/d/a") + symlink("rootfs/s", "d/a") + f("rootfs/c")
ok("58 drops the target of a hard link", aci(body, manifest=white("/h", "/s")), lambda t: t.names() == [b"d", b"h", b"s"] and t.names("d") == [] and t.read("h") == b"x")
ok("58 lists a directory only", aci(body, manifest=white("/d")), lambda t: t.names() == [b"d"] and t.names("d") == [])
ok("58 dropped parents are kept for what is below", aci(dir("rootfs/p", 0o700, uid=3), dir("rootfs/p/q", 0o710), f("rootfs/p/q/x"), f("rootfs/p/y"), manifest=white("/p/q/x")),
   lambda t: t.names("p") == [b"q"] and t.read("p/q/x") == b"x" and (t.mode("p"), t.st("p").st_uid, t.mode("p/q")) == (0o700, 3, 0o710))
ok("58 .. and relative names in the list", aci(body, manifest=white("/d/../c", "../../d/b")), lambda t: t.names() == [b"c", b"d"] and t.names("d") == [b"b"])
ok("58 trailing slash", aci(body, manifest=white("/c/")), lambda t: t.names() == [b"c", b"d"])
ok("58 manifest last, directory times stay", aci(dir("rootfs/t", mtime=777), f("rootfs/t/gone"), white("/none"), manifest=b""), lambda t: t.names("t") == [] and t.st("t").st_mtime == 777)
