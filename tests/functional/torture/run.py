#!/usr/bin/env python3
"""Runs torture cases against unpack.  Usage: run.py UNPACK WORKDIR [WORD]

Prints "ok TEXT" or "not ok TEXT" a case, with lines "# …" before what failed.  A case is an image, a verdict
("ok": extracted, then looked at; "rej": refused with a text) and limits.  After every case the canary tree
beside the target must be what it was, and the target holds nothing but rootfs.
"""
import fcntl
import json
import os
import signal
import subprocess
import sys
import time

CASES = []
INFLATE, EXTRACT = ("inflate", (3, 4, 5)), ("extract", (3, 4, 5))


class Case:
    def __init__(self, name, image, verdict, text=None, check=None, extract=(), inflate=(), code=None):
        self.name, self.image, self.verdict, self.text, self.check = name, image, verdict, text, check
        self.extract, self.inflate, self.code = list(extract), list(inflate), code


def ok(name, image, check=None, **kw):
    """Must be extracted; then check(tree) must not raise or be False."""
    CASES.append(Case(name, image, "ok", check=check, **kw))


def rej(name, image, text, **kw):
    """Must be refused with a message that holds @text."""
    CASES.append(Case(name, image, "rej", text=text, **kw))


class Tree:
    """What was extracted."""
    def __init__(self, top):
        self.top = os.fsencode(top)

    def path(self, name):
        return self.top + b"/rootfs/" + (name if isinstance(name, bytes) else name.encode())

    def st(self, name=""):
        return os.lstat(self.path(name))

    def mode(self, name=""):
        return self.st(name).st_mode & 0o7777

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def names(self, name=""):
        return sorted(os.listdir(self.path(name)))

    def link(self, name):
        return os.readlink(self.path(name))

    def xattrs(self, name):
        p = self.path(name)
        return {k: os.getxattr(p, k, follow_symlinks=False) for k in os.listxattr(p, follow_symlinks=False)}


def snapshot(top):
    seen = {}
    for folder, _, files in os.walk(top):
        for name in [folder] + [os.path.join(folder, f) for f in files]:
            st = os.lstat(name)
            body = open(name, "rb").read() if os.path.isfile(name) else b""
            seen[name] = (st.st_mode, st.st_uid, st.st_gid, st.st_nlink, st.st_ino, st.st_size, st.st_mtime_ns, body)
    return seen


def high(fd):
    """Our copies live far from the numbers that the child uses."""
    n = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 50)
    os.close(fd)
    return n


def start(unpack, mode, fds, options):
    actions = [(os.POSIX_SPAWN_DUP2, fd, to) for to, fd in zip((3, 4, 5), fds)]
    return os.posix_spawn(unpack, ["unpack", mode] + options, {}, file_actions=actions)


def wait(pid, deadline):
    while time.monotonic() < deadline:
        got, status = os.waitpid(pid, os.WNOHANG)
        if got:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.001)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return "timeout"


def reply_of(fd):
    os.lseek(fd, 0, os.SEEK_SET)
    data = b""
    while True:
        part = os.read(fd, 1 << 20)
        if not part:
            break
        data += part
    line, _, rest = data.partition(b"\n")
    return (json.loads(line) if line else {}), rest


def memfd(data=b""):
    fd = high(os.memfd_create("x"))
    at = 0
    while at < len(data):
        at += os.write(fd, data[at:])
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def unpack_image(unpack, image, target, inflate=(), extract=()):
    """Both programs, pipe between them.  Returns (error or None, reply, manifest)."""
    src, reply1, reply2 = memfd(image), memfd(), memfd()
    r, w = map(high, os.pipe())
    dirfd = high(os.open(target, os.O_RDONLY | os.O_DIRECTORY))
    a = start(unpack, "extract", (r, reply2, dirfd), list(extract))
    b = start(unpack, "inflate", (src, w, reply1), list(inflate))
    for fd in (r, w, dirfd):
        os.close(fd)
    deadline = time.monotonic() + 120
    status = {"inflate": wait(b, deadline), "extract": wait(a, deadline)}
    (said1, _), (said2, manifest) = reply_of(reply1), reply_of(reply2)
    for fd in (src, reply1, reply2):
        os.close(fd)
    for mode, said in (("inflate", said1), ("extract", said2)):
        if status[mode] != (0 if said.get("ok") else 1):
            return {"code": -1, "text": "%s: status %s, reply %s" % (mode, status[mode], said)}, said2, manifest
    first = said1.get("error")
    second = said2.get("error")
    error = second if second and (not first or first["code"] == 32) else first
    return error, said2, manifest


def verdict_of(case, unpack, target):
    image = case.image() if callable(case.image) else case.image
    error, said, _ = unpack_image(unpack, image, target, case.inflate, case.extract)
    if case.verdict == "rej":
        if not error:
            return "was extracted"
        if error["code"] < 0 or case.text not in error["text"]:
            return "refused with: %r, want %r" % (error["text"], case.text)
        if case.code and error["code"] != case.code:
            return "code %d, want %d: %s" % (error["code"], case.code, error["text"])
        if any(ord(c) < 32 or ord(c) == 127 for c in error["text"]):
            return "control bytes in the message"
        return None
    if error:
        return "refused: %s" % error["text"]
    if sorted(os.listdir(target)) != ["rootfs"]:
        return "left in the target: %r" % os.listdir(target)
    if case.check:
        try:
            if case.check(Tree(target)) is False:
                return "the tree is not what it should be"
        except (OSError, KeyError, AssertionError) as x:
            return "%s: %s" % (type(x).__name__, x)
    return None


def make_canary(work):
    canary = os.path.join(work, "canary")
    os.makedirs(os.path.join(canary, "dir"))
    with open(os.path.join(canary, "secret"), "w") as f:
        f.write("untouched\n")
    return canary


def main():
    unpack, work = sys.argv[1:3]
    word = sys.argv[3] if len(sys.argv) > 3 else ""
    os.environ["TORTURE_CANARY"] = canary = make_canary(work)
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    sys.modules["run"] = sys.modules["__main__"]
    for module in ("names", "links", "headers", "meta", "streams", "limits"):
        __import__(module)
    before = snapshot(canary)
    bad = 0
    for case in CASES:
        if word not in case.name:
            continue
        box = os.path.join(work, "box")
        target = os.path.join(box, "target")
        os.makedirs(target, 0o700)
        why = verdict_of(case, unpack, target)
        if not why and snapshot(canary) != before:
            why = "the canary was touched"
        if not why and os.listdir(box) != ["target"]:
            why = "something beside the target"
        subprocess.run(["rm", "-rf", box], check=True)  # deeper than Python recurses
        if why:
            print("# " + why.encode("unicode_escape").decode()[:300])
        print("%s %s" % ("not ok" if why else "ok", case.name), flush=True)
        bad += bool(why)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
