# SPDX-License-Identifier: Apache-2.0
"""What a campaign does and when: drawn from its seed before anything runs.

A campaign is a row of chapters of four minutes at most. Each has a storm, in which everything
overlaps; then kills that have the ring for themselves, so that the time until the survivors know
means something; then quiet, in which a new configuration would be a false alarm.
"""

import random

CHAPTER_SECONDS = 240.0
ALONE_SHARE, QUIET_SHARE = 0.25, 0.12
ALONE_SPACING = 7.5  # a restart and the merge after it fit in between
CALM = 4.0  # between a storm and what follows

# Kinds by lane: the faults of one lane follow each other, lanes overlap.
PACKETS = ("loss", "one-way", "by-size", "rate", "mtu")
PATHS = ("delay", "jitter", "reorder", "duplicate", "corrupt", "rough")
HOSTS = ("disk", "files")
CUTS = ("cut", "link-down")


class Fault:
    """Something that begins at a time, lasts, and has a target and parameters."""

    def __init__(self, at, seconds, kind, target, **parameters):
        self.at, self.seconds, self.kind, self.target, self.parameters = at, seconds, kind, target, parameters
        self.number = 0

    def __str__(self):
        words = [f"{k}={v}" for k, v in sorted(self.parameters.items())]
        return f"{self.kind} {self.target} {self.seconds:.2f}s {' '.join(words)}".strip()


class Schedule:
    """All faults of a run, by time. `lanes` are those this system can do."""

    def __init__(self, seed, seconds, names, kills, pauses, client_kills, stalls, roamers, lanes):
        self.random = random.Random(seed)
        self.names, self.roamers, self.lanes = names, roamers, lanes
        self.seconds = seconds
        self.faults = []
        self.busy = {name: [] for name in names}  # times in which a daemon is to be down
        count = max(1, round(seconds / CHAPTER_SECONDS))
        length = seconds / count
        for chapter in range(count):
            def share(total, which=chapter):
                return total * (which + 1) // count - total * which // count
            self._chapter(chapter * length, length, share(kills), share(pauses), share(client_kills), share(stalls))
        self.faults.sort(key=lambda fault: fault.at)
        for number, fault in enumerate(self.faults, 1):
            fault.number = number

    def _chapter(self, start, length, kills, pauses, client_kills, stalls):
        quiet = length * QUIET_SHARE
        alone = min(int(length * ALONE_SHARE / ALONE_SPACING), kills // 2)
        storm = length - quiet - alone * ALONE_SPACING - CALM
        self._kill_storm(start, storm, kills - alone)
        self._pause_storm(start, storm, pauses)
        for lane in self.lanes:
            self._lane(start, storm, lane)
        self._clients(start, storm, client_kills, stalls)
        for number in range(alone):
            down = self.random.uniform(0.2, 2.0)
            self._add(start + storm + CALM + number * ALONE_SPACING, down, "kill", self.random.choice(self.names))

    def _add(self, at, seconds, kind, target, **parameters):
        self.faults.append(Fault(round(at, 3), round(seconds, 3), kind, target, **parameters))

    def _kill_storm(self, start, length, count):
        while count > 0:
            at = start + self.random.uniform(0.5, max(1.0, length - 3))
            together = self.random.randint(2, len(self.names)) if self.random.random() < 0.15 else 1
            for name in self.random.sample(self.names, min(together, count)):
                down = self.random.choice((self.random.uniform(0.05, 0.5), self.random.uniform(0.5, 3.0)))
                if any(begin - 0.6 < at + down and at < end + 0.6 for begin, end in self.busy[name]):
                    continue
                self.busy[name].append((at, at + down))
                self._add(at, down, "kill", name)
                count -= 1

    def _pause_storm(self, start, length, count):
        free_from = dict.fromkeys(self.names, 0.0)
        for at in sorted(start + self.random.uniform(0.5, max(1.0, length - 5)) for _ in range(count)):
            # Shorter than the token's patience, about it, and beyond it.
            low, high = self.random.choices(((0.03, 0.4), (0.6, 1.6), (2.0, 4.5)), (5, 3, 2))[0]
            name, at = self._running(at, free_from)
            length_of_it = self.random.uniform(low, high)
            free_from[name] = at + length_of_it + 0.05
            self._add(at, length_of_it, "pause", name)

    def _running(self, at, free_from):
        """A daemon that is neither paused nor down then, or soon after."""
        while True:
            fit = [n for n in self.names if free_from[n] <= at
                   and not any(begin <= at < end + 0.2 for begin, end in self.busy[n])]
            if fit:
                return self.random.choice(fit), at
            at += 0.1

    def _lane(self, start, length, lane):
        at = start + self.random.uniform(0.5, 6.0)
        while True:
            # A full disk is felt at the next change of the ring only.
            seconds = self.random.uniform(4.0, 12.0) if lane is HOSTS else self.random.uniform(1.5, 7.0)
            if at + seconds > start + length:
                return
            kind = self.random.choice(lane)
            target, parameters = self._draw(kind)
            self._add(at, seconds, kind, target, **parameters)
            at += seconds + self.random.uniform(1.0, 10.0)

    def _draw(self, kind):
        draw = self.random
        one = draw.choice(self.names)
        other = draw.choice([name for name in self.names if name != one])
        everyone_or_one = draw.choice(("*", one))
        if kind == "loss":
            return everyone_or_one, {"percent": draw.choice((1, 3, 10, 25))}
        if kind == "one-way":
            return one, {"source": other}
        if kind == "by-size":
            return everyone_or_one, {"bytes": draw.choice((200, 500, 1000, 1300))}
        if kind == "rate":
            return one, {"kbit": draw.choice((1000, 4000, 20000))}
        if kind == "mtu":
            return one, {"bytes": draw.choice((600, 1000, 1280, 1400))}
        if kind == "cut":
            side = draw.sample(self.names, draw.randint(1, max(1, len(self.names) - 1)))
            return ",".join(sorted(side)), {}
        if kind == "delay":
            return everyone_or_one, {"delay": draw.choice((500, 3000, 20000))}
        if kind == "jitter":
            return everyone_or_one, {"delay": 500, "jitter": draw.choice((1000, 5000, 20000))}
        if kind == "reorder":
            return everyone_or_one, {"delay": 3000, "reorder": draw.choice((0.05, 0.3))}
        if kind == "duplicate":
            return everyone_or_one, {"duplicate": draw.choice((0.05, 0.5))}
        if kind == "corrupt":
            return everyone_or_one, {"corrupt": draw.choice((0.01, 0.1))}
        if kind == "rough":
            return everyone_or_one, {"delay": 1000, "jitter": 4000, "duplicate": 0.05, "corrupt": 0.02, "loss": 0.03}
        return one, {}  # disk, files, link-down

    def _clients(self, start, length, kills, stalls):
        for kind, count in (("client-kill", kills), ("stall", stalls)):
            for _ in range(count):
                slot = f"{self.random.choice(self.names)}/{self.random.randint(1, self.roamers)}"
                at = start + self.random.uniform(0.5, max(1.0, length - 4))
                self._add(at, self.random.uniform(0.2, 4.0), kind, slot)
