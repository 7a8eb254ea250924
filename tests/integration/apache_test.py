# SPDX-License-Identifier: Apache-2.0
"""Requests to a real Apache become lines of a real writer's file: mod_log_ringcast."""

import os
import signal
import sys
import threading

from apache import MPM, Apache, asked, is_there
from farm import GROUP, Farm, stop
from harness import PATIENCE, expect, expect_equal, run, until


def config(farm, host="d3", more=""):
    return f'RingcastDaemon {farm.cluster.socket(host)}\nCustomLog "${GROUP}" common\nCustomLog access.log common\n{more}'


def names(word, count):
    return [f"{word}{number}" for number in range(count)]


def expect_complete(farm, apache, file, wanted):
    """Each request is in the writer's file once, and the plain log beside it has the same lines."""
    until(f"{len(wanted)} lines in {file}", lambda: len(asked(farm.data(file))) >= len(wanted))
    expect_equal(sorted(asked(farm.data(file))), sorted(wanted), f"requests in {file}")
    expect_equal(sorted(farm.data(file)), sorted(apache.read("access.log")), "lines beside those of the plain log")
    expect_equal(farm.markers(file, "dropped"), [], "drop markers")


def test_every_request_is_once_in_the_file_though_daemon_and_publisher_are_killed():
    for mpm in MPM:
        with Farm(3) as farm:
            one = farm.writer("d1", "one.log")
            spool = f"RingcastSpool {farm.path('spool')}"
            with Apache(mpm, config(farm, more=spool)) as apache:
                apache.get(names("a", 300))
                farm.cluster.kill("d3")
                apache.get(names("b", 300))
                farm.cluster.start("d3")
                apache.get(names("c", 300))
                expect_complete(farm, apache, "one.log", names("a", 300) + names("b", 300) + names("c", 300))
                for pid in apache.publishers("fan-out"):
                    os.kill(pid, signal.SIGKILL)
                apache.get(names("d", 300))
                apache.stop()
            done = names("a", 300) + names("b", 300) + names("c", 300) + names("d", 300)
            until("all lines", lambda: len(asked(farm.data("one.log"))) >= len(done))
            expect_equal(sorted(asked(farm.data("one.log"))), sorted(done), "requests after the stop")
            stop(one)


if __name__ == "__main__":
    if not is_there():
        print("skipped: no Apache, or the module was not built")
        sys.exit(77)
    run(globals())
