#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast a writer that was down catches up, while lines go on arriving.

    bench/catch_up.py [--lines N] [--rate LINES_PER_SECOND] [--json]

Three daemons on loopback, a writer each at the first two. The second writer is killed (SIGKILL),
N lines of the sample log are published, then others at the rate given; the writer starts again.
From its start until its file is as long as the other's was a moment before, the time is taken; in
the end both files must be the same, byte for byte. Everything shares the cores of the machine.
Needs the build (RINGCAST_BIN); leaves nothing. Exits 1 when the files differ or a line is missing.
"""

import argparse
import filecmp
import json
import signal
import sys
import threading
import time

from ringlog_farm import PATIENCE, Farm, Live, count_lines, end_by_signals, repeated, sample_lines, until

FIRST = 1000  # lines that both writers have before one of them is killed


def publish(farm, data):
    """From a file, of which nothing is ever dropped."""
    with open(farm.path("input"), "wb") as file:
        file.write(data)
    with open(farm.path("input"), "rb") as file:
        publisher = farm.publisher(file)
    if publisher.wait(PATIENCE) != 0:
        sys.exit("catch_up.py: the publisher failed")
    return len(data)


def measure(farm, count, rate):
    lines = sample_lines()
    farm.writer("a")
    killed = farm.writer("b")
    until("both writers are there", lambda: farm.writers() == 2)
    size = publish(farm, repeated(lines, FIRST))
    until("both have the first lines", lambda: farm.size("a") == size and farm.size("b") == size)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    size += publish(farm, repeated(lines, count))
    until("the one has them all", lambda: farm.size("a") == size)
    live = Live(farm.publisher(), lines, rate) if rate else None
    if live:
        until("lines go on arriving", lambda: farm.size("a") > size)
    began = time.monotonic()
    before = farm.size("b")
    farm.writer("b")
    while True:
        other = farm.size("a")
        here = farm.size("b")
        if here >= other:
            break
        if time.monotonic() - began > PATIENCE:
            sys.exit(f"catch_up.py: not caught up within {PATIENCE:.0f} s")
        threading.Event().wait(0.002)
    seconds = time.monotonic() - began
    if live and live.end() != 0:
        sys.exit("catch_up.py: the live publisher failed")
    until("both have all", lambda: farm.size("a") == farm.size("b") and
          count_lines(farm.log("a"), farm.size("a")) >= FIRST + count + (live.sent if live else 0))
    gained = count_lines(farm.log("b"), here) - count_lines(farm.log("b"), before)
    return {"missed": count, "live_rate": rate, "seconds": round(seconds, 3), "lines": gained,
            "lines_per_second": round(gained / seconds), "mb_per_second": round((here - before) / seconds / 1e6, 1),
            "same": filecmp.cmp(farm.log("a"), farm.log("b"), shallow=False),
            "complete": count_lines(farm.log("a"), farm.size("a")) == FIRST + count + (live.sent if live else 0)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--lines", type=int, default=1_000_000, help="that the writer missed (1000000)")
    parser.add_argument("--rate", type=int, default=20_000, help="of lines meanwhile, per second; 0: none (20000)")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    end_by_signals()
    with Farm() as farm:
        found = measure(farm, options.lines, options.rate)
    if options.json:
        print(json.dumps(found))
    else:
        print(f"{found['lines']} lines in {found['seconds']} s: {found['lines_per_second']} lines/s, "
              f"{found['mb_per_second']} MB/s, while {options.rate} lines/s went on arriving; "
              f"the files are {'the same' if found['same'] else 'DIFFERENT'}, "
              f"{'nothing is missing' if found['complete'] else 'LINES ARE MISSING OR DOUBLE'}")
    sys.exit(0 if found["same"] and found["complete"] else 1)


if __name__ == "__main__":
    main()
