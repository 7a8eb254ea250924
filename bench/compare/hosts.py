# SPDX-License-Identifier: Apache-2.0
"""The hosts of a comparison: those of the end-to-end tests (tests/integration/harness.py), a
network namespace each on one bridge, as many as take part. No port of the bridge is up that
nobody listens at, or multicast would be copied to it.

`offload` says what becomes of super-packets (GSO):
  whole  they cross veth and bridge uncut, which no real network card does
  cut    the kernel cuts them before they leave the host, as a card without the feature has it
  off    the daemon is refused the socket options UDP_SEGMENT and UDP_GRO, as by an old kernel
"""

import contextlib
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/integration"))

from harness import Cluster, command, die_with_parent, program  # noqa: E402

OFFLOADS = ("whole", "cut", "off")


def keep_files_private():
    """Folders of a run lie in the private /run, so that they are gone when we are killed, too."""
    tempfile.tempdir = "/run"


class Hosts(Cluster):
    """n hosts without anything on them yet; used as a context."""

    def __init__(self, count, offload="whole", transport="unicast", ring="", clients=""):
        if transport == "multicast":
            ring += '\nmulticast = "239.192.73.1:4913"'
        super().__init__(count, transport=transport, ring=ring, clients=clients, start=[])
        self.offload = offload
        self.processes = []

    def _build_network(self):
        super()._build_network()
        for name in self.names if self.offload == "cut" else []:
            command("ip", "netns", "exec", name, "ethtool", "-K", "eth0", "tx-udp-segmentation", "off")

    def __exit__(self, kind, value, trace):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        super().__exit__(kind, value, trace)

    def addresses(self):
        return [self.address(name) for name in self.names]

    def spawn(self, name, words, **options):
        """A process on that host, which ends with us."""
        process = subprocess.Popen(self.words_on(name, words), preexec_fn=die_with_parent, **options)
        self.processes.append(process)
        return process

    def words_on(self, name, words):
        without = [program("ringcast_bench_without_offload")] if self.offload == "off" else []
        return ["nsenter", f"--net=/run/netns/{name}", *without, *words]

    def spawn_daemon(self, name, words):
        """The same, with its output in the host's log and in self.daemons."""
        state = os.path.join(self.folder, f"{name}.state")
        os.makedirs(state, exist_ok=True)
        with open(os.path.join(self.folder, f"{name}.log"), "ab") as log:
            self.daemons[name] = self.spawn(name, words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=dict(os.environ, STATE_DIRECTORY=state))

    def pids(self):
        return [process.pid for process in self.processes if process.poll() is None]

    def datagrams(self, name):
        """UDP datagrams that host has received and sent so far. The interface would also count what
        the kernel says on its own behalf."""
        words = command("nsenter", f"--net=/run/netns/{name}", "cat", "/proc/net/snmp")
        names, values = [line.split() for line in words.splitlines() if line.startswith("Udp:")]
        udp = dict(zip(names, values))
        return int(udp["InDatagrams"]), int(udp["OutDatagrams"])

    def tail(self, name, lines=15):
        return "\n".join(self.log(name).splitlines()[-lines:])


def resident_mb(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0
