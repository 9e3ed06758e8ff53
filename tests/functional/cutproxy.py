# cutproxy.py PORT PORT_FILE DIRECTION [rate=BYTES] [hold=N] OFFSET...: a wire to 127.0.0.1:PORT that breaks.  PORT_FILE.passed has how many bytes have passed.
#
# rate: so many a second, on each connection.  hold: the Nth PATCH does not pass, nor what follows it, until the client is gone; PORT_FILE.held is made then.
# Counts the bytes that go "up" (to the server) or "down" (to the client), over all connections, and breaks the connection that carries
# the byte at each OFFSET: what is before that arrives, it and what follows does not.
import os, socket, struct, sys, threading, time

target, port_file, direction = int(sys.argv[1]), sys.argv[2], sys.argv[3]
options = dict(a.split('=') for a in sys.argv[4:] if '=' in a)
rate, hold = int(options.get('rate', 0)), int(options.get('hold', 0))
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

def pump(a, b, counts):
    global passed
    while True:
        try:
            data = a.recv(65536)
        except OSError:
            data = b''
        broken = False
        if data.startswith(b'PATCH ') and held():
            open(port_file + '.held', 'w').close()
            while data:
                data = a.recv(65536)
        if rate and counts:
            time.sleep(len(data) / rate)
        if counts and data:
            with lock:
                if cuts and passed + len(data) > cuts[0]:
                    data, broken = data[:cuts.pop(0) - passed], True
                passed += len(data)
                with open(port_file + '.passed', 'w') as f:
                    f.write(str(passed))
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
