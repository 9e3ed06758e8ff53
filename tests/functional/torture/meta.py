"""Rows 19, 27, 36–38, 62 and T06, T07: modes, times, extended attributes."""
import struct

from pack import *
from run import ok, rej


def f(name="rootfs/f", data=b"x", **kw):
    return entry(name, data, **kw)


# ---- 19: directories after their children ----
for mode in (0o500, 0o000):
    ok("19 parent after its children, mode %03o" % mode, aci(f("rootfs/a/b/c"), dir("rootfs/a/b", mode, mtime=1234567), dir("rootfs/a", mode, mtime=7654321)),
       lambda t, mode=mode: t.mode("a") == mode and t.mode("a/b") == mode and t.st("a/b").st_mtime == 1234567 and t.st("a").st_mtime == 7654321)

# ---- 27, 62: times ----
for v, ns in (("1.5", 1500000000), ("-1.25", -1250000000), ("-3", -3000000000), ("0", 0), ("1." + "123456789" * 4 + "1234", 1123456789), ("2147483648", 2147483648 * 10**9),
              ("8589934592.5", 85899345925 * 10**8)):
    ok("27 mtime %.14s" % v, aci(pax(("mtime", v)), f(), pax(("mtime", v)), dir("rootfs/d"), f("rootfs/d/x"), pax(("mtime", v)), symlink("rootfs/s", "t")),
       lambda t, ns=ns: [t.st(n).st_mtime_ns for n in "fds"] == [ns] * 3)
ok("27 atime is ignored, ctime is ignored", aci(pax(("atime", "12.5"), ("ctime", "-4")), f(mtime=99)), lambda t: t.st("f").st_mtime == 99)
for v in ("1e9", "x", "1.5x", "1.-5", "--1", "9223372036854775808", " 1", ".5"):
    for key in ("mtime", "atime"):
        rej("27 %s %r" % (key, v), aci(pax((key, v)), f()), "is not a time")
ok("27 empty times take back: the header's count", aci(pax(("mtime", "5.5"), ("mtime", ""), ("atime", ""), ("ctime", "")), f(mtime=77), pax(("mtime", "")), dir("rootfs/d", mtime=88)), lambda t: (t.st("f").st_mtime_ns, t.st("d").st_mtime) == (77 * 10**9, 88))
ok("62 times in headers", aci(*(f("rootfs/%d" % i, mtime=v) for i, v in enumerate((0, 2**31, 2**33 - 1)))), lambda t: [t.st(str(i)).st_mtime for i in range(3)] == [0, 2**31, 2**33 - 1])

# ---- 36: modes ----
for mode in (0o4755, 0o2755, 0o6711, 0o1644, 0):
    ok("36 file mode %04o with an owner" % mode, aci(f(mode=mode, uid=1000, gid=1000)), lambda t, mode=mode: t.mode("f") == mode and t.st("f").st_uid == 1000)
for mode in (0o2775, 0o1777, 0):
    ok("36 directory mode %04o with an owner" % mode, aci(dir("rootfs/f", mode, uid=1000, gid=1000), f("rootfs/f/x")), lambda t, mode=mode: t.mode("f") == mode)
ok("36 type bits in the mode field", aci(f(mode=0o100640), dir("rootfs/d", 0o40750)), lambda t: t.mode("f") == 0o640 and t.mode("d") == 0o750)

# ---- 37, 38: extended attributes ----
CAP = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)  # cap_net_raw, effective
X = "SCHILY.xattr."
ok("37 user.a, binary", aci(pax((X + "user.a", b"a\0b\n=c")), f()), lambda t: t.xattrs("f") == {"user.a": b"a\0b\n=c"})
ok("37 T07 security.capability survives the owner", aci(pax((X + "security.capability", CAP)), f(uid=1000, mode=0o755)), lambda t: t.xattrs("f")["security.capability"] == CAP)
ok("37 T06 dropped names", aci(pax(*((X + n, "y") for n in ("trusted.overlay.opaque", "trusted.overlay.redirect", "user.overlay.opaque", "security.selinux", "security.ima", "user.", "system.x"))), f()),
   lambda t: t.xattrs("f") == {})
ok("37 T06 dropped on directories", aci(pax((X + "trusted.overlay.opaque", "y"), (X + "user.overlay.opaque", "y"), (X + "security.capability", CAP), (X + "user.d", "1")), dir("rootfs/f")), lambda t: t.xattrs("f") == {"user.d": b"1"})
ok("37 dropped on links and nodes", aci(pax((X + "user.a", "1")), symlink("rootfs/s", "t"), pax((X + "user.a", "1")), entry("rootfs/p", type="6")), lambda t: t.xattrs("s") == {} == t.xattrs("p"))
ok("37 LIBARCHIVE form, and both", aci(pax(("LIBARCHIVE.xattr.user.b", "YmM")), f(), pax(("LIBARCHIVE.xattr.user.b", "YmM"), (X + "user.b", "bc")), f("rootfs/g")), lambda t: t.xattrs("f") == {"user.b": b"bc"} == t.xattrs("g"))
rej("37 more than the limit", aci(pax(*((X + "user.n%d" % i, "v" * 50) for i in range(100))), f()), "limit of 4096 bytes", extract=["--max-xattr=4096"], code=7)
rej("37 T08 pax header of 1 GiB", aci(hdr("PaxHeaders/x", "x", size=1 << 30)), "limit of 1 MiB", code=7)
rej("37 T08 100000 records", aci(pax(*((X + "user.%d" % i, "v") for i in range(100000))), f()), "limit of 1 MiB", code=7)
rej("37 value of 64 KiB and a byte", aci(pax((X + "user.a", "v" * 65537)), f()), 'entry "rootfs/f": set extended attribute user.a')
ok("38 POSIX ACLs are left out", aci(pax(("SCHILY.acl.access", "user::rwx,group::r-x,mask::r-x,other::r-x,user:root:rwx"), ("SCHILY.acl.default", "user::rwx,group::r-x,other::r-x")), dir("rootfs/f")),
   lambda t: t.xattrs("f") == {})
rej("38 malformed pax id of an ACL is no crash", aci(pax(("SCHILY.acl.access", "::::"), ("uid", "x")), f()), "not a user or group id")
