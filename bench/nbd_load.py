#!/usr/bin/env python3
"""How an NBD server bears many clients, silent, slow and lost ones: load goals L1-L4, L6 and L7.

nbd_load.py SERVER-PROGRAM [GOAL...], where the program takes qemu-nbd's options. Prints one line for each goal and
exits with 1 if one is missed. L7 needs network namespaces (root and ip) and two minutes.
"""

import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

MIB = 1 << 20
OPTION = 0x49484156454F5054
missed = []


def report(goal, good, text):
    print(f"{goal}: {'met' if good else 'MISSED'}: {text}", flush=True)
    if not good:
        missed.append(goal)


class Server:
    """A server of one raw image on a Unix socket."""

    def __init__(self, *options, size=64 * MIB):
        self.folder = tempfile.TemporaryDirectory(prefix="nbd-load.")
        image = os.path.join(self.folder.name, "image")
        with open(image, "wb") as file:
            for _ in range(size // MIB):
                file.write(os.urandom(MIB))
        self.path = os.path.join(self.folder.name, "socket")
        self.process = subprocess.Popen(
            [sys.argv[1], "-t", "-f", "raw", *options, "-k", self.path, image], stderr=subprocess.DEVNULL
        )
        while True:
            try:
                self.connect().close()
                break
            except OSError:
                assert self.process.poll() is None, "the server has ended"
                time.sleep(0.05)
        for _ in range(200):
            client = Client(self)
            client.read(0, 4096)
            client.close()
        time.sleep(0.5)

    def connect(self):
        made = socket.socket(socket.AF_UNIX)
        made.connect(self.path)
        made.settimeout(30)
        return made

    def rss(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self):
        """Ends it; how many seconds that took."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.folder.cleanup()
        return time.monotonic() - start


def exactly(stream, count):
    got = bytearray()
    while len(got) < count:
        piece = stream.recv(count - len(got))
        if not piece:
            raise EOFError("the server has gone")
        got += piece
    return bytes(got)


class Client:
    """One that has shaken hands."""

    def __init__(self, server):
        self.stream = server.connect()
        exactly(self.stream, 18)
        self.stream.sendall(struct.pack(">IQII", 3, OPTION, 1, 0))
        exactly(self.stream, 10)

    def ask(self, offset, length):
        self.stream.sendall(self.request(offset, length))

    @staticmethod
    def request(offset, length):
        return struct.pack(">IHHQQI", 0x25609513, 0, 0, 1, offset, length)

    def read(self, offset, length):
        self.ask(offset, length)
        exactly(self.stream, 16 + length)

    def close(self):
        self.stream.close()


def rate(server, seconds):
    """Requests a second that a new client gets through, and the times they took."""
    client = Client(server)
    times = []
    end = time.monotonic() + seconds
    while (start := time.monotonic()) < end:
        client.read((len(times) * 7919 % 16384) * 4096, 4096)
        times.append(time.monotonic() - start)
    client.close()
    return len(times) / seconds, sorted(times)


def settled(server, descriptors, seconds=10):
    """Waits until the server has no more than so many descriptors; how long that took."""
    start = time.monotonic()
    while server.descriptors() > descriptors and time.monotonic() - start < seconds:
        time.sleep(0.02)
    return time.monotonic() - start


def l1():
    server = Server("-e", "100")
    before = server.descriptors()
    start = time.monotonic()
    for _ in range(2000):
        server.connect().close()
    took = time.monotonic() - start
    more = settled(server, before)
    left = server.descriptors() - before
    report("L1", took <= 2 and left <= 0, f"2,000 connections in {took:.2f} s, {left} descriptors left after {more:.2f} s")
    server.stop()


def l2():
    server = Server("-e", "100")
    before = server.rss()
    silent = []
    for _ in range(150):
        silent.append(server.connect())
    start = time.monotonic()
    client = Client(server)
    client.read(0, 4096)
    took = time.monotonic() - start
    grown = (server.rss() - before) / MIB
    stop = server.stop()
    report("L2", took <= 1 and grown < 20 and stop <= 2, f"served in {took:.2f} s beside 150 silent ones, {grown:.1f} MiB more, ended in {stop:.2f} s")


def l3():
    server = Server("-e", "0")
    before = server.rss()
    start = time.monotonic()
    idle = [Client(server) for _ in range(1000)]
    took = time.monotonic() - start
    # Before the requests, whose garbage is not the clients'.
    each = (server.rss() - before) / 1000 / 1024
    _, times = rate(server, 3)
    p99 = times[len(times) * 99 // 100] * 1000
    for client in idle[::10]:
        client.read(4096, 4096)
    report("L3", each <= 100 and p99 < 50, f"1,000 idle clients in {took:.1f} s, {each:.0f} KiB each; another's requests: 99 % within {p99:.2f} ms")
    server.stop()


def l4():
    server = Server("-e", "0", size=64 * MIB)
    slow = [Client(server) for _ in range(100)]
    alone, _ = rate(server, 2)
    for client in slow:
        client.stream.sendall(b"".join(Client.request(0, 32 * MIB) for _ in range(16)))
    most = server.rss()
    beside = 0.0
    for _ in range(3):
        got, _ = rate(server, 1)
        beside = max(beside, got)
        most = max(most, server.rss())
    stop = server.stop()
    report("L4", most <= 1024 * MIB and beside > 0, f"{most / MIB:.0f} MiB with 100 clients that asked for 16 times 32 MiB; another client: {beside:.0f} requests/s ({alone:.0f} alone); ended in {stop:.2f} s")


def l6():
    server = Server("-e", "0")
    alone, beside = [], []
    for _ in range(5):
        alone.append(rate(server, 1)[0])
        slow = [Client(server) for _ in range(50)]
        for client in slow:
            client.ask(0, MIB)
        over = threading.Event()

        def drip(clients=slow, ended=over):
            while not ended.wait(1):
                for client in clients:
                    client.stream.send(b"\x25")
                    client.stream.recv(1)

        thread = threading.Thread(target=drip)
        thread.start()
        beside.append(rate(server, 1.5)[0])
        over.set()
        thread.join()
        for client in slow:
            client.close()
    stop = server.stop()
    one, other = sorted(alone)[2], sorted(beside)[2]
    report("L6", other >= 0.8 * one and stop <= 2, f"{other:.0f} requests/s beside 50 clients of a byte a second, {one:.0f} alone ({other / one:.2f}, medians of 5); ended in {stop:.2f} s")


def lost_clients():
    """The client's side of L7: connects, says that it has, and never sends anything again."""

    class There:
        @staticmethod
        def connect():
            while True:
                try:
                    return socket.create_connection(("192.0.2.1", 10809), 30)
                except ConnectionRefusedError:
                    time.sleep(0.1)

    clients = [Client(There) for _ in range(20)]
    print(f"{len(clients)} connected", flush=True)
    sys.stdin.read()


def l7():
    names = [f"nbdload{os.getpid()}{side}" for side in "ab"]

    def ip(*words):
        subprocess.run(["ip", *words], check=True)

    with tempfile.NamedTemporaryFile() as image:
        image.truncate(MIB)
        for name in names:
            ip("netns", "add", name)
        try:
            ip("-n", names[0], "link", "add", "veth0", "type", "veth", "peer", "name", "veth1", "netns", names[1])
            for number, name in enumerate(names):
                ip("-n", name, "addr", "add", f"192.0.2.{number + 1}/30", "dev", f"veth{number}")
                ip("-n", name, "link", "set", f"veth{number}", "up")
            server = subprocess.Popen(
                ["ip", "netns", "exec", names[0], sys.argv[1], "-t", "-e", "0", "-f", "raw", image.name]
            )
            child = subprocess.Popen(
                ["ip", "netns", "exec", names[1], sys.executable, __file__, "--lost-clients"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            )
            child.stdout.readline()

            def count():
                found = subprocess.run(
                    ["ip", "netns", "exec", names[0], "cat", "/proc/net/tcp"], check=True, capture_output=True, text=True
                ).stdout
                return sum(" 01 " in line for line in found.splitlines())

            with_them = count()
            ip("-n", names[1], "link", "set", "veth1", "down")
            start = time.monotonic()
            while count() > 0 and time.monotonic() - start < 180:
                time.sleep(0.5)
            took = time.monotonic() - start
            left = count()
            child.kill()
            child.wait()
            start = time.monotonic()
            server.terminate()
            server.wait(60)
            stop = time.monotonic() - start
            report("L7", with_them == 20 and left == 0 and took <= 120 and stop <= 2, f"{with_them} lost connections were freed after {took:.0f} s, {left} left; ended in {stop:.2f} s")
        finally:
            for name in names:
                subprocess.run(["ip", "netns", "del", name])


if sys.argv[1:] == ["--lost-clients"]:
    lost_clients()
    sys.exit(0)
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
for goal in sys.argv[2:] or ["L1", "L2", "L3", "L4", "L6", "L7"]:
    {"L1": l1, "L2": l2, "L3": l3, "L4": l4, "L6": l6, "L7": l7}[goal]()
sys.exit(1 if missed else 0)
