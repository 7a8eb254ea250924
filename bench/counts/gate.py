#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what a message costs to limits: allocations and instructions of ringcast_counts, which
runs three nodes in one process, and system calls of a daemon and a client in a ring of three on
the loopback. limits.json has the limits. What is above one fails; --measure prints what is."""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../compare"), os.path.join(HERE, "../../tests/integration")]

from harness import enter_namespace, expect, until  # noqa: E402
from hosts import keep_files_private  # noqa: E402
from session import Load, Session  # noqa: E402
from systems import Ringcast  # noqa: E402
from windows import usual  # noqa: E402

SIZES = (100, 1350, 8000)
SECONDS = 2.0


def program(name):
    return os.path.join(os.environ["RINGCAST_BIN"], name)


def run(words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def allocations(size):
    line = run([program("ringcast_counts"), "--bytes", str(size)]).stdout
    return json.loads(line)["allocations_per_delivery"]


def instructions(size):
    """Of the nodes and of what decodes for the clients, for each delivery."""
    with tempfile.TemporaryDirectory() as folder:
        done = run(["valgrind", "--tool=callgrind", "--toggle-collect=*measured_exchange*",
                    f"--callgrind-out-file={folder}/out", program("ringcast_counts"), "--bytes", str(size),
                    "--messages", "1000"])
    collected = int(re.search(r"Collected : (\d+)", done.stderr).group(1))
    return collected / json.loads(done.stdout)["deliveries"]


class Traced(Ringcast):
    """The daemon of the first host runs under strace, which counts."""

    def start(self, hosts, name):
        words = [program("ringcastd"), "--config", hosts.config, "--name", name]
        counting = ["strace", "-f", "-c", "-o", self.path(hosts)] if name == hosts.names[0] else []
        hosts.spawn_daemon(name, [*counting, *words])

    @staticmethod
    def path(hosts):
        return os.path.join(hosts.folder, "calls")


def calls(size):
    """Of a daemon in a ring of three, all senders, from its first instruction to its last. How many
    messages a call moves depends on the machine: the limit is far above what one sees."""
    contender = Traced("traced", "ringcast", "unicast")
    with Session(contender, 3) as session:
        run_of_all = session.run(Load(bytes=size, senders=3, window=usual(size), warm_up=0.0, seconds=SECONDS))
        expect(not run_of_all["problems"], f"the run was not sound: {run_of_all['problems']}")
        strace = session.daemon_pids()[0]
        with open(f"/proc/{strace}/task/{strace}/children", encoding="ascii") as file:
            os.kill(int(file.read().split()[0]), signal.SIGTERM)
        path = Traced.path(session.hosts)
        until("strace's summary", lambda: os.path.exists(path) and " total" in read(path))
        total = next(line.split() for line in read(path).splitlines() if line.endswith(" total"))
    return round(int(total[3]) / run_of_all["delivered"][0], 3)


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def measure():
    return {str(size): {"allocations": allocations(size), "instructions": round(instructions(size)),
                        "system calls": calls(size)} for size in SIZES}


def judge(measured, limits):
    """What is above its limit, a sentence each."""
    return [f"{size} bytes: {value} {what} for each delivery, more than {limits[size][what]}"
            for size, values in measured.items() for what, value in values.items()
            if value > limits[size][what]]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", action="store_true", help="print, and hold to nothing")
    arguments = parser.parse_args()
    enter_namespace()
    keep_files_private()
    measured = measure()
    print(json.dumps(measured, indent=2))
    if arguments.measure:
        return 0
    with open(os.path.join(HERE, "limits.json"), encoding="ascii") as file:
        broken = judge(measured, json.load(file))
    for sentence in broken:
        print(f"gate.py: {sentence}", file=sys.stderr)
    if broken:
        print("gate.py: make it cheaper, or raise the limit in bench/counts/limits.json and say why in the commit",
              file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
