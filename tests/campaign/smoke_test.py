#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A short campaign is clean, its records can accuse, and a killed campaign leaves nothing."""

import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))

from harness import Failure, expect, program, until  # noqa: E402

RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run.py")
# Loss, delay and more are drawn beside these: by this seed several of each.
SHORT = ["--minutes", "0.4", "--seed", "71", "--daemons", "3", "--kills", "5", "--pauses", "5", "--client-kills", "2",
         "--stalls", "2", "--rate", "30"]


def campaign(*more):
    return [sys.executable, RUN, *more]


def check(folder):
    files = [os.path.join(folder, n) for n in os.listdir(folder) if n == "log" or n.startswith("record-")]
    return subprocess.run([program("ringcast_check"), *files], capture_output=True, text=True, check=False)


def clean(folder):
    done = subprocess.run(campaign(*SHORT, "--output", folder), capture_output=True, text=True, check=False)
    print(done.stdout, done.stderr, sep="")
    expect(done.returncode == 0, f"a short campaign ends with {done.returncode}")
    expect("5 SIGKILLs and 5 pauses" in done.stdout, "the report does not have all kills and pauses")
    expect("zero violations" in done.stdout, "the report does not say that it is clean")
    received = int(re.search(r"received (\d+)", done.stdout)[1])
    expect(received > 1000, f"only {received} messages were received")


def last_messages(lines):
    """The place of the first of two messages to groups that follow each other, late in the record: behind
    the last configuration, which everybody saw whole."""
    last = max(place for place, line in enumerate(lines) if line.startswith("G "))
    pairs = [p for p in range(last, len(lines) - 1) if lines[p].startswith("M ") and lines[p + 1].startswith("M ")]
    pairs = [p for p in pairs if all(line.split()[8].startswith("g") for line in lines[p:p + 2])]
    expect(pairs, "no two messages follow each other")
    return pairs[len(pairs) // 2]


def accused(folder, change, invariants):
    path = os.path.join(folder, "record-1")
    with open(path, encoding="ascii") as file:
        whole = file.read()
    lines = whole.splitlines(keepends=True)
    change(lines, last_messages(lines))
    with open(path, "w", encoding="ascii") as file:
        file.writelines(lines)
    done = check(folder)
    with open(path, "w", encoding="ascii") as file:
        file.write(whole)
    expect(done.returncode == 1, f"a spoiled record is judged with {done.returncode}: {done.stdout[-2000:]}")
    for invariant in invariants:
        expect(re.search(rf"^ +\d+  {invariant}$", done.stdout, re.M), f"{invariant} is not named: {done.stdout[-2000:]}")


def drop(lines, place):
    del lines[place]


def swap(lines, place):
    lines[place], lines[place + 1] = lines[place + 1], lines[place]


def descendants(pid):
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
            for child in file.read().split():
                found += [int(child), *descendants(int(child))]
    return found


def leaves_nothing():
    process = subprocess.Popen(campaign("--minutes", "1", "--daemons", "2", "--kills", "1"), stdout=subprocess.PIPE,
                               text=True)
    for line in process.stdout:
        if line.startswith("2 daemons"):
            break
    people = descendants(process.pid)
    expect(len(people) >= 2 + 6, f"only {len(people)} processes belong to the campaign")
    process.kill()
    process.wait()
    process.stdout.close()
    until("everything ends with the campaign", lambda: not any(os.path.exists(f"/proc/{pid}") for pid in people))


def main():
    with tempfile.TemporaryDirectory(prefix="ringcast-smoke-") as place:
        folder = os.path.join(place, "campaign")
        clean(folder)
        expect(check(folder).returncode == 0, "the records are clean no more")
        accused(folder, drop, ["E15"])
        accused(folder, swap, ["E9", "E14"])
    leaves_nothing()
    print("ok")


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")
