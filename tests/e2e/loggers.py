# SPDX-License-Identifier: Apache-2.0
"""The loggers: ringlog-write with a file and a database each."""

import contextlib
import os
import signal
import sqlite3

from hosts import BALANCER_GROUP, GROUP, lines_of, write

from harness import expect_equal, until
from postgres import Postgres

FILE = '[[sink]]\ngroup = "{group}"\ntype = "file"\npath = "{path}"\nmarkers = false\n'
GROUPS = (GROUP, BALANCER_GROUP)


class Logger:
    """A database host's ringlog-write; `sink` is its database."""

    def __init__(self, hosts, host):
        self.hosts, self.host = hosts, host
        self.stream = None
        write(self.path("write.toml"),
              f'[writer]\nsocket = "{hosts.socket(host)}"\nas = "w"\n'
              + "".join(f'[[group]]\nname = "{group}"\njournal = "{self.journal(group)}"\n'
                        + FILE.format(group=group, path=self.log(group)) for group in GROUPS) + self.sink())

    def path(self, *names):
        return self.hosts.path(self.host, *names)

    def journal(self, group=GROUP):
        return self.path("journal" if group == GROUP else f"journal-{group}")

    def log(self, group=GROUP):
        """The lines alone, without markers."""
        return self.path("log", f"{group}.log")

    def start(self):
        self.stream = self.hosts.stream(self.host, "--config", self.path("write.toml"), "--json", tool="ringlog-write")
        for group in GROUPS:
            until(f"the logger of {self.host} has joined {group}",
                  lambda group=group: f"#w-{group}#{self.host}" in self.hosts.members(self.host, group + ".writers"))

    def kill(self):
        self.stream.signal(signal.SIGKILL)
        self.stream.end()

    def go_down(self):
        """With its host: all at once."""
        self.kill()

    def stop(self):
        if self.stream and self.stream.process.poll() is None:
            self.stream.signal(signal.SIGTERM)
            expect_equal(self.stream.end(), 0, f"exit code of the logger of {self.host}; it said: {self.stream.errors()}")

    def size(self):
        return os.path.getsize(self.journal()) if os.path.exists(self.journal()) else 0

    def log_size(self):
        return os.path.getsize(self.log()) if os.path.exists(self.log()) else 0

    def pending(self):
        return [name for name in os.listdir(self.path()) if name.startswith("journal.pending-")]

    def pending_size(self):
        return sum(os.path.getsize(self.path(name)) for name in self.pending())

    def markers(self):
        return [line.split()[0].decode() for line in lines_of(self.journal()) if line.startswith(b"#ringlog-")]


class SqliteLogger(Logger):
    def sink(self):
        return f'[[sink]]\ngroup = "{GROUP}"\ntype = "sqlite"\ndatabase = "{self.path("lines.db")}"\nformat = "combined"\nmarkers = false\n'

    def rows(self, what, rest=""):
        try:
            with contextlib.closing(sqlite3.connect(f"file:{self.path('lines.db')}?mode=ro", uri=True)) as database:
                return [[str(value) for value in row] for row in database.execute(f"SELECT {what} FROM ringlog {rest}")]
        except sqlite3.OperationalError:
            return []  # not made yet


class PostgresLogger(Logger):
    def __init__(self, hosts, host):
        self.server = Postgres(hosts.path(host))
        super().__init__(hosts, host)

    def sink(self):
        return f'[[sink]]\ngroup = "{GROUP}"\ntype = "postgresql"\nconnection = "{self.server.connection()}"\nformat = "combined"\nmarkers = false\n'

    def start(self):
        if self.server.process is None:
            self.server.start()
        super().start()

    def go_down(self):
        super().go_down()
        self.server.stop()

    def rows(self, what, rest=""):
        return self.server.query(f"SELECT {what} FROM ringlog {rest}", check=False) or []

    def stop(self):
        super().stop()
        self.server.stop()
