#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small web farm on ten hosts, harmed under load, and what its logs and figures say in the end.

    tests/e2e/run.py                         the whole, about three minutes
    tests/e2e/run.py --short                 each kind of fault once, about one
    tests/e2e/run.py --rate 400 --lines 5000 --rounds 3

Two HAProxy, whose logs go to a group of their own by syslog, six web servers (two Apache with
mod_log_ringcast, one Apache with a pipe, one nginx whose file is followed, two nginx by syslog), two
database hosts with a logger each (SQLite, PostgreSQL), a monitor with its web page; users are h2load.
See docs/testing.md.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import time
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))

from harness import BIN, ROOT, Failure  # noqa: E402

os.environ.setdefault("RINGCAST_TEST_SCREENSHOTS", os.path.join(os.path.abspath(BIN), "../tests/e2e"))

import proof  # noqa: E402
from balancers import Balancer  # noqa: E402
from faults import Faults  # noqa: E402
from hosts import BALANCERS, USERS, WEB, Hosts, enter_own_processes  # noqa: E402
from load import Load  # noqa: E402
from loggers import PostgresLogger, SqliteLogger  # noqa: E402
from monitor import Monitor  # noqa: E402
from web_servers import KINDS  # noqa: E402

SCREENSHOT = "farm"


class Farm:
    """All that runs; ends with the block."""

    def __init__(self, rate):
        self.hosts, self.rate = Hosts(), rate
        self.parts = []

    def __enter__(self):
        self.ending = contextlib.ExitStack()
        try:
            self.ending.enter_context(self.hosts)
            self._build()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def _build(self):
        hosts = self.hosts
        self.loggers = {"db1": self._start(SqliteLogger(hosts, "db1")), "db2": self._start(PostgresLogger(hosts, "db2"))}
        self.monitor = self._start(Monitor(hosts, "lb1", USERS[0]))
        self.servers = {host: self._start(KINDS[host](hosts, host)) for host in WEB}
        self.balancers = {host: self._start(Balancer(hosts, host, WEB)) for host in BALANCERS}
        self.loads = [Load(hosts, users, balancer, self.rate) for users, balancer in zip(USERS, BALANCERS)]

    def _start(self, part):
        self.parts.append(part)
        part.start()
        return part

    def stop(self):
        """The last first: what is behind takes what comes."""
        while self.parts:
            self.parts.pop().stop()

    def __exit__(self, kind, value, trace):
        if kind is not None:
            for part in self.parts:
                self._tell(part)
        while self.parts:
            with contextlib.suppress(Exception):
                self.parts.pop().stop()
        return self.ending.__exit__(kind, value, trace)

    @staticmethod
    def _tell(part):
        for what in ("stream", "publisher", "server"):
            said = getattr(getattr(part, what, None), "errors", None) or getattr(getattr(part, what, None), "said", None)
            with contextlib.suppress(OSError):
                text = said() if said else ""
                if text:
                    print(f"--- {what} of {part.host}, the last lines", *text.splitlines()[-8:], sep="\n    ")


def step(text, action, *arguments):
    began = time.monotonic()
    result = action(*arguments)
    print(f"{time.monotonic() - began:6.1f} s  {text}", flush=True)
    return result


def harm(farm, options):
    faults = Faults(farm, options.lines)
    step("calm", faults.calm)
    for number in range(options.rounds):
        step("db2: logger killed and started again", faults.kill_logger, "db2")
        step("web1: daemon killed and started again", faults.kill_daemon, "web1")
        if not options.short:
            step("db1: logger killed and started again", faults.kill_logger, "db1")
            step("db2: daemon killed and started again", faults.kill_daemon, "db2")
            step("web5: daemon killed and started again", faults.kill_daemon, "web5")
            step("db2: PostgreSQL crashed and started again", faults.crash_database, "db2")
            step("db2: host taken down and up again", faults.take_host_down, "db2")
        step("web4: host taken down and up again", faults.take_host_down, "web4")
        step("network cut and healed", faults.cut)
        step(f"calm after round {number + 1}", faults.calm)


def prove(farm):
    lines = step("both loggers have all", proof.wait_complete, farm)
    step("each line once in both files", proof.check_lines, farm)
    balanced = step("each line of the balancers once in both files", proof.check_balancers, farm)
    answered = step("each answered request is there", proof.check_requests, farm)
    merges = step("both files are the same, byte for byte", proof.check_files_equal, farm)
    step("both databases say the same", proof.check_tables, farm)
    counted = step("monitor, goaccess and awk count the same", proof.check_figures, farm)
    step("so does the page", farm.monitor.check_page, counted, SCREENSHOT)
    asked = sum(load.asked for load in farm.loads)
    print(f"{lines} lines of {asked} requests, {answered} answered by a web server; {balanced} lines of balancers; {merges} merges; screenshot:"
          f" {os.path.normpath(os.environ['RINGCAST_TEST_SCREENSHOTS'])}/{SCREENSHOT}.png")


def run(options):
    with contextlib.ExitStack() as ending:
        farm = step("ten hosts, all programs up", ending.enter_context, Farm(options.rate))
        for load in farm.loads:
            load.start()
        try:
            harm(farm, options)
        finally:
            for load in farm.loads:
                load.stop()
        prove(farm)
        step("all programs end as they should", farm.stop)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--short", action="store_true", help="each kind of fault once, few lines: for CI")
    parser.add_argument("--rate", type=int, help="requests per second at each of two balancers (200; short: 60)")
    parser.add_argument("--lines", type=int, help="lines that come during each fault (2000; short: 150)")
    parser.add_argument("--rounds", type=int, default=1, help="how often all faults are done (1)")
    parser.add_argument("--no-install", action="store_true", help="do not look for missing Debian packages first")
    options = parser.parse_args()
    options.rate = options.rate or (60 if options.short else 200)
    options.lines = options.lines or (150 if options.short else 2000)
    if min(options.rate, options.lines, options.rounds) < 1:
        parser.error("--rate, --lines and --rounds are 1 or more")
    return options


def main():
    options = parse()
    if not options.no_install and "RINGCAST_TEST_INSIDE" not in os.environ:
        subprocess.run([os.path.join(ROOT, "scripts/install-dependencies.sh"), "--test"], check=True)
    enter_own_processes()
    try:
        run(options)
    except Failure as failure:
        place = [f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in traceback.extract_tb(failure.__traceback__)
                 if "harness" not in frame.filename]
        print(f"FAILED  {' <- '.join(reversed(place))}: {failure}", flush=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
