#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast a writer that was down catches up, while lines go on arriving.

    bench/catch_up.py [--lines N] [--rate LINES_PER_SECOND] [--json]

Three daemons on loopback, a writer each at the first two. The second writer is killed (SIGKILL),
N lines of the sample log are published, then others at the rate given; the writer starts again.
From its start until its file is as long as the other's was a moment before, the time is taken; in
the end both files must be the same, byte for byte. Everything shares the cores of the machine.
Needs the build (RINGCAST_BIN); leaves nothing. Exits 1 when the files differ or a line is missing.
"""

import argparse
import contextlib
import filecmp
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
BIN = os.environ.get("RINGCAST_BIN", os.path.join(ROOT, "build/release/bin"))
SAMPLE = os.path.join(ROOT, "examples/data/apache_access_10k.log")
PATIENCE = 120.0
FIRST = 1000  # lines that both writers have before one of them is killed


def until(what, predicate):
    deadline = time.monotonic() + PATIENCE
    while not predicate():
        if time.monotonic() > deadline:
            sys.exit(f"catch_up.py: not within {PATIENCE:.0f} s: {what}")
        threading.Event().wait(0.01)


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Farm:
    """Daemons, writers and publishers, in a folder of their own."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="catch-up-")
        self.running = []

    def __enter__(self):
        ports = {name: free_port() for name in ("a", "b", "c")}
        daemons = "".join(f'[[daemon]]\nname = "{name}"\naddress = "127.0.0.1:{port}"\n' for name, port in ports.items())
        for name in ports:
            with open(self.path(f"{name}.toml"), "w", encoding="utf-8") as file:
                file.write(f'[cluster]\nname = "bench"\n{daemons}[clients]\nsocket = "{self.path(name)}.sock"\n')
            os.makedirs(self.path(f"{name}.state"))
            self.start("ringcastd", "--config", self.path(f"{name}.toml"), "--name", name,
                       STATE_DIRECTORY=self.path(f"{name}.state"))
        until("the first daemon", lambda: os.path.exists(f"{self.path('a')}.sock"))
        subprocess.run([f"{BIN}/ringcast", "--socket", f"{self.path('a')}.sock", "status", "--wait-members", "3", "--timeout",
                        f"{PATIENCE:.0f}s"], stdout=subprocess.DEVNULL, check=True)
        return self

    def __exit__(self, *error):
        if error[0] is not None:
            with open(self.path("output"), encoding="utf-8", errors="replace") as file:
                sys.stderr.write(file.read()[-2000:])
        for process in reversed(self.running):
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, name, *words, stdin=subprocess.DEVNULL, **environment):
        with open(self.path("output"), "ab") as file:
            process = subprocess.Popen([os.path.join(BIN, name), *words], stdin=stdin, stdout=file, stderr=file,
                                       env=dict(os.environ, **environment))
        self.running.append(process)
        return process

    def writer(self, daemon):
        return self.start("ringlog-write", "--socket", f"{self.path(daemon)}.sock", "--group", "weblogs", "--file",
                          self.log(daemon))

    def writers(self):
        done = subprocess.run([f"{BIN}/ringcast", "--socket", f"{self.path('a')}.sock", "--json", "groups", "weblogs.writers"],
                              capture_output=True, text=True, check=False)
        return sum(len(json.loads(line)["members"]) for line in done.stdout.splitlines())

    def log(self, daemon):
        return self.path(f"{daemon}.log")

    def publisher(self, stdin=subprocess.PIPE):
        return self.start("ringlog-publish", "--socket", f"{self.path('c')}.sock", "--group", "weblogs",
                          "--max-block", f"{PATIENCE:.0f}s", stdin=stdin)

    def size(self, daemon):
        with contextlib.suppress(FileNotFoundError):
            return os.path.getsize(self.log(daemon))
        return 0


class Live:
    """Lines at a fixed rate, until they are to end."""

    def __init__(self, publisher, lines, rate):
        self.publisher, self.lines, self.rate = publisher, lines, rate
        self.sent = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        began = time.monotonic()
        while not self._over.wait(0.005):
            due = int((time.monotonic() - began) * self.rate) - self.sent
            if due > 0:
                self.publisher.stdin.write(repeated(self.lines, due))
                self.publisher.stdin.flush()
                self.sent += due

    def end(self):
        self._over.set()
        self._thread.join()
        self.publisher.stdin.close()
        return self.publisher.wait(PATIENCE)


def repeated(lines, count):
    whole, rest = divmod(count, len(lines))
    return b"".join(lines) * whole + b"".join(lines[:rest])


def count_lines(path, size):
    count = 0
    with open(path, "rb") as file:
        while size > 0 and (piece := file.read(min(size, 1 << 20))):
            count += piece.count(b"\n")
            size -= len(piece)
    return count


def publish(farm, data):
    """From a file, of which nothing is ever dropped."""
    with open(farm.path("input"), "wb") as file:
        file.write(data)
    with open(farm.path("input"), "rb") as file:
        publisher = farm.publisher(file)
    if publisher.wait(PATIENCE) != 0:
        sys.exit("catch_up.py: the publisher failed")
    return len(data)


def measure(farm, count, rate):
    with open(SAMPLE, "rb") as file:
        lines = file.readlines()
    farm.writer("a")
    killed = farm.writer("b")
    until("both writers are there", lambda: farm.writers() == 2)
    size = publish(farm, repeated(lines, FIRST))
    until("both have the first lines", lambda: farm.size("a") == size and farm.size("b") == size)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    size += publish(farm, repeated(lines, count))
    until("the one has them all", lambda: farm.size("a") == size)
    live = Live(farm.publisher(), lines, rate) if rate else None
    if live:
        until("lines go on arriving", lambda: farm.size("a") > size)
    began = time.monotonic()
    before = farm.size("b")
    farm.writer("b")
    while True:
        other = farm.size("a")
        here = farm.size("b")
        if here >= other:
            break
        if time.monotonic() - began > PATIENCE:
            sys.exit(f"catch_up.py: not caught up within {PATIENCE:.0f} s")
        threading.Event().wait(0.002)
    seconds = time.monotonic() - began
    if live and live.end() != 0:
        sys.exit("catch_up.py: the live publisher failed")
    until("both have all", lambda: farm.size("a") == farm.size("b") and
          count_lines(farm.log("a"), farm.size("a")) >= FIRST + count + (live.sent if live else 0))
    gained = count_lines(farm.log("b"), here) - count_lines(farm.log("b"), before)
    return {"missed": count, "live_rate": rate, "seconds": round(seconds, 3), "lines": gained,
            "lines_per_second": round(gained / seconds), "mb_per_second": round((here - before) / seconds / 1e6, 1),
            "same": filecmp.cmp(farm.log("a"), farm.log("b"), shallow=False),
            "complete": count_lines(farm.log("a"), farm.size("a")) == FIRST + count + (live.sent if live else 0)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--lines", type=int, default=1_000_000, help="that the writer missed (1000000)")
    parser.add_argument("--rate", type=int, default=20_000, help="of lines meanwhile, per second; 0: none (20000)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what runs is ended
    with Farm() as farm:
        found = measure(farm, options.lines, options.rate)
    if options.json:
        print(json.dumps(found))
    else:
        print(f"{found['lines']} lines in {found['seconds']} s: {found['lines_per_second']} lines/s, "
              f"{found['mb_per_second']} MB/s, while {options.rate} lines/s went on arriving; "
              f"the files are {'the same' if found['same'] else 'DIFFERENT'}, "
              f"{'nothing is missing' if found['complete'] else 'LINES ARE MISSING OR DOUBLE'}")
    sys.exit(0 if found["same"] and found["complete"] else 1)


if __name__ == "__main__":
    main()
