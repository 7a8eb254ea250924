# SPDX-License-Identifier: Apache-2.0
"""What ringcast is to reach, and then aims at, beside what a comparison found.

Rates and latencies are of the best transport in that row, of either system: multicast, where the
network has it, is a line of configuration. Ratios are of neighbouring runs, as in the tables. Fixed
figures come from Spread 5.0.1, which Debian does not carry, measured in the same way on a machine of
two cores.
"""

import dataclasses
import statistics
from collections.abc import Callable

OURS = ("ringcast", "ringcast-multicast")
THEIRS = ("corosync", "corosync-udpu", "corosync-udp")
SPREAD_RATES = {(8, 100): 25300.0, (8, 1350): 14300.0}  # (hosts, bytes): messages/s


@dataclasses.dataclass(frozen=True)
class Goal:
    """`find` takes Results and returns the figure, None when it was not measured."""

    title: str
    unit: str
    reach: float
    aim: float | None
    find: Callable
    less: bool = False  # is better
    digits: int = 2

    def verdict(self, value):
        if self.aim is not None and self._holds(value, self.aim):
            return "aim"
        return "reached" if self._holds(value, self.reach) else "**missed**"

    def _holds(self, value, limit):
        return value <= limit if self.less else value >= limit


class Results:
    """Looks figures up in the document of report.results()."""

    def __init__(self, document):
        self._rows = document["rows"]

    def contender(self, name, scenario, size, hosts=3, **more):
        """The contender in that row, None where it was not measured or never came through."""
        wanted = {"scenario": scenario, "bytes": size, "hosts": hosts, "share": 0.0, "rate": 0.0, **more}
        for row in self._rows:
            if all(row[key] == value for key, value in wanted.items()):
                for contender in row["contenders"]:
                    if contender["name"] == name and contender["runs"]:
                        return contender
        return None

    def median(self, figure, *where, **more):
        found = self.contender(*where, **more)
        found = found and found["figures"].get(figure)
        return found and found["median"]

    def ratio(self, figure, *where, **more):
        """Of ringcast to that contender."""
        found = self.contender(*where, **more)
        found = found and found["ratios"].get(figure)
        return found and found["median"]

    def raw_limit(self, size):
        """(Mbit/s, name) of the best raw way from one host to three; None when none was measured."""
        ways = [(contender["figures"]["mbit"]["median"], contender["name"])
                for row in self._rows if row["scenario"] == "RAW" and row["bytes"] == size
                for contender in row["contenders"] if contender["figures"].get("mbit")]
        return max(ways, default=None)


def _faster(hosts, size, scenario):
    def find(results):
        theirs = [results.ratio("rate", name, scenario, size, hosts) for name in THEIRS]
        ours = [results.ratio("rate", name, scenario, size, hosts) for name in OURS[1:]]
        if not any(theirs):
            return None
        return min(ratio for ratio in theirs if ratio) / min([1.0, *(ratio for ratio in ours if ratio)])
    return find


def _of_the_better_peer(hosts, size):
    def find(results):
        ours = max(results.median("rate", name, "S3", size, hosts) or 0.0 for name in OURS)
        theirs = results.median("rate", "corosync", "S3", size, hosts)
        return ours / max(theirs, SPREAD_RATES[hosts, size]) if ours and theirs else None
    return find


def _of_own(name, scenario, size):
    """The share of ringcast's own rate that this variant has."""
    def find(results):
        found = results.ratio("rate", name, scenario, size)
        return found and 100 / found
    return find


def _latency(quantile, names=OURS, size=200, rate=1000):
    """Of the transport whose median latency is the shortest."""
    def find(results):
        found = [(results.median("p50", name, "S2", size, rate=rate), name) for name in names]
        found = [middle for middle in found if middle[0]]
        return results.median(quantile, min(found)[1], "S2", size, rate=rate) if found else None
    return find


def _processor(results):
    def all_of(name):
        parts = [results.median(part, name, "S1", 100) for part in ("daemon_s_per_million", "client_s_per_million")]
        return sum(parts) if all(parts) else None
    ours, theirs = all_of("ringcast"), all_of("corosync")
    return ours and theirs and ours / theirs


def _special(figure, scenario, name="ringcast"):
    return lambda results: results.median(figure, name, scenario, 100)


def _share_of_raw(size):
    def find(results):
        rates = [results.median("mbit", name, "S1", size) for name in OURS]
        limit = results.raw_limit(size)
        return limit and any(rates) and 100 * max(rate for rate in rates if rate) / limit[0]
    return find


def _overload(results):
    """What it carries when twice its maximum is offered, as a share of what it carries when that maximum is."""
    rates = [results.median("rate", "ringcast", "S1", 1350, share=share) for share in (1, 2)]
    return 100 * rates[1] / rates[0] if all(rates) else None


def _false_alarms(results):
    found = results.contender("ringcast-siege", "S1", 1350)
    return found and found["false_alarms"]


GOALS = (
    Goal("S1, 100 bytes, messages/s", "x Corosync", 5, 10, _faster(3, 100, "S1")),
    Goal("S1, 1350 bytes", "x Corosync", 4, 8, _faster(3, 1350, "S1")),
    Goal("S1, 60,000 bytes", "x Corosync", 4, 7, _faster(3, 60000, "S1")),
    *(Goal(f"S1c, safe, {size:,} bytes", "% of S1", 85, 95, _of_own("ringcast-safe", "S1c", size), digits=0)
      for size in (100, 1350, 60000)),
    Goal("S2, 200 bytes at 1,000/s, p50", "us", 142, 90, _latency("p50"), less=True, digits=0),
    Goal("the same, safe, p50 (0.6 x Spread)", "us", 211, None, _latency("p50", ("ringcast-safe",)), less=True,
         digits=0),
    Goal("the same, agreed, p99", "us", 750, 300, _latency("p99"), less=True, digits=0),
    Goal("S2, 1350 bytes at 17,500/s, p50", "us", 265, 132, _latency("p50", size=1350, rate=17500), less=True,
         digits=0),
    Goal("the same, p99", "us", 2290, 1145, _latency("p99", size=1350, rate=17500), less=True, digits=0),
    Goal("processor of daemons and clients, 100 bytes", "x Corosync", 0.25, 0.1, _processor, less=True),
    Goal("S3, eight hosts, 100 bytes", "x the better peer", 5, 10, _of_the_better_peer(8, 100)),
    Goal("S3, eight hosts, 1350 bytes", "x the better peer", 4, 8, _of_the_better_peer(8, 1350)),
    Goal("S4, one host, 100 bytes", "x Corosync", 5, 10, _faster(1, 100, "S4")),
    Goal("S4, one host, 1350 bytes", "x Corosync", 4, 8, _faster(1, 1350, "S4")),
    Goal("S5, SIGKILL to the view at the survivors", "s", 1.0, 0.4, _special("view_at_survivors_s", "S5"), less=True),
    Goal("the same, fast setting", "s", 0.2, 0.05, _special("view_at_survivors_s", "S5", "ringcast-fast"), less=True),
    Goal("S5, restart to the merged view", "s", 1.0, 0.3, _special("merged_s", "S5"), less=True),
    Goal("memory of an idle daemon", "MB", 16, 8, _special("rss_mb", "S6"), less=True, digits=1),
    Goal("S6, idle, processor", "% of a core", 1, None, _special("core_percent", "S6"), less=True),
    Goal("S6, idle, packets out", "per second", 20, None, _special("sent_per_second", "S6"), less=True, digits=1),
    *(Goal(f"S1, payload, {size:,} bytes", "% of the raw limit", 30, 60, _share_of_raw(size), digits=0)
      for size in (8000, 60000, 1 << 20)),
    Goal("twice its maximum is offered, 1350 bytes", "% of its maximum", 95, 100, _overload, digits=0),
    Goal("S1 with a client that does not read", "% of S1", 95, None, _of_own("ringcast-deaf", "S7", 100), digits=0),
    Goal("a minute of S1 with all cores taken", "false alarms", 0, None, _false_alarms, less=True, digits=0),
)


def table(document):
    """Lines of Markdown; what was not measured is named below."""
    results = Results(document)
    values = [(goal, goal.find(results)) for goal in GOALS]
    yield "| | ringcast | is | must reach | aims at | |"
    yield "|---|---|---|---|---|---|"
    for goal, value in values:
        if value is not None:
            aim = "" if goal.aim is None else f"{goal.aim:g}"
            yield f"| {goal.title} | {value:,.{goal.digits}f} | {goal.unit} | {goal.reach:g} | {aim} |" \
                  f" {goal.verdict(value)} |"
    if missing := [goal.title for goal, value in values if value is None]:
        yield f"\nNot measured: {'; '.join(missing)}."
