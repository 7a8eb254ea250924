# SPDX-License-Identifier: Apache-2.0
"""A farm: a cluster, a folder for logs, and ringlog's programs on its hosts."""

import json
import os
import shutil
import signal
import subprocess
import tempfile

from harness import PATIENCE, Cluster, expect_equal, until

GROUP = "weblogs"


class Farm:
    """A cluster and a folder for logs; writers and publishers on its hosts."""

    def __init__(self, count):
        self.cluster = Cluster(count)

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="rl-")
        self.cluster.__enter__()
        return self

    def __exit__(self, *error):
        self.cluster.__exit__(*error)
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        if not os.path.exists(self.path(name)):
            return []
        with open(self.path(name), "rb") as file:
            return file.read().decode("utf-8").splitlines()

    def bytes(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def pending(self, name):
        """The pending files beside that file."""
        return [f for f in os.listdir(self.folder) if f.startswith(f"{name}.pending-")]

    def data(self, name):
        return [line for line in self.read(name) if not line.startswith("#ringlog-")]

    def markers(self, name, word):
        head = f"#ringlog-{word} "
        return [json.loads(line[len(head):]) for line in self.read(name) if line.startswith(head)]

    def writer(self, host, file, *more):
        name = os.path.basename(file).split(".")[0]
        stream = self.cluster.stream(
            host, "--socket", self.cluster.socket(host), "--group", GROUP, "--file", self.path(file), "--as", name,
            "--json", *more, tool="ringlog-write")
        until(f"{file} joined", lambda: f"#{name}#{host}" in self.members(host, GROUP + ".writers"))
        return stream

    def members(self, host, group):
        result = self.cluster.run(host, "--json", "groups", group)
        return [m for g in result.json_lines() for m in g["members"]] if result.code == 0 else []

    def publish(self, host, lines, *more, code=0, member="pub", seconds=PATIENCE):
        text = "".join(f"{line}\n" for line in lines).encode()
        result = self.cluster.run(host, "--socket", self.cluster.socket(host), "--group", GROUP, "--as", member,
                                  "--json", *more, stdin=text, tool="ringlog-publish", seconds=seconds)
        result.must(code)
        return result

    def publisher(self, host, *more, member="pub"):
        """A publisher with a pipe, open for more lines."""
        stream = self.cluster.stream(
            host, "--socket", self.cluster.socket(host), "--group", GROUP, "--as", member, "--json", *more,
            tool="ringlog-publish", stdin=subprocess.PIPE)
        return stream

    def follow(self, host, log):
        """A publisher that follows the log."""
        return self.cluster.stream(
            host, "--socket", self.cluster.socket(host), "--group", GROUP, "--tail", log, "--state",
            self.path("state"), tool="ringlog-publish")

    def wait_lines(self, file, count, seconds=PATIENCE):
        until(f"{count} lines in {file}", lambda: len(self.data(file)) >= count, seconds)
        expect_equal(len(self.data(file)), count, f"lines in {file}")


def stop(stream):
    """SIGTERM; the summary. The tool must end with 0."""
    stream.signal(signal.SIGTERM)
    expect_equal(stream.end(), 0, f"exit code after SIGTERM; stderr: {stream.errors()}")
    return stream.events[-1]


def lines(word, count, first=1):
    return [f"{word} {number}" for number in range(first, first + count)]
