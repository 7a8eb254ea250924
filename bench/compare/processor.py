# SPDX-License-Identifier: Apache-2.0
"""Who used the processors: a set of processes, or everybody but us.

Foreign time is that of all processes that are neither of our tree nor the kernel's threads
(which carry our packets), children they have reaped included, and what the hypervisor took
(steal). So a process that ends in between is not lost: its time is then its parent's.
"""

import contextlib
import os

TICKS = os.sysconf("SC_CLK_TCK")
KTHREADD = 2


def _stat(pid):
    """(parent, own seconds, seconds of reaped children), or nothing when it is gone."""
    gone = contextlib.suppress(OSError, IndexError)
    with gone, open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
        times = [int(word) / TICKS for word in fields[11:15]]
        return int(fields[1]), times[0] + times[1], times[2] + times[3]
    return None


def seconds_of(pids):
    return sum(stat[1] for stat in map(_stat, pids) if stat)


def _stolen():
    with open("/proc/stat", encoding="ascii") as file:
        return int(file.readline().split()[8]) / TICKS


def foreign_seconds():
    stats = {int(entry): _stat(entry) for entry in os.listdir("/proc") if entry.isdigit()}
    stats = {pid: stat for pid, stat in stats.items() if stat}
    ours = {os.getpid()}

    def is_foreign(pid):
        line = []
        while pid not in ours and pid in stats and pid != KTHREADD:
            line.append(pid)
            pid = stats[pid][0]
        if pid in ours:
            ours.update(line)
        return pid not in ours and pid != KTHREADD

    return sum(own + reaped for pid, (_, own, reaped) in stats.items() if is_foreign(pid)) + _stolen()
