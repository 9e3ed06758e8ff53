# powerloss.py check STRACE CAS          is everything on disk that what is published relies on?  Prints what was published, in order.
# powerloss.py cut STRACE CAS N TO       TO becomes the store as it is when the power fails after the Nth of these (threats.md T33)
#
# STRACE is the output of strace -f -y with the calls below.  The model: what is written into a file is on disk after fsync of the file, a new
# name after fsync of its directory, everything after syncfs; whatever else may be lost, in any order.
import os, re, shutil, sys

CALLS = 'openat,mkdirat,mknodat,symlinkat,linkat,renameat,renameat2,write,pwrite64,writev,ftruncate,fchmod,fchown,fsetxattr,copy_file_range,fsync,fdatasync,syncfs'
PLACES = ('blob/', 'tree/', 'image/', 'ref/')

def calls(path):
    """(name, [paths], text of arguments), a call that was interrupted by others where it ends."""
    begun = {}
    for line in open(path, errors='replace'):
        pid, rest = line.rstrip('\n').split(None, 1)
        if rest.endswith('<unfinished ...>'):
            begun[pid] = rest[:-len('<unfinished ...>')]
            continue
        m = re.match(r'<\.\.\. \w+ resumed>(.*)', rest)
        if m:
            rest = begun.pop(pid, '') + m[1]
        m = re.match(r'(\w+)\((.*)\)\s+= (-?\d+)', rest)
        if m and int(m[3]) >= 0:
            yield m[1], m[2], rest

def below(cas, path):
    """Relative to the store; what a confined child does is in some tree that is being made."""
    if path.startswith(cas + '/'):
        return path[len(cas) + 1:]
    return 'tmp/?' if path.startswith('/rootfs') or path == '/' else None

def places(cas, args):
    """The paths of a call with names relative to descriptors."""
    found = []
    for d, n in re.findall(r'\d+<([^>]*)>, "((?:[^"\\]|\\.)*)"', args):
        p = below(cas, os.path.normpath(os.path.join(d, n)))
        if p:
            found.append(p)
    return found

def of_fd(cas, args):
    m = re.match(r'\d+<([^>]*)>', args)
    return below(cas, m[1]) if m else None

def replay(trace, cas):
    dirty, names, published, wrong = set(), set(), [], []
    for call, args, text in calls(trace):
        if call == 'syncfs':
            dirty.clear()
            names.clear()
        elif call in ('fsync', 'fdatasync'):
            p = of_fd(cas, args)
            dirty.discard(p)
            names = {n for n in names if os.path.dirname(n) != p}
        elif call in ('write', 'pwrite64', 'writev', 'ftruncate', 'copy_file_range', 'fchmod', 'fchown', 'fsetxattr'):
            p = of_fd(cas, args)
            if p:
                dirty.add(p)
        elif call.startswith('rename'):
            both = places(cas, args)
            if len(both) != 2:
                continue
            a, b = both
            under = lambda p: p == a or p.startswith(a + '/')
            if b.startswith(PLACES):
                tree = b.startswith('tree/')
                lost = [d for d in dirty | names if (under(d) and d != a) or (d == a and d in dirty) or (tree and d == 'tmp/?')]
                if lost:
                    wrong.append('%s is published, and not on disk: %s' % (b, sorted(lost)[0]))
                if b.startswith(('image/', 'ref/')):
                    missing = [n for n in names if n.startswith(PLACES)]
                    if missing:
                        wrong.append('%s is published, and this name is not on disk: %s' % (b, sorted(missing)[0]))
                published.append(b)
            for s in (dirty, names):
                moved = {p for p in s if under(p)}
                s -= moved
                s |= {b + p[len(a):] for p in moved}
            names.add(b)
        elif call in ('mkdirat', 'mknodat', 'symlinkat', 'linkat') or (call == 'openat' and 'O_CREAT' in args):
            names.update(places(cas, args)[-1:])
    return published, wrong

mode, trace, cas = sys.argv[1:4]
published, wrong = replay(trace, cas)
if mode == 'check':
    print('\n'.join(published))
    for w in wrong:
        print('WRONG ' + w)
else:
    n, to = int(sys.argv[4]), sys.argv[5]
    shutil.rmtree(to, ignore_errors=True)
    os.makedirs(to)
    os.system("cp -a --reflink=auto '%s/.' '%s'" % (cas, to))
    for p in published[n:]:
        if p in published[:n]:
            continue
        path = os.path.join(to, p)
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path) if os.path.exists(path) else None
    # what nobody synced: half a download that is only zeros, a tree of empty files, an empty document
    os.makedirs(to + '/tmp/dir-lost/rootfs/bin')
    open(to + '/tmp/dir-lost/rootfs/bin/sh', 'w').close()
    open(to + '/tmp/doc-lost', 'w').close()
    for p in published[n:]:
        m = re.match(r'blob/sha256/../(\w+)$', p)
        if m:
            size = os.stat(os.path.join(cas, p)).st_size
            os.makedirs(to + '/tmp/dl-sha256-' + m[1])
            with open(to + '/tmp/dl-sha256-' + m[1] + '/data', 'wb') as f:
                f.truncate(size // 2)
