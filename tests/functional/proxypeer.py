"""Both ends of the proxy's connections: `proxypeer.py serve` in the pod's namespace, everything else is a client.

serve READYFILE LOGFILE    tcp on every address of both families:
    7000 echo, and after the end of what it read: "bye"        7001 reads all, answers "COUNT SHA256"
    7002 the first line is a number: sends so many bytes       7003 reads a line, then resets
    7004 tells the address of its peer                         7005 accepts and never reads
    7006 logs "end" or "reset", how a connection ended         udp 7000 answers "PEER DATA"
"""
import asyncio
import hashlib
import os
import resource
import select
import socket
import struct
import sys

RESET = struct.pack("ii", 1, 0)
PATIENCE = 60


def connect(host, port, source=None):
    s = socket.create_connection((host, int(port)), timeout=PATIENCE, source_address=source)
    return s


def read_all(s):
    parts = []
    while True:
        b = s.recv(1 << 20)
        if not b:
            return b"".join(parts)
        parts.append(b)


# ---- the pod ----


async def echo(r, w):
    while True:
        b = await r.read(65536)
        if not b:
            break
        w.write(b)
        await w.drain()
    w.write(b"bye")


async def sink(r, w):
    n, h = 0, hashlib.sha256()
    while True:
        b = await r.read(1 << 20)
        if not b:
            break
        n += len(b)
        h.update(b)
    w.write(b"%d %s" % (n, h.hexdigest().encode()))


async def source(r, w):
    left, block = int(await r.readline()), bytes(range(256)) * 256
    while left > 0:
        w.write(block[:left])
        left -= min(left, len(block))
        await w.drain()


async def resets(r, w):
    await r.readline()
    w.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)


async def peer(r, w):
    w.write(w.get_extra_info("peername")[0].encode())


async def deaf(r, w):
    w.transport.pause_reading()
    await asyncio.sleep(3600)


async def ends(r, w):
    how = "end"
    try:
        while await r.read(65536):
            pass
    except ConnectionResetError:
        how = "reset"
    with open(sys.argv[3], "a") as f:
        f.write(how + "\n")


def guarded(handler):
    async def run(r, w):
        try:
            await handler(r, w)
            w.close()
        except (ConnectionError, asyncio.CancelledError):
            w.transport.abort()

    return run


class Datagrams(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        self.transport.sendto(b"%s %s" % (addr[0].encode(), data), addr)


async def serve_all():
    for i, handler in enumerate((echo, sink, source, resets, peer, deaf, ends)):
        for family, any_ in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            await asyncio.start_server(guarded(handler), any_, 7000 + i, family=family, backlog=4096, limit=1 << 20)
    for addr in ("0.0.0.0", "::"):
        s = socket.socket(dgram(addr), socket.SOCK_DGRAM)
        if ":" in addr:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind((addr, 7000))
        await asyncio.get_running_loop().create_datagram_endpoint(Datagrams, sock=s)
    open(sys.argv[2], "w").close()
    await asyncio.sleep(3600)


def serve():
    asyncio.run(serve_all())


# ---- clients: HOST PORT ... ----


def ask(host, port, text="hello"):
    """echo with a half-close: everything comes back, and what the other side says after our end"""
    s = connect(host, port)
    s.sendall(text.encode())
    s.shutdown(socket.SHUT_WR)
    print(read_all(s).decode())


def tell(host, port):
    print(read_all(connect(host, port)).decode())


def upload(host, port, size):
    s, n, h = connect(host, port), int(size), hashlib.sha256()
    block = os.urandom(1 << 20)
    for _ in range(n >> 20):
        s.sendall(block)
        h.update(block)
    s.shutdown(socket.SHUT_WR)
    print("same" if read_all(s).decode() == "%d %s" % (n, h.hexdigest()) else "different")


def download(host, port, size):
    s, n, got, pattern = connect(host, port), int(size), 0, bytes(range(256)) * 4096 * 2
    s.sendall(b"%d\n" % n)
    while True:
        b = s.recv(1 << 20)
        if not b:
            break
        if b != pattern[got % 256:got % 256 + len(b)]:
            sys.exit("different at %d" % got)
        got += len(b)
    print(got)


def broken(host, port):
    try:
        s = connect(host, port)
        s.sendall(b"x\n")
        print("end" if not s.recv(10) else "data")
    except ConnectionResetError:
        print("reset")


def leave(host, port, how):
    """ends a connection by a reset or properly"""
    s = connect(host, port)
    s.sendall(b"x" * 100000)
    if how == "reset":
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    s.close()


def many(host, port, number):
    """so many connections at once, each with words of its own"""
    n = int(number)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, n + 100), hard))
    all_ = [connect(host, port) for _ in range(n)]
    for i, s in enumerate(all_):
        s.sendall(b"words of %06d" % i)
    good = 0
    for i, s in enumerate(all_):
        s.shutdown(socket.SHUT_WR)
        good += read_all(s) == b"words of %06dbye" % i
    print(good)


def queue(host, port, number, served):
    """opens so many, of which the first SERVED have an answer at once; the others get one when these end"""
    n, first = int(number), int(served)
    all_ = [connect(host, port) for _ in range(n)]
    for s in all_:
        s.sendall(b"x")
    early = [s for s in all_[:first] if s.recv(1) == b"x"]
    ready = select.select(all_[first:], [], [], 0.5)[0]
    print("early %d, later %d" % (len(early), len(ready)), flush=True)
    sys.stdin.readline()
    for s in all_[:first]:
        s.close()
    good = 0
    for s in all_[first:]:
        good += s.recv(1) == b"x"
        s.close()
    print("in the end %d" % good)


def hold(host, port, line=""):
    """connects, says a line, and reads nothing until it is killed"""
    s = connect(host, port)
    if line:
        s.sendall(line.encode() + b"\n")
    print("holding", flush=True)
    sys.stdin.read()
    s.close()


def crowd(host, port, number):
    """opens so many, which stay until standard input ends"""
    all_ = [connect(host, port) for _ in range(int(number))]
    for s in all_:
        s.sendall(b"x")
        s.recv(1)
    print("open", flush=True)
    sys.stdin.read()


def push(host, port):
    """sends until nobody takes more, then waits"""
    s = connect(host, port)
    s.setblocking(False)
    sent = 0
    while select.select([], [s], [], 1)[1]:
        sent += s.send(b"x" * 65536)
    print("pushed %s" % ("some" if 0 < sent < 1 << 28 else sent), flush=True)
    sys.stdin.read()


def dgram(host):
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def udp(host, port, *words):
    """connected sockets, which take answers from that address and port only; one a word, all open at once"""
    all_ = []
    for w in words:
        s = socket.socket(dgram(host), socket.SOCK_DGRAM)
        s.settimeout(PATIENCE)
        s.connect((host, int(port)))
        s.send(w.encode())
        all_.append(s)
    for s in all_:
        print(s.recv(70000).decode())
    # once more on the same sockets, in the other order
    for s, w in reversed(list(zip(all_, words))):
        s.send(w.upper().encode())
        print(s.recv(70000).decode())


def udpmany(host, port, number):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, int(number) + 100), hard))
    all_, answers = [], 0
    for i in range(int(number)):
        s = socket.socket(dgram(host), socket.SOCK_DGRAM)
        s.settimeout(PATIENCE)
        s.connect((host, int(port)))
        s.send(b"%d" % i)
        answers += s.recv(100).split()[1] == b"%d" % i
        all_.append(s)
    print(answers)


def udpbig(host, port, size):
    s = socket.socket(dgram(host), socket.SOCK_DGRAM)
    s.settimeout(PATIENCE)
    s.connect((host, int(port)))
    s.send(b"x" * int(size))
    print(len(s.recv(70000).split()[1]))


def refused(host, port):
    try:
        connect(host, port).close()
        print("connected")
    except ConnectionRefusedError:
        print("refused")


def unreached(host, port):
    """127.0.0.1 of a neighbour, asked from outside"""
    s = socket.socket(dgram(host), socket.SOCK_STREAM)
    s.settimeout(1)
    try:
        s.connect((host, int(port)))
        print("connected")
    except OSError as e:
        print("no answer" if isinstance(e, TimeoutError) else e)


globals()[sys.argv[1]](*sys.argv[2:] if sys.argv[1] != "serve" else ())
