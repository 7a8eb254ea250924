# SPDX-License-Identifier: Apache-2.0
"""Log lines through real daemons: writers that come and go, networks that split, disks that fill."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
import threading
import time

from farm import GROUP, Farm, lines, stop
from harness import PATIENCE, die_with_parent, expect, expect_equal, pause, program, run, until


def test_a_killed_writer_comes_back_and_fetches_what_it_missed():
    with Farm(3) as farm:
        one, two = farm.writer("d1", "one.log"), farm.writer("d2", "two.log")
        farm.publish("d3", lines("a", 500))
        farm.wait_lines("two.log", 500)
        two.signal(signal.SIGKILL)
        two.end()
        farm.publish("d3", lines("b", 300))
        two = farm.writer("d2", "two.log")
        farm.publish("d3", lines("c", 200))
        farm.wait_lines("one.log", 1000)
        farm.wait_lines("two.log", 1000)
        expect_equal(farm.read("one.log"), lines("a", 500) + lines("b", 300) + lines("c", 200), "the first file")
        expect_equal(farm.bytes("two.log"), farm.bytes("one.log"), "the second file")
        expect_equal(stop(one)["lines"], 1000, "lines of the first writer")
        summary = stop(two)
        expect(summary["fetched_lines"] >= 300, "what was missed was fetched")
        expect_equal((summary["gaps"], summary["holes"]), (0, 0), "gaps and holes")


def test_a_writer_killed_in_mid_stream_is_equal_in_the_end():
    """Killed while lines come and go, again and again: what it has is what it had, and the rest is fetched."""
    with Farm(3) as farm:
        one, two = farm.writer("d1", "one.log"), farm.writer("d2", "two.log")
        stream = farm.publisher("d3")
        kills, piece = 5, 20000
        text = lines("x" * 100, kills * piece)

        def feed(part):
            stream.process.stdin.write("".join(f"{line}\n" for line in part).encode())
            stream.process.stdin.flush()
        for kill in range(kills):
            size = os.path.getsize(farm.path("two.log"))
            feeder = threading.Thread(target=feed, args=(text[kill * piece:(kill + 1) * piece],))
            feeder.start()
            deadline = time.monotonic() + PATIENCE
            while os.path.getsize(farm.path("two.log")) <= size:  # without a pause: it is to be killed while it writes
                expect(time.monotonic() < deadline, "the second writer writes")
            two.signal(signal.SIGKILL)
            two.end()
            feeder.join()
            two = farm.writer("d2", "two.log")
        stream.process.stdin.close()
        expect_equal(stream.end(), 0, f"exit code of the publisher; stderr: {stream.errors()}")
        farm.wait_lines("one.log", len(text))
        expect_equal(farm.read("one.log"), text, "the file of the writer that stayed")
        farm.wait_lines("two.log", len(text))
        expect_equal(farm.bytes("two.log"), farm.bytes("one.log"), "the file of the writer that was killed")
        summary = stop(two)
        stop(one)
        expect_equal(summary["lines_total"], len(text), "lines by its sidecar")
        expect_equal((summary["distinct"], summary["holes"]), (len(text), 0), "its table")


def test_a_writer_with_a_new_file_fetches_all_of_it():
    with Farm(3) as farm:
        one, two = farm.writer("d1", "one.log"), farm.writer("d2", "two.log")
        farm.publish("d3", lines("a", 100))
        farm.wait_lines("two.log", 100)
        stop(two)
        for name in ("two.log", "two.log.position", "two.log.history"):
            os.rename(farm.path(name), farm.path(name.replace("two.log", "two.log.1")))
        farm.publish("d3", lines("b", 20))
        two = farm.writer("d2", "two.log")
        farm.publish("d3", lines("c", 30))
        farm.wait_lines("one.log", 150)
        farm.wait_lines("two.log", 150)
        expect_equal(farm.read("two.log.1"), lines("a", 100), "the old file")
        expect_equal(farm.bytes("two.log"), farm.bytes("one.log"), "the new file")
        two.signal(signal.SIGHUP)
        expect_equal(two.end(), 0, "exit code after SIGHUP")
        stop(one)


def test_a_writer_that_missed_nothing_has_an_equal_file():
    with Farm(3) as farm:
        one, two = farm.writer("d1", "one.log"), farm.writer("d2", "two.log")
        for word in ("a", "b"):
            farm.publish("d3", lines(word, 100))
            stop(two)
            two = farm.writer("d2", "two.log")
        farm.cluster.kill("d2")
        farm.cluster.wait_members("d1", 2)
        farm.cluster.start("d2")
        until("the writer is back", lambda: "#two#d2" in farm.members("d1", GROUP + ".writers"))
        farm.publish("d3", lines("c", 100))
        farm.wait_lines("one.log", 300)
        farm.wait_lines("two.log", 300)
        expect_equal(farm.read("two.log"), farm.read("one.log"), "both files")
        expect_equal(stop(two)["sessions"], 2, "sessions of the second writer")
        stop(one)


def test_without_a_majority_lines_wait_beside_the_file_and_are_merged():
    with Farm(3) as farm:
        one, three = farm.writer("d1", "one.log"), farm.writer("d3", "three.log")
        farm.publish("d2", lines("a", 50))
        farm.wait_lines("three.log", 50)
        farm.cluster.partition(["d1", "d2"], ["d3"])
        farm.cluster.wait_members("d3", 1)
        farm.cluster.wait_members("d1", 2)
        farm.publish("d3", lines("minority", 20))
        farm.publish("d2", lines("majority", 30))
        farm.wait_lines("one.log", 80)
        pending = []

        def in_pending():
            pending[:] = farm.pending("three.log")
            return pending and len(farm.data(pending[0])) == 20
        until("the pending file holds the lines", in_pending)
        expect_equal(farm.data(pending[0]), lines("minority", 20), "lines of the minority")
        expect_equal(farm.markers(pending[0], "pending")[0]["why"], "no majority", "why they are there")
        expect_equal(farm.data("three.log"), lines("a", 50), "the file of the writer in the minority")
        farm.cluster.heal()
        until("the lines are merged", lambda: len(farm.data("one.log")) == 100)
        farm.publish("d2", lines("c", 40))
        farm.wait_lines("one.log", 140)
        farm.wait_lines("three.log", 140)
        expect_equal(farm.data("one.log"), lines("a", 50) + lines("majority", 30) + lines("minority", 20)
                     + lines("c", 40), "the first file")
        expect_equal(farm.bytes("three.log"), farm.bytes("one.log"), "the other")
        configuration = pending[0].removeprefix("three.log.pending-")
        expect_equal(farm.markers("one.log", "merged"), [{"configuration": configuration, "lines": 20}], "the marker")
        until("the pending file is removed", lambda: not farm.pending("three.log"))
        stop(one)
        stop(three)


def test_a_writer_that_comes_to_a_minority_frees_the_publisher_that_waits():
    with Farm(3) as farm:
        farm.cluster.kill("d2")
        farm.cluster.kill("d3")
        farm.cluster.wait_members("d1", 1)
        publisher = farm.publisher("d1")
        publisher.process.stdin.write("".join(f"{line}\n" for line in lines("a", 20)).encode())
        publisher.process.stdin.close()
        until("nobody has the lines", lambda: "only 1 of 3 daemons" in publisher.errors())
        one = farm.writer("d1", "one.log")
        expect_equal(publisher.end(), 0, "exit code of the publisher")
        [pending] = [f for f in os.listdir(farm.folder) if f.startswith("one.log.pending-")]
        expect_equal(farm.data(pending), lines("a", 20), "the pending file")
        stop(one)


def test_lines_wait_while_the_daemon_is_away_and_go_to_the_spool_when_memory_is_full():
    with Farm(3) as farm:
        one = farm.writer("d1", "one.log")
        spool = farm.path("spool")
        publisher = farm.publisher("d3", "--memory", "1M", "--spool", spool, "--max-block", "1h")
        publisher.process.stdin.write(b"before\n")
        publisher.process.stdin.flush()
        farm.wait_lines("one.log", 1)
        farm.cluster.kill("d3")
        farm.cluster.wait_members("d1", 2)
        text = lines("x" * 200, 20000)
        publisher.process.stdin.write("".join(f"{line}\n" for line in text).encode())
        publisher.process.stdin.flush()
        until("the spool is used", lambda: any(f.endswith(".spool") for f in os.listdir(spool)))
        farm.cluster.start("d3")
        publisher.process.stdin.close()
        expect_equal(publisher.end(), 0, f"exit code of the publisher; stderr: {publisher.errors()}")
        farm.wait_lines("one.log", 20001)
        # What the daemon took while it was alone is sent again, and may stand behind later lines.
        expect_equal(sorted(farm.read("one.log")), sorted(["before"] + text), "lines of the file")
        expect(not any(f.endswith(".spool") for f in os.listdir(spool)), "the spool is empty at the end")
        stop(one)


def test_what_could_not_be_sent_before_the_end_is_in_the_spool_for_the_next_start():
    with Farm(3) as farm:
        one = farm.writer("d1", "one.log")
        spool = farm.path("spool")
        farm.cluster.kill("d3")
        farm.publish("d3", lines("a", 100), "--spool", spool, "--connect-timeout", "100ms", code=3)
        farm.publish("d3", lines("b", 10), "--connect-timeout", "100ms", code=3)
        farm.cluster.start("d3")
        farm.cluster.wait_members("d3", 3)
        farm.publish("d3", lines("c", 100), "--spool", spool)
        farm.wait_lines("one.log", 200)
        expect_equal(sorted(farm.read("one.log")), sorted(lines("a", 100) + lines("c", 100)), "the file")
        stop(one)


def test_a_damaged_spool_is_a_failure_and_its_end_is_set_aside():
    with Farm(1) as farm:
        spool = farm.path("spool")
        farm.cluster.kill("d1")
        farm.publish("d1", lines("a", 3), "--spool", spool, "--connect-timeout", "100ms", code=3)
        [segment] = [os.path.join(spool, name) for name in os.listdir(spool) if name.endswith(".spool")]
        with open(segment, "r+b") as file:
            file.seek(-1, os.SEEK_END)
            last = file.read(1)
            file.seek(-1, os.SEEK_END)
            file.write(bytes([last[0] ^ 1]))
        farm.cluster.start("d1")
        one = farm.writer("d1", "one.log")
        farm.publish("d1", ["next"], "--spool", spool, code=1)
        expect(os.path.exists(segment + ".damaged"), "what is damaged is kept")
        farm.wait_lines("one.log", 1)
        expect_equal(farm.read("one.log"), ["next"], "the file")
        stop(one)


def test_a_stopped_publisher_says_what_it_left_unread_and_sends_only_whole_lines():
    with Farm(3) as farm:
        one = farm.writer("d1", "one.log")
        farm.cluster.kill("d3")
        farm.cluster.wait_members("d1", 2)
        text = lines("x" * 200, 20000)  # more than memory and spool take
        with open(farm.path("input"), "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in text)
        with open(farm.path("input"), "rb") as file:
            publisher = farm.cluster.stream(
                "d3", "--socket", farm.cluster.socket("d3"), "--group", GROUP, "--memory", "1M", "--spool",
                farm.path("spool"), "--spool-max", "1M", "--flush-timeout", "100ms", tool="ringlog-publish",
                stdin=file)
        until("all it has room for is read", lambda: bytes_read(publisher) > 3 << 19)
        publisher.signal(signal.SIGTERM)
        expect_equal(publisher.end(), 1, "exit code with input left unread")
        expect("bytes of the input were not read" in publisher.errors(), "it says so")
        farm.cluster.start("d3")
        farm.cluster.wait_members("d3", 3)
        farm.publish("d3", ["next"], "--spool", farm.path("spool"))
        until("the spool is sent", lambda: "next" in farm.read("one.log"))
        sent = sorted(set(farm.read("one.log")) - {"next"})
        expect(0 < len(sent) < len(text), "a part was sent")
        expect_equal(sent, sorted(text[:len(sent)]), "whole lines from the beginning")
        stop(one)


def test_a_stopped_publisher_with_an_idle_pipe_ends_with_0():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        publisher = farm.publisher("d1")
        publisher.process.stdin.write(b"whole\n")
        publisher.process.stdin.flush()
        farm.wait_lines("one.log", 1)
        stop(publisher)
        publisher = farm.publisher("d1")
        publisher.process.stdin.write(b"whole\nhalf")
        publisher.process.stdin.flush()
        farm.wait_lines("one.log", 2)
        publisher.signal(signal.SIGTERM)
        expect_equal(publisher.end(), 1, "exit code with half a line")
        expect("the last 4 bytes of the input" in publisher.errors(), "half a line is told")
        stop(one)
        expect_equal(farm.read("one.log"), ["whole", "whole"], "the file")


def test_input_that_cannot_be_read_is_a_failure():
    with Farm(1) as farm:
        folder = os.open(farm.folder, os.O_RDONLY)
        publisher = farm.cluster.stream(
            "d1", "--socket", farm.cluster.socket("d1"), "--group", GROUP, tool="ringlog-publish", stdin=folder)
        os.close(folder)
        expect_equal(publisher.end(), 1, "exit code")
        expect("stdin: cannot read" in publisher.errors(), "the error is told")


def test_a_full_pipe_drops_its_newest_lines_and_the_file_says_how_many():
    with Farm(3) as farm:
        one = farm.writer("d1", "one.log")
        publisher = farm.publisher("d3", "--memory", "1M", "--max-block", "100ms")
        publisher.process.stdin.write(b"before\n")
        publisher.process.stdin.flush()
        farm.wait_lines("one.log", 1)
        farm.cluster.kill("d3")
        publisher.process.stdin.write("".join(f"{line}\n" for line in lines("x" * 200, 20000)).encode())
        publisher.process.stdin.flush()
        until("lines are dropped", lambda: "dropping lines" in publisher.errors())
        farm.cluster.start("d3")
        publisher.process.stdin.close()
        expect_equal(publisher.end(), 1, "exit code of a publisher that dropped lines")
        summary = publisher.events[-1]
        expect(summary["dropped"] > 0, "the summary counts them")
        until("the marker is there", lambda: sum(m["lines"] for m in farm.markers("one.log", "dropped"))
              == summary["dropped"])
        expect_equal(len(farm.data("one.log")) + summary["dropped"], 20001, "lines written and dropped")
        stop(one)


def cpu_seconds(stream):
    with open(f"/proc/{stream.process.pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_full_publisher_with_an_idle_pipe_does_not_spin():
    with Farm(1) as farm:
        farm.cluster.kill("d1")
        publisher = farm.publisher("d1", "--memory", "1M", "--max-block", "1ms", "--flush-timeout", "1ms")
        publisher.process.stdin.write("".join(f"{line}\n" for line in lines("x" * 200, 20000)).encode())
        publisher.process.stdin.flush()
        until("lines are dropped", lambda: "dropping lines" in publisher.errors())
        until("all is read", lambda: unread(publisher.process.stdin) == 0)
        before = cpu_seconds(publisher)
        pause(1)
        expect(cpu_seconds(publisher) - before < 0.5, "it uses little processor time")
        publisher.signal(signal.SIGTERM)
        expect_equal(publisher.end(), 1, "exit code of a publisher that dropped lines")


def test_a_line_beyond_the_limit_is_reported_and_never_cut():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        long_line = "y" * 70000
        farm.publish("d1", ["before", long_line, "after"], code=1)
        farm.publish("d1", [long_line], "--max-line", "1M")
        binary = bytes(b for b in range(256) if b != 10)
        farm.cluster.run("d1", "--socket", farm.cluster.socket("d1"), "--group", GROUP, stdin=binary,
                         tool="ringlog-publish").must()
        farm.cluster.run("d1", "--socket", farm.cluster.socket("d1"), "--group", GROUP, "--max-line", "8M",
                         stdin=b"z" * (8 << 20), tool="ringlog-publish").must(1)
        stop(one)
        with open(farm.path("one.log"), "rb") as file:
            written = file.read().split(b"\n")
        expect_equal([line for line in written if not line.startswith(b"#")],
                     [b"before", b"after", long_line.encode()] + binary.split(b"\n") + [b""], "the data lines")
        marked = [json.loads(line.split(b" ", 1)[1])["bytes"] for line in written if line.startswith(b"#")]
        expect_equal(marked, [70000, 8 << 20], "lengths of the lines that were too long")


def test_followed_files_survive_rotation_even_while_nobody_follows():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        log = farm.path("access.log")

        def append(path, words):
            with open(path, "a", encoding="utf-8") as file:
                file.writelines(f"{word}\n" for word in words)

        append(log, lines("a", 100))
        publisher = farm.follow("d1", log)
        farm.wait_lines("one.log", 100)
        os.rename(log, log + ".1")
        append(log + ".1", lines("b", 10))
        append(log, lines("c", 10))
        farm.wait_lines("one.log", 120)
        publisher.signal(signal.SIGKILL)
        publisher.end()
        append(log, lines("d", 10))
        os.rename(log, log + ".2")
        append(log, lines("e", 10))
        publisher = farm.follow("d1", log)
        farm.wait_lines("one.log", 140)
        with open(log, "w", encoding="utf-8") as file:
            file.writelines(f"{word}\n" for word in lines("f", 5))
        farm.wait_lines("one.log", 145)
        publisher.signal(signal.SIGTERM)
        expect_equal(publisher.end(), 0, "exit code of the publisher")
        wanted = [line for word, count in (("a", 100), ("b", 10), ("c", 10), ("d", 10), ("e", 10), ("f", 5))
                  for line in lines(word, count)]
        expect_equal(sorted(farm.read("one.log")), sorted(wanted), "the file")
        stop(one)


def test_a_publisher_killed_in_the_middle_of_a_file_sends_each_line_once():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        log = farm.path("access.log")
        text = lines("x" * 1000, 24000)
        with open(log, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in text)

        publisher = farm.follow("d1", log)
        until("the first lines are written", lambda: os.path.getsize(farm.path("one.log")) > 0)
        publisher.signal(signal.SIGSTOP)  # stands still, so that what follows is not a race
        expect(bytes_read(publisher) < os.path.getsize(log), "it has not read the whole file")
        publisher.signal(signal.SIGKILL)
        publisher.end()
        publisher = farm.follow("d1", log)
        size = os.path.getsize(log)
        until("all is written", lambda: os.path.getsize(farm.path("one.log")) >= size)
        expect_equal(farm.read("one.log"), text, "the file")
        stop(one)


def unread(pipe):
    """Bytes in a pipe that nobody has read yet."""
    count = bytearray(4)
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return int.from_bytes(count, sys.byteorder)


def open_files(stream):
    """Inodes of the files that the program holds open."""
    folder = f"/proc/{stream.process.pid}/fd"
    found = set()
    for name in os.listdir(folder):
        with contextlib.suppress(OSError):  # closed in this moment
            found.add(os.stat(os.path.join(folder, name)).st_ino)
    return found


def bytes_read(stream):
    with open(f"/proc/{stream.process.pid}/io", encoding="utf-8") as file:
        return int(dict(line.split(": ") for line in file)["rchar"])


def test_files_that_are_rotated_while_the_daemon_is_away_are_read_afterwards():
    with Farm(3) as farm:
        one = farm.writer("d1", "one.log")
        farm.cluster.kill("d3")
        farm.cluster.wait_members("d1", 2)
        log = farm.path("access.log")
        wanted = []

        def write(word, count):
            wanted.extend(lines(word, count))
            with open(log, "w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in lines(word, count))
            return os.stat(log).st_ino

        write("x" * 1000, 12000)
        publisher = farm.cluster.stream(
            "d3", "--socket", farm.cluster.socket("d3"), "--group", GROUP, "--tail", log, "--state",
            farm.path("state"), tool="ringlog-publish")
        until("it has read all it may", lambda: bytes_read(publisher) > 8 << 20)
        for word in ("second", "third"):
            os.rename(log, log + ".1")  # the one before has no name then
            inode = write(word, 10)
            until("it holds the new file", lambda: inode in open_files(publisher))
        farm.cluster.start("d3")
        farm.wait_lines("one.log", len(wanted))
        expect_equal(sorted(farm.read("one.log")), sorted(wanted), "the file")
        stop(one)
        publisher.signal(signal.SIGTERM)
        expect_equal(publisher.end(), 0, "exit code of the publisher")


def test_followed_to_the_end_once_the_last_line_needs_no_newline_and_trouble_is_told():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")

        def follow(name, code):
            return farm.cluster.run(
                "d1", "--socket", farm.cluster.socket("d1"), "--group", GROUP, "--once", "--tail", farm.path(name),
                "--state", farm.path("state"), tool="ringlog-publish").must(code).err
        with open(farm.path("a.txt"), "w", encoding="utf-8") as file:
            file.write("first\nlast")
        follow("*.txt", 0)
        follow("*.txt", 0)
        farm.wait_lines("one.log", 2)
        expect_equal(farm.read("one.log"), ["first", "last"], "the file")
        expect("matches no file" in follow("typing-error.txt", 1), "a pattern without files is told")
        os.symlink("b.txt", farm.path("b.txt"))
        expect("b.txt: cannot open" in follow("b.txt", 1), "a file that cannot be opened is told")
        stop(one)


def test_a_disk_that_takes_no_more_holds_lines_up_and_loses_none():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        subprocess.run(["prlimit", "--pid", str(one.process.pid), "--fsize=1000:"], check=True)
        farm.publish("d1", lines("a", 500))
        until("the error is reported", lambda: "cannot write" in one.errors())
        expect(os.path.getsize(farm.path("one.log")) <= 1000, "the limit holds")
        subprocess.run(["prlimit", "--pid", str(one.process.pid), "--fsize=unlimited:"], check=True)
        farm.wait_lines("one.log", 500)
        expect_equal(farm.read("one.log"), lines("a", 500), "the file")
        stop(one)


def test_closed_standard_streams_never_become_the_log_file():
    with Farm(1) as farm:
        words = [program("ringlog-write"), "--socket", farm.cluster.socket("d1"), "--group", GROUP, "--as", "one",
                 "--file", farm.path("one.log")]
        writer = subprocess.Popen(["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', *words], preexec_fn=die_with_parent)
        try:
            until("the writer joined", lambda: "#one#d1" in farm.members("d1", GROUP + ".writers"))
            publisher = [program("ringlog-publish"), "--socket", farm.cluster.socket("d1"), "--group", GROUP]
            subprocess.run(["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', *publisher], check=False, timeout=PATIENCE)
            farm.publish("d1", lines("a", 100))
            farm.wait_lines("one.log", 100)
            writer.terminate()
            expect_equal(writer.wait(PATIENCE), 0, "exit code of the writer")
        finally:
            writer.kill()
            writer.wait()
        expect_equal(farm.read("one.log"), lines("a", 100), "the file")


def test_wrong_use_ends_with_2_and_a_remedy():
    with Farm(1) as farm:
        with open(farm.path("foreign.log"), "w", encoding="utf-8") as file:
            file.write("kept\n")

        def refused(*words, tool="ringlog-write"):
            result = farm.cluster.run("d1", "--socket", farm.cluster.socket("d1"), *words, tool=tool)
            result.must(2)
            return result.err
        expect("--adopt" in refused("--group", GROUP, "--file", farm.path("foreign.log")), "the remedy is named")
        expect_equal(farm.read("foreign.log"), ["kept"], "the file is untouched")
        one = farm.writer("d1", "one.log")
        expect("another ringlog-write" in refused("--group", GROUP, "--file", farm.path("one.log")), "who has it")
        stop(one)
        expect("belongs to group" in refused("--group", "other", "--file", farm.path("one.log")), "whose it is")
        refused("--group", "no good", "--file", farm.path("two.log"))
        refused("--group", GROUP, "--max-line", "9M", tool="ringlog-publish")
        refused("--group", GROUP, "--max-block", "soon", tool="ringlog-publish")
        version = farm.cluster.run("d1", "--version", tool="ringlog-publish").must().out.decode()
        expect(version.startswith("ringlog-publish "), "the version names its program")


if __name__ == "__main__":
    run(globals())
