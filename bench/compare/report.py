# SPDX-License-Identifier: Apache-2.0
"""From finished runs to results: a JSON document for programs, Markdown tables for people.

Of each figure the median over runs, with the smallest and the largest. "ringcast is" is the ratio
of ringcast to the contender, run by run, then its median: runs of a pair are neighbours in time, so
that what the machine does to both cancels.
"""

import statistics

import goals
from measures import run_key
from systems import CONTENDERS

COLUMNS = {
    "failover": [("SIGKILL to view, s", "view_at_survivors_s", 2), ("restart to merged view, s", "merged_s", 2)],
    "idle": [("% of a core", "core_percent", 2), ("packets/s out", "sent_per_second", 1),
             ("packets/s in", "received_per_second", 1), ("RSS MB", "rss_mb", 1)],
    "churn": [("joins and leaves/s", "joins_and_leaves_per_second", 0), ("opening all, s", "open_seconds", 2),
              ("RSS MB", "rss_mb", 1)],
    "saturation": [("messages/s", "rate", 0), ("Mbit/s", "mbit", 0), ("daemons s/M", "daemon_s_per_million", 2),
                   ("clients s/M", "client_s_per_million", 2), ("RSS MB", "rss_mb", 1), ("lost", "lost_share", 4)],
    "latency": [("messages/s", "rate", 0), ("p50 us", "p50", 0), ("p99 us", "p99", 0), ("p99.9 us", "p99.9", 0),
                ("max us", "max", 0), ("own p50 us", "own_p50_us", 0), ("daemons s/M", "daemon_s_per_million", 1)],
}


def kind_of(row):
    if row.kind != "load":
        return row.kind
    return "saturation" if row.saturates else "latency"


def figure(run, name):
    if name in ("p50", "p99", "p99.9", "max"):
        return run["latency_us"][name]
    return run.get(name)


def summary(values):
    values = [v for v in values if v is not None]
    if not values:
        return None
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def _ratios(runs, reference, name):
    """Run by run, where both counted."""
    pairs = [(figure(reference[turn], name), figure(run, name)) for turn, run in runs.items() if turn in reference]
    return summary([ours / theirs for ours, theirs in pairs if ours and theirs])


def results(rows, settings, state, about):
    """All that is known of the rows that have begun."""
    document = {"about": about, "settings": vars(settings), "rows": []}
    for row in rows:
        runs = {}
        for name in row.contenders:
            found = {turn: state.get(run_key(row, name, turn)) for turn in range(settings.repetitions)}
            runs[name] = {turn: run for turn, run in found.items() if run}
        if not any(runs.values()):
            continue
        sound = {name: {t: r for t, r in turns.items() if not r["problems"]} for name, turns in runs.items()}
        names = [column[1] for column in COLUMNS[kind_of(row)]]
        contenders = [{
            "name": name,
            "window": next((r["window"] for r in sound[name].values() if "window" in r and row.saturates), None),
            "runs": len(sound[name]),
            "disturbed": sum(r["disturbed"] for r in sound[name].values()),
            "failures": sum(r.get("failures", 0) for r in sound[name].values()),
            "false_alarms": sum(r.get("membership_changes", 0) for r in sound[name].values()),
            "problems": sorted({p for r in turns.values() for p in r["problems"]}),
            "figures": {f: summary([figure(r, f) for r in sound[name].values()]) for f in names},
            "ratios": {f: _ratios(sound[name], sound.get("ringcast", {}), f) for f in names},
        } for name, turns in runs.items() if turns]
        document["rows"].append({"scenario": row.scenario, "title": row.title, "kind": kind_of(row), "id": row.id,
                                 "hosts": row.hosts, "bytes": row.bytes, "rate": row.rate,
                                 "share": row.share, "share_of": row.share_of, "contenders": contenders})
    return document


def _number(value, digits):
    return f"{value:,.{digits}f}"


def _cell(figures, digits):
    if figures is None:
        return "-"
    middle = _number(figures["median"], digits)
    low, high = _number(figures["min"], digits), _number(figures["max"], digits)
    return middle if low == high else f"{middle} ({low} to {high})"


def _shares(row, known):
    """How much of the payload that the machine carries from one host to three the systems with an order carry."""
    limit = known.raw_limit(row["bytes"])
    if row["scenario"] != "S1" or row["kind"] != "saturation" or not limit:
        return
    for contender in row["contenders"]:
        mbit = contender["figures"]["mbit"]
        if CONTENDERS[contender["name"]].ordered and mbit:
            yield f"\n{contender['name']}: {mbit['median'] / limit[0]:.0%} of {limit[0]:,.0f} Mbit/s" \
                  f" ({limit[1]}, one host to three)"


def _table(row, known):
    columns = COLUMNS[row["kind"]]
    yield "| | W | " + " | ".join(title for title, _, _ in columns) + " | ringcast is | runs |"
    yield "|---|---|" + "---|" * (len(columns) + 2)
    for contender in row["contenders"]:
        cells = [_cell(contender["figures"][name], digits) for _, name, digits in columns]
        ratio = contender["ratios"][columns[0][1] if row["kind"] != "latency" else "p50"]
        compared = "" if contender["name"] == "ringcast" or not ratio else f"x {_cell(ratio, 2)}"
        remarks = [f"{contender['disturbed']} disturbed"] if contender["disturbed"] else []
        remarks += [f"{contender['failures']} failed and repeated"] if contender["failures"] else []
        remarks += [f"{contender['false_alarms']} false alarms"] if contender["false_alarms"] else []
        runs = ", ".join([str(contender["runs"]), *remarks])
        yield f"| {contender['name']} | {contender['window'] or ''} | {' | '.join(cells)} | {compared} | {runs} |"
    yield from _shares(row, known)
    for contender in row["contenders"]:
        for problem in contender["problems"]:
            yield f"\n**{contender['name']}**: {' '.join(problem.split())[:300]}"


def markdown(document):
    lines = ["# ringcast compared", "", *(f"- {what}: {value}" for what, value in document["about"].items()), ""]
    known = goals.Results(document)
    lines += ["## Where ringcast stands", "", *goals.table(document), ""]
    for row in document["rows"]:
        size = f", {row['bytes']:,} bytes" if row["kind"] in ("saturation", "latency") else ""
        lines += [f"## {row['scenario']}: {row['title']}{size}", "", *_table(row, known), ""]
    lines += ["s/M: processor seconds per million deliveries, all daemons or all clients together. messages/s: at the"
              " slowest receiver. Latencies: one way, of the worst receiver. Ratios of latencies are of p50."]
    return "\n".join(lines) + "\n"


def configurations(names, hosts):
    """What the daemons of these contenders read."""
    parts = []
    for name in names:
        text = CONTENDERS[name].configuration(hosts)
        if text:
            parts.append(f"## {name} ({CONTENDERS[name].version()})\n\n```\n{text}```\n")
    return "# Configurations, for three hosts\n\n" + "\n".join(parts)
