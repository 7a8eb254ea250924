# SPDX-License-Identifier: Apache-2.0
"""Three daemons on loopback, writers and publishers, for benchmarks of clustered logging."""

import contextlib
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


def until(what, predicate):
    deadline = time.monotonic() + PATIENCE
    while not predicate():
        if time.monotonic() > deadline:
            sys.exit(f"{os.path.basename(sys.argv[0])}: not within {PATIENCE:.0f} s: {what}")
        threading.Event().wait(0.01)


def free_port(kind=socket.SOCK_DGRAM):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Farm:
    """Daemons, writers and publishers, in a folder of their own."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="ringlog-bench-")
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

    def start(self, name, *words, stdin=subprocess.DEVNULL, output=None, **environment):
        with open(self.path("output"), "ab") as file:
            process = subprocess.Popen([os.path.join(BIN, name), *words], stdin=stdin, stdout=output or file, stderr=file,
                                       env=dict(os.environ, **environment))
        self.running.append(process)
        return process

    def writer(self, daemon):
        return self.start("ringlog-write", "--socket", f"{self.path(daemon)}.sock", "--group", "weblogs", "--file",
                          self.log(daemon))

    def writers(self):
        return self.members("weblogs.writers")

    def members(self, group):
        done = subprocess.run([f"{BIN}/ringcast", "--socket", f"{self.path('a')}.sock", "--json", "groups", group],
                              capture_output=True, text=True, check=False)
        return sum(len(json.loads(line)["members"]) for line in done.stdout.splitlines())

    def log(self, daemon):
        return self.path(f"{daemon}.log")

    def publisher(self, stdin=subprocess.PIPE, words=()):
        return self.start("ringlog-publish", "--socket", f"{self.path('c')}.sock", "--group", "weblogs",
                          "--max-block", f"{PATIENCE:.0f}s", *words, stdin=stdin)

    def size(self, daemon):
        with contextlib.suppress(FileNotFoundError):
            return os.path.getsize(self.log(daemon))
        return 0


class Live:
    """Lines at a fixed rate, until they are to end, or `limit` were sent."""

    def __init__(self, publisher, lines, rate, limit=None):
        self.publisher, self.lines, self.rate, self.limit = publisher, lines, rate, limit
        self.sent = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        began = time.monotonic()
        while not self._over.wait(0.005):
            due = int((time.monotonic() - began) * self.rate) - self.sent
            if self.limit is not None:
                due = min(due, self.limit - self.sent)
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


def sample_lines():
    with open(SAMPLE, "rb") as file:
        return file.readlines()


def end_by_signals():
    """So that what runs is ended too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
