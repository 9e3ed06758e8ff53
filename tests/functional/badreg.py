# badreg.py LAYOUT PORT_FILE RULES LOG: a registry that misbehaves by order; serves any repository from one OCI layout.
#
# RULES, read anew for each request, has lines "METHOD PATH-GLOB KEY=VALUE...":  status=N  retry=SECONDS  body=TEXT
#   times=N (the first N requests that match)  after=N (but for the first N)  rate=BYTES (a second)  cut=BYTES (then close)  length=N (claimed)  flip=1 (another
#   last byte)  stall=1 (after the head)  type=MEDIATYPE  digest=TEXT (Docker-Content-Digest)  norange=1 (all of it, always)  endless=1
#   drip=BYTES (of what is left, then close: as cut, but each time further)
# It takes uploads; of one, "cut" is after how many bytes of the body the connection is closed, what came is kept; "range=N" and "location=URL" of a GET claim that.
# LOG gets "METHOD PATH RANGE" a request, and "arrived PATH BYTES" when the body of a piece has ended, however it did.
import fnmatch, hashlib, http.server, itertools, json, os, re, shlex, socket, struct, sys, threading, time

layout, port_file, rules_file, log_file = sys.argv[1:]
used = {}
uploads, upload_names = {}, itertools.count(1)
lock = threading.Lock()

def rules(line):
    found = {}
    try:
        with open(rules_file) as f:
            all_rules = [shlex.split(l) for l in f if l.strip()]
    except FileNotFoundError:
        return found
    for number, (method, glob, *words) in enumerate(all_rules):
        r = dict(w.split('=', 1) for w in words)
        if not fnmatch.fnmatch(line, method + ' ' + glob):
            continue
        with lock:
            key = os.stat(rules_file).st_mtime_ns, number
            used[key] = used.get(key, 0) + 1
            if 'times' in r and used[key] > int(r['times']):
                continue
            if used[key] <= int(r.get('after', 0)):
                continue
        found.update(r)
    return found

def named(ref):
    with open(layout + '/index.json') as f:
        for m in json.load(f)['manifests']:
            if m['digest'] == ref or m.get('annotations', {}).get('org.opencontainers.image.ref.name') == ref:
                return m
    return {'digest': ref} if ref.startswith('sha256:') else None

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *a):
        pass

    def refuse(self, status, rule):
        body = rule.get('body', '').encode()
        self.send_response(status)
        if 'retry' in rule:
            self.send_header('Retry-After', rule['retry'])
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        line = self.command + ' ' + self.path
        with lock, open(log_file, 'a') as f:
            f.write('%s %s\n' % (line, self.headers.get('Range', '-')))
        upload = re.match(r'/v2/.+/blobs/uploads/(\d+)$', self.path)
        rule = rules(line)
        if upload and upload[1] in uploads and 'status' not in rule:
            return self.so_far(204, upload[1], rule)
        m = re.match(r'/v2/.+/(manifests|blobs)/([^/]+)$', self.path)
        if 'status' in rule or not m:
            return self.refuse(int(rule.get('status', 404)), rule)
        d = named(m[2]) if m[1] == 'manifests' else {'digest': m[2]}
        path = layout + '/blobs/' + d['digest'].replace(':', '/') if d else ''
        if not os.path.exists(path):
            return self.refuse(404, rule)
        with open(path, 'rb') as f:
            data = f.read()
        kind = json.loads(data).get('mediaType') if m[1] == 'manifests' and data[:1] == b'{' else None
        if 'flip' in rule:
            data = data[:-1] + bytes([data[-1] ^ 1])
        start = re.match(r'bytes=(\d+)-$', self.headers.get('Range', ''))
        start = int(start[1]) if start and 'norange' not in rule else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header('Content-Range', 'bytes %d-%d/%d' % (start, len(data) - 1, len(data)))
        if 'endless' in rule:
            self.send_header('Transfer-Encoding', 'chunked')
        else:
            self.send_header('Content-Length', rule.get('length', str(len(data) - start)))
        self.send_header('Content-Type', rule.get('type', kind or 'application/octet-stream'))
        if 'digest' in rule:
            self.send_header('Docker-Content-Digest', rule['digest'])
        self.end_headers()
        self.wfile.flush()
        if self.command == 'HEAD':
            return
        if 'stall' in rule:
            time.sleep(60)
        if 'endless' in rule:
            return self.without_end(data)
        data = data[start:]
        if 'cut' in rule or 'drip' in rule:
            data = data[:int(rule.get('cut', rule.get('drip')))]
        step = int(rule['rate']) // 20 if 'rate' in rule else len(data) or 1
        try:
            for at in range(0, len(data), step):
                self.wfile.write(data[at:at + step])
                if 'rate' in rule:
                    time.sleep(0.05)
        except (BrokenPipeError, ConnectionResetError):
            pass
        if 'cut' in rule or 'drip' in rule or 'length' in rule:
            self.close_connection = True

    def without_end(self, data):
        self.close_connection = True
        try:
            while True:
                self.wfile.write(b'%x\r\n%s\r\n' % (len(data), data))
                data = bytes(1 << 20)
        except (BrokenPipeError, ConnectionResetError):
            pass

    do_HEAD = do_GET

    # ---- uploads
    def so_far(self, status, name, rule={}):
        self.send_response(status)
        self.send_header('Location', rule.get('location') or re.sub('uploads/.*', 'uploads/' + name, self.path))
        self.send_header('Range', '0-' + rule.get('range', str(max(len(uploads[name]) - 1, 0))))
        self.send_header('Content-Length', '0')
        self.end_headers()

    def takes(self):
        """Log, and what the rules say; None when they have been obeyed."""
        with lock, open(log_file, 'a') as f:
            f.write('%s %s %s\n' % (self.command, self.path, self.headers.get('Content-Range', '-')))
        rule = rules(self.command + ' ' + self.path)
        if 'status' not in rule:
            return rule
        self.rfile.read(int(self.headers.get('Content-Length', 0)))
        return self.refuse(int(rule['status']), rule)

    def do_POST(self):
        if self.takes() is not None:
            name = str(next(upload_names))
            uploads[name] = bytearray()
            self.so_far(202, name)

    def do_PATCH(self):
        rule = self.takes()
        if rule is None:
            return
        name, size = self.path.rsplit('/', 1)[1], int(self.headers['Content-Length'])
        if not self.headers['Content-Range'].startswith('%d-' % len(uploads[name])):
            self.rfile.read(size)
            return self.refuse(416, {})
        left = min(size, int(rule.get('cut', size)))
        try:
            while left and (data := self.rfile.read1(min(left, 65536))):
                uploads[name] += data
                left -= len(data)
        except ConnectionResetError:
            pass
        with lock, open(log_file, 'a') as f:
            f.write('arrived %s %d\n' % (self.path, len(uploads[name])))
        if left:
            self.close_connection = True
            return
        if 'cut' in rule:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            self.close_connection = True
            return
        self.so_far(202, name)

    def do_PUT(self):
        if self.takes() is None:
            return
        data = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        upload = re.search(r'/uploads/(\d+)\?digest=(.*)$', self.path)
        if upload:
            data = uploads.pop(upload[1])
        digest = 'sha256:' + hashlib.sha256(data).hexdigest()
        if upload and upload[2] != digest:
            return self.refuse(400, {'body': 'it is ' + digest})
        with open(layout + '/blobs/' + digest.replace(':', '/'), 'wb') as f:
            f.write(data)
        self.refuse(201, {})

server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
server.daemon_threads = True
with open(port_file + '.new', 'w') as f:
    f.write(str(server.server_port))
os.rename(port_file + '.new', port_file)
server.serve_forever()
