#!/usr/bin/env python3
"""Loads our storage daemon for a while, and tells what went wrong and what grew.

  soak.py DIST changes [REQUESTS]   requests of `qemu-img bench` to an export, while overlays and
                                    nodes come and go below and above its disk
  soak.py DIST soak [SECONDS]       eight NBD clients that verify what they read in four IOThreads,
                                    while jobs and nodes come and go

Exit code 0: every request and every job succeeded, and the daemon ended well. TINAMOU_CYCLE is the
time from one job to the next in seconds (60 for a soak as it is meant).
"""

import json
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

DISKS = 4
CLIENTS = 8
DISK_BYTES = 16 << 20
BLOCK_BYTES = 4096
STARTUP_SECONDS = 60
STOP_SECONDS = 5


class Refused(Exception):
    pass


class Qmp:
    """One monitor; a command at a time, from any thread."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lines = self.socket.makefile("r")
        self.lock = threading.Lock()
        self.events = []
        self.lines.readline()
        self.command("qmp_capabilities")

    def command(self, name, /, **arguments):
        words = {key.replace("_", "-"): value for key, value in arguments.items()}
        with self.lock:
            text = json.dumps({"execute": name, "arguments": words})
            self.socket.sendall(text.encode() + b"\n")
            while True:
                line = self.lines.readline()
                if not line:
                    raise Refused(name + ": the daemon has gone")
                told = json.loads(line)
                if "event" in told:
                    self.events.append(told)
                elif "error" in told:
                    raise Refused(f"{name} {words}: {told['error']['desc']}")
                else:
                    return told["return"]


class Nbd:
    """A client that has one request at a time."""

    def __init__(self, path, export):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(path)
        self.receive(18)
        self.socket.sendall(struct.pack(">I", 3))
        name = export.encode()
        self.socket.sendall(b"IHAVEOPT" + struct.pack(">II", 1, len(name)) + name)
        self.bytes, _ = struct.unpack(">QH", self.receive(10))

    def receive(self, length):
        data = bytearray()
        while len(data) < length:
            part = self.socket.recv(length - len(data))
            if not part:
                raise OSError("the connection has ended")
            data += part
        return bytes(data)

    def request(self, kind, offset, length, data=b""):
        self.socket.sendall(struct.pack(">IHHQQI", 0x25609513, 0, kind, 1, offset, length) + data)
        _, error, _ = struct.unpack(">IIQ", self.receive(16))
        if error:
            raise OSError(f"NBD error {error} at {offset}")
        return self.receive(length) if kind == 0 else b""


class Daemon:
    def __init__(self, dist, work):
        self.work = work
        self.path = work + "/qmp"
        self.nbd = work + "/nbd"
        self.log = open(work + "/log", "w+")
        program = dist + "/compat/qemu-storage-daemon"
        self.process = subprocess.Popen(
            [program, "--chardev", f"socket,id=c,path={self.path},server=on,wait=off", "--monitor", "c"],
            stdout=self.log,
            stderr=self.log,
        )
        deadline = time.monotonic() + STARTUP_SECONDS
        while not os.path.exists(self.path):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("the daemon does not start: " + self.told())
            time.sleep(0.1)
        self.qmp = Qmp(self.path)
        self.qmp.command("nbd-server-start", addr={"type": "unix", "data": {"path": self.nbd}})

    def told(self):
        self.log.seek(0)
        return self.log.read()

    def add(self, name, file, driver="qcow2", **more):
        self.qmp.command(
            "blockdev-add",
            driver=driver,
            node_name=name,
            file={"driver": "file", "filename": file},
            **more,
        )

    def usage(self):
        """Resident KiB, descriptors and threads."""
        root = f"/proc/{self.process.pid}"
        resident = 0
        with open(root + "/status") as lines:
            for line in lines:
                if line.startswith("VmRSS:"):
                    resident = int(line.split()[1])
        return resident, len(os.listdir(root + "/fd")), len(os.listdir(root + "/task"))

    def stop(self):
        """Ends it as a service manager does; a list of what is wrong."""
        self.process.terminate()
        began = time.monotonic()
        try:
            code = self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return ["the daemon does not end"]
        seconds = time.monotonic() - began
        wrong = [] if code == 0 else [f"the daemon ended with code {code}: {self.told()}"]
        if seconds > STOP_SECONDS:
            wrong.append(f"the daemon took {seconds:.1f} s to end")
        return wrong + [f"{left} is left behind" for left in (self.path, self.nbd) if os.path.exists(left)]


def image_tool():
    return shutil.which("qemu-img") or sys.argv[1] + "/compat/qemu-img"


def create(file, size=DISK_BYTES):
    subprocess.run([image_tool(), "create", "-q", "-f", "qcow2", file, str(size)], check=True)


def job_cycle(qmp, kind, name, **arguments):
    """Starts a job and brings it to its end; None, or what went wrong."""
    qmp.command(kind, job_id=name, auto_dismiss=False, **arguments)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        job = next(each for each in qmp.command("query-jobs") if each["id"] == name)
        if job["status"] == "ready":
            try:
                qmp.command("job-complete", id=name)
            except Refused:
                pass  # it has been told, or is paused for a moment
        elif job["status"] == "concluded":
            qmp.command("job-dismiss", id=name)
            return f"{kind}: {job['error']}" if "error" in job else None
        time.sleep(0.05)
    return f"{kind} does not end: {job}"


def changes(daemon, requests):
    """An overlay of the disk comes and goes, and another one takes the disk's place and is committed."""
    create(daemon.work + "/disk")
    daemon.qmp.command("object-add", qom_type="iothread", id="io0")
    daemon.add("disk", daemon.work + "/disk")
    daemon.qmp.command(
        "block-export-add", type="nbd", id="e", name="e", node_name="disk", writable=True, iothread="io0"
    )
    bench = subprocess.Popen(
        [image_tool(), "bench", "-q", "-f", "raw", "-w", "-t", "none", "-c", str(requests), "-d", "16",
         "-s", str(BLOCK_BYTES), f"nbd+unix:///e?socket={daemon.nbd}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    errors, done, refused = [], {"overlays": 0, "snapshots": 0}, set()
    create(daemon.work + "/overlay")
    while bench.poll() is None and not errors:
        try:
            daemon.add("overlay", daemon.work + "/overlay", backing="disk")
            daemon.qmp.command("blockdev-del", node_name="overlay")
            done["overlays"] += 1
            if done["overlays"] % 50 == 0 and "block-commit" not in refused:
                create(daemon.work + "/snapshot")
                daemon.add("snapshot", daemon.work + "/snapshot", backing=None)
                daemon.qmp.command("blockdev-snapshot", node="disk", overlay="snapshot")
                wrong = job_cycle(daemon.qmp, "block-commit", "j", device="snapshot")
                errors += [wrong] if wrong else []
                daemon.qmp.command("blockdev-del", node_name="snapshot")
                done["snapshots"] += 1
        except Refused as error:
            if "has not been found" in str(error):
                refused.add("block-commit")
            else:
                errors.append(str(error))
    if errors:
        bench.kill()
    code = bench.wait()
    if code and not errors:
        errors.append("qemu-img bench: " + bench.stderr.read().decode())
    print(f"{requests} requests, {done['overlays']} overlays came and went, {done['snapshots']} were committed")
    return errors


class Client(threading.Thread):
    """Writes its own part of a disk and reads it again."""

    def __init__(self, daemon, number, stop):
        super().__init__(daemon=True)
        self.nbd = Nbd(daemon.nbd, f"e{number % DISKS}")
        self.random = random.Random(number)
        self.stop = stop
        half = self.nbd.bytes // 2
        self.start_offset = (number // DISKS) * half
        self.blocks = min(half // BLOCK_BYTES, 512)
        self.expected = {}
        self.requests = 0
        self.error = None

    def run(self):
        try:
            while not self.stop.is_set():
                self.step()
        except OSError as error:
            self.error = str(error)

    def step(self):
        block = self.random.randrange(self.blocks)
        offset = self.start_offset + block * BLOCK_BYTES
        self.requests += 1
        if self.random.random() < 0.5:
            data = self.random.randbytes(16) * (BLOCK_BYTES // 16)
            self.nbd.request(1, offset, BLOCK_BYTES, data)
            self.expected[block] = data
        elif self.random.random() < 0.02:
            self.nbd.request(3, 0, 0)
        else:
            found = self.nbd.request(0, offset, BLOCK_BYTES)
            if found != self.expected.get(block, bytes(BLOCK_BYTES)):
                raise OSError(f"wrong data at {offset}")


def soak(daemon, seconds):
    qmp = daemon.qmp
    cycle = float(os.environ.get("TINAMOU_CYCLE", "60"))
    tops = []
    for i in range(DISKS):
        qmp.command("object-add", qom_type="iothread", id=f"io{i}")
        create(f"{daemon.work}/disk{i}")
        daemon.add(f"disk{i}", f"{daemon.work}/disk{i}")
        tops.append(f"disk{i}")
        qmp.command(
            "block-export-add", type="nbd", id=f"e{i}", name=f"e{i}", node_name=f"disk{i}", writable=True,
            iothread=f"io{i}",
        )
    stop = threading.Event()
    clients = [Client(daemon, number, stop) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    errors, samples, jobs, nodes = [], [], 0, 0
    began = time.monotonic()
    next_job = began + min(cycle, seconds / 4)
    create(daemon.work + "/extra")
    while time.monotonic() - began < seconds and not errors:
        try:
            daemon.add("extra", daemon.work + "/extra")
            qmp.command("blockdev-del", node_name="extra")
            nodes += 1
            if time.monotonic() >= next_job:
                next_job += cycle
                errors += job_of(daemon, jobs, tops)
                jobs += 1
        except Refused as error:
            errors.append(str(error))
        errors += [client.error for client in clients if client.error]
        samples.append((time.monotonic() - began, *daemon.usage()))
        time.sleep(1)
    stop.set()
    for client in clients:
        client.join(60)
    errors += [f"client {number}: {each.error}" for number, each in enumerate(clients) if each.error]
    print(f"{sum(each.requests for each in clients)} requests, {jobs} jobs, {nodes} nodes came and went")
    return errors + growth(samples)


def job_of(daemon, number, tops):
    """One job: a mirror that takes over, a backup, or an overlay that is committed, in turn."""
    disk = (number // 3) % DISKS
    file = f"{daemon.work}/target{number}"
    node = f"target{number}"
    create(file)
    kind = number % 3
    if kind == 2:
        daemon.add(node, file, backing=None)
        daemon.qmp.command("blockdev-snapshot", node=tops[disk], overlay=node)
        try:
            wrong = job_cycle(daemon.qmp, "block-commit", f"j{number}", device=node)
        except Refused as error:
            if "has not been found" not in str(error):
                raise
            tops[disk] = node  # it stays where it is
            return []
        daemon.qmp.command("blockdev-del", node_name=node)
    else:
        daemon.add(node, file)
        wrong = job_cycle(
            daemon.qmp, ("blockdev-mirror", "blockdev-backup")[kind], f"j{number}", device=tops[disk], target=node,
            sync="full",
        )
        if kind == 0 and not wrong:
            tops[disk], node = node, tops[disk]
        daemon.qmp.command("blockdev-del", node_name=node)
    return [wrong] if wrong else []


def growth(samples):
    """What grew after a first third, as errors if it is descriptors or threads."""
    warm = samples[len(samples) // 3 :]
    if len(warm) < 3:
        return ["the run was too short to see what grows"]
    mean_time = sum(each[0] for each in warm) / len(warm)
    mean_kib = sum(each[1] for each in warm) / len(warm)
    spread = sum((each[0] - mean_time) ** 2 for each in warm)
    slope = sum((each[0] - mean_time) * (each[1] - mean_kib) for each in warm) / spread
    fds, threads = [each[2] for each in warm], [each[3] for each in warm]
    print(
        f"memory {warm[-1][1] >> 10} MiB, {slope * 3600 / 1024:+.1f} MiB/h after warming up;"
        f" descriptors {min(fds)} to {max(fds)}, threads {min(threads)} to {max(threads)}"
    )
    return [
        f"{what} grew from {each[0]} to {each[-1]}"
        for what, each in (("descriptors", fds), ("threads", threads))
        if min(each[-5:]) > max(each[:5]) + 8
    ]


def check(work):
    wrong = []
    for name in sorted(os.listdir(work)):
        if name.startswith(("disk", "target")):
            run = subprocess.run([image_tool(), "check", "-q", work + "/" + name], capture_output=True)
            if run.returncode:
                wrong.append(f"{name} is not clean: {run.stdout.decode()}{run.stderr.decode()}")
    return wrong


def main():
    if len(sys.argv) < 3 or sys.argv[2] not in ("changes", "soak"):
        raise SystemExit(__doc__)
    work = tempfile.mkdtemp(prefix="tinamou-soak")
    daemon = Daemon(sys.argv[1], work)
    try:
        if sys.argv[2] == "changes":
            errors = changes(daemon, int(sys.argv[3]) if len(sys.argv) > 3 else 2_000_000)
        else:
            errors = soak(daemon, float(sys.argv[3]) if len(sys.argv) > 3 else 1800)
        errors += daemon.stop() + check(work)
    finally:
        if daemon.process.poll() is None:
            daemon.process.kill()
        shutil.rmtree(work)
    for error in errors:
        print("ERROR", error)
    print(f"{len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
