# SPDX-License-Identifier: Apache-2.0
"""Writers that keep only the newest part of their files: bounded disks, equal files, gaps that are told."""

import json
import os
import re
import signal
import subprocess

from farm import GROUP, Farm, lines, stop
from harness import expect, expect_equal, program, run, until
from sinks_test import FILE, Service

MIB = 1 << 20
WORD = "x" * 990  # lines of a thousand bytes, about


def disk(farm, name):
    """What the file and all that lies beside it take of the disk."""
    return sum(os.stat(farm.path(f)).st_blocks * 512 for f in os.listdir(farm.folder)
               if f == name or f.startswith(name + "."))


def front(farm, name):
    """Where the file begins, by its sidecar: its offset, and the lines in front of it."""
    with open(farm.path(name + ".position"), encoding="utf-8") as file:
        snapshot = json.loads(file.readline().split(" ", 1)[1])
    begins = snapshot.get("front", {"length": 0, "lines": 0})
    return begins["length"], begins["lines"]


def wait_bounded(farm, name, limit):
    # A sixteenth more, two entries of the history, the sidecar's entries and what came in a fifth of a second.
    until(f"{name} is bounded", lambda: disk(farm, name) < limit + limit // 16 + MIB)


def tail(farm, name, begin):
    with open(farm.path(name), "rb") as file:
        file.seek(begin)
        return file.read()


def wait_equal(farm, one, two):
    def are_equal():
        size = os.path.getsize(farm.path(one))
        begin = max(front(farm, one)[0], front(farm, two)[0])
        return size == os.path.getsize(farm.path(two)) and tail(farm, one, begin) == tail(farm, two, begin)
    until(f"{one} and {two} are equal as far as both are kept", are_equal)


def verify(farm, *names):
    return subprocess.run([program("ringlog-write"), "verify", *map(farm.path, names)], capture_output=True,
                          text=True, check=False)


def test_disks_stay_bounded_and_files_with_different_limits_are_the_same():
    with Farm(3) as farm:
        one = farm.writer("d1", "one.log", "--keep-bytes", "1M")
        two = farm.writer("d2", "two.log", "--keep-bytes", "4M")
        for piece in range(4):
            farm.publish("d3", lines(WORD, 3000, 1 + 3000 * piece))
            wait_bounded(farm, "one.log", MIB)
            wait_bounded(farm, "two.log", 4 * MIB)
        wait_equal(farm, "one.log", "two.log")
        until("the first file's front is released", lambda: front(farm, "one.log")[0] > 9 * MIB)
        wait_bounded(farm, "one.log", MIB)
        begins, in_front = front(farm, "one.log")
        expect(front(farm, "two.log")[0] < begins, "the second keeps more")
        result = verify(farm, "one.log", "two.log")
        expect_equal(result.returncode, 0, f"verify: {result.stdout}{result.stderr}")
        expect("are the same, told by what both keep, from byte" in result.stdout, result.stdout)
        result = farm.cluster.run("d3", "replay", "--socket", farm.cluster.socket("d3"), "--group", GROUP,
                                  tool="ringlog-write")
        result.must(0)
        told = re.search(r"lines 1 to (\d+) are kept by no writer any more", result.err)
        expect(told, f"stderr of replay: {result.err}")
        printed = result.out.decode().splitlines()
        expect(printed[0].startswith("#ringlog-gap "), f"the first line: {printed[0]}")
        marker = json.loads(printed[0].split(" ", 1)[1])
        expect_equal(marker["numbers"], [1, int(told[1])], "numbers of the gap")
        expect_equal(printed[1:], lines(WORD, 12000)[int(told[1]):], "what is kept")
        summary = stop(one)
        expect_equal((summary["lines_total"], summary["distinct"], summary["holes"]), (12000, 12000, 0), "all lines")
        expect_equal((summary["begins"], summary["lines_released"]), front(farm, "one.log"), "its front")
        expect_equal(summary["kept_bytes"], os.path.getsize(farm.path("one.log")) - summary["begins"], "kept")
        expect(in_front <= summary["lines_released"], "the front only grows")
        stop(two)


def test_a_writer_that_was_away_too_long_goes_on_behind_a_gap_and_is_equal_from_there():
    with Farm(3) as farm:
        one = farm.writer("d1", "one.log", "--keep-bytes", "2M")
        two = farm.writer("d2", "two.log", "--keep-bytes", "2M")
        farm.publish("d3", lines(WORD, 500))
        farm.wait_lines("two.log", 500)
        two.signal(signal.SIGKILL)
        two.end()
        farm.publish("d3", lines(WORD, 1000, 501))
        two = farm.writer("d2", "two.log", "--keep-bytes", "2M")  # within what the other keeps
        wait_equal(farm, "one.log", "two.log")
        expect_equal(stop(two)["unkept_lines"], 0, "lines nobody kept")
        farm.publish("d3", lines(WORD, 6000, 1501))
        wait_bounded(farm, "one.log", 2 * MIB)
        had = os.path.getsize(farm.path("two.log"))
        two = farm.writer("d2", "two.log", "--keep-bytes", "2M")  # outside
        farm.publish("d3", lines(WORD, 100, 7501))
        wait_equal(farm, "one.log", "two.log")
        until("it is told", lambda: f"no writer keeps what follows byte {had} (line 1500)" in two.errors())
        wait_bounded(farm, "two.log", 2 * MIB)
        told = re.search(r'"ranges":\[\[1,(\d+)\]\].*"numbers":\[1501,(\d+)\]', two.errors())
        expect(told and int(told[1]) + 1500 == int(told[2]), f"the exact range: {two.errors()}")
        result = verify(farm, "one.log", "two.log")
        expect_equal(result.returncode, 0, f"verify: {result.stdout}{result.stderr}")
        one.signal(signal.SIGKILL)  # and now the one that came back is all there is
        one.end()
        farm.publish("d3", lines(WORD, 100, 7601))
        one = farm.writer("d1", "one.log", "--keep-bytes", "2M")
        wait_equal(farm, "one.log", "two.log")
        summary = stop(two)
        expect_equal((summary["unkept"], summary["unkept_lines"]), (1, int(told[1])), "lines nobody kept")
        expect_equal((summary["distinct"], summary["gaps"], summary["cut_lines"]), (7700, 0, 0), "all names are known")
        expect_equal(stop(one)["distinct"], 7700, "all names are known to the other")


def test_sinks_of_a_writer_that_was_away_too_long_hear_what_they_miss():
    with Farm(3) as farm:
        one = farm.writer("d1", "one.log", "--keep-bytes", "1M")
        status = farm.path("status")
        service = Service(farm, 'keep_bytes = "1MiB"\n' + FILE +
                          f'[writer]\nstatus_file = "{status}"\nstatus_interval = "100ms"\n', host="d2")
        farm.publish("d3", lines(WORD, 500))
        farm.wait_lines("out/access.log", 500)
        service.kill()
        farm.publish("d3", lines(WORD, 4000, 501))
        until("the other has released what was missed", lambda: front(farm, "one.log")[1] > 501)
        service.start()
        farm.publish("d3", lines(WORD, 1000, 4501))
        until("the sink has the last line", lambda: farm.read("out/access.log")[-1] == f"{WORD} 5500")
        written = farm.read("out/access.log")
        expect_equal(written[:500], lines(WORD, 500), "what it had")
        gap = json.loads(written[500].removeprefix("#ringlog-gap "))
        first, last = gap["numbers"]
        expect_equal((first, gap["lines"], [m["ranges"] for m in gap["missing"]]),
                     (501, last - 500, [[[1, last - 500]]]), "the gap, exactly")
        expect_equal(written[501:], lines(WORD, 5500 - last, last + 1), "what follows, without another gap")

        def figures():
            with open(status, encoding="utf-8") as file:
                return json.load(file)["groups"][0]
        until("the journal is bounded", lambda: figures()["kept_bytes"] < MIB + MIB // 4)
        shown = figures()
        expect_equal((shown["unkept"], shown["unkept_lines"]), (1, last - 500), "what nobody kept")
        expect(shown["begins"] > 3 * MIB and shown["lines_released"] > 3000, f"its front: {shown}")
        wait_equal(farm, "one.log", "journal")
        wait_bounded(farm, "journal", MIB)
        service.stop()
        stop(one)


if __name__ == "__main__":
    run(globals())
