# SPDX-License-Identifier: Apache-2.0
"""ringlog-publish on a host, where the server does not start it itself."""

import signal

from hosts import write

from harness import expect_equal, inside


class Publisher:
    def __init__(self, hosts, host, group):
        self.hosts, self.host, self.group = hosts, host, group
        self.stream = None

    def start(self, *words):
        self.stream = self.hosts.stream(self.host, "--socket", self.hosts.socket(self.host), "--group", self.group,
                                        "--as", "pub", "--json", *words, tool="ringlog-publish")

    def errors(self):
        return self.stream.errors()

    def kill(self):
        self.stream.process.kill()
        self.stream.end()

    def stop(self):
        if self.stream is None or self.stream.process.poll() is not None:
            return
        self.stream.signal(signal.SIGTERM)
        expect_equal(self.stream.end(), 0, f"exit code of the publisher of {self.host}; it said: {self.errors()}")
        summary = self.stream.events[-1]
        expect_equal(summary.get("dropped", 0), 0, f"lines dropped at {self.host}")


def room_for_datagrams(host):
    """Who logs to a full socket drops its lines, and there is room for ten by default."""
    with inside(host):
        write("/proc/sys/net/unix/max_dgram_qlen", "4096")
