# tokend.py CERT KEY PORT_FILE RULES LOG: the realm of a registry with tokens, over TLS (docker's token protocol; formats.md section 13.2).
#
# Tokens are signed with KEY, which the registry finds by CERT.  joe's password is "secret", his identity token "joes-identity"; nobody may pull.
# RULES, read anew for each request, has words:  noanonymous  nopost (405)  empty (a token that permits nothing)  ttl=SECONDS
#   limit=N (429 to the first N, "Retry-After: 1")  raw=TEXT (the whole answer)  LOG gets "METHOD SCOPE WHO" a request.
import base64, http.server, json, os, shlex, ssl, subprocess, sys, time, urllib.parse

cert, key, port_file, rules_file, log_file = sys.argv[1:]
limited = 0

def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()

def sign(access, ttl):
    der = base64.b64encode(ssl.PEM_cert_to_DER_cert(open(cert).read())).decode()
    now = int(time.time())
    head = {'typ': 'JWT', 'alg': 'RS256', 'x5c': [der]}
    body = {'iss': 'tests', 'sub': 'x', 'aud': 'tests', 'exp': now + ttl, 'nbf': now - 60, 'iat': now, 'jti': 'x', 'access': access}
    text = b64(json.dumps(head).encode()) + '.' + b64(json.dumps(body).encode())
    made = subprocess.run(['openssl', 'dgst', '-sha256', '-sign', key], input=text.encode(), stdout=subprocess.PIPE, check=True).stdout
    return text + '.' + b64(made)

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *a):
        pass

    def answer(self, status, doc, **headers):
        text = doc.encode() if isinstance(doc, str) else json.dumps(doc).encode()
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k.replace('_', '-'), v)
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def grant(self, query, who):
        global limited
        rules = dict((w.split('=', 1) + [''])[:2] for w in shlex.split(open(rules_file).read()))
        scope = query.get('scope', [''])[0]
        with open(log_file, 'a') as f:
            f.write('%s %s %s\n' % (self.command, scope, who))
        if limited < int(rules.get('limit', 0)):
            limited += 1
            return self.answer(429, {}, Retry_After='1')
        if self.command == 'POST' and 'nopost' in rules:
            return self.answer(405, {})
        if who == 'wrong' or (who == '-' and 'noanonymous' in rules):
            return self.answer(401, {})
        if 'raw' in rules:
            return self.answer(200, rules['raw'])
        kind, name, actions = scope.split(':')
        allowed = [a for a in actions.split(',') if a == 'pull' or who != '-']
        access = [] if 'empty' in rules else [{'type': kind, 'name': name, 'actions': allowed}]
        ttl = int(rules.get('ttl', 300))
        token = sign(access, min(ttl, 10 ** 9))
        self.answer(200, {'access_token' if self.command == 'POST' else 'token': token, 'expires_in': ttl})

    def do_GET(self):
        sent = self.headers.get('Authorization')
        who = '-' if not sent else 'joe' if sent == 'Basic ' + base64.b64encode(b'joe:secret').decode() else 'wrong'
        self.grant(urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query), who)

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers['Content-Length'])).decode())
        self.grant(form, 'identity' if form.get('refresh_token') == ['joes-identity'] else 'wrong')

server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
server.daemon_threads = True
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
with open(port_file + '.new', 'w') as f:
    f.write(str(server.server_port))
os.rename(port_file + '.new', port_file)
server.serve_forever()
