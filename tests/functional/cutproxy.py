# cutproxy.py PORT PORT_FILE DIRECTION [hold=N] OFFSET...: a wire to 127.0.0.1:PORT that breaks.  PORT_FILE.passed has how many bytes have passed.
#
# hold: the Nth PATCH does not pass.  While there is PORT_FILE.stop, what comes after as many bytes as it says does not.  In both cases PORT_FILE.held is
# made; what is held passes when there is no PORT_FILE.stop any more, and never when its client has gone.
# Counts the bytes that go "up" (to the server) or "down" (to the client), over all connections, and breaks the connection that carries
# the byte at each OFFSET: what is before that arrives, it and what follows does not.
import os, select, socket, struct, sys, threading

target, port_file, direction = int(sys.argv[1]), sys.argv[2], sys.argv[3]
hold = sum(int(a[5:]) for a in sys.argv[4:] if a.startswith('hold='))
cuts = sorted(int(a) for a in sys.argv[4:] if '=' not in a)
passed = 0
lock = threading.Lock()

# By a reset: who is sending learns of it at once.  Not for who receives: it would lose what it has not read yet.
def close(*socks):
    for s in socks:
        try:
            if direction == 'down' and s.getpeername()[1] != target:
                s.shutdown(socket.SHUT_RDWR)
                continue
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            s.shutdown(socket.SHUT_RD)  # the other thread may be reading, and holds it open
            s.close()
        except OSError:
            pass

# A client waits for the answer before it sends the next one, so a request is the beginning of what is received.
def held():
    global hold
    with lock:
        hold -= 1
        return hold == 0

# How many bytes of the next n may pass.
def may_pass(n):
    try:
        with open(port_file + '.stop') as f:
            return max(0, min(n, int(f.read()) - passed))
    except FileNotFoundError:
        return n

def count(n):
    global passed
    passed += n
    with open(port_file + '.passed', 'w') as f:
        f.write(str(passed))

# What has come from a, held until it may pass; nothing when a has gone.
def wait(a, data, for_ever):
    open(port_file + '.held', 'w').close()
    while for_ever or os.path.exists(port_file + '.stop'):
        if not select.select([a], [], [], 0.02)[0]:
            continue
        try:
            more = a.recv(65536)
        except OSError:
            more = b''
        if not more:
            return b''
        data += more
    return data

def pump(a, b, counts):
    while True:
        try:
            data = a.recv(65536)
        except OSError:
            data = b''
        broken = False
        if counts and data.startswith(b'PATCH ') and held():
            data = wait(a, b'', True)
        if counts and data:
            with lock:
                n = may_pass(len(data))
                if n < len(data):
                    count(n)
            if n < len(data):
                b.sendall(data[:n])
                data = wait(a, data[n:], False)
            with lock:
                if cuts and passed + len(data) > cuts[0]:
                    data, broken = data[:cuts.pop(0) - passed], True
                count(len(data))
        try:
            b.sendall(data)
        except OSError:
            broken = True
        if broken:
            return close(a, b)
        if not data:
            try:
                b.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            return

listener = socket.create_server(('127.0.0.1', 0), backlog=64)
with open(port_file + '.new', 'w') as f:
    f.write(str(listener.getsockname()[1]))
os.rename(port_file + '.new', port_file)
while True:
    client, _ = listener.accept()
    server = socket.create_connection(('127.0.0.1', target))
    threading.Thread(target=pump, args=(client, server, direction == 'up'), daemon=True).start()
    threading.Thread(target=pump, args=(server, client, direction == 'down'), daemon=True).start()
