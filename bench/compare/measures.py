# SPDX-License-Identifier: Apache-2.0
"""How each kind of row is measured: a function of the contender, the row and the settings that
returns one run's figures, flat enough for JSON. "problems" lists what makes them worthless."""

import contextlib
import os
import statistics
import time

import processor
from harness import Failure, expect, pause
from hosts import resident_mb
from plan import Row
from session import Load, Session
from systems import CONTENDERS
from windows import best_window, usual


class Measurer:
    """Knows the settings, and what has been measured before (for W and for shares of S1)."""

    def __init__(self, settings, state):
        self.settings, self.state = settings, state

    def measure(self, row, contender):
        return getattr(self, f"_{row.kind}")(row, contender)

    # Load.

    def _load(self, row, contender):
        settings = self.settings
        by_clock = bool(row.rate or row.share)
        load = Load(bytes=row.bytes, senders=row.senders or row.hosts, rate=self._rate(row, contender),
                    service=contender.service, warm_up=settings.warm_up, window=self._window(row, contender),
                    seconds=row.seconds or (settings.latency_seconds if by_clock else settings.seconds))
        with Session(contender, row.hosts) as session, contextlib.ExitStack() as others:
            if contender.company:
                getattr(self, f"_add_{contender.company}")(session, others)
            return session.run(load)

    def _rate(self, row, contender):
        if not row.share:
            return row.rate
        return row.share * self.reached(CONTENDERS[row.share_of] if row.share_of else contender, row.bytes)

    def reached(self, contender, size):
        """The median of S1."""
        row = Row("S1", "", (), bytes=size)
        rates = [run["rate"] for run in self.runs(row, contender) if not run["problems"]]
        expect(rates, f"half of what {contender.name} reaches at {size} bytes is asked for before S1 was measured")
        return statistics.median(rates)

    def runs(self, row, contender):
        found = (self.state.get(run_key(row, contender.name, turn)) for turn in range(self.settings.repetitions))
        return [run for run in found if run]

    def _window(self, row, contender):
        """For loads by the clock W only bounds what piles up where a system has no bound itself."""
        if not row.saturates:
            return 10000
        if self.settings.search == "none":
            return usual(row.bytes)
        senders = row.senders or row.hosts
        key = f"window:{row.hosts}h:{senders}s:{row.bytes}B:{contender.name}"  # the same in S1 and S1c
        found = self.state.get(key)
        if found is None:
            load = Load(bytes=row.bytes, senders=senders, service=contender.service)
            window, rates = best_window(contender, row.hosts, load, self.settings)
            found = {"window": window, "rates": rates}
            self.state.put(key, found)
        return found["window"]

    def _add_crowd(self, session, others):
        """Clients in groups of their own, who are there and say nothing."""
        for client in self._crowd(session, churn=False):
            others.callback(client.finish)
            client.read("crowd")

    def _crowd(self, session, churn):
        words = ["--crowd", str(self.settings.crowd), "--groups", str(self.settings.groups),
                 *(["--churn"] if churn else []), "--seconds", str(self.settings.seconds)]
        return [session.client(name, *words) for name in session.hosts.names]

    @staticmethod
    def _add_deaf(session, others):
        """In the group of the traffic, and never reads."""
        client = session.client(session.hosts.names[0], "--deaf")
        others.callback(client.finish)
        client.read("deaf client")

    @staticmethod
    def _add_siege(session, others):
        for _ in range(os.cpu_count() or 1):
            busy = session.hosts.spawn(session.hosts.names[0], ["sh", "-c", "while :; do :; done"])
            others.callback(busy.kill)

    # Many clients.

    def _churn(self, row, contender):
        with Session(contender, row.hosts) as session:
            clients = self._crowd(session, churn=True)
            try:
                opened = [client.read("crowd") for client in clients]
                before = processor.foreign_seconds()
                moment = time.monotonic() + 0.1
                for client in clients:
                    client.start(moment)
                done = [client.read("churn") for client in clients]
                foreign = processor.foreign_seconds() - before
            finally:
                for client in clients:
                    client.finish()
            pids = session.daemon_pids()
            return {"sessions": sum(o["sessions"] for o in opened),
                    "open_seconds": max(o["seconds"] for o in opened),
                    "joins_and_leaves_per_second": sum(d["changes"] / d["seconds"] for d in done),
                    "rss_mb": max(map(resident_mb, pids), default=0.0),
                    "foreign_cores": foreign / max(d["seconds"] for d in done), "problems": []}

    # Failure and return of a daemon.

    def _failover(self, row, contender):
        with Session(contender, row.hosts) as session:
            names, hosts = session.hosts.names, session.hosts
            watchers = {name: session.client(name, "--watch") for name in names}
            try:
                for watcher in watchers.values():
                    wait_members(watcher, row.hosts)
                victim = names[-1]
                before, began = processor.foreign_seconds(), time.monotonic()
                killed = hosts.kill(victim)
                watchers.pop(victim).finish()
                noticed = max(wait_members(w, row.hosts - 1) for w in watchers.values()) - killed
                restarted = time.monotonic()
                contender.start(hosts, victim)
                watchers[victim] = session.client(victim, "--watch")
                merged = max(wait_members(w, row.hosts) for w in watchers.values()) - restarted
                foreign = (processor.foreign_seconds() - before) / (time.monotonic() - began)
            finally:
                for watcher in watchers.values():
                    watcher.finish()
        return {"view_at_survivors_s": noticed, "merged_s": merged, "foreign_cores": foreign, "problems": []}

    # Idleness.

    def _idle(self, row, contender):
        with Session(contender, row.hosts) as session:
            watchers = [session.client(name, "--watch") for name in session.hosts.names]
            try:
                for watcher in watchers:
                    wait_members(watcher, row.hosts)
            finally:
                for watcher in watchers:
                    watcher.finish()
            pause(1.0)  # what the clients' leaving set in motion
            pids, host = session.daemon_pids(), session.hosts.names[0]
            before = processor.seconds_of(pids), session.hosts.datagrams(host), time.monotonic()
            pause(self.settings.idle_seconds)
            after = processor.seconds_of(pids), session.hosts.datagrams(host), time.monotonic()
            seconds = after[2] - before[2]
            received, sent = ((now - then) / seconds for now, then in zip(after[1], before[1]))
            return {"core_percent": 100 * (after[0] - before[0]) / seconds / len(pids),
                    "received_per_second": received, "sent_per_second": sent,
                    "rss_mb": max(map(resident_mb, pids)), "problems": []}


def wait_members(watcher, count):
    """The moment at which that client was told of so many members."""
    return watcher.read(f"view of {count} members", lambda e: e["event"] == "members" and e["count"] == count)["at"]


def run_key(row, name, turn):
    return f"{row.id}:{name}:{turn}"


def measure_undisturbed(measurer, row, contender, say):
    """Again while others use the machine, so often; then the quietest counts and is marked. Also when the system did
    not come up or go through, which is told with the run; when it never does, that is its problem."""
    settings = measurer.settings
    best, failures = None, 0
    for attempt in range(1, settings.tries + 1):
        try:
            run = measurer.measure(row, contender)
        except Failure as failure:
            failures += 1
            if failures < settings.tries:
                say(f"    {contender.name} failed: {' '.join(str(failure).split())[:200]}")
                continue
            run = {"problems": [str(failure)], "foreign_cores": 0.0}
        run["attempts"], run["failures"] = attempt, failures
        run["disturbed"] = run.get("foreign_cores", 0.0) > settings.foreign_cores_max
        if best is None or run.get("foreign_cores", 0.0) < best.get("foreign_cores", 0.0):
            best = run
        if run["problems"] or not run["disturbed"]:
            return run
        say(f"    disturbed: others used {run['foreign_cores']:.2f} cores")
    best["failures"] = failures
    return best
