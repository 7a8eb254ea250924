# SPDX-License-Identifier: Apache-2.0
"""The monitor's figures of real daemons, against counts by awk."""

import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time

from farm import GROUP, Farm
from harness import PATIENCE, ROOT, expect, expect_equal, program, run, until

SAMPLE = os.path.join(ROOT, "examples/data/apache_access_10k.log")

# Between quotes stand client and time, request, status and bytes, referrer, blank, agent. Keys are cut as the
# monitor does it.
AWK = r"""
BEGIN { FS = "\"" }
!/"$/ { unparsed++; next }
{ split($3, answer, " "); split($1, head, " "); split($2, request, " ")
  requests++; codes[answer[1]]++; if (answer[2] != "-") bytes += answer[2]
  if (answer[1] >= 400) errors++
  page = request[2]; sub(/\?.*/, "", page); if (length(page) > 512) page = substr(page, 1, 509) "..."
  pages[page]++; clients[head[1]]++ }
END { printf "requests %d\nbytes %.0f\nerrors %d\nunparsed %d\n", requests, bytes, errors, unparsed
  for (code in codes) printf "code:%s %d\n", code, codes[code]
  for (page in pages) printf "page:%s %d\n", page, pages[page]
  for (client in clients) printf "client:%s %d\n", client, clients[client] }
"""


def counted_by_awk(path):
    done = subprocess.run(["awk", AWK, path], capture_output=True, text=True, check=True)
    return {name: int(count) for name, count in (line.rsplit(" ", 1) for line in done.stdout.splitlines())}


def counted_by_monitor(figures):
    counts = {name: figures[name] for name in ("requests", "bytes", "errors", "unparsed")}
    counts.update({f"code:{code}": count for code, count in figures["codes"].items()})
    for table, prefix in (("pages", "page"), ("clients", "client")):
        expect(figures[table]["exact"], f"{table} are exact")
        counts.update({f"{prefix}:{row['key']}": row["count"] for row in figures[table]["list"]})
    return counts


def expect_counts(figures, wanted, text):
    counts = counted_by_monitor(figures)
    names = {name for name in counts.keys() | wanted.keys() if counts.get(name) != wanted.get(name)}
    expect_equal({name: counts.get(name) for name in names}, {name: wanted.get(name) for name in names}, text)


def sample_lines():
    with open(SAMPLE, encoding="ascii") as file:
        return file.read().splitlines()


def monitor(farm, host, *more):
    stream = farm.cluster.stream(host, "--socket", farm.cluster.socket(host), "--group", GROUP, "--as", "mon",
                                 "--json", "--interval", "1h", "--top", "100000", *more, tool="ringlog-monitor")
    until("the monitor joined", lambda: f"#mon#{host}" in farm.members(host, GROUP))
    return stream


def test_totals_of_a_ring_equal_an_awk_count():
    with Farm(3) as farm:
        text = sample_lines()
        watch = monitor(farm, "d1", "--count", "10000")
        farm.publish("d2", text[:4000])
        farm.publish("d3", text[4000:])
        expect_equal(watch.end(), 0, f"exit code of the monitor; stderr: {watch.errors()}")
        figures = watch.events[-1]
        expect(figures["final"], "the last object is the final one")
        expect_counts(figures, counted_by_awk(SAMPLE), "counts that differ")
        servers = {server["server"]: server["lines"] for server in figures["servers"]["list"]}
        expect_equal(servers, {"d2": 4000, "d3": 6000}, "lines by server")
        expect_equal(sorted(figures["ring"]["daemons"]), ["d1", "d2", "d3"], "the ring it is in")
        expect_equal(len(figures["unparsed_lines"]), 1, "the line that does not parse is shown")


def test_lines_that_are_sent_again_are_counted_once():
    with Farm(3) as farm:
        text = sample_lines() * 5
        writer = farm.writer("d2", "two.log")
        watch = monitor(farm, "d1", "--count", str(len(text)))
        publisher = farm.publisher("d3")
        half = len(text) // 2
        publisher.process.stdin.write("".join(f"{line}\n" for line in text[:half]).encode())
        publisher.process.stdin.flush()
        until("some lines came", lambda: farm.data("two.log"))
        farm.cluster.kill("d3")
        publisher.process.stdin.write("".join(f"{line}\n" for line in text[half:]).encode())
        publisher.process.stdin.close()
        farm.cluster.start("d3")
        expect_equal(publisher.end(), 0, f"exit code of the publisher; stderr: {publisher.errors()}")
        expect_equal(watch.end(), 0, f"exit code of the monitor; stderr: {watch.errors()}")
        figures = watch.events[-1]
        wanted = {name: 5 * count for name, count in counted_by_awk(SAMPLE).items()}
        expect_counts(figures, wanted, "counts that differ")
        writer.signal(signal.SIGTERM)
        expect_equal(writer.end(), 0, "exit code of the writer")


def made_lines(seconds, rate, start=0):
    return [f"192.0.2.{n} - - [17/May/2015:10:{at // 60:02d}:{at % 60:02d} +0000] \"GET / HTTP/1.1\" 200 10"
            for at in range(start, start + seconds) for n in range(rate)]


def test_an_alert_runs_the_command_and_is_published():
    """Time is the log's, so a quarter of an hour passes at once."""
    with Farm(2) as farm:
        told = farm.path("told")
        listener = farm.cluster.stream("d2", "--json", "subscribe", "alerts", "--count", "1")
        until("the listener joined", lambda: farm.members("d2", "alerts"))
        watch = monitor(farm, "d1", "--time", "log", "--alert-group", "alerts", "--alert-command",
                        f'printf "%s\\n" "$RINGLOG_ALERT" >>{told}; printf "%s" "$RINGLOG_ALERT_CHANGE" >&2')
        farm.publish("d2", made_lines(300, 10) + made_lines(20, 100, start=300))
        expect_equal(listener.end(), 0, "exit code of the listener")
        alert = json.loads(listener.events[-1]["payload"])
        expect_equal((alert["signal"], alert["change"], alert["server"]), ("requests", "high", None), "the alert")
        until("the command was run", lambda: farm.read("told"))
        expect_equal(json.loads(farm.read("told")[0]), alert, "what the command was given")
        watch.signal(signal.SIGTERM)
        expect_equal(watch.end(), 0, "exit code of the monitor")
        expect("high" in watch.errors(), "the command's errors are the monitor's")


def test_the_monitor_outlives_its_daemon():
    with Farm(2) as farm:
        watch = monitor(farm, "d1", "--count", "20")
        farm.cluster.kill("d1")
        farm.cluster.start("d1")
        until("the monitor is back", lambda: "#mon#d1" in farm.members("d1", GROUP))
        farm.publish("d2", made_lines(10, 2))
        expect_equal(watch.end(), 0, f"exit code of the monitor; stderr: {watch.errors()}")
        expect_equal(watch.events[-1]["ring"]["sessions"], 2, "sessions")
        expect_equal(watch.events[-1]["requests"], 20, "requests")


def file_figures(path, *more, stdin=None):
    done = subprocess.run([program("ringlog-monitor"), "--file", path, "--json", "--top", "100000", *more],
                          stdin=stdin, capture_output=True, text=True, timeout=PATIENCE, check=False)
    expect_equal(done.returncode, 0, f"exit code; stderr: {done.stderr}")
    [line] = done.stdout.splitlines()
    return json.loads(line)


def test_totals_of_a_file_and_of_a_pipe_equal_an_awk_count():
    expect_counts(file_figures(SAMPLE), counted_by_awk(SAMPLE), "counts of the file that differ")
    with subprocess.Popen(["cat", SAMPLE], stdout=subprocess.PIPE) as cat:
        expect_counts(file_figures("-", stdin=cat.stdout), counted_by_awk(SAMPLE), "counts of the pipe that differ")


def test_a_terminal_gets_a_full_screen_that_keys_steer():
    child, terminal = pty.fork()
    if child == 0:
        os.environ["TERM"] = "xterm"
        os.execv(program("ringlog-monitor"), ["ringlog-monitor", "--file", SAMPLE])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 40, 120, 0, 0))
    seen = b""
    # ncurses sends what has changed only; these words come whole.
    for key, wanted in ((b"", b"9999"), (b"4", b"favicon"), (b"7", b"no ring"), (b"q", None)):
        os.write(terminal, key)
        deadline = time.monotonic() + PATIENCE
        while wanted is not None and wanted not in seen:
            ready, _, _ = select.select([terminal], [], [], deadline - time.monotonic())
            expect(ready, f"{wanted} appears; there is {seen[-2000:]}")
            seen += os.read(terminal, 65536)
    with contextlib.suppress(OSError):  # the terminal's end
        while select.select([terminal], [], [], PATIENCE)[0]:
            os.read(terminal, 65536)
    expect_equal(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0, "exit code after q")
    os.close(terminal)


def exit_code(*words):
    return subprocess.run([program("ringlog-monitor"), *words], capture_output=True, timeout=PATIENCE,
                          check=False).returncode


def test_wrong_usage_and_what_cannot_be_read_have_their_exit_codes():
    expect_equal(exit_code("--help"), 0, "--help")
    expect_equal(exit_code(), 2, "nothing to read")
    expect_equal(exit_code("--file", SAMPLE, "--group", "g"), 2, "a file and a group")
    expect_equal(exit_code("--file", SAMPLE, "--format", "odd"), 2, "a format that is none")
    expect_equal(exit_code("--file", SAMPLE, "--picture", "odd"), 2, "a picture of no tab")
    expect_equal(exit_code("--file", SAMPLE, "--picture", "pages", "--json"), 2, "a picture as JSON")
    expect_equal(exit_code("--file", SAMPLE, "--alert-group", "g"), 2, "a group to publish to, but no ring")
    expect_equal(exit_code("--file", SAMPLE, "--as", "name"), 2, "a name for a session, but no ring")
    expect_equal(exit_code("--file", "/nowhere"), 1, "a file that is not there")
    expect_equal(exit_code("--group", "g", "--socket", "/nowhere", "--connect-timeout", "100ms"), 3, "no daemon")


if __name__ == "__main__":
    run(globals())
