# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL cluster of its own in a folder, reached by a unix socket there, run by whoever runs the test."""

import glob
import os
import subprocess

from harness import Failure, die_with_parent, expect, until

# PostgreSQL will not run as root, and in the tests' namespace we are; this makes us somebody.
AS_SOMEBODY = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]


def programs():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    expect(found, "no PostgreSQL is installed: scripts/install-dependencies.sh --test")
    return found[-1]


class Postgres:
    def __init__(self, folder):
        self.folder = os.path.join(folder, "pg")
        self.process = None
        self._run("initdb", "-D", self.folder, "-U", "ringlog", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        self.start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stop()

    def _run(self, name, *words):
        done = subprocess.run([*AS_SOMEBODY, os.path.join(programs(), name), *words], capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise Failure(f"{name} {' '.join(words)}: {done.stderr[-1500:]}")
        return done.stdout

    def connection(self):
        return f"host={self.folder} user=ringlog dbname=postgres"

    def start(self):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(
                [*AS_SOMEBODY, os.path.join(programs(), "postgres"), "-D", self.folder, "-k", self.folder,
                 "-c", "listen_addresses=", "-c", "fsync=off"],
                stdout=log, stderr=log, preexec_fn=die_with_parent)
        until("PostgreSQL answers", lambda: self.query("SELECT 1", check=False) == [["1"]])

    def stop(self):
        """At once, as in a crash: what runs is cut off."""
        if self.process is not None:
            self._run("pg_ctl", "-D", self.folder, "-m", "immediate", "stop")
            self.process.wait()
            self.process = None

    def psql(self, *words, **options):
        return subprocess.Popen([os.path.join(programs(), "psql"), "-X", "-q", "-A", "-t", "-F", "\x1f", "-d",
                                 self.connection(), *words], text=True, preexec_fn=die_with_parent, **options)

    def query(self, sql, check=True):
        process = self.psql("-c", sql, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = process.communicate()
        if process.returncode != 0:
            if check:
                raise Failure(f"{sql}: {err}")
            return None
        return [line.split("\x1f") for line in out.splitlines()]
