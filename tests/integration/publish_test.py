# SPDX-License-Identifier: Apache-2.0
"""ringlog-publish: what comes in by syslog and journal, what is left out, where it goes when a daemon dies."""

import json
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess

from farm import GROUP, Farm, lines, stop
from harness import PATIENCE, expect, expect_equal, inside, installed, run, until


def send_datagram(path, *messages):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(path)
        for message in messages:
            sender.send(message)


def listening(publisher, path):
    until(f"{path} is there", lambda: os.path.exists(path) or publisher.process.poll() is not None)


def syslog_publisher(farm, host, *more):
    publisher = farm.publisher(host, *more)
    publisher.process.stdin.close()
    return publisher


def test_syslog_from_all_kinds_of_sockets_gives_exactly_the_lines():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        datagram, stream = farm.path("d.sock"), farm.path("s.sock")
        publisher = syslog_publisher(
            farm, "d1", "--syslog", f"unix:{datagram}", "--syslog", f"unix-stream:{stream}", "--syslog",
            "udp:127.0.0.1:5140", "--syslog", "tcp::5141")
        listening(publisher, stream)
        wanted = ["nginx \"GET /a: b\" 200", "haproxy x", "new one", "forwarded", "no syslog at all", "ütf"]
        send_datagram(datagram, f"<190>Oct 11 22:14:15 web1 nginx: {wanted[0]}".encode(),
                      f"<134>Oct 11 22:14:15 haproxy[7]: {wanted[1]}\n".encode())
        farm.wait_lines("one.log", 2)
        with socket.socket(socket.AF_UNIX) as sender:
            sender.connect(stream)
            counted = f"<13>1 - h a - - [x y=\"]\"] {wanted[2]}".encode()
            sender.sendall(b"%d %s<13>2023-08-24T05:14:15Z web1 app: %s\n" % (
                len(counted), counted, wanted[3].encode()))
        farm.wait_lines("one.log", 4)
        with inside("d1"):
            udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            tcp = socket.socket(socket.AF_INET6)
        with udp, tcp:
            udp.sendto(wanted[4].encode(), ("127.0.0.1", 5140))
            farm.wait_lines("one.log", 5)
            tcp.connect(("::1", 5141))
            tcp.sendall("<13>Oct  1 22:14:15 web1 app: ".encode() + wanted[5].encode() + b"\n")
            farm.wait_lines("one.log", 6)
        expect_equal(farm.read("one.log"), wanted, "the file")
        summary = stop(publisher)
        expect_equal((summary["lines"], summary["syslog_invalid"]), (6, 1), "the summary")
        expect("no syslog message" in publisher.errors(), "what is no syslog is told")
        expect(not os.path.exists(datagram), "its socket is gone")
        stop(one)


def test_long_syslog_messages_are_whole_and_cut_ones_are_noticed():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        path = farm.path("d.sock")
        publisher = syslog_publisher(farm, "d1", "--syslog", f"unix:{path}")
        listening(publisher, path)
        text = ("x" * 65536).encode()
        head = b"<190>Oct 11 22:14:15 web1 nginx: "
        send_datagram(path, head + text, head + text + b"x")
        farm.wait_lines("one.log", 1)
        until("one is too long", lambda: farm.markers("one.log", "too-long"))
        expect_equal(farm.data("one.log"), [text.decode()], "the file")
        publisher.signal(signal.SIGTERM)
        expect_equal(publisher.end(), 1, "exit code with a line too long")
        publisher = syslog_publisher(farm, "d1", "--syslog", f"unix:{path}", "--syslog-keep")
        listening(publisher, path)
        cut = (head + text)[:1024]
        send_datagram(path, cut, cut, cut)
        farm.wait_lines("one.log", 4)
        expect_equal(farm.data("one.log")[-1], cut.decode(), "a whole message")
        expect_equal(stop(publisher)["syslog_suspected_cuts"], 3, "the summary")
        expect("seems to cut" in publisher.errors(), "it is told")
        stop(one)


def restart(farm):
    """The only daemon, whose writer comes back before there is anything to write."""
    farm.cluster.start("d1")
    until("the writer is back", lambda: "#one#d1" in farm.members("d1", GROUP + ".writers"))


def test_syslog_waits_in_the_spool_while_the_daemon_is_away():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        path = farm.path("d.sock")
        words = ["--syslog", f"unix:{path}", "--spool", farm.path("spool"), "--flush-timeout", "100ms"]
        farm.cluster.kill("d1")
        publisher = syslog_publisher(farm, "d1", *words)
        listening(publisher, path)
        send_datagram(path, *(f"<13>app: {line}".encode() for line in lines("a", 10)))
        summary = stop(publisher)
        expect_equal(summary["lines"], 10, "lines read before the end")
        cat = farm.cluster.run("d1", "spool", "cat", farm.path("spool"), tool="ringlog-publish").must().out
        expect_equal(cat.decode().splitlines(), lines("a", 10), "what lies in the spool")
        restart(farm)
        publisher = syslog_publisher(farm, "d1", *words)
        farm.wait_lines("one.log", 10)
        expect_equal(farm.read("one.log"), lines("a", 10), "the file")
        stop(publisher)
        stop(one)


def test_lines_are_filtered_and_redacted_before_they_leave():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        text = ["10.1.2.3 GET /", "10.1.2.3 GET /health", "10.1.2.3 PUT /", "10.9.8.7 POST /?token=abc"]
        result = farm.publish("d1", text, "--include", "GET|POST", "--exclude", "/health", "--replace",
                              r"/^(\d+\.\d+)\.\d+\.\d+/\1.x.x/", "--replace", "|token=[^& ]+|token=***|")
        farm.wait_lines("one.log", 2)
        expect_equal(farm.read("one.log"), ["10.1.x.x GET /", "10.9.x.x POST /?token=***"], "the file")
        summary = result.json_lines()[-1]
        expect_equal((summary["lines"], summary["left_out"], summary["redacted"]), (2, 2, 2), "the summary")
        many = lines("s", 1000)
        sampled = farm.publish("d1", many, "--sample", "10").json_lines()[-1]
        expect_equal(sampled["lines"] + sampled["sampled_out"], 1000, "all are accounted for")
        expect(50 < sampled["lines"] < 150, "about one in ten")
        stop(one)


def test_followed_files_with_changed_rules_lose_and_double_nothing():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")

        def follow(*more):
            farm.cluster.run("d1", "--socket", farm.cluster.socket("d1"), "--group", GROUP, "--once", "--tail",
                             farm.path("a.txt"), "--state", farm.path("state"), *more,
                             tool="ringlog-publish").must()
        for words, text in ((["--exclude", "^b"], "a 1\nb 1\n"), (["--exclude", "^a"], "a 2\nb 2\n"), ([], "b 3\n")):
            with open(farm.path("a.txt"), "a", encoding="utf-8") as file:
                file.write(text)
            follow(*words)
        farm.wait_lines("one.log", 3)
        expect_equal(farm.read("one.log"), ["a 1", "b 2", "b 3"], "the file")
        expect_equal(stop(one)["holes"], 0, "numbers missing")


def test_packed_batches_are_read_by_writers_and_monitors():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        monitor = farm.cluster.stream("d1", "--socket", farm.cluster.socket("d1"), "--group", GROUP, "--json",
                                      "--as", "mon", tool="ringlog-monitor")
        until("the monitor joined", lambda: "#mon#d1" in farm.members("d1", GROUP))
        text = lines("x" * 200, 5000)
        farm.publish("d1", text, "--compress", "zstd", "--compress-level", "1")
        farm.wait_lines("one.log", 5000)
        expect_equal(farm.read("one.log"), text, "the file")
        stop(one)
        monitor.signal(signal.SIGTERM)
        expect_equal(monitor.end(), 0, "exit code of the monitor")
        expect_equal(monitor.events[-1]["lines"], 5000, "lines the monitor counted")


def test_a_publisher_goes_over_to_another_daemon_and_each_line_is_there_once():
    with Farm(3) as farm:
        one = farm.writer("d1", "one.log")
        publisher = farm.publisher("d3", "--socket", farm.cluster.socket("d2"))
        text = lines("x" * 100, 40000)
        half = "".join(f"{line}\n" for line in text[:20000]).encode()
        publisher.process.stdin.write(half)
        publisher.process.stdin.flush()
        until("lines arrive", lambda: len(farm.data("one.log")) > 1000)
        farm.cluster.kill("d3")
        publisher.process.stdin.write("".join(f"{line}\n" for line in text[20000:]).encode())
        publisher.process.stdin.close()
        expect_equal(publisher.end(), 0, f"exit code; stderr: {publisher.errors()}")
        expect("#pub#d2" in publisher.errors(), "it went to the other daemon")
        farm.wait_lines("one.log", len(text))
        # What was under way may stand at a later place, but once.
        expect_equal(sorted(farm.read("one.log")), sorted(text), "the file")
        stop(one)


def test_with_required_writers_a_line_is_let_go_when_they_have_it():
    with Farm(2) as farm:
        one = farm.writer("d1", "one.log")
        late = farm.publish("d2", ["x"], "--require-writers", "2", "--timeout", "100ms", member="late", code=4)
        expect_equal(late.json_lines()[-1]["unconfirmed"], 1, "what is held")
        # One writer has them; the publisher does not end before a second has.
        publisher = farm.publisher("d1", "--require-writers", "2")
        two = farm.writer("d2", "two.log")
        two.signal(signal.SIGSTOP)
        publisher.process.stdin.write("".join(f"{line}\n" for line in lines("a", 1000)).encode())
        publisher.process.stdin.close()
        farm.wait_lines("one.log", 1001)
        expect_equal(publisher.process.poll(), None, "the publisher waits")
        two.signal(signal.SIGCONT)
        expect_equal(publisher.end(), 0, f"exit code; stderr: {publisher.errors()}")
        expect_equal(publisher.events[-1]["unconfirmed"], 0, "what is held at the end")
        farm.publish("d2", lines("b", 1000), "--require-writers", "2")
        for name in ("one.log", "two.log"):
            expect_equal(farm.read(name)[-2000:], lines("a", 1000) + lines("b", 1000), f"what {name} has by then")
        stop(one)
        stop(two)


def test_a_writer_that_came_late_counts_when_it_has_fetched_the_lines():
    with Farm(2) as farm:
        one = farm.writer("d1", "one.log")
        publisher = farm.publisher("d2", "--require-writers", "2")
        publisher.process.stdin.write("".join(f"{line}\n" for line in lines("a", 1000)).encode())
        publisher.process.stdin.close()
        farm.wait_lines("one.log", 1000)
        until("they are sent again", lambda: "lines wait for --require-writers 2" in publisher.errors())
        expect_equal(publisher.process.poll(), None, "the publisher waits")
        two = farm.writer("d2", "two.log")
        expect_equal(publisher.end(), 0, f"exit code; stderr: {publisher.errors()}")
        expect_equal(publisher.events[-1]["unconfirmed"], 0, "what is held at the end")
        expect_equal(farm.read("two.log"), lines("a", 1000), "what the second file has by then")
        stop(one)
        stop(two)


def test_the_oldest_lines_go_when_all_is_full_and_no_number_is_missing():
    with Farm(3) as farm:
        one = farm.writer("d1", "one.log")
        farm.cluster.kill("d3")
        publisher = farm.publisher("d3", "--memory", "1M", "--spool", farm.path("spool"), "--spool-max", "1M",
                                   "--when-full", "drop-oldest")
        text = lines("x" * 200, 20000)
        publisher.process.stdin.write("".join(f"{line}\n" for line in text).encode())
        publisher.process.stdin.close()
        until("lines are dropped", lambda: "dropping the oldest" in publisher.errors())
        farm.cluster.start("d3")
        expect_equal(publisher.end(), 1, "exit code of a publisher that dropped lines")
        dropped = publisher.events[-1]["dropped"]
        expect_equal(publisher.events[-1]["lines"], 20000, "lines read")
        until("the rest is there", lambda: farm.data("one.log")[-1:] == text[-1:])
        kept = farm.data("one.log")
        expect_equal(len(kept) + dropped, 20000, "written and dropped")
        written = set(kept)
        expect_equal(kept, [line for line in text if line in written], "in order, each once")
        expect_equal(sum(m["lines"] for m in farm.markers("one.log", "dropped")), dropped, "what markers say")
        expect_equal(stop(one)["holes"], 0, "numbers missing")


def test_lines_that_wait_too_long_are_dropped_by_age():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        farm.cluster.kill("d1")
        spool = farm.path("spool")
        farm.publish("d1", lines("old", 10), "--spool", spool, "--connect-timeout", "10ms", code=3)
        for name in os.listdir(spool):
            os.utime(os.path.join(spool, name), (1e9, 1e9))
        restart(farm)
        summary = farm.publish("d1", lines("new", 10), "--spool", spool, "--spool-max-age", "1h", code=1)
        expect_equal(summary.json_lines()[-1]["dropped"], 10, "dropped")
        farm.wait_lines("one.log", 10)
        expect_equal(farm.data("one.log"), lines("new", 10), "the file")
        expect_equal([m["lines"] for m in farm.markers("one.log", "dropped")], [10], "the marker")
        expect_equal(stop(one)["holes"], 0, "numbers missing")


def test_a_spool_is_listed_printed_checked_and_repaired():
    with Farm(1) as farm:
        spool = farm.path("spool")

        def tool(*words, code=0):
            return farm.cluster.run("d1", "spool", *words, tool="ringlog-publish").must(code)
        farm.cluster.kill("d1")
        for word in ("a", "b", "c"):
            farm.publish("d1", lines(word, 3), "--spool", spool, "--connect-timeout", "10ms", code=3)
        tool("verify", spool)
        listed = tool("ls", spool, "--json").json_lines()
        expect_equal(sum(item["lines"] for item in listed), 9, "lines in the spool")
        with open(os.path.join(spool, listed[0]["file"]), "r+b") as file:
            file.seek(60)
            file.write(b"?")
        expect("damaged" in tool("verify", spool, code=1).out.decode(), "the damage is told")
        good = tool("cat", spool, code=1).out.decode().splitlines()
        expect(0 < len(good) < 9, "what is whole is printed")
        holder = farm.publisher("d1", "--spool", spool)
        # It has set the damaged end aside; while it runs nothing is changed.
        until("it has the spool", lambda: "set aside" in holder.errors() or holder.process.poll() is not None)
        expect("stop it first" in tool("repair", spool, code=1).err, "a spool in use is left alone")
        holder.signal(signal.SIGKILL)
        holder.end()
        tool("repair", spool)
        tool("verify", spool)
        repaired = tool("cat", spool).out.decode().splitlines()
        expect_equal(sorted(set(repaired)), sorted(set(good)), "all that was whole is in the spool")
        farm.cluster.start("d1")
        one = farm.writer("d1", "one.log")
        farm.publish("d1", [], "--spool", spool)
        farm.wait_lines("one.log", len(good))
        expect_equal(sorted(farm.data("one.log")), sorted(good), "the file: each once")
        stop(one)
        tool("ls", farm.path("nothing"), code=1)
        tool("mend", spool, code=2)


def journal_entry(message, unit):
    return (f"__REALTIME_TIMESTAMP={1700000000000000 + journal_entry.count}\n"
            f"__MONOTONIC_TIMESTAMP={journal_entry.count}\n_BOOT_ID=0123456789abcdef0123456789abcdef\n"
            f"_SYSTEMD_UNIT={unit}\nMESSAGE={message}\n\n")


journal_entry.count = 1


def write_journal(folder, messages, unit="web.service"):
    """As journald would, by systemd-journal-remote; appends."""
    text = ""
    for message in messages:
        journal_entry.count += 1
        text += journal_entry(message, unit)
    os.makedirs(folder, exist_ok=True)
    done = subprocess.run([installed("systemd-journal-remote", "/lib/systemd"), "-o", os.path.join(folder, "test.journal"), "-"],
                          input=text.encode(), capture_output=True, check=False)
    expect_equal(done.returncode, 0, f"systemd-journal-remote: {done.stderr}")


def test_the_journal_is_followed_and_taken_up_where_it_was_left():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        folder = farm.path("journal")
        write_journal(folder, lines("a", 500))
        write_journal(folder, lines("other", 5), unit="other.service")

        def follow():
            return farm.publisher("d1", "--journal-directory", folder, "--journal-match",
                                  "_SYSTEMD_UNIT=web.service", "--state", farm.path("state"))
        publisher = follow()
        farm.wait_lines("one.log", 500)
        write_journal(folder, lines("b", 10))
        farm.wait_lines("one.log", 510)
        stop(publisher)
        write_journal(folder, lines("c", 10))
        publisher = follow()
        farm.wait_lines("one.log", 520)
        publisher.signal(signal.SIGKILL)
        publisher.end()
        write_journal(folder, lines("d", 10))
        publisher = follow()
        farm.wait_lines("one.log", 530)
        expect_equal(farm.read("one.log"), lines("a", 500) + lines("b", 10) + lines("c", 10) + lines("d", 10),
                     "the file")
        stop(publisher)
        expect_equal(stop(one)["holes"], 0, "numbers missing")


def test_a_journal_goes_on_behind_a_long_line_and_what_is_left_out():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        folder, state = farm.path("journal"), farm.path("state/journal-weblogs.json")

        def follow():
            return farm.publisher("d1", "--journal-directory", folder, "--state", farm.path("state"), "--max-line", "100",
                                  "--exclude", "^no ")
        write_journal(folder, ["first", "x" * 200])
        publisher = follow()
        until("the long line is on record", lambda: farm.markers("one.log", "too-long"))
        write_journal(folder, ["no line of ours"])
        publisher.signal(signal.SIGTERM)
        expect_equal(publisher.end(), 1, "exit code with a line too long")
        with open(state, encoding="utf-8") as file:
            expect_equal(json.load(file)["seq"], 3, "the number of the next line")
        publisher = follow()
        write_journal(folder, ["second"])
        farm.wait_lines("one.log", 2)
        expect_equal(farm.data("one.log"), ["first", "second"], "the file")
        stop(publisher)
        summary = stop(one)
        expect_equal((summary["holes"], summary["duplicates"]), (0, 0), "numbers missing, and used twice")


def test_half_a_syslog_message_at_the_end_is_told_and_not_sent():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        path = farm.path("s.sock")
        publisher = syslog_publisher(farm, "d1", "--syslog", f"unix-stream:{path}")
        listening(publisher, path)
        with socket.socket(socket.AF_UNIX) as sender:
            sender.connect(path)
            sender.sendall(b"<13>app: whole\n<13>app: the begin")
            farm.wait_lines("one.log", 1)
            publisher.signal(signal.SIGTERM)
            expect_equal(publisher.end(), 1, "exit code with half a message")
        expect("inside a message; its 18 bytes are not sent" in publisher.errors(), publisher.errors())
        publisher = syslog_publisher(farm, "d1", "--syslog", "tcp:127.0.0.1:5141", "--syslog", f"unix:{path}")
        listening(publisher, path)
        with inside("d1"):
            sender = socket.socket(socket.AF_INET)
        with sender:
            sender.connect(("127.0.0.1", 5141))
            sender.sendall(b"<13>app: second\n<13>app: the begin")
            farm.wait_lines("one.log", 2)
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
        until("the broken connection is told", lambda: "inside a message; its 18 bytes" in publisher.errors())
        send_datagram(path, b"<13>app: last")
        farm.wait_lines("one.log", 3)
        expect_equal(farm.read("one.log"), ["whole", "second", "last"], "the file")
        publisher.signal(signal.SIGTERM)
        expect_equal(publisher.end(), 1, "exit code with half a message")
        stop(one)


def test_senders_beyond_the_descriptors_wait_until_others_end():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        path = farm.path("s.sock")
        publisher = syslog_publisher(farm, "d1", "--syslog", f"unix-stream:{path}")
        listening(publisher, path)
        limit = 100
        resource.prlimit(publisher.process.pid, resource.RLIMIT_NOFILE, (limit, limit))
        senders = []
        for number in range(limit + 20):
            senders.append(socket.socket(socket.AF_UNIX))
            senders[-1].settimeout(PATIENCE)
            senders[-1].connect(path)
            senders[-1].sendall(f"<13>app: {number}\n".encode())
        until("it is told", lambda: "cannot accept a connection" in publisher.errors())
        for sender in senders:
            sender.close()
        farm.wait_lines("one.log", limit + 20)
        expect_equal(set(farm.data("one.log")), {str(number) for number in range(limit + 20)}, "the file")
        stop(publisher)
        stop(one)


def test_a_configuration_file_is_checked_line_by_line():
    with Farm(1) as farm:
        path = farm.path("publish.toml")

        def check(text, code, *more):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            return farm.cluster.run("d1", "--config", path, *more, tool="ringlog-publish").must(code)
        problems = check('group = "g"\nmax_lin = "64k"\nmax_block = "soon"\nexclude = ["a", "b("]\nsample = 1.5\n', 2)
        for place, word in ((2, 'did you mean "max_line"'), (3, "not a duration"), (4, "missing )"), (5, "whole number")):
            expect(any(line.startswith(f"ringlog-publish: {path}:{place}:1: ") and word in line
                       for line in problems.err.splitlines()), f"line {place}: {problems.err}")
        expect(f"{path}:2:" in check('group = "g"\nsyslog = [\n', 2).err, "a syntax error has its place")
        expect("--group is required" in check("", 2).err, "what is missing is told")
        expect("--spool-max must be" in check('group = "g"\nmax_line = "1M"\nspool = "s"\nspool_max = "1M"\n', 2).err,
               "a line that has no room in the spool is told")
        expect("add --tail" in check('group = "g"\nonce = true\n', 2).err, "a contradiction is told")
        check('group = "g"\n', 0, "--check")
        one = farm.writer("d1", "one.log")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f'group = "elsewhere"\nsocket = ["{farm.cluster.socket("d1")}"]\nexclude = ["b"]\njson = true\n')
        done = farm.cluster.run("d1", "--config", path, "--group", GROUP, tool="ringlog-publish", stdin=b"a\nb\n").must()
        expect_equal(json.loads(done.out)["left_out"], 1, "what the file asks for")
        farm.wait_lines("one.log", 1)
        stop(one)


def test_the_example_configurations_are_right():
    root = os.path.join(os.path.dirname(__file__), "..", "..", "conf")
    files = [os.path.join(root, "ringlog-publish.toml")]
    examples = os.path.join(root, "examples")
    files += [os.path.join(examples, name) for name in os.listdir(examples) if name.endswith(".toml")]
    with Farm(1) as farm:
        for file in files:
            farm.cluster.run("d1", "--config", file, "--check", tool="ringlog-publish").must()
        # And with every option in it.
        with open(files[0], encoding="utf-8") as file:
            text = file.read()
        words = [line[2:] if line.startswith("# ") and " = " in line.split("#")[1] else line
                 for line in text.splitlines()]
        everything = farm.path("all.toml")
        with open(everything, "w", encoding="utf-8") as file:
            file.write("\n".join(words) + "\n")
        shutil.copy(everything, farm.path("kept.toml"))
        farm.cluster.run("d1", "--config", everything, "--check", tool="ringlog-publish").must()
        usage = farm.cluster.run("d1", "--help", tool="ringlog-publish").must().out.decode()
        options = {word.split(",")[-1] for line in usage.splitlines() for word in line.split()[:1]
                   if word.startswith("-")}
        named = {"--" + line.split(" = ")[0].replace("_", "-") for line in words if " = " in line and line[0] != "#"}
        expect_equal(options - named, {"--help", "--version", "--config", "--check"}, "options the file does not name")


if __name__ == "__main__":
    run(globals())
