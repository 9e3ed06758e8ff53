#!/usr/bin/env python3
"""netpeer: the other end of a connection, for tests of networks.

  serve tcp|udp ADDR PORT READY NAME   answer everybody with "NAME PEER"; READY is created when it listens
  ask tcp|udp ADDR PORT [SOURCE]       print the answer; status 1 when there is none within NETPEER_SECONDS (20)
  ask-from PORT ADDR PORT              as ask udp, from this port
  raw IFNAME MAC SRC DST PORT TEXT     one UDP datagram in a frame of our own making
"""
import os
import socket
import struct
import sys


def family(addr):
    return socket.AF_INET6 if ":" in addr else socket.AF_INET


def serve(kind, addr, port, ready, name):
    s = socket.socket(family(addr), socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((addr, int(port)))
    if kind == "tcp":
        s.listen(64)
    open(ready, "w").close()
    while True:
        if kind == "tcp":
            c, peer = s.accept()
            c.sendall(f"{name} {peer[0]}\n".encode())
            c.close()
        else:
            text, peer = s.recvfrom(2000)
            print(peer[0], text.decode(errors="replace"), flush=True)
            try:
                s.sendto(f"{name} {peer[0]}\n".encode(), peer)
            except OSError:
                pass


def ask(kind, addr, port, source=None, sport=0):
    s = socket.socket(family(addr), socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    s.settimeout(float(os.environ.get("NETPEER_SECONDS", "20")))
    if source or sport:
        s.bind((source or "", sport))
    try:
        s.connect((addr, int(port)))
        if kind == "udp":
            s.send(b"hello")
        text = s.recv(2000).decode()
    except OSError as e:
        print(e)
        sys.exit(1)
    print(text, end="")
    sys.exit(0 if text else 1)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def raw(ifname, mac, src, dst, port, text):
    v6 = ":" in src
    a, b = socket.inet_pton(family(src), src), socket.inet_pton(family(dst), dst)
    udp = struct.pack("!HHHH", 4000, int(port), 8 + len(text), 0) + text.encode()
    if v6:
        pseudo = a + b + struct.pack("!II", len(udp), 17)
    else:
        pseudo = a + b + struct.pack("!BBH", 0, 17, len(udp))
    udp = udp[:6] + struct.pack("!H", checksum(pseudo + udp)) + udp[8:]
    if v6:
        packet = struct.pack("!IHBB", 6 << 28, len(udp), 17, 64) + a + b + udp
    else:
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0) + a + b
        packet = head[:10] + struct.pack("!H", checksum(head)) + head[12:] + udp
    kind = 0x86DD if v6 else 0x0800
    s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    s.sendto(packet, (ifname, kind, 0, 0, bytes.fromhex(mac.replace(":", ""))))


verb, args = sys.argv[1], sys.argv[2:]
if verb == "ask-from":
    ask("udp", args[1], args[2], None, int(args[0]))
{"serve": serve, "ask": ask, "raw": raw}[verb](*args)
