#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How many log lines a second go through: from a pipe to two writers' disks, or to a monitor.

    bench/ringlog_rate.py write   [--lines N] [--rounds R] [--compress zstd] [--profile] [--json]
    bench/ringlog_rate.py monitor [--lines N] [--rate LINES_PER_SECOND] [--json]

Three daemons on loopback. `write`: a publisher at the third reads the sample log, repeated, from
a pipe as fast as it can be read; writers at the first two put it into a file each. The time is
from the first byte into the pipe until both files have the last line; then they must be the same,
byte for byte, and have every line. `monitor`: the same publisher is given lines at a fixed rate (0:
as fast as they go), and a monitor at the first daemon must have counted every one, missed none, and
held its memory; the time is until it has counted the last. Each program's processor time is from
/proc, and so is its greatest resident memory. `--profile` adds what perf found in all of them.
Everything shares the cores of the machine. Needs the build (RINGCAST_BIN); leaves nothing. Exits
1 when a line is missing or files differ.
"""

import argparse
import contextlib
import filecmp
import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time

from ringlog_farm import PATIENCE, Farm, Live, count_lines, end_by_signals, repeated, sample_lines, until

PIECE = 4 << 20
TICKS = os.sysconf("SC_CLK_TCK")


def processor(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def peak_memory(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) / 1024


def figures_of(processes, before):
    return {name: {"cpu_s": round(processor(process) - before[name], 2), "peak_mib": round(peak_memory(process), 1)}
            for name, process in processes.items()}


class Feed:
    """Writes the sample, repeated, into a pipe from a thread, which is asleep or in a call nearly always."""

    def __init__(self, pipe, lines, count):
        self._thread = threading.Thread(target=self._run, args=(pipe, lines, count), daemon=True)
        self.began = time.monotonic()
        self._thread.start()

    @staticmethod
    def _run(pipe, lines, count):
        rounds, rest = divmod(count, len(lines))
        whole = b"".join(lines)
        for _ in range(rounds):
            for start in range(0, len(whole), PIECE):
                pipe.write(whole[start:start + PIECE])
        pipe.write(b"".join(lines[:rest]))
        pipe.flush()

    def join(self):
        self._thread.join(PATIENCE)


class Profile:
    """perf over some processes; without it there is nothing to tell."""

    def __init__(self, processes, path):
        pids = ",".join(str(process.pid) for process in processes.values())
        self._path = path
        self._perf = subprocess.Popen(["perf", "record", "-q", "-F", "499", "-o", path, "-p", pids],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def text(self):
        self._perf.send_signal(signal.SIGINT)
        self._perf.wait(PATIENCE)
        report = subprocess.run(["perf", "report", "-i", self._path, "--stdio", "--sort", "comm,symbol", "--percent-limit", "1"],
                                capture_output=True, text=True, check=False).stdout
        return "\n".join(line.rstrip() for line in report.splitlines() if line.strip() and not line.startswith("#"))


def write_once(farm, lines, count, words, profile):
    size = sum(map(len, lines)) * (count // len(lines)) + sum(map(len, lines[:count % len(lines)]))
    processes = {"writer a": farm.writer("a"), "writer b": farm.writer("b")}
    processes.update(zip(("daemon a", "daemon b", "daemon c"), farm.running[:3]))
    until("both writers are there", lambda: farm.writers() == 2)
    publisher = processes["publisher"] = farm.publisher(words=words)
    before = {name: processor(process) for name, process in processes.items()}
    watch = Profile(processes, farm.path("perf.data")) if profile else None
    feed = Feed(publisher.stdin, lines, count)
    until("both have all", lambda: farm.size("a") >= size and farm.size("b") >= size)
    seconds = time.monotonic() - feed.began
    found = {"lines": count, "mb": round(size / 1e6), "seconds": round(seconds, 3), "lines_per_second": round(count / seconds),
             "processes": figures_of(processes, before)}
    if watch:
        found["profile"] = watch.text()
    feed.join()
    publisher.stdin.close()
    if publisher.wait(PATIENCE) != 0:
        sys.exit("ringlog_rate.py: the publisher failed")
    for name in ("writer a", "writer b"):
        processes[name].terminate()
        processes[name].wait(PATIENCE)
    found["same"] = filecmp.cmp(farm.log("a"), farm.log("b"), shallow=False)
    found["complete"] = farm.size("a") == size and count_lines(farm.log("a"), size) == count
    return found


def measure_write(options):
    lines = sample_lines()
    rounds = []
    for _ in range(options.rounds):
        with Farm() as farm:
            words = ["--compress", options.compress] if options.compress != "none" else []
            rounds.append(write_once(farm, lines, options.lines, words, options.profile))
        if not (rounds[-1]["same"] and rounds[-1]["complete"]):
            break
    median = statistics.median_low([found["lines_per_second"] for found in rounds])
    result = dict(next(found for found in rounds if found["lines_per_second"] == median))
    result["rounds"] = [found["lines_per_second"] for found in rounds]
    result["good"] = all(found["same"] and found["complete"] for found in rounds)
    return result


def measure_monitor(options):
    lines = sample_lines()
    with Farm() as farm:
        report = farm.path("report")
        with open(report, "wb") as file:
            monitor = farm.start("ringlog-monitor", "--socket", f"{farm.path('a')}.sock", "--group", "weblogs", "--json",
                                 "--interval", "1h", "--count", str(options.lines), output=file)
        until("the monitor is there", lambda: farm.members("weblogs") == 1)
        processes = {"monitor": monitor, **dict(zip(("daemon a", "daemon b", "daemon c"), farm.running[:3]))}
        publisher = processes["publisher"] = farm.publisher()
        before = {name: processor(process) for name, process in processes.items()}
        began = time.monotonic()
        if options.rate:
            Live(publisher, lines, options.rate, limit=options.lines)
        else:
            Feed(publisher.stdin, lines, options.lines)
        figures = {}
        while monitor.poll() is None:
            if time.monotonic() - began > PATIENCE + options.lines / max(options.rate, 50_000):
                sys.exit("ringlog_rate.py: the monitor did not count all lines")
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, StopIteration):
                figures = figures_of(processes, before)
            threading.Event().wait(0.05)
        seconds = time.monotonic() - began
        with open(report, encoding="utf-8") as file:
            told = json.loads(file.readlines()[-1])
    return {"lines": options.lines, "rate": options.rate, "seconds": round(seconds, 3),
            "lines_per_second": round(options.lines / seconds), "processes": figures, "counted": told["lines"],
            "missed": told["ring"]["missed"], "good": told["lines"] == options.lines and told["ring"]["missed"] == 0}


def show(found):
    print(f"{found['lines']} lines in {found['seconds']} s: {found['lines_per_second']} lines/s"
          + (f" (rounds: {', '.join(map(str, found['rounds']))})" if "rounds" in found else ""))
    for name, figures in sorted(found["processes"].items()):
        print(f"  {name:10} {figures['cpu_s']:7.2f} s of processor time, {figures['peak_mib']:7.1f} MiB at most")
    if "profile" in found:
        print(found["profile"])
    print("nothing is missing, all is the same" if found["good"] else "LINES ARE MISSING, OR FILES DIFFER")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--json", action="store_true")
    kinds = parser.add_subparsers(dest="kind", required=True)
    write = kinds.add_parser("write", help="from a pipe to two writers' disks")
    write.add_argument("--rounds", type=int, default=3)
    write.add_argument("--compress", choices=("none", "zstd"), default="none")
    write.add_argument("--profile", action="store_true", help="what perf finds")
    monitor = kinds.add_parser("monitor", help="to a monitor")
    monitor.add_argument("--rate", type=int, default=200_000, help="of lines, per second; 0: as fast as they go (200000)")
    for kind in (write, monitor):
        kind.add_argument("--lines", type=int, default=3_000_000, help="(3000000)")
        kind.add_argument("--json", action="store_true", default=argparse.SUPPRESS)
    options = parser.parse_args()
    end_by_signals()
    found = measure_write(options) if options.kind == "write" else measure_monitor(options)
    if options.json:
        print(json.dumps(found))
    else:
        show(found)
    sys.exit(0 if found["good"] else 1)


if __name__ == "__main__":
    main()
