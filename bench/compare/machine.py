# SPDX-License-Identifier: Apache-2.0
"""Where and of what the figures are: machine, kernel, settings, commit, versions."""

import contextlib
import json
import os
import platform
import subprocess

from harness import ROOT

REMEMBERED = "RINGCAST_BENCH_MACHINE"
SYSCTLS = ("net.core.rmem_max", "net.core.wmem_max", "net.core.netdev_max_backlog")


def _git(*words):
    done = subprocess.run(["git", "-C", ROOT, "-c", f"safe.directory={ROOT}", *words], capture_output=True, text=True,
                          check=False)
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def commit():
    """With "+" when the tree has changes of its own."""
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return _git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")


def _processor():
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def _memory_gb():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _sysctl(name):
    """Some are of the first network namespace alone and cannot be read in ours."""
    with contextlib.suppress(OSError), open("/proc/sys/" + name.replace(".", "/"), encoding="ascii") as file:
        return file.read().strip()
    return "unknown"


def describe_before_entering():
    """Called in the machine's own network namespace; description() then knows, also in ours."""
    os.environ.setdefault(REMEMBERED, json.dumps(_describe()))


def description():
    return json.loads(os.environ[REMEMBERED])


def _describe():
    return {"processor": f"{_processor()}, {os.cpu_count()} cores", "memory": f"{_memory_gb():.0f} GiB",
            "kernel": f"{platform.system()} {platform.release()}", "commit": commit(),
            **{name: _sysctl(name) for name in SYSCTLS}}
