# SPDX-License-Identifier: Apache-2.0
"""Directories and files that may not be written or read: at the start, and all of a sudden."""

import os

from trouble import Feeder, away_publisher, daemon_comes_back, give, heed_modes, locked, says

from farm import GROUP, Farm, lines, stop
from harness import expect, expect_equal, until
from sinks_test import FILE, SQLITE, Service, rows

REMEDY = "; let this program's user do that (owner and mode of it and of its directories)"
DENIED = "Permission denied" + REMEDY


def refused(farm, tool, *words, stdin=b""):
    """What it says when it ends with 1 at its start."""
    return farm.cluster.run("d1", "--socket", farm.cluster.socket("d1"), "--group", GROUP, *words, tool=tool,
                            stdin=stdin).must(1).err


def test_a_journal_that_may_not_be_written_is_refused_at_the_start():
    heed_modes()
    with Farm(1) as farm:
        os.mkdir(farm.path("logs"))
        with locked(farm.path("logs")):
            said = refused(farm, "ringlog-write", "--file", farm.path("logs/one.log"))
            expect(f"ringlog-write: {farm.path('logs/one.log')}: cannot open for writing: {DENIED}" in said, said)
            expect_equal(os.listdir(farm.path("logs")), [], "files that were made")
        one = farm.writer("d1", "logs/one.log")
        farm.publish("d1", lines("a", 10))
        farm.wait_lines("logs/one.log", 10)
        stop(one)
        with locked(farm.path("logs/one.log"), 0o400):
            said = refused(farm, "ringlog-write", "--file", farm.path("logs/one.log"))
            expect(f"{farm.path('logs/one.log')}: cannot open for writing: {DENIED}" in said, said)
        one = farm.writer("d1", "logs/one.log")
        farm.publish("d1", lines("b", 10))
        farm.wait_lines("logs/one.log", 20)
        expect_equal(farm.read("logs/one.log"), lines("a", 10) + lines("b", 10), "the file")
        stop(one)


def test_a_journals_directory_that_is_locked_while_a_writer_runs_costs_nothing():
    """The minority's lines need a file of their own there; and at the end the sidecar a new one."""
    heed_modes()
    with Farm(3) as farm:
        os.mkdir(farm.path("logs"))
        one, three = farm.writer("d1", "one.log"), farm.writer("d3", "logs/three.log")
        farm.publish("d2", lines("a", 50))
        farm.wait_lines("logs/three.log", 50)
        with locked(farm.path("logs")):
            farm.cluster.partition(["d1", "d2"], ["d3"])
            farm.cluster.wait_members("d3", 1)
            publisher = farm.publisher("d3")
            give(publisher, lines("minority", 20), last=True)
            says(three, f"{farm.path('logs/three.log')}.pending-",
                 f"cannot open for writing: {DENIED}; nothing is lost, trying again")
            expect_equal(publisher.process.poll(), None, "the publisher keeps what is in no file")
        expect_equal(publisher.end(), 0, f"exit code of the publisher; it said: {publisher.errors()}")
        farm.cluster.heal()
        until("the lines are merged", lambda: len(farm.data("one.log")) == 70)
        farm.wait_lines("logs/three.log", 70)
        with locked(farm.path("logs")):
            farm.publish("d2", lines("b", 30))
            farm.wait_lines("logs/three.log", 100)  # it is open
            three.signal(15)
            expect_equal(three.end(), 1, "exit code of a writer that cannot write its sidecar anew")
            says(three, f"{farm.path('logs/three.log')}.position.new: cannot ", DENIED)
        three = farm.writer("d3", "logs/three.log")
        farm.publish("d2", lines("c", 30))
        for name in ("one.log", "logs/three.log"):
            farm.wait_lines(name, 130)
        expect_equal(farm.data("one.log"), lines("a", 50) + lines("minority", 20) + lines("b", 30) + lines("c", 30),
                     "the lines")
        expect_equal(farm.bytes("logs/three.log"), farm.bytes("one.log"), "the other file")
        for writer in (one, three):
            summary = stop(writer)
            expect_equal((summary["lines_total"], summary["holes"]), (130, 0), "lines, and numbers missing")


def test_a_sinks_directory_that_may_not_be_written_is_told_and_waited_for():
    heed_modes()
    with Farm(1) as farm:
        for name in ("files", "tables"):
            os.mkdir(farm.path(name))
        text = (FILE.replace("/out/access.log", "/files/{vhost}/access.log") + "split_vhost = true\n"
                + SQLITE.replace("/lines.db", "/tables/lines.db"))
        with locked(farm.path("files")), locked(farm.path("tables")):
            service = Service(farm, text)
            farm.publish("d1", [f"www {line}" for line in lines("a", 10)])
            says(service.stream, f"weblogs/file: {farm.path('files/www')}: cannot create the directory: {DENIED}; "
                 "nothing is lost, trying again")
            says(service.stream, f"weblogs/db: {farm.path('tables/lines.db')}: ",
                 f"unable to open database file{REMEDY}; nothing is lost, trying again")
        farm.wait_lines("files/www/access.log", 10)
        with locked(farm.path("files")):
            farm.publish("d1", [f"shop {line}" for line in lines("b", 10)])
            says(service.stream, f"weblogs/file: {farm.path('files/shop')}: cannot create the directory: {DENIED}")
        farm.wait_lines("files/shop/access.log", 10)
        os.mkdir(farm.path("files/new"))
        with locked(farm.path("files/new")):
            farm.publish("d1", [f"new {line}" for line in lines("c", 10)])
            says(service.stream, f"weblogs/file: {farm.path('files/new/access.log')}: cannot open for writing: {DENIED}")
            until("the other sink goes on",
                  lambda: rows(farm, "SELECT count(*) FROM ringlog", "tables/lines.db") == [(30,)])
        farm.wait_lines("files/new/access.log", 10)
        expect_equal(service.stop()["file"]["lag_bytes"], 0, "lag in the end")
        for name, word in (("www", "a"), ("shop", "b"), ("new", "c")):
            expect_equal(farm.read(f"files/{name}/access.log"), lines(word, 10), f"lines of {name}")


def test_a_spool_that_may_not_be_written_is_refused_at_the_start_and_waited_for_later():
    heed_modes()
    with Farm(1) as farm:
        spool = farm.path("spool")
        os.mkdir(spool)
        with locked(spool):
            said = refused(farm, "ringlog-publish", "--spool", spool, stdin=b"x\n")
            expect(f"ringlog-publish: {spool}/lock: cannot open: {DENIED}" in said, said)
            said = refused(farm, "ringlog-publish", "--spool", f"{spool}/below/it", stdin=b"x\n")
            expect(f"ringlog-publish: {spool}/below/it: cannot create the directory: {DENIED}" in said, said)
        one = farm.writer("d1", "one.log")
        publisher = away_publisher(farm, "--memory", "1M", "--spool", spool, "--max-block", "1h")
        text = lines("x" * 200, 20000)
        until("it has the spool", lambda: os.path.exists(f"{spool}/lock"))
        with locked(spool):
            feeder = Feeder(publisher, text)
            says(publisher, f"{spool}/", f".spool: cannot open for writing: {DENIED}; lines stay in memory, trying again")
            expect(feeder.is_alive(), "the pipe is full, and who writes there waits")
        feeder.end()
        publisher.process.stdin.close()
        daemon_comes_back(farm)
        expect_equal(publisher.end(), 0, f"exit code; it said: {publisher.errors()}")
        farm.wait_lines("one.log", 20000)
        expect_equal(farm.read("one.log"), text, "the file")
        expect_equal(stop(one)["holes"], 0, "numbers missing")


def test_a_followed_file_that_may_not_be_read_is_told_and_read_later():
    heed_modes()
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        log = farm.path("access.log")

        def append(*words):
            with open(log, "a", encoding="utf-8") as file:
                file.writelines(f"{word}\n" for word in words)
        append(*lines("a", 10))
        with locked(log, 0):
            publisher = farm.follow("d1", log)
            says(publisher, f"{log}: cannot open: {DENIED}; trying again")
        farm.wait_lines("one.log", 10)
        with locked(log, 0):
            append(*lines("b", 10))  # it is open
            farm.wait_lines("one.log", 20)
            until("it is told again", lambda: publisher.errors().count(f"{log}: cannot open: {DENIED}") == 2)
        os.rename(log, log + ".1")
        os.umask(0o777)
        append(*lines("c", 10))
        os.umask(0o022)
        with open(log + ".1", "a", encoding="utf-8") as file:
            file.write("late\n")
        farm.wait_lines("one.log", 21)
        os.chmod(log, 0o644)
        farm.wait_lines("one.log", 31)
        with locked(farm.path("state")):
            append(*lines("d", 10))
            says(publisher, f"{farm.path('state')}/tail-{GROUP}.json", DENIED, "trying again")
            farm.wait_lines("one.log", 41)
            publisher.signal(15)
            expect_equal(publisher.end(), 1, "exit code when it cannot be saved how far files are read")
        publisher = farm.follow("d1", log)
        append(*lines("e", 10))
        farm.wait_lines("one.log", 51)
        publisher.signal(15)
        expect_equal(publisher.end(), 0, f"exit code; it said: {publisher.errors()}")
        expect_equal(farm.read("one.log"), lines("a", 10) + lines("b", 10) + ["late"]
                     + [line for word in "cde" for line in lines(word, 10)], "the file: each once")
        with locked(farm.path("state")):
            said = refused(farm, "ringlog-publish", "--tail", log, "--state", f"{farm.path('state')}/new", "--once")
            expect(f"{farm.path('state')}/new" in said and DENIED in said, said)
        stop(one)
