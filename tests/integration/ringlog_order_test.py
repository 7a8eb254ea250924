# SPDX-License-Identifier: Apache-2.0
"""Writers of one group whose files become the same again, and who serve and compare them."""

import json
import os
import signal
import subprocess
import time

from farm import GROUP, Farm, lines, stop
from harness import PATIENCE, expect, expect_equal, program, run, until


def wait_equal(farm, one, other, count):
    farm.wait_lines(one, count)
    until(f"{other} is the same as {one}", lambda: farm.bytes(other) == farm.bytes(one))


def verify(*words, code=0):
    done = subprocess.run([program("ringlog-write"), "verify", *words], capture_output=True, text=True,
                          timeout=PATIENCE, check=False)
    expect_equal(done.returncode, code, f"exit code of verify: {done.stdout} {done.stderr}")
    return done.stdout


def replay(farm, host, *words, code=0):
    result = farm.cluster.run(host, "replay", "--socket", farm.cluster.socket(host), "--group", GROUP, *words,
                              tool="ringlog-write")
    return result.must(code).out.decode().splitlines()


def test_a_writer_far_behind_catches_up_while_lines_go_on():
    with Farm(3) as farm:
        one, two = farm.writer("d1", "one.log"), farm.writer("d2", "two.log")
        farm.publish("d3", lines("a", 10))
        farm.wait_lines("two.log", 10)
        two.signal(signal.SIGKILL)
        two.end()
        text = lines("x" * 220, 100000)
        farm.publish("d3", text)
        stream = farm.publisher("d3")
        two = farm.writer("d2", "two.log")
        live = lines("y" * 220, 20000)
        for at in range(0, len(live), 100):
            stream.process.stdin.write("".join(f"{line}\n" for line in live[at:at + 100]).encode())
            stream.process.stdin.flush()
        stream.process.stdin.close()
        expect_equal(stream.end(), 0, f"exit code of the publisher; stderr: {stream.errors()}")
        wait_equal(farm, "one.log", "two.log", 120010)
        expect_equal(farm.read("one.log"), lines("a", 10) + text + live, "the file")
        summary = stop(two)
        expect_equal((summary["fetched_lines"] >= 100000, summary["pending_lines"]), (True, 0), "fetched, set aside")
        stop(one)


def test_who_is_asked_dies_in_the_middle_and_another_one_goes_on():
    with Farm(3) as farm:
        one, two, three = (farm.writer(f"d{n}", f"{name}.log") for n, name in ((1, "one"), (2, "two"), (3, "three")))
        farm.publish("d3", lines("a", 10))
        farm.wait_lines("three.log", 10)
        stop(three)
        text = lines("x" * 500, 100000)
        farm.publish("d3", text)
        farm.wait_lines("two.log", 100010)
        before = os.path.getsize(farm.path("three.log"))
        three = farm.cluster.stream(
            "d3", "--socket", farm.cluster.socket("d3"), "--group", GROUP, "--file", farm.path("three.log"), "--as",
            "three", "--json", tool="ringlog-write")
        while os.path.getsize(farm.path("three.log")) == before:  # without a pause: it is to die while it serves
            expect(three.process.poll() is None, "the third writer runs")
        one.signal(signal.SIGKILL)
        one.end()
        wait_equal(farm, "two.log", "three.log", 100010)
        farm.cluster.kill("d1")
        farm.cluster.wait_members("d2", 2)
        farm.publish("d3", lines("b", 10))
        wait_equal(farm, "two.log", "three.log", 100020)
        farm.cluster.start("d1")
        farm.cluster.wait_members("d1", 3)
        one = farm.writer("d1", "one.log")
        wait_equal(farm, "two.log", "one.log", 100020)
        for writer in (one, two, three):
            stop(writer)


def test_a_torn_tail_is_cut_off_and_fetched():
    with Farm(3) as farm:
        one, two = farm.writer("d1", "one.log"), farm.writer("d2", "two.log")
        farm.publish("d3", lines("a", 1000))
        farm.wait_lines("two.log", 1000)
        two.signal(signal.SIGKILL)
        two.end()
        with open(farm.path("two.log"), "ab") as file:
            file.write(b"a 1001\nhalf a li")
        farm.publish("d3", lines("b", 1000))
        two = farm.writer("d2", "two.log")
        wait_equal(farm, "one.log", "two.log", 2000)
        until("it tells of the torn tail", lambda: "whose writing was not completed" in two.errors())
        stop(one)
        stop(two)


def test_a_monitor_counts_lines_that_were_delivered_on_the_other_side_of_a_cut():
    with Farm(3) as farm:
        one, two = farm.writer("d1", "one.log"), farm.writer("d3", "two.log")
        monitor = farm.cluster.stream("d1", "--socket", farm.cluster.socket("d1"), "--group", GROUP, "--as", "monitor",
                                      "--json", "--interval", "1h", tool="ringlog-monitor")
        until("the monitor has joined", lambda: "#monitor#d1" in farm.members("d1", GROUP))
        farm.publish("d2", lines("a", 10))
        farm.cluster.partition(["d1", "d2"], ["d3"])
        farm.cluster.wait_members("d3", 1)
        farm.publish("d3", lines("b", 100))  # it ends: a writer has set them aside
        farm.cluster.heal()
        wait_equal(farm, "one.log", "two.log", 110)
        figures = stop(monitor)
        expect_equal((figures["lines"], figures["ring"]["missed"]), (110, 0), "lines counted, and missed")
        stop(one)
        stop(two)


def test_a_writer_cut_off_in_mid_stream_has_a_beginning_of_the_file_and_then_all_of_it():
    """What it got as stable in the last instant the others have at the same place, not elsewhere."""
    with Farm(3) as farm:
        one, two = farm.writer("d1", "one.log"), farm.writer("d2", "two.log")
        stream = farm.publisher("d3")
        rounds, piece = 4, 10000
        text = lines("x" * 100, rounds * piece)
        for number in range(rounds):
            before = os.path.getsize(farm.path("one.log"))
            part = text[number * piece:(number + 1) * piece]
            stream.process.stdin.write("".join(f"{line}\n" for line in part).encode())
            stream.process.stdin.flush()
            deadline = time.monotonic() + PATIENCE
            while os.path.getsize(farm.path("one.log")) == before:  # without a pause: it is to be cut off while it writes
                expect(time.monotonic() < deadline, "the writer writes")
            farm.cluster.partition(["d1"], ["d2", "d3"])
            farm.cluster.wait_members("d1", 1)
            farm.wait_lines("two.log", (number + 1) * piece)
            expect(farm.bytes("two.log").startswith(farm.bytes("one.log")), "one file is the beginning of the other")
            farm.cluster.heal()
            farm.cluster.wait_members("d1", 3)
            wait_equal(farm, "two.log", "one.log", (number + 1) * piece)
        stream.process.stdin.close()
        expect_equal(stream.end(), 0, f"exit code of the publisher; stderr: {stream.errors()}")
        expect_equal(farm.data("two.log"), text, "the file")
        for writer in (one, two):
            expect_equal(stop(writer)["cut_lines"], 0, "lines that were taken out")


def test_what_no_writer_was_there_for_is_marked_by_its_exact_range():
    with Farm(3) as farm:
        log = farm.path("access")

        def publish(part):
            with open(log, "a", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line in part))
            farm.publish("d3", [], "--tail", log, "--state", farm.path("state"), "--once")
        text = lines("a", 18)
        one = farm.writer("d1", "one.log")
        publish(text[:10])
        farm.wait_lines("one.log", 10)
        one.signal(signal.SIGKILL)
        one.end()
        publish(text[10:15])
        one = farm.writer("d1", "one.log")
        two = farm.writer("d2", "two.log")
        publish(text[15:])
        farm.wait_lines("one.log", 13)
        until("the gap is marked", lambda: farm.markers("one.log", "gap"))
        marker = farm.markers("one.log", "gap")[0]
        expect_equal((marker["lines"], [gap["ranges"] for gap in marker["missing"]]), (5, [[[11, 15]]]), "the marker")
        expect("lines 11 to 15 of" in one.errors(), "it is told")
        until("the files are the same", lambda: farm.bytes("two.log") == farm.bytes("one.log"))
        summary = stop(one)
        expect_equal((summary["gaps"], summary["gap_lines"], summary["open_gap_lines"]), (1, 5, 5), "the metric")
        stop(two)


def test_the_half_with_the_lowest_name_goes_on_and_the_other_half_is_merged():
    with Farm(4) as farm:
        one, three = farm.writer("d1", "one.log"), farm.writer("d3", "three.log")
        farm.publish("d4", lines("a", 10))
        farm.wait_lines("three.log", 10)
        farm.cluster.partition(["d1", "d2"], ["d3", "d4"])
        farm.cluster.wait_members("d1", 2)
        farm.cluster.wait_members("d3", 2)
        farm.publish("d4", lines("high", 20))
        farm.publish("d2", lines("low", 30))
        farm.wait_lines("one.log", 40)
        farm.cluster.heal()
        wait_equal(farm, "one.log", "three.log", 60)
        expect_equal(farm.data("one.log"), lines("a", 10) + lines("low", 30) + lines("high", 20), "the order")
        expect_equal([m["lines"] for m in farm.markers("one.log", "merged")], [20], "the marker")
        until("no pending file is left", lambda: not farm.pending("one.log") + farm.pending("three.log"))
        stop(one)
        stop(three)


def test_a_writer_killed_before_the_merge_merges_when_it_comes_back():
    with Farm(3) as farm:
        one, three = farm.writer("d1", "one.log"), farm.writer("d3", "three.log")
        farm.publish("d2", lines("a", 10))
        farm.wait_lines("three.log", 10)
        farm.cluster.partition(["d1", "d2"], ["d3"])
        farm.cluster.wait_members("d3", 1)
        farm.publish("d3", lines("minority" * 20, 5000))
        until("they lie beside the file", lambda: sum(len(farm.data(p)) for p in farm.pending("three.log")) == 5000)
        three.signal(signal.SIGKILL)
        three.end()
        farm.cluster.heal()
        farm.cluster.wait_members("d1", 3)
        farm.publish("d2", lines("majority", 30))
        farm.wait_lines("one.log", 40)
        three = farm.writer("d3", "three.log")
        wait_equal(farm, "one.log", "three.log", 5040)
        until("no pending file is left", lambda: not farm.pending("three.log"))
        expect_equal(stop(one)["merged_lines"], 5000, "merged lines")
        expect_equal(stop(three)["holes"], 0, "holes")


def test_a_file_that_goes_on_otherwise_is_cut_and_loses_nothing():
    """Two writers that never met: each wrote alone."""
    with Farm(3) as farm:
        one = farm.writer("d1", "one.log")
        farm.publish("d3", lines("a", 1000))
        farm.wait_lines("one.log", 1000)
        stop(one)
        two = farm.writer("d2", "two.log")
        farm.publish("d3", lines("b", 500))
        farm.wait_lines("two.log", 500)
        one = farm.writer("d1", "one.log")
        wait_equal(farm, "two.log", "one.log", 1500)
        expect_equal(farm.data("two.log"), lines("b", 500) + lines("a", 1000), "who was there first stands first")
        until("no pending file is left", lambda: not farm.pending("one.log"))
        expect_equal(stop(one)["cut_lines"], 1000, "lines that were taken out")
        stop(two)


def test_verify_tells_equal_beginning_different_and_damaged():
    with Farm(3) as farm:
        one, two = farm.writer("d1", "one.log"), farm.writer("d2", "two.log")
        farm.publish("d3", lines("x" * 1000, 3000))
        farm.wait_lines("two.log", 3000)
        stop(two)
        one_log, two_log = farm.path("one.log"), farm.path("two.log")
        expect("are the same" in verify(one_log, two_log), "equal")
        farm.publish("d3", lines("b", 10))
        farm.wait_lines("one.log", 3010)
        stop(one)
        expect("is the beginning of" in verify(one_log, two_log), "beginning")
        report = farm.path("one.json")
        with open(report, "w", encoding="utf-8") as file:
            file.write(verify("--report", one_log))
        expect("is the beginning of" in verify(report, two_log), "beginning, by report")
        event = json.loads(verify("--json", two_log, one_log).splitlines()[0])
        expect_equal((event["event"], event["file"]), ("beginning", two_log), "as JSON")
        with open(two_log, "r+b") as file:
            file.seek(2_000_000)
            file.write(b"!")
        told = verify(one_log, two_log, code=1)
        expect("are not what its writer" in told, "it does not fit its sidecar")
        line = farm.bytes("one.log")[:2_000_000].count(b"\n") + 1
        expect(f"differ from line {line} " in told, f"the first line that differs: {told}")
        expect("differ between bytes" in verify(report, two_log, code=1), "the range, by report")
        verify(farm.path("none.log"), code=1)
        verify(code=2)


def test_replay_prints_from_a_line_a_time_and_a_position():
    with Farm(3) as farm:
        one, two = farm.writer("d1", "one.log"), farm.writer("d2", "two.log")
        farm.publish("d3", lines("a", 100))
        farm.wait_lines("one.log", 100)
        farm.wait_lines("two.log", 100)
        expect_equal(replay(farm, "d3"), lines("a", 100), "all of it")
        expect_equal(replay(farm, "d3", "--from-line", "20", "--to-line", "30"), lines("a", 11, 20), "some lines")
        expect_equal(replay(farm, "d3", "--from-time", "@0"), lines("a", 100), "since 1970")
        expect_equal(replay(farm, "d3", "--from-time", "2100-01-01T00:00:00Z"), [], "from later on")
        expect_equal(replay(farm, "d3", "--to-time", "@1000"), [], "to 1970")
        expect_equal(replay(farm, "d3", "--from-position", "1.d1.00000000/0/0"), lines("a", 100), "from a position")
        replay(farm, "d3", "--from-time", "yesterday", code=2)
        replay(farm, "d3", "--from-line", "1", "--from-time", "@0", code=2)
        stop(one)
        stop(two)
        replay(farm, "d3", "--timeout", "300ms", code=4)


def test_replay_follows_through_the_death_of_a_writer_without_gap_or_double():
    with Farm(3) as farm:
        one, two = farm.writer("d1", "one.log"), farm.writer("d2", "two.log")
        farm.publish("d3", lines("a", 100))
        farm.wait_lines("two.log", 100)
        printed = farm.path("printed")
        follower = farm.cluster.stream(
            "d3", "replay", "--socket", farm.cluster.socket("d3"), "--group", GROUP, "--follow", tool="ringlog-write",
            stdout_path=printed)
        until("the old lines are there", lambda: len(farm.read("printed")) == 100)
        farm.publish("d3", lines("b", 100))
        until("new lines come", lambda: len(farm.read("printed")) == 200)
        for writer in (one, two):
            writer.signal(signal.SIGKILL)
            writer.end()
            farm.writer(*{one: ("d1", "one.log"), two: ("d2", "two.log")}[writer])
            farm.publish("d3", lines("c", 100))
        until("all lines come", lambda: len(farm.read("printed")) == 400)
        follower.signal(signal.SIGTERM)
        expect_equal(follower.end(), 0, "exit code of the follower")
        expect_equal(farm.bytes("printed"), farm.bytes("one.log"), "what was printed")


if __name__ == "__main__":
    run(globals())
