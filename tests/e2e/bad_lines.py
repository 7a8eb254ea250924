# SPDX-License-Identifier: Apache-2.0
"""Lines that are too long, and lines of any bytes."""

import contextlib
import os
import socket
import sqlite3

from trouble import end

from farm import GROUP, Farm, stop
from harness import expect_equal, inside, until
from publish_test import syslog_publisher
from sinks_test import FILE, SQLITE, Service

HUGE, MAX_LINE = 9 << 20, (8 << 20) - 4096
HEAD = b"<13>Oct 11 22:14:15 web1 app: "


def told(length=HUGE):
    return f"a line of {length} bytes is longer than --max-line {MAX_LINE} and was not sent; its length is on record"


def text_with_two():
    huge = b"y" * HUGE
    return b"\n".join([b"before", huge, b"between", huge, b"after", b""])


def expect_neighbours(farm, name, length=HUGE):
    """All around them is there, whole; and each huge one is on record at its place."""
    until("all is in the file", lambda: farm.data(name)[-1:] == ["after"])
    kinds = [line.split(" ")[0] if line.startswith("#") else line for line in farm.read(name)]
    expect_equal(kinds, ["before", "#ringlog-too-long", "between", "#ringlog-too-long", "after"], "the file")
    expect_equal([m["bytes"] for m in farm.markers(name, "too-long")], [length, length], "their lengths")


def test_a_line_of_9_mib_by_a_pipe_is_told_and_its_neighbours_are_whole():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        publisher = farm.publisher("d1", "--max-line", str(MAX_LINE), "--memory", "64M")
        publisher.process.stdin.write(text_with_two())
        publisher.process.stdin.close()
        expect_equal(publisher.end(), 1, "exit code with lines too long")
        expect_equal(publisher.errors().count(told()), 2, "it is told of each")
        expect_equal((publisher.events[-1]["lines"], publisher.events[-1]["too_long"]), (3, 2), "the summary")
        expect_neighbours(farm, "one.log")
        expect_equal(stop(one)["holes"], 0, "numbers missing")


def test_a_line_of_9_mib_in_a_followed_file_is_told_and_its_neighbours_are_whole():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        log = farm.path("access.log")
        with open(log, "wb") as file:
            file.write(text_with_two())
        publisher = farm.cluster.stream(
            "d1", "--socket", farm.cluster.socket("d1"), "--group", GROUP, "--tail", log, "--state", farm.path("state"),
            "--max-line", str(MAX_LINE), "--json", tool="ringlog-publish")
        expect_neighbours(farm, "one.log")
        summary = end(publisher, 1)
        expect_equal((summary["lines"], summary["too_long"]), (3, 2), "the summary")
        expect_equal(publisher.errors().count(told()), 2, f"it is told of each: {publisher.errors()}")
        expect_equal(stop(one)["holes"], 0, "numbers missing")


def test_a_line_of_9_mib_by_syslog_is_told_and_its_neighbours_are_whole():
    for counted in (False, True):
        with Farm(1) as farm:
            one = farm.writer("d1", "one.log")
            publisher = syslog_publisher(
                farm, "d1", "--syslog", "tcp:127.0.0.1:5141", "--max-line", str(MAX_LINE), "--memory", "64M")
            with inside("d1"):
                sender = socket.socket(socket.AF_INET)
            with sender:
                until("it listens", lambda: sender.connect_ex(("127.0.0.1", 5141)) == 0)
                for line in text_with_two().splitlines():
                    message = HEAD + line
                    sender.sendall(b"%d %s" % (len(message), message) if counted else message + b"\n")
            expect_neighbours(farm, "one.log", len(HEAD) + HUGE)  # it is not kept, so its head is not told from its text
            summary = end(publisher, 1)
            expect_equal((summary["lines"], summary["too_long"], summary["syslog_invalid"]), (3, 2, 0), "the summary")
            expect_equal(publisher.errors().count(told(len(HEAD) + HUGE)), 2, "it is told of each")
            expect_equal(stop(one)["holes"], 0, "numbers missing")


def test_lines_of_any_bytes_arrive_byte_for_byte():
    with Farm(1) as farm:
        service = Service(farm, FILE + SQLITE)
        every = bytes(range(256)).replace(b"\n", b"")
        odd = [every, every[::-1], b"\0", b"\0\0\0", b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"cr\r", b"\r",
               b"", b"a\rb", b"\x7f\x1b[31m", b"#ringlog-gap {}", b"tab\t\\n \\x00", "é€😀".encode()]
        odd += [bytes([byte]) for byte in every] + [bytes([byte]) * 3 for byte in every]
        text = b"".join(line + b"\n" for line in odd)
        words = ["--socket", farm.cluster.socket("d1"), "--group", GROUP]
        farm.cluster.run("d1", *words, stdin=text, tool="ringlog-publish").must()
        with open(farm.path("access.log"), "wb") as file:
            file.write(text)
        farm.cluster.run("d1", *words, "--tail", farm.path("access.log"), "--state", farm.path("state"), "--once",
                         tool="ringlog-publish").must()
        for name in ("journal", "out/access.log"):
            until(f"all is in {name}", lambda path=farm.path(name): os.path.exists(path)
                  and os.path.getsize(path) >= 2 * len(text))
        expect_equal(service.stop()["db"]["lag_bytes"], 0, "lag of the database")
        for name in ("journal", "out/access.log"):
            expect_equal(farm.bytes(name).split(b"\n"), 2 * odd + [b""], name)
        with contextlib.closing(sqlite3.connect(farm.path("lines.db"))) as database:
            found = database.execute("SELECT line, raw, marker FROM ringlog ORDER BY position").fetchall()
        expect_equal([raw if raw is not None else line.encode() for line, raw, _ in found], 2 * odd, "the table")
        for line, raw, marker in found:
            is_text = raw is None
            expect_equal((is_text, marker), (is_plain(line.encode() if is_text else raw), 0),
                         f"{line!r}: raw or not, and no marker")


def is_plain(line):
    try:
        return "\0" not in line.decode()
    except UnicodeDecodeError:
        return False
