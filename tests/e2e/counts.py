# SPDX-License-Identifier: Apache-2.0
"""Counts of a combined log by programs that are not ours: awk and goaccess."""

import json
import subprocess

from harness import expect, installed

# Between quotes stand client and time, request, status and bytes, referrer, blank, agent.
AWK = r"""
BEGIN { FS = "\"" }
{ split($3, answer, " "); lines++; codes[answer[1]]++
  if (answer[2] != "-") bytes += answer[2]
  if (answer[1] >= 400) errors++ }
END { printf "lines %d\nrequests %d\nbytes %.0f\nerrors %d\n", lines, lines, bytes, errors
      for (code in codes) printf "%s %d\n", code, codes[code] }
"""


def by_awk(path):
    done = subprocess.run(["awk", AWK, path], capture_output=True, text=True, check=True)
    return {name: int(count) for name, count in (line.split() for line in done.stdout.splitlines())}


def by_goaccess(path, report):
    words = [installed("goaccess"), path, "--log-format=COMBINED", "--no-global-config", "--no-progress", "-o", report]
    done = subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    expect(done.returncode == 0, f"goaccess ended with {done.returncode}: {done.stderr[-500:]}")
    with open(report, encoding="utf-8") as file:
        found = json.load(file)
    general = found["general"]
    expect(general["failed_requests"] == 0, f"goaccess could not read {general['failed_requests']} lines")
    counts = {"lines": general["total_requests"], "requests": general["valid_requests"], "bytes": general["bandwidth"]}
    for group in found["status_codes"]["data"]:
        for code in group["items"]:
            counts[code["data"][:3]] = code["hits"]["count"]
    counts["errors"] = sum(count for code, count in counts.items() if code.isdigit() and int(code) >= 400)
    return counts


def by_monitor(figures):
    counts = {name: figures[name] for name in ("lines", "requests", "bytes", "errors")}
    counts.update(figures["codes"])
    return counts
