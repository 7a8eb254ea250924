# SPDX-License-Identifier: Apache-2.0
"""One contender on fresh hosts, and runs on it: clients started, told when to begin, judged.

The judgement is the point where a figure becomes one: `judge` turns what clients report into
problems, and a run with problems counts for nothing (but see Contender.lossy).
"""

import contextlib
import dataclasses
import os
import subprocess
import time

import processor
from harness import Failure, Stream, expect, pause, program
from hosts import Hosts, resident_mb

READY_SECONDS = 60.0  # for daemons to find each other and clients to hear everybody
LEAD_SECONDS = 0.1  # from the order to start until the start


@dataclasses.dataclass(frozen=True)
class Load:
    """What clients do; the words are those of ringcast_bench_client."""

    bytes: int
    senders: int
    window: int = 100
    rate: float = 0.0
    service: str = "agreed"
    warm_up: float = 1.0
    seconds: float = 5.0
    patience: float = 20.0

    def words(self):
        return ["--bytes", str(self.bytes), "--senders", str(self.senders), "--window", str(self.window),
                "--rate", str(self.rate), "--service", self.service, "--warm-up", str(self.warm_up),
                "--seconds", str(self.seconds), "--patience", str(self.patience)]


class Client:
    """ringcast_bench_client on a host; what it prints is read event by event."""

    def __init__(self, hosts, name, words):
        words = hosts.words_on(name, [program("ringcast_bench_client"), *words])
        self.stream = Stream(words, dict(os.environ), stdin=subprocess.PIPE)
        hosts.streams.append(self.stream)
        self._place = 0

    def read(self, what, fits=lambda event: True, seconds=READY_SECONDS):
        place = self.stream.wait(what, fits, self._place, seconds)
        self._place = place + 1
        return self.stream.events[place]

    def start(self, moment):
        self.stream.process.stdin.write(f"start {int(moment * 1e9)}\n".encode())
        self.stream.process.stdin.flush()

    def finish(self):
        """Its input ends, which asks it to go; one that does not is killed with the hosts."""
        with contextlib.suppress(OSError):
            self.stream.process.stdin.close()
        with contextlib.suppress(Failure):
            self.stream.end(5)


class Session:
    """A context: hosts with the contender's daemons, until it ends."""

    def __init__(self, contender, count):
        self.contender = contender
        self.hosts = Hosts(count, **contender.hosts())

    def __enter__(self):
        self.hosts.__enter__()
        try:
            for name in self.hosts.names:
                self.contender.start(self.hosts, name)
        except BaseException:
            self.hosts.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *error):
        self.hosts.__exit__(*error)

    def client(self, name, *words):
        rank = self.hosts.names.index(name)
        return Client(self.hosts, name, ["--peers", *self.hosts.addresses(), "--rank", str(rank),
                                                *self.contender.client_words(self.hosts, name), *words])

    def daemon_pids(self):
        return [process.pid for process in self.hosts.daemons.values()]

    def run(self, load, observe=None):
        """One run; the figures, with what is wrong with them under "problems". `observe` is called
        with the clients when measuring begins and must not take long."""
        clients = []
        try:
            for name in self.hosts.names:
                clients.append(self.client(name, *load.words()))
            for client in clients:
                client.read("sign that all hear all")
            moment = time.monotonic() + LEAD_SECONDS
            for client in clients:
                client.start(moment)
            used = self._watch(moment + load.warm_up, load.seconds, observe and (lambda: observe(clients)))
            outcomes = [client.read("figures", seconds=load.seconds + READY_SECONDS) for client in clients]
        finally:
            for client in clients:
                client.finish()
        for name, daemon in self.hosts.daemons.items():
            expect(daemon.poll() is None, f"the daemon on {name} has ended:\n{self.hosts.tail(name)}")
        return figures(self.contender, load, outcomes, used)

    def _watch(self, begin, seconds, observe):
        pause(max(0.0, begin - time.monotonic()))
        if observe:
            observe()
        pids = self.daemon_pids()
        before = processor.seconds_of(pids), processor.foreign_seconds(), time.monotonic()
        pause(max(0.0, begin + seconds - time.monotonic()))
        after = processor.seconds_of(pids), processor.foreign_seconds(), time.monotonic()
        return {"daemon_seconds": after[0] - before[0],
                "foreign_cores": (after[1] - before[1]) / (after[2] - before[2]),
                "rss_mb": max(map(resident_mb, pids), default=0.0)}


def judge(contender, outcomes):
    """What is wrong, in words; nothing when all is well."""
    problems = []
    for rank, outcome in enumerate(outcomes):
        wrong = [f"{outcome[what]} {what}" for what in ("missing", "repeated", "spoiled") if outcome[what]]
        if not outcome["complete"]:
            wrong.append("incomplete")
        if wrong and not contender.lossy:
            problems.append(f"receiver {rank}: {', '.join(wrong)}")
    if not contender.lossy and len({o["delivered_in_all"] for o in outcomes}) > 1:
        problems.append("receivers got different numbers of messages")
    if contender.ordered and len({o["order"] for o in outcomes}) > 1:
        problems.append("receivers saw different orders")
    return problems


def figures(contender, load, outcomes, used):
    """One run in numbers: rates of the slowest receiver, latencies of the worst."""
    rate = min(o["delivered"] / o["seconds"] for o in outcomes)
    deliveries = sum(o["delivered"] for o in outcomes)
    sent = sum(o["sent"] for o in outcomes)
    missed = sum(sent - min(sent, o["delivered_in_all"]) for o in outcomes)
    heard = [o["latency_us"] for o in outcomes if o["latency_us"]["count"]]
    own = [o["own_latency_us"]["p50"] for o in outcomes if o["own_latency_us"]["count"]]
    millions = max(deliveries, 1) / 1e6
    return {
        "rate": rate,
        "mbit": rate * load.bytes * 8 / 1e6,
        "latency_us": {q: max((h[q] for h in heard), default=None) for q in ("p50", "p99", "p99.9", "max")},
        "own_p50_us": max(own, default=None),
        "client_s_per_million": sum(o["processor_seconds"] for o in outcomes) / millions,
        "daemon_s_per_million": used["daemon_seconds"] / millions,
        "rss_mb": used["rss_mb"],
        "foreign_cores": used["foreign_cores"],
        "membership_changes": sum(o["membership_changes"] for o in outcomes),
        "lost_share": missed / max(sent * len(outcomes), 1),
        "window": load.window,
        "delivered": [o["delivered"] for o in outcomes],
        "problems": judge(contender, outcomes),
    }
