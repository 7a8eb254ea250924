# SPDX-License-Identifier: Apache-2.0
"""What is compared: rows, each a scenario at one size for some contenders, in the order in which
they are measured: what is asked of ringcast first, what shows how it gets there after it. Three
plans: full (two hours), quick (main rows, under 20 minutes), smoke (does it all still work, under a
minute)."""

import dataclasses

from systems import CONTENDERS, UDP_WAYS

SIZES = (100, 237, 1000, 1350, 8000, 60000, 1 << 20)  # 237: the mean line of a log
RAW = tuple(f"udp-{send}-{receive}-{fan}" for send, receive in UDP_WAYS for fan in ("unicast", "multicast"))
RAW_BEST = tuple(f"udp-gso-gro-{fan}" for fan in ("unicast", "multicast"))
OFFLOAD_OFF = ("ringcast-cut", "ringcast-off", "ringcast-multicast-off")
MAIN_SIZES = (100, 1350, 60000)
RAW_SIZES = (8000, 60000, 1 << 20)  # where ringcast is to reach a share of the raw limit: measured side by side


@dataclasses.dataclass(frozen=True)
class Row:
    """kind: what measures it (measures.py). For "load": with neither rate nor share the senders
    saturate; share: of what the contender (or `share_of`) reached in S1 at this size."""

    scenario: str
    title: str
    contenders: tuple
    kind: str = "load"
    hosts: int = 3
    bytes: int = 100
    senders: int = 0  # 0: all
    rate: float = 0.0
    share: float = 0.0
    share_of: str = ""
    seconds: float = 0.0  # 0: what the settings say

    @property
    def id(self):
        load = "max"
        if self.rate or self.share:
            load = f"{self.rate:g}/s" if self.rate else f"{self.share:g}x{self.share_of or 'own'}"
        senders = self.senders or self.hosts
        return ":".join([self.scenario, self.kind, f"{self.hosts}h", f"{senders}s", f"{self.bytes}B", load])

    @property
    def saturates(self):
        return self.kind == "load" and not self.rate and not self.share


@dataclasses.dataclass(frozen=True)
class Settings:
    repetitions: int = 5
    warm_up: float = 0.5
    seconds: float = 2.5
    latency_seconds: float = 5.0
    idle_seconds: float = 10.0
    search: str = "all"  # for the best W: all sizes, a climb from the usual one, or none
    foreign_cores_max: float = 0.2
    tries: int = 4  # of a run that is disturbed
    crowd: int = 200
    groups: int = 1000


def _rows(scenario, title, sizes, contenders, **more):
    return [Row(scenario, title, tuple(contenders), bytes=size, **more) for size in sizes]


def full():
    pair = ("ringcast", "corosync")
    unordered = (*pair, "zeromq")
    transports = ("ringcast-multicast", "corosync-udpu", "corosync-udp")
    rows = []
    for size in MAIN_SIZES:
        rows += _rows("S1", "three hosts, three senders", [size],
                      (*unordered, "ringcast-socket", *transports, *OFFLOAD_OFF))
        rows += _raw((size,), RAW) if size in RAW_SIZES else []
    for size in (size for size in RAW_SIZES if size not in MAIN_SIZES):
        rows += _rows("S1", "three hosts, three senders", [size], (*unordered, "ringcast-multicast"))
        rows += _raw((size,), RAW)
    rows += _rows("S1c", "three hosts, three senders, safe", MAIN_SIZES, ("ringcast", "ringcast-safe"))
    rows += _rows("S2", "latency, 1,000 messages/s", [200],
                  (*pair, "corosync-udpu", "corosync-udp", "zeromq", "ringcast-multicast", "ringcast-safe",
                   "ringcast-off"), rate=1000)
    rows += _rows("S2", "latency at half of Corosync's S1 maximum", [1350], pair, share=0.5, share_of="corosync")
    rows += _rows("S2", "latency, 17,500 messages/s", [1350], pair, rate=17500)
    rows += _rows("S3", "eight hosts, eight senders", [100, 1350],
                  (*unordered, "ringcast-multicast", *OFFLOAD_OFF), hosts=8)
    rows += _rows("S4", "one host", [100, 1350], (*pair, "ringcast-socket"), hosts=1)
    rows += _special(hosts=(3, 8))
    rows += _overload(pair)
    rows += _rows("S1", "a minute with all cores taken by others", [1350], ("ringcast-siege",), seconds=60)
    # What is asked of ringcast ends here.
    for hosts in (2, 4, 6, 12, 16):  # 3 and 8 are S1, S2 and S3
        rows += _rows("S8", f"{hosts} daemons", [1350], pair, hosts=hosts)
        rows += _rows("S8", f"{hosts} daemons, latency, 1,000 messages/s", [200], pair, hosts=hosts, rate=1000)
    rows += _rows("S3", "eight hosts, latency, 1,000 messages/s", [200], pair, hosts=8, rate=1000)
    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        rows += _rows("S2", f"latency at {share:.0%} of the own S1 maximum", [1350], pair, share=share)
    rows += _raw((100, 1350), RAW)
    rows += _rows("S1", "three hosts, three senders", [237, 1000], unordered)
    rows += _rows("S1b", "three hosts, one sender", SIZES, unordered, senders=1)
    rows += _rows("S1c", "three hosts, three senders, safe", [s for s in SIZES if s not in MAIN_SIZES],
                  ("ringcast", "ringcast-safe"))
    rows += _rows("S4", "one host", [s for s in SIZES if s not in (100, 1350)], pair, hosts=1)
    rows += _rows("S4", "one host, latency, 1,000 messages/s", [200], pair, hosts=1, rate=1000)
    return rows, Settings()


def _raw(sizes, ways):
    """In S1 a sender's own copy costs the raw ways nothing; here all messages cross the network."""
    return _rows("RAW", "the raw limit, one host to three", sizes, ways, hosts=4, senders=1)


def _overload(contenders):
    return [row for share, what in ((1, "as much as"), (2, "twice what"))
            for row in _rows("S1", f"{what} it carries is offered", [1350], contenders, share=share)]


def _special(hosts):
    rows = []
    for count in hosts:
        rows.append(Row("S5", f"{count} hosts, SIGKILL of a daemon and its restart",
                        ("ringcast", "ringcast-fast", "corosync", "corosync-fast"), kind="failover", hosts=count))
    rows.append(Row("S6", "idle", ("ringcast", "corosync"), kind="idle"))
    rows.append(Row("S7", "joins and leaves", ("ringcast", "corosync"), kind="churn"))
    rows.append(Row("S7", "S1 beside a crowd of clients, and with a client that does not read",
                    ("ringcast", "ringcast-crowd", "ringcast-deaf", "corosync", "corosync-crowd", "corosync-deaf")))
    return rows


def quick():
    pair = ("ringcast", "corosync")
    rows = []
    for size in MAIN_SIZES:
        rows += _rows("S1", "three hosts, three senders", [size],
                      (*pair, "zeromq", "ringcast-multicast", "ringcast-off"))
    rows += _raw((60000,), RAW_BEST)
    rows += _rows("S1c", "three hosts, three senders, safe", [1350], ("ringcast", "ringcast-safe"))
    rows += _rows("S2", "latency, 1,000 messages/s", [200],
                  (*pair, "corosync-udpu", "ringcast-multicast", "ringcast-safe"), rate=1000)
    rows += _rows("S2", "latency at half of Corosync's S1 maximum", [1350], pair, share=0.5, share_of="corosync")
    rows += _overload(("ringcast",))
    rows += _rows("S3", "eight hosts, eight senders", [1350], pair, hosts=8)
    rows += _rows("S4", "one host", [100], pair, hosts=1)
    rows += _special(hosts=(3,))[:2]
    return rows, Settings(warm_up=0.5, seconds=1.5, latency_seconds=3.0, idle_seconds=3.0, search="climb")


def smoke():
    pair = ("ringcast", "corosync")
    rows = _rows("S1", "three hosts, three senders", [100], (*pair, "zeromq", "ringcast-off", "udp-gso-gro-unicast"))
    rows += _rows("S1", "three hosts, three senders", [1350], pair)
    rows += _rows("S1b", "three hosts, one sender", [60000], ("ringcast",), senders=1)
    rows += _rows("S1c", "three hosts, three senders, safe", [1350], ("ringcast-safe",))
    rows += _rows("S2", "latency, 1,000 messages/s", [200], ("ringcast",), rate=1000)
    rows += _rows("S2", "latency at half of Corosync's S1 maximum", [1350], ("ringcast",), share=0.5,
                  share_of="corosync")
    rows += _rows("S3", "eight hosts, eight senders", [1350], ("ringcast",), hosts=8)
    rows += _rows("S4", "one host", [100], ("ringcast",), hosts=1)
    rows += [dataclasses.replace(row, contenders=tuple(c for c in row.contenders if CONTENDERS[c].system == "ringcast"))
             for row in _special(hosts=(3,))]
    rows += _rows("S1", "all cores taken by others", [1350], ("ringcast-siege",))
    rows += _rows("S1", "twice what it carries is offered", [1350], ("ringcast",), share=2)
    rows += _rows("S8", "2 daemons", [1350], ("ringcast",), hosts=2)
    return rows, Settings(repetitions=1, warm_up=0.2, seconds=1.0, latency_seconds=1.0, idle_seconds=1.0, search="none",
                          foreign_cores_max=99.0, tries=1, crowd=20, groups=100)


PLANS = {"full": full, "quick": quick, "smoke": smoke}


def restricted(rows, systems, only):
    """Without systems that are not there; only some scenarios or contenders, when asked for."""
    kept = []
    for row in rows:
        if only and row.scenario not in only:
            continue
        there = tuple(name for name in row.contenders if CONTENDERS[name].system in systems)
        if there:
            kept.append(dataclasses.replace(row, contenders=there))
    return kept
