# SPDX-License-Identifier: Apache-2.0
"""What the cases of bad_things.py do to programs: small disks, modes that hold for root too; and how they look at them."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))

from farm import GROUP  # noqa: E402
from harness import LIBC, command, expect, expect_equal, until  # noqa: E402

PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2


class SmallDisk:
    """A file system of its own at a path, of so many MiB."""

    def __init__(self, path, mebibytes):
        self.path, self.mebibytes = path, mebibytes

    def __enter__(self):
        os.makedirs(self.path, exist_ok=True)
        command("mount", "-t", "tmpfs", "-o", f"size={self.mebibytes}m", "tmpfs", self.path)
        return self

    def __exit__(self, *error):
        command("umount", "-l", self.path)

    def fill(self):
        """Somebody else's file takes all that is left."""
        with contextlib.suppress(OSError), open(os.path.join(self.path, "somebody's"), "wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        expect_equal(os.statvfs(self.path).f_bavail, 0, f"blocks left on {self.path}")

    def free(self):
        os.remove(os.path.join(self.path, "somebody's"))


def heed_modes():
    """Programs started from here on have to heed the modes of files, though they are root's."""
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        expect(LIBC.prctl(PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) == 0, "prctl")


@contextlib.contextmanager
def locked(path, mode=0o500):
    """Nobody may write there (or read, by mode) in this block."""
    before = os.stat(path).st_mode & 0o7777
    os.chmod(path, mode)
    try:
        yield
    finally:
        os.chmod(path, before)


def says(stream, *words, seconds=30.0):
    """Waits until it has said a sentence with all of these words."""
    def said():
        expect(stream.process.poll() is None or has_said(stream, *words),
               f"it ended with {stream.process.poll()} and has not said {words}: {stream.errors()}")
        return has_said(stream, *words)
    until(f"{words} on stderr", said, seconds)


def has_said(stream, *words):
    return any(all(word in line for word in words) for line in stream.errors().splitlines())


def end(stream, code):
    """SIGTERM; the summary."""
    stream.signal(signal.SIGTERM)
    expect_equal(stream.end(), code, f"exit code; it said: {stream.errors()}")
    return stream.events[-1]


def give(publisher, lines, last=False):
    """Lines into a publisher's pipe; waits while it is full."""
    publisher.process.stdin.write("".join(f"{line}\n" for line in lines).encode())
    publisher.process.stdin.flush()
    if last:
        publisher.process.stdin.close()


def away_publisher(farm, *more):
    """A publisher at d1 whose daemon is out of reach until daemon_comes_back(). The daemon is part of its ring all the
    time, so that nothing has to be sent again and what arrives is in the order in which it was given."""
    return farm.cluster.stream("d1", "--socket", farm.path("away.sock"), "--group", GROUP, "--as", "pub", "--json", *more,
                               tool="ringlog-publish", stdin=subprocess.PIPE)


def daemon_comes_back(farm):
    os.symlink(farm.cluster.socket("d1"), farm.path("away.sock"))


class Feeder(threading.Thread):
    """Gives lines meanwhile; until they are all in the pipe, or nobody reads it any more."""

    def __init__(self, publisher, lines):
        super().__init__(daemon=True)
        self.publisher, self.lines = publisher, lines
        self.start()

    def run(self):
        with contextlib.suppress(BrokenPipeError):
            give(self.publisher, self.lines)

    def end(self, seconds=30.0):
        self.join(seconds)
        expect(not self.is_alive(), f"all lines are taken within {seconds} s")


def expect_same(farm, *names):
    """The files of two writers, byte for byte, and by the tool that is made for it."""
    one, two = (farm.bytes(name) for name in names)
    expect_equal(two, one, f"{names[1]} beside {names[0]}")
    farm.cluster.run("d1", "verify", *map(farm.path, names), tool="ringlog-write").must()


def memory_peak(stream):
    """MiB."""
    with open(f"/proc/{stream.process.pid}/status", encoding="utf-8") as file:
        [line] = [line for line in file if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def descriptors(stream):
    return len(os.listdir(f"/proc/{stream.process.pid}/fd"))
