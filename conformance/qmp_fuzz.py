#!/usr/bin/env python3
"""Says the same random QMP commands to the reference and to our programs, and compares what they answer.

  qmp_fuzz.py DIST [STEPS [SEED]]

A session is a storage daemon or a machine without a guest, in a directory with a few small images,
and ends after SESSION_STEPS commands or at its first difference. Half of the commands are sensible,
so that nodes, jobs and exports come about; the others are made from the reference's own schema, with
wrong types, names of nothing and left-out arguments among them. Replies must be equal, and so must be
the events of each step by what they are about; times, generated names and sizes that the host decides
are left aside. Each difference is told with its session's seed, which replays it: STEPS 1 SEED.
"""

import json
import os
import random
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

SESSION_STEPS = 40
REPLY_SECONDS = 30
SETTLE_SECONDS = 10
MIB = 1 << 20

PROGRAMS = {
    "qemu-storage-daemon": ["--chardev", "stdio,id=c", "--monitor", "c"],
    "qemu-system-x86_64": ["-machine", "none", "-nodefaults", "-display", "none", "-S", "-qmp", "stdio",
                           "-drive", "if=none,id=d0,node-name=dn0,file=disk.qcow2,format=qcow2",
                           "-drive", "if=none,id=d1,file=plain.raw,format=raw"],
}

# What is decided by the host, the time or the packager, or what ours alone tells.
VOLATILE = {"timestamp", "actual-size", "thread-id", "idle_time_ns", "package", "active", "date-sec",
            "date-nsec", "total-time-ns", "wr_highest_offset", "vm-clock-sec", "vm-clock-nsec"}
VOLATILE_TEXT = [(re.compile(r"#block\d+"), "#block"), (re.compile(r"time_ns=\d+"), "time_ns"),
                 (re.compile(r"disk size: .*"), "disk size"), (re.compile(r"[\d.]+ sec \(.*\)"), "sec"),
                 (re.compile(r"thread_id=\d+"), "thread_id"), (re.compile(r"wr_highest_offset=\d+"), "wr_highest_offset")]


class Gone(Exception):
    """A program has ended or does not answer."""


class Program:
    """One run of a program that listens on its standard input."""

    def __init__(self, command, directory, schema_only=False):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, cwd=directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=self.errors)
        self.buffer = b""
        self.events = []
        self.seen = set()
        self.read()
        self.ask("qmp_capabilities")

    def read(self, seconds=REPLY_SECONDS):
        deadline = time.monotonic() + seconds
        while b"\n" not in self.buffer:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            more = os.read(self.process.stdout.fileno(), 1 << 20) if ready else b""
            if not more:
                raise Gone("ended: " + self.last_words() if ready else "does not answer")
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\n", 1)
        try:
            return json.loads(line)
        except ValueError:
            return {"line": line.decode(errors="replace")}  # Formatting '...' goes to the same output

    def last_words(self):
        try:
            code = self.process.wait(5)
        except subprocess.TimeoutExpired:
            code = None
        self.errors.seek(0)
        return f"code {code} {self.errors.read().decode(errors='replace')[-2000:]}"

    def say(self, message):
        try:
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Gone("ended: " + self.last_words()) from None
        while True:
            told = self.read()
            if "return" in told or "error" in told:
                return told
            self.events.append(told)

    def ask(self, command):
        return self.say({"execute": command}).get("return")

    def settle(self):
        """Waits until jobs rest; returns the events since the last time."""
        deadline = time.monotonic() + SETTLE_SECONDS
        before, same = None, 0
        while same < 2 and time.monotonic() < deadline:
            now = [(job["id"], job["status"]) for job in self.ask("query-jobs")]
            kept = {job["device"] for job in self.ask("query-block-jobs") if not job["auto-finalize"]} if now else set()
            resting = all(status in ("concluded", "ready", "standby", "paused") or status == "pending" and name in kept
                          for name, status in now)
            same = same + 1 if resting and now == before else 2 if not now else 0
            before = now
            time.sleep(0.005 if now else 0)
        events, self.events = self.events, []
        return events

    def end(self):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            try:
                stream.close()
            except BrokenPipeError:
                pass


class Schema:
    """Makes arguments of commands from the schema that a program tells of itself."""

    def __init__(self, reference, ours):
        self.types = {each["name"]: each for each in reference}
        known = {each["name"]: each for each in ours}
        self.commands = sorted(name for name, each in self.types.items()
                               if each["meta-type"] == "command" and name in known and name not in LEFT_OUT)

    def arguments(self, command, chance):
        return self.value(self.types[command]["arg-type"], "", chance, 0)

    def value(self, name, member, chance, depth):
        kind = self.types[name]
        if chance.random() < 0.01:
            return chance.choice([None, True, 7, "text", [], {}, 1.5, [1], {"a": 1}])
        meta = kind["meta-type"]
        if meta == "enum":
            return "nonsense" if chance.random() < 0.02 else chance.choice(self.cases(kind["values"], member))
        if meta == "array":
            return [self.value(kind["element-type"], member, chance, depth + 1)
                    for _ in range(chance.choice([0, 1, 1, 1, 2]))]
        if meta == "alternate":
            choices = [each["type"] for each in kind["members"]]
            plain = [each for each in choices if self.types[each]["meta-type"] != "object"]
            return self.value(chance.choice(plain if plain and (depth > 2 or chance.random() < 0.6) else choices),
                              member, chance, depth)
        if meta == "object":
            return self.members(kind, chance, depth)
        return self.scalar(kind["json-type"], member, chance)

    @staticmethod
    def cases(values, member):
        if member == "driver" or "qcow2" in values:
            return [each for each in values if each in DRIVERS] or values
        return [each for each in values if each not in UNSAFE_CASES] or values

    def members(self, kind, chance, depth):
        result = {}
        shunned = depth > 3
        for each in kind["members"]:
            optional = "default" in each
            if chance.random() < (0.0 if shunned and optional else 0.2 if optional else 0.97):
                result[each["name"]] = self.value(each["type"], each["name"], chance, depth + 1)
        tag = kind.get("tag")
        if tag in result:
            for case in kind["variants"]:
                if case["case"] == result[tag]:
                    more = self.value(case["type"], "", chance, depth + 1)
                    if isinstance(more, dict):
                        result.update({key: more[key] for key in more if key not in result})
        if chance.random() < 0.02:
            result[chance.choice(["bogus", "node-name", "id", "x-y"])] = chance.choice(["n0", 1, None])
        return result

    @staticmethod
    def scalar(kind, member, chance):
        if kind == "boolean":
            return chance.random() < 0.5
        if kind == "null":
            return None
        if kind in ("int", "number"):
            return chance.choice(NUMBERS.get(member, NUMBERS[""]))
        return chance.choice(TEXTS.get(member, NODES))


# Those that both have.
DRIVERS = ["file", "raw", "qcow2", "null-co", "null-aio", "blkdebug", "blkverify", "copy-on-read", "throttle",
           "compress", "preallocate", "copy-before-write", "snapshot-access", "quorum", "luks", "nbd"]
UNSAFE_CASES = {"fuse", "vduse-blk", "vhost-user-blk", "fd", "vsock", "spicevmc", "inet"}
LEFT_OUT = {"quit", "query-qmp-schema", "query-commands", "qmp_capabilities", "chardev-add", "chardev-change",
            "qom-list-types", "qom-list-properties", "device-list-properties", "query-chardev",
            "query-chardev-backends", "system_reset", "query-machines", "human-monitor-command", "nbd-server-start",
            "object-add", "block_set_io_throttle", "qom-get", "qom-list", "qom-set", "device_add", "query-cpus-fast",
            "query-kvm", "block-latency-histogram-set"}  # of these some are about devices, others are there on purpose
NODES = ["n0", "n1", "n2", "n3", "n4", "f0", "f1", "b0", "t0", "d0", "d1", "dn0", "nothing", "", "9bad"]
FILES = ["plain.raw", "disk.qcow2", "base.qcow2", "over.qcow2", "new.qcow2", "new.raw", "missing", "target.raw"]
JOBS = ["j0", "j1", "j2", "n0", "d0", "d1", "nothing", "9bad"]
BITMAPS = ["m0", "m1", "m2", "none"]
TEXTS = {
    "filename": FILES, "snapshot-file": FILES, "backing-file": FILES, "target": FILES[:4] + NODES, "id": JOBS,
    "job-id": JOBS, "bitmap": BITMAPS, "name": BITMAPS + ["s0", "e0"], "bitmaps": BITMAPS, "format": ["raw", "qcow2", "nope"],
    "device": NODES + JOBS, "throttle-group": ["g0", "g1"], "export": ["e0", "n0", "x"], "snapshot-node-name": NODES,
    "iothread": ["io0", "io0", "nothing"], "key-secret": ["s0", "s1"], "path": ["sock", "nosock"], "top-id": BITMAPS,
}
NUMBERS = {
    "": [0, 1, 2, 512, 1000, 4096, 65536, MIB, -1, (1 << 63) - 1], "size": [0, 512, 65536, MIB, 2 * MIB, 1000, -512],
    "speed": [0, 0, 1 << 40, 1 << 30, -1], "granularity": [512, 65536, 4096, 1000, 0, 1 << 31],
    "align": [512, 4096, 1000], "cluster-size": [65536, 512, 1000, 4096], "open-timeout": [0, 1], "reconnect-delay": [0, 1],
    "prealloc-size": [MIB, 65536, 3],
}


def chosen_node(chance):
    """blockdev-add as it is meant."""
    name = chance.choice(NODES[:5])
    below = chance.choice(NODES[:9])
    file = {"driver": "file", "filename": chance.choice(FILES)}
    if chance.random() < 0.3:
        file = chance.choice(["f0", "f1"])
    options = chance.choice([
        {"driver": "null-co", "size": MIB, "read-zeroes": True},
        {"driver": "null-aio", "size": 65536},
        {"driver": "raw", "file": file},
        {"driver": "raw", "file": file, "offset": 65536, "size": 65536},
        {"driver": "qcow2", "file": {"driver": "file", "filename": chance.choice(FILES[1:5])}},
        {"driver": "qcow2", "file": {"driver": "file", "filename": "over.qcow2"}, "backing": below},
        {"driver": "qcow2", "file": {"driver": "file", "filename": "over.qcow2"}, "backing": None},
        {"driver": "file", "filename": chance.choice(FILES), "node-name": chance.choice(["f0", "f1"])},
        {"driver": "throttle", "throttle-group": "g0", "file": below},
        {"driver": "copy-on-read", "file": below},
        {"driver": "compress", "file": below},
        {"driver": "preallocate", "file": below},
        {"driver": "blkdebug", "image": below},
        {"driver": "copy-before-write", "file": below, "target": chance.choice(NODES[:9])},
        {"driver": "snapshot-access", "file": below},
        {"driver": "quorum", "vote-threshold": 1, "children": [below, chance.choice(NODES[:9])]},
        {"driver": "blkverify", "test": below, "raw": chance.choice(NODES[:9])},
    ])
    options.setdefault("node-name", name)
    for key, value in (("read-only", True), ("auto-read-only", True), ("discard", "unmap"), ("force-share", True),
                       ("cache", {"direct": chance.random() < 0.5}), ("detect-zeroes", "on")):
        if chance.random() < 0.07:
            options[key] = value
    return options


def job(chance, **arguments):
    for key, value in (("auto-finalize", False), ("auto-dismiss", False), ("speed", 1 << 30), ("on-error", "ignore"),
                       ("filter-node-name", "filter")):
        if chance.random() < 0.15:
            arguments[key] = value
    return {**arguments, "job-id": chance.choice(JOBS[:3])}


def sensible(chance):
    """A command that has a chance to do something."""
    some = chance.choice
    node, other, bitmap = some(NODES[:12]), some(NODES[:12]), some(BITMAPS)
    jid = some(JOBS[:3])
    return some([
        lambda: ("blockdev-add", chosen_node(chance)),
        lambda: ("blockdev-add", chosen_node(chance)),
        lambda: ("blockdev-add", chosen_node(chance)),
        lambda: ("blockdev-del", {"node-name": node}),
        lambda: ("blockdev-reopen", {"options": [chosen_node(chance)]}),
        lambda: ("query-named-block-nodes", {}),
        lambda: ("query-block-jobs", {}),
        lambda: ("query-jobs", {}),
        lambda: ("x-debug-query-block-graph", {}) if chance.random() < 0.2 else ("query-block", {}),
        lambda: ("query-blockstats", {"query-nodes": True} if chance.random() < 0.5 else {}),
        lambda: ("block-dirty-bitmap-add", {"node": node, "name": bitmap, "persistent": chance.random() < 0.3}),
        lambda: ("block-dirty-bitmap-" + some(["remove", "clear", "enable", "disable"]), {"node": node, "name": bitmap}),
        lambda: ("block-dirty-bitmap-merge", {"node": node, "target": bitmap, "bitmaps": [some(BITMAPS)]}),
        lambda: ("block-stream", job(chance, device=node)),
        lambda: ("block-commit", job(chance, device=node)),
        lambda: ("blockdev-mirror", job(chance, device=node, target=other, sync=some(["full", "top", "none"]))),
        lambda: ("blockdev-backup", job(chance, device=node, target=other, sync=some(["full", "top", "none"]))),
        lambda: ("blockdev-backup", job(chance, device=node, target=other, sync="incremental", bitmap=bitmap)),
        lambda: ("drive-mirror", job(chance, device=node, target="target.raw", sync="full", mode="existing", format="raw")),
        lambda: ("drive-backup", job(chance, device=node, target="new.qcow2", sync="full", format="qcow2")),
        lambda: (some(["job-", "block-job-"]) + some(["cancel", "complete", "pause", "resume", "finalize", "dismiss"]), {}),
        lambda: ("block-job-set-speed", {"device": jid, "speed": some([0, 1 << 30])}),
        lambda: ("blockdev-snapshot", {"node": node, "overlay": other}),
        lambda: ("blockdev-snapshot-sync", {"node-name": node, "snapshot-file": some(["new.qcow2", "over.qcow2"]),
                                            "snapshot-node-name": some(NODES[:5]), "format": "qcow2"}),
        lambda: ("blockdev-snapshot-internal-sync", {"device": node, "name": some(["s0", "s1"])}),
        lambda: ("blockdev-snapshot-delete-internal-sync", {"device": node, "name": some(["s0", "s1"])}),
        lambda: ("transaction", {"actions": [
            {"type": "block-dirty-bitmap-add", "data": {"node": node, "name": bitmap}},
            {"type": some(["block-dirty-bitmap-clear", "block-dirty-bitmap-disable"]), "data": {"node": other, "name": some(BITMAPS)}}]}),
        lambda: ("nbd-server-start", {"addr": {"type": "unix", "data": {"path": "sock"}}}),
        lambda: ("block-export-add", {"type": "nbd", "id": some(["e0", "e1"]), "node-name": node, "writable": chance.random() < 0.5}),
        lambda: ("block-export-del", {"id": some(["e0", "e1"])}),
        lambda: ("query-block-exports", {}),
        lambda: ("nbd-server-stop", {}),
        lambda: ("block_resize", {"node-name": node, "size": some([MIB, 2 * MIB, 65536])}),
        lambda: ("change-backing-file", {"device": node, "image-node-name": other, "backing-file": "base.qcow2"}),
        lambda: ("x-blockdev-change", {"parent": node, **some([{"node": other}, {"child": "children.0"}])}),
        lambda: ("x-blockdev-set-iothread", {"node-name": node, "iothread": some(["io0", None])}),
        lambda: ("blockdev-create", {"job-id": jid, "options": {"driver": "qcow2", "file": node, "size": MIB}}),
        lambda: ("x-blockdev-amend", {"job-id": jid, "node-name": node, "options": {"driver": "qcow2"}}),
        lambda: ("object-add", some([{"qom-type": "throttle-group", "id": "g0", "x-iops-total": 100000},
                                     {"qom-type": "secret", "id": "s0", "data": "abc"},
                                     {"qom-type": "secret", "id": "s1", "data": "abc", "format": "base64"},
                                     {"qom-type": "iothread", "id": "io0"},
                                     {"qom-type": "authz-simple", "id": "a0", "identity": "me"},
                                     {"qom-type": "nope", "id": "x"}])),
        lambda: ("object-del", {"id": some(["g0", "s0", "s1", "io0", "a0", "x"])}),
        lambda: ("qom-list", {"path": some(["/objects/g0", "/objects/io0", "/objects/s0", "/nope"])}),
        lambda: ("qom-get", {"path": some(["/objects/g0", "/objects/io0", "io0", "/objects/none"]),
                             "property": some(["type", "x-iops-total", "limits", "poll-max-ns", "nope"])}),
    ])()


HUMAN = [
    "info block", "info block {node}", "info block -n", "info block -v", "info block -n -v {node}", "info blockstats",
    "info block-jobs", "info snapshots", "info status", "info chardev", "block_resize {node} {size}",
    "block_stream {node}", "block_stream {node} 1G base.qcow2", "block_job_set_speed {node} 1G", "block_job_cancel {node}",
    "block_job_cancel -f {node}", "block_job_complete {node}", "block_job_pause {node}", "block_job_resume {node}",
    "drive_backup {node} target.raw raw", "drive_backup -n {node} target.raw raw", "drive_backup -n -f {node} target.raw",
    "drive_mirror -n {node} target.raw raw", "drive_mirror {node} new.raw", "snapshot_blkdev {node}",
    "snapshot_blkdev {node} new.qcow2 qcow2", "snapshot_blkdev -n {node} over.qcow2 qcow2",
    "snapshot_blkdev_internal {node} s0", "snapshot_delete_blkdev_internal {node} s0", "commit {node}", "commit all", "delvm s0", "drive_del {node}", "drive_add 0 if=none,file=plain.raw,id={node}",
    "drive_add -n 0 driver=null-co,node-name={node}", "drive_add dummy if=none", "eject {node}", "eject -f {node}", "change {node} plain.raw",
    "change {node} plain.raw raw", "block_set_io_throttle {node} 0 0 0 0 0 0", "nbd_server_start unix:sock",
    "nbd_server_start -w unix:sock", "nbd_server_start -a unix:sock", "nbd_server_add {node}", "nbd_server_add -w {node} e0", "nbd_server_remove e0",
    "nbd_server_remove {node}", "nbd_server_stop", "qemu-io {node} \"read 0 512\"", "qemu-io {node} \"write 0 4k\"",
    "qemu-io {node} flush", "qemu-io {node} length", "qemu-io {node} nope", "qemu-io {node}", "stop", "cont", "object_del s0", "object_add secret,id=s0,data=x",
    "object_add nope", "nope", "info nope", "help commit", "block_resize", "block_resize {node} x", "info block a b c",
    "commit", "drive_mirror", "nbd_server_add", "info iothreads", "info uuid", "info name", "block_resize {node} 1z",
]


def human(chance):
    line = chance.choice(HUMAN).format(node=chance.choice(NODES[:13]), size=chance.choice([0, 1, 65536, MIB, "1k", "1M"]))
    return "human-monitor-command", {"command-line": line}


def random_command(schema, machine, chance):
    draw = chance.random()
    if machine and draw < 0.2:
        return human(chance)
    if draw < 0.7:
        name, arguments = sensible(chance)
        if name.startswith(("job-", "block-job-")) and not arguments:
            arguments = {"id" if name.startswith("job-") else "device": chance.choice(JOBS[:3])}
        if name.endswith("set-speed") or chance.random() > 0.04 or not arguments:
            return name, arguments
        arguments = dict(arguments)  # one argument less, or another one
        key = chance.choice(sorted(arguments))
        arguments[key if chance.random() < 0.5 else "extra"] = chance.choice([None, 1, "x", {}, []])
        return name, arguments
    if draw < 0.78:
        return "blockdev-add", schema.arguments("blockdev-add", chance)
    name = chance.choice(schema.commands)
    return name, schema.arguments(name, chance)


# ------------------------------------------------------------------------------------- comparing


def plain(value):
    """Without what may differ."""
    if isinstance(value, dict):
        return {key: "..." if key in VOLATILE or key.endswith("_time_ns") else plain(each) for key, each in value.items() if key != "active"}
    if isinstance(value, list):
        result = [plain(each) for each in value]
        if result and all(isinstance(each, dict) and {"name", "type"} == set(each) for each in result):
            result.sort(key=json.dumps)  # properties of an object, which have no order
        return result
    if isinstance(value, str):
        for pattern, text in VOLATILE_TEXT:
            value = pattern.sub(text, value)
    return value


def by_subject(events, seen):
    """Events in their order for each thing that they tell of; who was first of two jobs is chance."""
    result = {}
    for event in events:
        data = event.get("data", {})
        subject = str(data.get("id", data.get("device", data.get("node-name", ""))))
        # A job that is paused for a moment by a drained section says so, or does not: as it happens.
        if event.get("event") == "JOB_STATUS_CHANGE":
            status = subject, data["status"]
            if status in seen or data["status"] in ("paused", "standby"):
                continue
            seen.add(status)
            if data["status"] == "null":
                seen.difference_update([each for each in seen if each[0] == subject])
        result.setdefault(subject, []).append(plain(event))
    return result


def text(value):
    return json.dumps(value)


class Session:
    """The same words to both."""

    def __init__(self, dist, seed, files):
        self.seed = seed
        self.chance = random.Random(seed)
        self.program = self.chance.choice(sorted(PROGRAMS))
        self.history = []
        self.work = tempfile.mkdtemp(prefix="qmp-fuzz-")
        self.both = []
        for name, path in (("reference", shutil.which(self.program)), ("ours", f"{dist}/compat/{self.program}")):
            directory = os.path.join(self.work, name)
            shutil.copytree(files, directory)
            self.both.append(Program([path, *PROGRAMS[self.program]], directory))
        self.schema = Schema(*(each.ask("query-qmp-schema") for each in self.both))

    def step(self):
        """Returns what differs, or None."""
        name, arguments = random_command(self.schema, self.program.startswith("qemu-system"), self.chance)
        message = {"execute": name, "arguments": arguments}
        self.history.append(message)
        told = []
        for program in self.both:
            try:
                reply = program.say(message)
                told.append((plain(reply), by_subject(program.settle(), program.seen)))
            except Gone as gone:
                told.append((str(gone), {}))
        if isinstance(told[0][0], str):
            raise Gone  # a failed assertion of the reference is nothing to follow
        if told[0][0] != told[1][0] or text(told[0][0]) != text(told[1][0]):
            return f"  reference {text(told[0][0])}\n  ours      {text(told[1][0])}"
        if told[0][1] != told[1][1]:
            return f"  reference's events {text(told[0][1])}\n  our events         {text(told[1][1])}"
        return None

    def close(self):
        for program in self.both:
            program.end()
        shutil.rmtree(self.work, ignore_errors=True)


def make_files(directory):
    def img(*arguments):
        subprocess.run(["qemu-img", *arguments], cwd=directory, check=True, stdout=subprocess.DEVNULL)
    img("create", "-f", "raw", "plain.raw", "1M")
    img("create", "-f", "raw", "target.raw", "1M")
    img("create", "-f", "qcow2", "base.qcow2", "1M")
    img("create", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", "over.qcow2")
    img("create", "-f", "qcow2", "disk.qcow2", "1M")
    subprocess.run(["qemu-io", "-c", "write -P 5 0 128k", "base.qcow2"], cwd=directory, check=True, stdout=subprocess.DEVNULL)


def main():
    dist = os.path.abspath(sys.argv[1])
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else int(time.time())
    missing = [each for each in [*PROGRAMS, "qemu-img", "qemu-io"] if not shutil.which(each)]
    if missing:
        print(f"LEFT OUT: random QMP commands, because {missing[0]} is not installed\n0 passed, 0 failed, 1 left out")
        return int(os.environ.get("TINAMOU_PEERS_REQUIRED", "0"))
    files = tempfile.mkdtemp(prefix="qmp-fuzz-files-")
    done = differences = 0
    try:
        make_files(files)
        while done < steps:
            session = Session(dist, seed, files)
            try:
                for number in range(SESSION_STEPS):
                    done += 1
                    difference = session.step()
                    if difference:
                        differences += 1
                        print(f"seed {seed}, {session.program}, command {number + 1}: {text(session.history[-1])}\n{difference}",
                              flush=True)
                        if os.environ.get("TINAMOU_HISTORY"):
                            print("\n".join("    " + text(each) for each in session.history), flush=True)
                        break
            except Gone:
                pass
            finally:
                session.close()
            seed += 1
    finally:
        shutil.rmtree(files)
    print(f"{done} commands, {differences} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
