# SPDX-License-Identifier: Apache-2.0
"""The systems compared: how each is configured, its daemons are started, its client is told.

A Contender is a system in one configuration. It has no state: everything of a run is in Hosts.
"""

import dataclasses
import os
import subprocess

from harness import program


@dataclasses.dataclass(frozen=True)
class Contender:
    """`transport` and `options` are the system's own words. `company` is who is there besides the
    clients that are measured: a "crowd" in other groups, a client that joins and is "deaf", or a
    "siege", a process for each core that takes all it can get."""

    name: str
    system: str
    transport: str = ""
    offload: str = "whole"
    options: tuple = ()
    service: str = "agreed"
    company: str = ""

    ordered = True  # all receivers must see one order
    lossy = False  # what is missing is a figure, not a failure
    has_daemon = True

    def hosts(self):
        """What Hosts is to be told."""
        return {"offload": self.offload}

    def start(self, hosts, name):
        """Starts the daemon of that host."""

    def client_words(self, hosts, name):
        """What the client needs to know besides its load."""
        return ["--system", self.system]

    def configuration(self, hosts):
        """What the daemons read, for the record."""
        return ""

    def version(self):
        return ""


@dataclasses.dataclass(frozen=True)
class Ringcast(Contender):
    """transport: unicast or multicast; options: lines for [ring]; clients: lines for [clients]."""

    clients: str = ""

    def hosts(self):
        return {"offload": self.offload, "transport": self.transport, "ring": "\n".join(self.options),
                "clients": self.clients}

    def start(self, hosts, name):
        hosts.spawn_daemon(name, [program("ringcastd"), "--config", hosts.config, "--name", name])

    def client_words(self, hosts, name):
        return [*super().client_words(hosts, name), "--socket", hosts.socket(name)]

    def configuration(self, hosts):
        return hosts.configuration()

    def version(self):
        return _first_line(program("ringcastd"), "--version")


class Corosync(Contender):
    """transport: knet, udpu or udp; options: lines for totem. Each daemon has a /run of its own,
    for its lock; clients find it by an abstract socket of their network namespace."""

    def start(self, hosts, name):
        path = os.path.join(hosts.folder, "corosync.conf")
        if not os.path.exists(path):  # else the one before may be reading it
            with open(path, "w", encoding="ascii") as file:
                file.write(self.configuration(hosts))
        private = f"exec 3<{path}; mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib/corosync && " \
                  "cat <&3 >/run/corosync.conf && exec corosync -f -c /run/corosync.conf"
        hosts.spawn_daemon(name, ["unshare", "-m", "sh", "-c", private])

    def configuration(self, hosts):
        nodes = "".join(f"  node {{\n    nodeid: {number}\n    name: {name}\n"
                        f"    ring0_addr: {hosts.address(name)}\n  }}\n"
                        for number, name in enumerate(hosts.names, start=1))
        lines = ["version: 2", "cluster_name: bench", f"transport: {self.transport}", "crypto_cipher: none",
                 "crypto_hash: none", *self.options]
        if self.transport == "udp":
            lines.append("interface {\n    ringnumber: 0\n    mcastaddr: 239.77.1.1\n    mcastport: 5405\n  }")
        totem = "".join(f"  {line}\n" for line in lines)
        return f"totem {{\n{totem}}}\nnodelist {{\n{nodes}}}\nsystem {{\n  sched_rr: no\n" \
               "  move_to_root_cgroup: no\n}\nlogging {\n  to_stderr: yes\n  to_syslog: no\n}\n"

    def version(self):
        knet = _first_line("dpkg-query", "-W", "-f", "libknet1 ${Version}", "libknet1")
        return f"{_first_line('corosync', '-v')}; {knet}"


class Zeromq(Contender):
    """PUB/SUB from everybody to everybody. No order, no membership, no daemon."""

    ordered = False
    has_daemon = False

    def version(self):
        return _first_line("dpkg-query", "-W", "-f", "libzmq5 ${Version}", "libzmq5")


class Udp(Contender):
    """The raw limit; options: how to send, how to receive. transport: unicast or multicast."""

    ordered = False
    lossy = True
    has_daemon = False

    def client_words(self, hosts, name):
        send, receive = self.options
        more = ["--multicast"] if self.transport == "multicast" else []
        return [*super().client_words(hosts, name), "--send", send, "--receive", receive, *more]

    def version(self):
        return f"Linux {os.uname().release}"


def _first_line(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip().split("\n")[0] if done.returncode == 0 else "unknown"


def _ring_section(name):
    """The lines of [ring], the last table of that file in conf/."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../conf", name)
    with open(path, encoding="ascii") as file:
        return tuple(file.read().partition("\n[ring]\n")[2].splitlines())


COROSYNC_FAST = ("token: 250", "token_coefficient: 0", "consensus: 300", "join: 30", "merge: 100")
RINGCAST_FAST = _ring_section("fast-failover.toml")
UDP_WAYS = (("sendto", "recv"), ("sendmmsg", "recvmmsg"), ("gso", "recvmmsg"), ("gso", "gro"))

CONTENDERS = {contender.name: contender for contender in [
    Ringcast("ringcast", "ringcast", "unicast"),
    Ringcast("ringcast-socket", "ringcast", "unicast", clients="shared_memory = false"),
    Ringcast("ringcast-safe", "ringcast", "unicast", service="safe"),
    Ringcast("ringcast-multicast", "ringcast", "multicast"),
    Ringcast("ringcast-cut", "ringcast", "unicast", offload="cut"),
    Ringcast("ringcast-off", "ringcast", "unicast", offload="off"),
    Ringcast("ringcast-multicast-off", "ringcast", "multicast", offload="off"),
    Ringcast("ringcast-crowd", "ringcast", "unicast", company="crowd"),
    Ringcast("ringcast-deaf", "ringcast", "unicast", company="deaf"),
    Ringcast("ringcast-siege", "ringcast", "unicast", company="siege"),
    Ringcast("ringcast-fast", "ringcast", "unicast", options=RINGCAST_FAST),
    Corosync("corosync", "corosync", "knet"),
    Corosync("corosync-udpu", "corosync", "udpu"),
    Corosync("corosync-udp", "corosync", "udp"),
    Corosync("corosync-crowd", "corosync", "knet", company="crowd"),
    Corosync("corosync-deaf", "corosync", "knet", company="deaf"),
    Corosync("corosync-siege", "corosync", "knet", company="siege"),
    Corosync("corosync-fast", "corosync", "knet", options=COROSYNC_FAST),
    Zeromq("zeromq", "zeromq"),
    *(Udp(f"udp-{send}-{receive}-{fan}", "udp", fan, options=(send, receive))
      for send, receive in UDP_WAYS for fan in ("unicast", "multicast")),
]}


def available():
    """The systems the client was built with."""
    words = [program("ringcast_bench_client"), "--systems"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
