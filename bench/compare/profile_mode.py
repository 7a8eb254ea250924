# SPDX-License-Identifier: Apache-2.0
"""Where the time goes: for S1 at two sizes, the daemon and the client of one host are sampled by
perf (top symbols), and in a run of their own their system calls are counted, exactly, by
tracepoints. Both are given per message delivered at that host."""

import os
import shutil
import subprocess
import tempfile

import machine
import systems
from harness import die_with_parent
from session import Load, Session
from systems import CONTENDERS
from windows import usual

SIZES = (100, 1350)
SECONDS = 2.0
SYMBOLS = 10
CALLS = ("sendto", "sendmsg", "sendmmsg", "recvfrom", "recvmsg", "recvmmsg", "read", "readv", "write", "writev",
         "epoll_wait", "epoll_pwait", "poll", "ppoll", "futex", "ioctl", "timerfd_settime", "epoll_ctl")


def _perf(pid, *words):
    return subprocess.Popen(["perf", *words, "-p", str(pid), "--", "sleep", str(SECONDS)], stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent)


class Observed:
    """One observed run: a perf on the daemon, where there is one, and on the client of host 1."""

    def __init__(self, contender, size, words):
        """`words(role)` are perf's for the daemon or the client."""
        self.tools = {}
        with Session(contender, 3) as session:
            daemon = session.daemon_pids()[:1]

            def observe(clients):
                roles = {"client": clients[0].stream.process.pid}
                if daemon:
                    roles["daemon"] = daemon[0]
                self.tools = {role: _perf(pid, *words(role)) for role, pid in roles.items()}

            load = Load(bytes=size, senders=3, window=usual(size), seconds=SECONDS + 0.5)
            self.run = session.run(load, observe)
            self.errors = {role: tool.communicate()[1] for role, tool in self.tools.items()}
        # perf observes for SECONDS of the run's SECONDS and a half.
        self.messages = max(1.0, self.run["delivered"][0] * SECONDS / (SECONDS + 0.5))


def symbols(contender, size, folder):
    """{role: [(share, symbol)]}."""
    def path(role):
        return os.path.join(folder, f"{contender.name}-{size}-{role}.perf")

    def words(role):
        return ["record", "-q", "-o", path(role)]
    observed = Observed(contender, size, words)
    found = {}
    for role in observed.tools:
        words = ["perf", "report", "-i", path(role), "--stdio", "--no-children", "--sort", "symbol", "-q"]
        text = subprocess.run(words, capture_output=True, text=True, check=False).stdout
        lines = [line.split(None, 1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
        found[role] = [(share, name.replace("-      -", "").strip()) for share, name in lines[:SYMBOLS]]
    return found, observed.run


def calls(contender, size):
    """{role: {call: number per message}}; empty where tracepoints are not to be had."""
    events = ["raw_syscalls:sys_enter", *(f"syscalls:sys_enter_{call}" for call in CALLS)]
    observed = Observed(contender, size, lambda role: ["stat", "-x,", "-e", ",".join(events)])
    found = {}
    for role, text in observed.errors.items():
        counts = {}
        for line in text.splitlines():
            fields = line.split(",")
            if len(fields) > 2 and fields[0].isdigit():
                name = fields[2].partition("sys_enter")[2].lstrip("_") or "all"
                counts[name] = int(fields[0]) / observed.messages
        found[role] = {name: count for name, count in counts.items() if count >= 0.0005}
    return found


def section(contender, size, folder):
    tops, run = symbols(contender, size, folder)
    counts = calls(contender, size)
    lines = [f"## {contender.name}, S1, {size} bytes: {run['rate']:,.0f} messages/s", ""]
    for role, shares in tops.items():
        listed = ", ".join(f"{name} {count:.3f}" for name, count in
                           sorted(counts.get(role, {}).items(), key=lambda item: -item[1]))
        lines += [f"{role}: system calls per message delivered: {listed or 'not counted (no tracepoints here)'}", "",
                  "| share | symbol |", "|---|---|", *(f"| {share} | `{name}` |" for share, name in shares), ""]
    return "\n".join(lines) + "\n"


def run(output):
    if shutil.which("perf") is None:
        print("perf is not there (linux-perf)")
        return 2
    os.makedirs(output, exist_ok=True)
    there = systems.available()
    parts = ["# Where time goes\n\n" + "".join(f"- {k}: {v}\n" for k, v in machine.description().items())]
    with tempfile.TemporaryDirectory() as folder:
        for name in ("ringcast", "ringcast-off", "corosync"):
            for size in SIZES if CONTENDERS[name].system in there else ():
                print(f"{name}, {size} bytes", flush=True)
                parts.append(section(CONTENDERS[name], size, folder))
    path = os.path.join(output, "profile.md")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(parts))
    print(f"written: {path}")
    return 0
