# SPDX-License-Identifier: Apache-2.0
"""The best W: how many own messages a client keeps outstanding. Too few leave a system idle,
too many drown it (Corosync on one host falls to a fifth once its queue refuses messages), and each
system has its own best, so each is given it: a short run for each of some sizes, on one set of
daemons. One run alone cannot tell a fifth apart on a machine that others share, so the
fastest without a fault run twice more, in turn, and the best median counts."""

import dataclasses
import statistics

from harness import Failure
from session import Session

BYTES = (4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20)  # outstanding; W is that many messages
START = BYTES.index(64 << 10)
MESSAGES_MAX = 10000
TRIAL = {"warm_up": 0.3, "seconds": 1.0}
FINALISTS = 3
FINAL_ROUNDS = 2
CLIMB_LEAST = 5  # a smaller hill is seen as a whole


def candidates(message_bytes):
    """Ascending."""
    return sorted({rounded(min(max(total // message_bytes, 1), MESSAGES_MAX)) for total in BYTES})


def usual(message_bytes):
    """Where a search begins, and what is taken when there is none."""
    return rounded(min(max(BYTES[START] // message_bytes, 1), MESSAGES_MAX))


def rounded(number):
    """To two digits, for people."""
    scale = 10 ** max(len(str(number)) - 2, 0)
    return number // scale * scale


def climb(sizes, start, rate_of):
    """{size: rate} of those looked at: from `start` to better neighbours until there is none."""
    rates = {}

    def look(place):
        if 0 <= place < len(sizes) and sizes[place] not in rates:
            rates[sizes[place]] = rate_of(sizes[place])
        return rates[sizes[place]] if 0 <= place < len(sizes) else -1.0
    place = sizes.index(start)
    while True:
        best = max((place, place - 1, place + 1), key=look)
        if best == place:
            return rates
        place = best


def run_off(rates, rate_of):
    """(best size, {size: rate}), where the rates of the finalists are medians of all their trials."""
    finalists = sorted((size for size in rates if rates[size] > 0), key=rates.get, reverse=True)[:FINALISTS]
    if len(finalists) < 2:
        return max(rates, key=rates.get), rates
    trials = {size: [rates[size]] for size in finalists}
    for _ in range(FINAL_ROUNDS):
        for size in finalists:
            trials[size].append(rate_of(size))
    medians = {size: statistics.median(found) for size, found in trials.items()}
    return max(medians, key=medians.get), {**rates, **medians}


def best_window(contender, hosts, load, settings):
    """(W, {W: rate}); rate 0: not without a fault. All sizes are tried, or those of a climb; of the best, again."""
    sizes, reasons = candidates(load.bytes), []
    with Session(contender, hosts) as session:
        def undisturbed(trial):
            for _ in range(settings.tries):
                run = session.run(trial)
                if run["foreign_cores"] <= settings.foreign_cores_max:
                    break
            return run

        def rate_of(window):
            run = undisturbed(dataclasses.replace(load, window=window, **TRIAL))
            if run["problems"] or run["lost_share"] > 0:
                reasons.append(f"W={window}: {run['problems'] or 'loss'}")
                return 0.0
            return run["rate"]
        if settings.search == "all" or len(sizes) < CLIMB_LEAST:
            rates = {size: rate_of(size) for size in sizes}
        else:
            rates = climb(sizes, usual(load.bytes), rate_of)
        window, rates = run_off(rates, rate_of)
    if not any(rates.values()) and not contender.lossy:
        raise Failure(f"{contender.name} at {load.bytes} bytes: no run without a fault ({'; '.join(reasons)})")
    return window, rates
