# treehash.py DIR: one line for everything below it: kind, mode, owner, time, attributes, what it holds, with which it is one file.
import hashlib, os, signal, stat, sys

signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # head(1) may have had enough

top = os.fsencode(sys.argv[1])
first = {}
for at, dirs, files in os.walk(top):
    dirs.sort()
    for name in sorted(dirs + files) if at != top else [b'.'] + sorted(dirs + files):
        path = os.path.join(at, name)
        s = os.lstat(path)
        shown = os.path.relpath(path, top)
        kind, what = stat.S_IFMT(s.st_mode), ''
        if kind == stat.S_IFLNK:
            what = os.readlink(path).decode(errors='replace')
        elif kind == stat.S_IFREG:
            with open(path, 'rb') as f:
                what = hashlib.sha256(f.read()).hexdigest()
            if first.setdefault((s.st_dev, s.st_ino), shown) != shown:
                what += ' = ' + first[s.st_dev, s.st_ino].decode(errors='replace')
        elif kind in (stat.S_IFCHR, stat.S_IFBLK):
            what = '%d:%d' % (os.major(s.st_rdev), os.minor(s.st_rdev))
        attrs = [] if kind == stat.S_IFLNK else [(a, os.getxattr(path, a)) for a in sorted(os.listxattr(path))
                                               if a.startswith('user.') or a == 'security.capability']
        print(shown.decode(errors='replace'), oct(s.st_mode), s.st_uid, s.st_gid,
              '-' if kind == stat.S_IFLNK else s.st_mtime_ns, what, *attrs)
