# SPDX-License-Identifier: Apache-2.0
"""What must be so in the end: nothing lost, nothing doubled, all files, tables and figures the same."""

import collections
import subprocess

from counts import by_awk, by_goaccess, by_monitor
from hosts import BALANCER_GROUP, GROUP, lines_of

from harness import PATIENCE, expect, expect_equal, program, until


def few(lines):
    """A sample of a multiset, to be read."""
    return [f"{count} x {line.decode(errors='replace')}" for line, count in list(lines.items())[:5]]


def wait_complete(farm):
    """Both loggers' files have the length of all that the web servers logged, and the tables too."""
    def plain():
        return sum(len(lines_of(server.plain_log())) for server in farm.servers.values())
    for logger in farm.loggers.values():
        until(f"the file of {logger.host} has as many lines as the web servers logged",
              lambda log=logger: len(lines_of(log.log())) >= plain(), 2 * PATIENCE)
        until(f"the table of {logger.host} has as many rows as the file",
              lambda log=logger: log.rows("count(*)") == [[str(plain())]])
    return plain()


def check_lines(farm):
    """Each line that a web server logged is in each file exactly once, and no other."""
    wanted = collections.Counter()
    for server in farm.servers.values():
        wanted.update(lines_of(server.plain_log()))
    for logger in farm.loggers.values():
        found = collections.Counter(lines_of(logger.log()))
        expect_equal(few(wanted - found), [], f"lines that are missing at {logger.host}")
        expect_equal(few(found - wanted), [], f"lines that are too many at {logger.host}")


def check_balancers(farm):
    """Each line of a balancer about a request is in the files of the balancers' group exactly once."""
    wanted = collections.Counter()
    for balancer in farm.balancers.values():
        wanted.update(balancer.requests())
    for logger in farm.loggers.values():
        log = logger.log(BALANCER_GROUP)
        def found(path=log):
            return collections.Counter(line for line in (whole[whole.find(b"request "):] for whole in lines_of(path)
                                                         if b"request " in whole))
        until(f"the balancers' file of {logger.host} has as many lines of requests as they logged",
              lambda count=found: count().total() >= wanted.total(), 2 * PATIENCE)
        expect_equal(few(wanted - found()), [], f"lines of balancers that are missing at {logger.host}")
        expect_equal(few(found() - wanted), [], f"lines of balancers that are too many at {logger.host}")
    return wanted.total()


def check_requests(farm):
    """Each request that a balancer got an answer to is in the files."""
    logger = next(iter(farm.loggers.values()))
    found = set()
    for line in lines_of(logger.log()):
        if b"?id=" in line:
            found.add(line.split(b"?id=", 1)[1].split(b" ", 1)[0].decode())
    for balancer in farm.balancers.values():
        answered = balancer.answered()
        expect_equal(sorted(set(answered) - found)[:5], [], f"requests that {balancer.host} had answered and nobody logged")
    return sum(len(balancer.answered()) for balancer in farm.balancers.values())


def check_files_equal(farm):
    one, two = farm.loggers.values()
    for group in (GROUP, BALANCER_GROUP):
        for path, other in ((one.journal(group), two.journal(group)), (one.log(group), two.log(group))):
            with open(path, "rb") as file, open(other, "rb") as other_file:
                expect(file.read() == other_file.read(), f"{path} and {other} are the same, byte for byte")
        done = subprocess.run([program("ringlog-write"), "verify", one.journal(group), two.journal(group)],
                              capture_output=True, text=True, check=False, timeout=PATIENCE)
        expect_equal(done.returncode, 0, f"exit code of verify: {done.stdout} {done.stderr}")
    for logger in (one, two):
        expect(set(logger.markers()) <= {"#ringlog-merged"}, f"{logger.host} marks nothing as missing: {logger.markers()}")
    return len(one.markers())


def check_table(logger):
    """The table has the lines of the file in their order, each once by producer and number, no number left out."""
    rows = logger.rows("producer, seq, line", "ORDER BY position")
    lines = [line.decode() for line in lines_of(logger.log())]
    expect(len(rows) == len(lines) and all(row[2] == line for row, line in zip(rows, lines)),
           f"the table of {logger.host} has the lines of the file")
    numbers = collections.defaultdict(list)
    for producer, seq, _ in rows:
        numbers[producer].append(int(seq))
    for producer, seqs in numbers.items():
        expect_equal(sorted(seqs), list(range(1, len(seqs) + 1)), f"numbers of {producer} at {logger.host}")
    return {(producer, seq): line for producer, seq, line in rows}


def check_tables(farm):
    one, two = [check_table(logger) for logger in farm.loggers.values()]
    expect(one == two, "both tables have the same lines under the same names")
    counted = by_awk(next(iter(farm.loggers.values())).log())
    for logger in farm.loggers.values():
        sums = logger.rows("count(*), coalesce(sum(bytes), 0), sum(CASE WHEN status >= 400 THEN 1 ELSE 0 END)")
        expect_equal([int(value) for value in sums[0]], [counted[name] for name in ("lines", "bytes", "errors")],
                     f"lines, bytes and errors by the database of {logger.host}")


def check_figures(farm):
    """The monitor, goaccess and awk count the same."""
    logger = next(iter(farm.loggers.values()))
    counted = by_awk(logger.log())
    expect_equal(by_goaccess(logger.log(), logger.path("goaccess.json")), counted, "goaccess, and awk")
    until(f"the monitor has counted {counted['lines']} lines",
          lambda: farm.monitor.figures()["lines"] >= counted["lines"])
    figures = farm.monitor.figures()
    expect_equal(by_monitor(figures), counted, "the monitor, and awk")
    return counted
