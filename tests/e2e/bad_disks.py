# SPDX-License-Identifier: Apache-2.0
"""Disks that are full for a while: a writer's, a sink's, a spool's."""

import os

from trouble import Feeder, SmallDisk, away_publisher, daemon_comes_back, end, expect_same, give, has_said, says

from farm import Farm, lines, stop
from harness import expect, expect_equal, until
from sinks_test import FILE, SQLITE, Service, rows


def test_a_full_disk_of_a_journal_costs_patience_and_no_line():
    with Farm(3) as farm, SmallDisk(farm.path("small"), 2) as disk:
        one, two = farm.writer("d1", "small/one.log"), farm.writer("d2", "two.log")
        farm.publish("d3", lines("before", 100))
        farm.wait_lines("small/one.log", 100)
        disk.fill()
        farm.publish("d3", lines("x" * 200, 3000))
        farm.wait_lines("two.log", 3100)
        says(one, f"{farm.path('small/one.log')}: cannot write: No space left on device; make room there; nothing is lost, "
             "trying again")
        expect(len(farm.data("small/one.log")) < 3100, "the disk has no room for all")
        disk.free()
        farm.publish("d3", lines("after", 100))
        for name in ("small/one.log", "two.log"):
            farm.wait_lines(name, 3200)
        says(one, "writing again")
        expect_equal(farm.data("two.log"), lines("before", 100) + lines("x" * 200, 3000) + lines("after", 100), "the lines")
        for writer in (one, two):
            summary = stop(writer)
            expect_equal((summary["lines_total"], summary["gaps"], summary["holes"], summary["duplicates"]),
                         (3200, 0, 0, 0), "lines, gaps, holes and duplicates of the summary")
        expect_same(farm, "small/one.log", "two.log")


def test_a_journals_disk_that_is_full_for_long_costs_a_session_and_no_line():
    """More comes than the writer holds and the daemon keeps for it: it is closed, and fetches the rest."""
    count, long = 14000, "x" * 10000
    with Farm(3) as farm, SmallDisk(farm.path("small"), 200) as disk:
        one, two = farm.writer("d1", "small/one.log"), farm.writer("d2", "two.log")
        publisher, text = farm.publisher("d3", "--max-block", "1h"), lines(long, count)
        give(publisher, text[:100])
        for name in ("small/one.log", "two.log"):
            farm.wait_lines(name, 100)
        disk.fill()
        feeder = Feeder(publisher, text[100:])
        says(one, "cannot write: No space left on device; make room there; nothing is lost, trying again")
        says(publisher, "writer #one#d1 stays behind; no longer waiting for it")
        feeder.end()
        publisher.process.stdin.close()
        expect_equal(publisher.end(), 0, f"exit code; it said: {publisher.errors()}")
        size = sum(len(long) + len(str(number)) + 2 for number in range(1, count + 1))
        until("the other writer has all", lambda: os.path.getsize(farm.path("two.log")) == size)
        disk.free()
        says(one, "session over: ", "client does not read")
        until("the writer has all", lambda: os.path.getsize(farm.path("small/one.log")) == size)
        expect_equal([line.rpartition(" ")[2] for line in farm.read("two.log")], [str(n) for n in range(1, count + 1)],
                     "the lines")
        for writer in (one, two):
            summary = stop(writer)
            expect_equal((summary["lines_total"], summary["gaps"], summary["holes"]), (count, 0, 0), "lines, gaps and holes")
        expect_same(farm, "small/one.log", "two.log")


def test_a_writer_killed_while_its_disk_is_full_has_every_line_once_in_the_end():
    with Farm(3) as farm, SmallDisk(farm.path("small"), 2) as disk:
        one, two = farm.writer("d1", "small/one.log"), farm.writer("d2", "two.log")
        farm.publish("d3", lines("before", 100))
        farm.wait_lines("small/one.log", 100)
        disk.fill()
        farm.publish("d3", lines("x" * 200, 3000))
        says(one, "cannot write: No space left on device")
        one.signal(9)
        one.end()
        refused = farm.cluster.run(
            "d1", "--socket", farm.cluster.socket("d1"), "--group", "weblogs", "--file", farm.path("small/one.log"),
            tool="ringlog-write").must(1)
        expect(f"ringlog-write: {farm.path('small/one.log')}." in refused.err
               and ": cannot write: No space left on device; make room there" in refused.err, f"what it says: {refused.err}")
        disk.free()
        one = farm.writer("d1", "small/one.log")
        farm.publish("d3", lines("after", 100))
        for name in ("small/one.log", "two.log"):
            farm.wait_lines(name, 3200)
        for writer in (one, two):
            expect_equal(stop(writer)["lines_total"], 3200, "lines of the summary")
        expect_same(farm, "small/one.log", "two.log")


def test_a_full_disk_of_sinks_holds_nobody_up_and_their_files_are_equal_in_the_end():
    with Farm(3) as farm, SmallDisk(farm.path("small"), 2) as disk:
        small = FILE.replace("/out/", "/../small/") + SQLITE.replace("/lines.db", "/../small/lines.db")
        one = Service(farm, small, "d1", "one")
        two = Service(farm, FILE + SQLITE, "d2", "two")
        farm.publish("d3", lines("before", 100))
        farm.wait_lines("small/access.log", 100)
        until("the table has the first lines",
              lambda: rows(farm, "SELECT count(*) FROM ringlog", "small/lines.db") == [(100,)])
        disk.fill()
        farm.publish("d3", lines("x" * 200, 3000))
        for name in ("one/journal", "two/journal", "two/out/access.log"):
            farm.wait_lines(name, 3100)
        place = f"{one.folder}/../small"
        says(one.stream, f"weblogs/file: {place}/access.log: cannot write: No space left on device; make room there; "
             "nothing is lost, trying again")
        says(one.stream, f"weblogs/db: {place}/lines.db: ", "disk is full; make room there; nothing is lost, trying again")
        disk.free()
        farm.publish("d3", lines("after", 100))
        text = lines("before", 100) + lines("x" * 200, 3000) + lines("after", 100)
        for name in ("small/access.log", "two/out/access.log"):
            farm.wait_lines(name, 3200)
        says(one.stream, "weblogs/file: writing again")
        for service in (one, two):
            figures = service.stop()
            expect_equal([figures[sink]["lag_bytes"] for sink in ("file", "db")], [0, 0], "lag in the end")
        expect_equal(farm.read("two/out/access.log"), text, "the lines")
        expect_equal(farm.bytes("small/access.log"), farm.bytes("two/out/access.log"), "both files")
        for name in ("small/lines.db", "two/lines.db"):
            expect_equal([row[0] for row in rows(farm, "SELECT line FROM ringlog ORDER BY position", name)], text, name)
        expect_same(farm, "one/journal", "two/journal")


class AwayDaemon:
    """A publisher whose daemon is away and whose spool is on a full disk; `choice` is what it does then."""

    def __init__(self, farm, *choice):
        self.farm = farm
        self.writer = farm.writer("d1", "one.log")
        self.publisher = away_publisher(
            farm, "--memory", "1M", "--spool", farm.path("small/spool"), "--spool-max", "64M", *choice)
        self.text = lines("x" * 200, 30000)
        self.feeder = Feeder(self.publisher, self.text)
        says(self.publisher, f"{farm.path('small/spool')}/",
             ".spool: cannot write: No space left on device; make room there; lines stay in memory, trying again")

    def expect_exact(self, code):
        """All that is missing was counted, told and marked, and nothing else."""
        self.feeder.end()
        self.publisher.process.stdin.close()
        farm = self.farm
        expect_equal(self.publisher.end(), code, f"exit code; it said: {self.publisher.errors()}")
        summary = self.publisher.events[-1]
        expect_equal(summary["lines"] + summary["dropped"], len(self.text), "lines taken, and dropped on the way")
        until("the last of them", lambda: len(farm.data("one.log"))
              + sum(m["lines"] for m in farm.markers("one.log", "dropped")) >= len(self.text))
        kept, marked = farm.data("one.log"), farm.markers("one.log", "dropped")
        expect_equal(sum(m["lines"] for m in marked), summary["dropped"], "lines that markers name")
        expect_equal(len(kept) + summary["dropped"], len(self.text), "lines in the file and dropped")
        written = set(kept)
        expect_equal(len(written), len(kept), "lines in the file, each once")
        missing = [line for line in self.text if line not in written]
        expect_equal(kept, [line for line in self.text if line in written], "the file: in order")
        expect_equal(sum(m["bytes"] for m in marked), sum(map(len, missing)), "bytes that markers name")
        end_summary = stop(self.writer)
        expect_equal((end_summary["holes"], end_summary["gaps"], farm.markers("one.log", "gap")), (0, 0, []),
                     "numbers missing")
        left = [name for name in os.listdir(farm.path("small/spool")) if name.endswith(".spool")]
        expect_equal(left, [], "what is left in the spool")
        return missing


def test_a_full_disk_of_a_spool_blocks_and_loses_nothing():
    with Farm(1) as farm, SmallDisk(farm.path("small"), 2):
        away = AwayDaemon(farm, "--when-full", "block-then-drop-newest", "--max-block", "1h")
        expect(away.feeder.is_alive(), "the pipe is full, and who writes there waits")
        daemon_comes_back(farm)
        expect_equal(away.expect_exact(0), [], "lines lost")


def test_room_on_a_spools_disk_is_used_again_before_the_daemon_is_back():
    with Farm(1) as farm, SmallDisk(farm.path("small"), 16) as disk:
        disk.fill()
        away = AwayDaemon(farm, "--when-full", "block-then-drop-newest", "--max-block", "1h")
        expect(away.feeder.is_alive(), "the pipe is full, and who writes there waits")
        disk.free()
        away.feeder.end()
        daemon_comes_back(farm)
        expect_equal(away.expect_exact(0), [], "lines lost")


def check_newest_dropped(policy):
    with Farm(1) as farm, SmallDisk(farm.path("small"), 2):
        away = AwayDaemon(farm, "--when-full", policy)
        says(away.publisher, "memory and spool are full: dropping lines: ")
        away.feeder.end()
        daemon_comes_back(farm)
        missing = away.expect_exact(1)
        expect(0 < len(missing) < 25000 and away.text[0] not in missing, f"lines lost: {len(missing)}")


def test_a_full_disk_of_a_spool_drops_the_newest_after_a_while_exactly():
    check_newest_dropped("block-then-drop-newest")


def test_a_full_disk_of_a_spool_drops_the_newest_at_once_exactly():
    check_newest_dropped("drop-newest")


def test_a_full_disk_of_a_spool_drops_the_oldest_exactly():
    with Farm(1) as farm, SmallDisk(farm.path("small"), 2):
        away = AwayDaemon(farm, "--when-full", "drop-oldest")
        until("lines are dropped", lambda: has_said(away.publisher, "dropping"))
        away.feeder.end()
        daemon_comes_back(farm)
        missing = away.expect_exact(1)
        expect(0 < len(missing) < 25000, f"lines lost: {len(missing)}")


def test_what_finds_no_room_in_the_spool_at_the_end_is_counted():
    with Farm(1) as farm, SmallDisk(farm.path("small"), 2):
        away = AwayDaemon(farm, "--max-block", "1h", "--flush-timeout", "100ms")
        summary = end(away.publisher, 1)
        expect_equal(summary["dropped"], 0, "lines dropped before the end")
        says(away.publisher, "lines were not confirmed as kept and are given up")
        says(away.publisher, "bytes of the input were not read and are not sent")
        said = away.publisher.errors()
        lost = int(said.split(" lines were not confirmed as kept and are given up")[0].split()[-1])
        expect(0 < lost < summary["lines"], f"lines that it gives up: {lost}")
        daemon_comes_back(farm)
        farm.publish("d1", ["next"], "--spool", farm.path("small/spool"))
        until("the spool is sent", lambda: "next" in farm.data("one.log"))
        kept = set(farm.data("one.log")) - {"next"}
        expect_equal(len(farm.data("one.log")), len(kept) + 1, "lines in the file, each once")
        expect_equal(len(kept) + lost, summary["lines"], "lines in the file, and given up")
        expect(kept < set(away.text[:summary["lines"]]), "whole lines, and no others")
        expect_equal(stop(away.writer)["holes"], lost, "numbers that the writer knows to be missing")
