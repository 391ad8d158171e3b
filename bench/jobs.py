#!/usr/bin/env python3
"""What jobs cost, beside the reference's storage daemon: mirror and backup of a disk to a file and to an NBD server,
stream and commit of a chain of three images, and how long a client's reads wait while a disk is mirrored.

jobs.py DAEMON [MIB [ROUNDS [CASE...]]], where DAEMON takes the options of qemu-storage-daemon. Each case has one
process of each daemon, which take turns on fresh files; the first turn of each is its warming-up and is not counted.
Medians of the whole time and of the processor's time of the daemon, and how many times as fast we are. Files are in
$TMPDIR and are not flushed; a TMPDIR in memory (/dev/shm) leaves the disk out altogether.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

MIB = 1 << 20
REFERENCE = "qemu-storage-daemon"
LATENCY_SECONDS = 10
LONGEST_WRITE = 1 << 30


class Daemon:
    """A storage daemon that is spoken to over its standard streams."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            [program, "--chardev", "stdio,id=c", "--monitor", "chardev=c"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # warnings
        )
        self.events = []
        self.line()
        self.command("qmp_capabilities")

    def line(self):
        text = self.process.stdout.readline()
        assert text, "the daemon has ended"
        return json.loads(text)

    def command(self, command, /, **arguments):
        named = {key.replace("_", "-"): value for key, value in arguments.items()}
        self.process.stdin.write((json.dumps({"execute": command, "arguments": named}) + "\n").encode())
        self.process.stdin.flush()
        while True:
            answer = self.line()
            if "event" not in answer:
                assert "return" in answer, f"{command}: {answer}"
                return answer["return"]
            self.events.append(answer)

    def await_event(self, name):
        while True:
            for event in self.events:
                if event["event"] == name:
                    self.events.clear()
                    return event["data"]
            self.events.append(self.line())

    def used_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait(60)


def tool(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def empty(name, size):
    with open(name, "wb") as file:
        file.truncate(size)


def file_node(daemon, node, name, driver="raw", **options):
    daemon.command(
        "blockdev-add", driver=driver, node_name=node, file={"driver": "file", "filename": name, "cache": {"no-flush": True}}, **options
    )


class Copies:
    """Mirrors and backups of a full disk."""

    def __init__(self, size, kind, remote):
        self.size, self.kind, self.remote, self.server = size, kind, remote, None
        if not os.path.exists("source"):
            with open("source", "wb") as file:
                for _ in range(size // MIB):
                    file.write(os.urandom(MIB))

    def set_up(self, daemon):
        empty("target", self.size)
        file_node(daemon, "s", "source")
        if not self.remote:
            file_node(daemon, "t", "target")
            return
        self.server = subprocess.Popen(["qemu-nbd", "-t", "--cache=unsafe", "-f", "raw", "-k", os.path.abspath("socket"), "target"])
        while subprocess.run(["nbdinfo", "--size", "nbd+unix:///?socket=socket"], capture_output=True).returncode:
            time.sleep(0.05)
        server = {"type": "unix", "path": os.path.abspath("socket")}
        daemon.command("blockdev-add", driver="nbd", node_name="t", server=server)

    def run(self, daemon):
        arguments = {"job_id": "j", "device": "s", "target": "t", "sync": "full"}
        daemon.command(f"blockdev-{self.kind}", **arguments)
        end(daemon, self.kind == "mirror")

    def tear_down(self, daemon):
        daemon.command("blockdev-del", node_name="s")
        daemon.command("blockdev-del", node_name="t")
        if self.server:
            self.server.terminate()
            self.server.wait()
        tool("cmp", "source", "target")
        os.remove("target")


def end(daemon, is_completed):
    if is_completed:
        daemon.await_event("BLOCK_JOB_READY")
        daemon.command("job-complete", id="j")
    ended = daemon.await_event("BLOCK_JOB_COMPLETED")
    assert "error" not in ended, ended


class Chains:
    """Jobs on three images, each of which holds half of the disk."""

    def __init__(self, size, kind):
        self.size, self.kind = size, kind
        if not os.path.exists("saved0"):
            for number in range(3):
                below = ["-b", f"image{number - 1}", "-F", "qcow2"] if number else []
                tool("qemu-img", "create", "-q", "-f", "qcow2", *below, f"image{number}", str(size))
                start, length = size * number // 4, size // 2
                writes = []
                for at in range(start, start + length, LONGEST_WRITE):
                    writes += ["-c", f"write -P {number + 1} {at} {min(LONGEST_WRITE, start + length - at)}"]
                tool("qemu-io", "-f", "qcow2", *writes, f"image{number}")
                os.rename(f"image{number}", f"saved{number}")
                shutil.copy(f"saved{number}", f"image{number}")

    def set_up(self, daemon):
        for number in range(3):
            shutil.copy(f"saved{number}", f"image{number}")
        for number in range(3):
            backing = {"backing": f"n{number - 1}"} if number else {}
            file_node(daemon, f"n{number}", f"image{number}", driver="qcow2", **backing)

    def run(self, daemon):
        match self.kind:
            case "stream":
                daemon.command("block-stream", job_id="j", device="n2")
            case "commit-active":
                daemon.command("block-commit", job_id="j", device="n2")
            case "commit-middle":
                daemon.command("block-commit", job_id="j", device="n2", top_node="n1", base_node="n0")
        end(daemon, self.kind == "commit-active")

    def tear_down(self, daemon):
        for number in (2, 1, 0):
            daemon.command("blockdev-del", node_name=f"n{number}")
        result = "image0" if self.kind == "commit-active" else "image2"
        for number in range(3):
            shutil.copy(f"saved{number}", f"keep{number}")
        tool("qemu-img", "compare", "-q", result, chain_of_saved())


def chain_of_saved():
    """The chain as it was, under names of its own."""
    for number in (1, 2):
        tool("qemu-img", "rebase", "-u", "-q", "-f", "qcow2", "-b", f"keep{number - 1}", "-F", "qcow2", f"keep{number}")
    return "keep2"


def compare(name, case, daemons, rounds):
    times = {key: [] for key in daemons}
    for turn in range(rounds + 1):
        for key, daemon in daemons.items():
            case.set_up(daemon)
            used, start = daemon.used_seconds(), time.monotonic()
            case.run(daemon)
            times[key].append((time.monotonic() - start, daemon.used_seconds() - used))
            case.tear_down(daemon)
    cells = []
    for part in (0, 1):
        theirs, ours = (statistics.median(each[part] for each in times[key][1:]) for key in daemons)
        cells += [f"{theirs:8.2f} {ours:8.2f} {theirs / max(ours, 0.001):6.2f}x"]
    first = [f"{times[key][0][0]:.2f}" for key in daemons]
    print(f"{name:14} {cells[0]}  {cells[1]}   first turn {' '.join(first)}", flush=True)


def latency(name, size, rate, daemons, rounds):
    """4 KiB reads, one at a time, from an export of the disk that is mirrored."""
    case = Copies(size, "mirror", False)
    found = {key: [] for key in daemons}
    for turn in range(rounds + 1):
        for key, daemon in daemons.items():
            case.set_up(daemon)
            path = os.path.abspath("export")
            daemon.command("nbd-server-start", addr={"type": "unix", "data": {"path": path}})
            daemon.command("block-export-add", type="nbd", id="e", node_name="s", name="s")
            daemon.command("blockdev-mirror", job_id="j", device="s", target="t", sync="full", speed=rate)
            fio = ["fio", "--name=x", "--ioengine=nbd", f"--uri=nbd+unix:///s?socket={path}", "--rw=randread"]
            fio += ["--bs=4k", f"--size={size}", "--time_based", f"--runtime={LATENCY_SECONDS}", "--iodepth=1"]
            out = subprocess.run([*fio, "--output-format=json"], check=True, capture_output=True).stdout
            read = json.loads(out[out.index(b"{") :])["jobs"][0]["read"]
            info = daemon.command("query-block-jobs")[0]
            share = info["offset"] / size
            percentile = read["clat_ns"]["percentile"]
            found[key].append((percentile["50.000000"] / 1000, percentile["99.000000"] / 1000, read["iops"], share))
            daemon.command("block-job-set-speed", device="j", speed=0)
            end(daemon, True)
            daemon.command("block-export-del", id="e")
            daemon.await_event("BLOCK_EXPORT_DELETED")
            daemon.command("nbd-server-stop")
            case.tear_down(daemon)
    for part, what, form in ((0, "p50 us", "8.0f"), (1, "p99 us", "8.0f"), (2, "reads/s", "8.0f"), (3, "mirrored", "8.0%")):
        theirs, ours = (statistics.median(each[part] for each in found[key][1:]) for key in daemons)
        print(f"{name:14} {what:8} {theirs:{form}} {ours:{form}}", flush=True)


CASES = {
    "mirror": lambda size: Copies(size, "mirror", False),
    "mirror-nbd": lambda size: Copies(size, "mirror", True),
    "backup": lambda size: Copies(size, "backup", False),
    "backup-nbd": lambda size: Copies(size, "backup", True),
    "stream": lambda size: Chains(size, "stream"),
    "commit-active": lambda size: Chains(size, "commit-active"),
    "commit-middle": lambda size: Chains(size, "commit-middle"),
}


def main():
    program = os.path.abspath(sys.argv[1])
    size = int(sys.argv[2] if len(sys.argv) > 2 else 1024) * MIB
    rounds = int(sys.argv[3] if len(sys.argv) > 3 else 5)
    chosen = sys.argv[4:] or [*CASES, "latency"]
    with tempfile.TemporaryDirectory(prefix="tinamou-jobs.") as work:
        os.chdir(work)
        titled = False
        for name in chosen:
            daemons = {"reference": Daemon(REFERENCE), "ours": Daemon(program)}
            if name == "latency":
                latency(name, size, size // (LATENCY_SECONDS + 2), daemons, rounds)
            else:
                if not titled:
                    print(f"{'seconds':14} {'reference':>8} {'ours':>7} {'':7}  {'processor':>8} {'ours':>7}", flush=True)
                    titled = True
                compare(name, CASES[name](size), daemons, rounds)
            for daemon in daemons.values():
                daemon.stop()


if __name__ == "__main__":
    main()
