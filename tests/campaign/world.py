# SPDX-License-Identifier: Apache-2.0
"""The hosts of a campaign, and how each kind of fault is done to them and undone.

Daemons stand in network namespaces as in the end-to-end tests (harness.py). Between them is
ringcast_switch, which gives each namespace a TAP device and can delay, reorder, double and
corrupt; where there is no /dev/net/tun, a bridge of the kernel. Where the kernel has netem, that
does it instead.
"""

import contextlib
import os
import resource
import socket
import struct
import subprocess

from harness import Cluster, command, die_with_parent, expect, program

STATE_BYTES = 64 << 10


def succeeds(*words):
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def has_netem():
    """Asked at the loopback device of our own namespace."""
    found = succeeds("tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms")
    if found:
        command("tc", "qdisc", "del", "dev", "lo", "root")
    return found


def has_tun():
    """There, and for us: some systems keep it for root."""
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError:
        return False
    return True


class World(Cluster):
    """A cluster whose hosts can be harmed in every way of the schedule."""

    def __init__(self, count, seed, network="auto"):
        self.seed = seed
        if network == "auto":
            network = "switch" if has_tun() else "bridge"
        self.network = network
        self.switch = None
        self.netem = has_netem()
        self.shapes_paths = self.netem or network == "switch"
        self._limits = {}
        super().__init__(count, start=[])

    # The network.

    def _build_network(self):
        if self.network == "switch":
            self._build_switch()
        else:
            super()._build_network()
        for name in self.names:
            state = os.path.join(self.folder, f"{name}.state")
            os.makedirs(state)
            command("mount", "-t", "tmpfs", "-o", f"size={STATE_BYTES}", "tmpfs", state)

    def _build_switch(self):
        for name in self.names:
            command("ip", "netns", "add", name)
        words = [program("ringcast_switch"), "--seed", str(self.seed), *self.names]
        self.switch = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                       preexec_fn=die_with_parent)
        expect(self.switch.stdout.readline() == "ready\n", "the switch does not start")
        for name in self.names:
            command("ip", "-n", name, "link", "set", "lo", "up")
            command("ip", "-n", name, "addr", "add", f"{self.address(name)}/24", "dev", "eth0")
            command("ip", "-n", name, "link", "set", "eth0", "up")

    def ask_switch(self, line):
        self.switch.stdin.write(line + "\n")
        self.switch.stdin.flush()
        answer = self.switch.stdout.readline().strip()
        expect(answer.startswith("ok"), f"the switch answers {line!r} with {answer!r}")
        return answer[3:]

    def __exit__(self, kind, value, trace):
        super().__exit__(kind, value, trace)
        if self.switch is not None:
            self.switch.stdin.close()
            self.switch.kill()
            self.switch.wait()
            self.switch.stdout.close()
        for name in self.names:
            succeeds("umount", "-l", os.path.join(self.folder, f"{name}.state"))

    # Faults. begin(fault) and end(fault); what a dead daemon cannot suffer is no error.

    def begin(self, fault):
        kind, given = fault.kind, fault.parameters
        if kind == "loss":
            self._filter(fault, lambda _: f"numgen random mod 100 < {given['percent']}")
        elif kind == "by-size":
            self._filter(fault, lambda _: f"udp length > {given['bytes']}")
        elif kind == "one-way":
            self._filter(fault, lambda _: f"ip saddr {self.address(given['source'])}")
        elif kind == "cut":
            self._begin_cut(fault)
        elif kind == "rate":
            command(*self._qdisc(fault.target, "replace"), "tbf", "rate", f"{given['kbit']}kbit", "burst", "16kb",
                    "latency", "100ms")
        elif kind == "mtu":
            command("ip", "-n", fault.target, "link", "set", "eth0", "mtu", str(given["bytes"]))
        elif kind == "link-down":
            command("ip", "-n", fault.target, "link", "set", "eth0", "down")
        elif kind == "disk":
            self._fill(fault.target)
        elif kind == "files":
            self._limit_files(fault.target)
        else:
            self._shape(fault)

    def end(self, fault):
        kind = fault.kind
        if kind in ("loss", "by-size", "one-way", "cut"):
            for name in self._hosts(fault) if kind != "cut" else self.names:
                self.nft(name, f"delete table inet f{fault.number}\n")
        elif kind == "rate":
            command(*self._qdisc(fault.target, "del"))
        elif kind == "mtu":
            command("ip", "-n", fault.target, "link", "set", "eth0", "mtu", "1500")
        elif kind == "link-down":
            command("ip", "-n", fault.target, "link", "set", "eth0", "up")
        elif kind == "disk":
            os.remove(self._ballast(fault.target))
        elif kind == "files":
            self._unlimit_files(fault.target)
        else:
            self._unshape(fault)

    def _hosts(self, fault):
        return self.names if fault.target == "*" else [fault.target]

    @staticmethod
    def _qdisc(name, what):
        return ["ip", "netns", "exec", name, "tc", "qdisc", what, "dev", "eth0", "root"]

    def _filter(self, fault, match, hosts=None):
        """Each host drops what comes in and matches, in a table of the fault's own."""
        for name in hosts or self._hosts(fault):
            self.nft(name, f"table inet f{fault.number} {{\n chain input {{\n"
                           "  type filter hook input priority 0;\n"
                           f'  iifname "eth0" {match(name)} counter drop\n }}\n}}\n')

    def _begin_cut(self, fault):
        here = set(fault.target.split(","))

        def others(name):
            side = here if name in here else set(self.names) - here
            away = [self.address(n) for n in self.names if n not in side]
            # A side of everybody: nobody is away, and no address matches.
            return f"ip saddr {{ {', '.join(away or ['192.0.2.1'])} }}"
        self._filter(fault, others, hosts=self.names)

    def _shape(self, fault):
        given = fault.parameters
        if self.netem:
            for name in self._hosts(fault):
                command(*self._qdisc(name, "replace"), "netem", *netem_words(given))
            return
        knobs = " ".join(f"{k}={v}" for k, v in sorted(given.items()))
        self.ask_switch(f"set {fault.target} * {knobs}")

    def _unshape(self, fault):
        if self.netem:
            for name in self._hosts(fault):
                command(*self._qdisc(name, "del"))
            return
        self.ask_switch("set * *")

    def _ballast(self, name):
        return os.path.join(self.folder, f"{name}.state", "ballast")

    def _fill(self, name):
        with open(self._ballast(name), "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(b"\0" * 512)

    def _limit_files(self, name):
        """The daemon has as many descriptors as it may have: if it runs, not while it starts."""
        pid = self.daemons[name].pid
        if not self.serves(name):
            return
        with contextlib.suppress(OSError):
            used = len(os.listdir(f"/proc/{pid}/fd"))
            _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
            self._limits[name] = pid, resource.prlimit(pid, resource.RLIMIT_NOFILE, (used, hard))

    def _unlimit_files(self, name):
        pid, limits = self._limits.pop(name, (0, None))
        if limits is not None and self.daemons[name].pid == pid:
            with contextlib.suppress(OSError):
                resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)

    def serves(self, name):
        """Its socket answers, and is no other's."""
        with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
            client.settimeout(0.1)
            client.connect(self.socket(name))
            peer = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
            return struct.unpack("3i", peer)[0] == self.daemons[name].pid
        return False


def netem_words(given):
    words = []
    if "delay" in given:
        words += ["delay", f"{given['delay']}us"]
        if "jitter" in given:
            words += [f"{given['jitter']}us"]
    for knob in ("reorder", "duplicate", "corrupt", "loss"):
        if knob in given:
            words += [knob, f"{given[knob] * 100}%"]
    return words
