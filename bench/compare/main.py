#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares ringcast with other systems and with the raw limit of this machine. See
bench/README.md; bench/compare.sh builds what this needs and starts it."""

import argparse
import json
import os
import shutil
import signal
import sys
import time

FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [FOLDER, os.path.join(FOLDER, "../../tests/integration")]

import hosts  # noqa: E402
import machine  # noqa: E402
import plan  # noqa: E402
import profile_mode as profile  # noqa: E402
import report  # noqa: E402
import selfcheck  # noqa: E402
import systems  # noqa: E402
from harness import ROOT, Failure, enter_namespace  # noqa: E402
from measures import Measurer, measure_undisturbed, run_key  # noqa: E402
from state import State  # noqa: E402


def parse():
    parser = argparse.ArgumentParser(prog="bench/compare.sh", description=__doc__)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--quick", action="store_const", dest="plan", const="quick", default="full",
                      help="the main rows, in under 20 minutes (default: everything, which takes two hours)")
    mode.add_argument("--smoke", action="store_const", dest="plan", const="smoke",
                      help="everything once for a second: does it still work? No figures worth keeping")
    mode.add_argument("--profile", action="store_true",
                      help="where time goes: top symbols and system calls per message of daemon and client")
    parser.add_argument("--only", metavar="S1,S5", default="", help="these scenarios alone")
    parser.add_argument("--output", metavar="FOLDER", help="for results and state (default build/bench/PLAN)")
    parser.add_argument("--fresh", action="store_true", help="forget what an interrupted comparison has measured")
    parser.add_argument("--repetitions", type=int, metavar="N", help="runs of each row and contender (5; smoke: 1)")
    parser.add_argument("--foreign-cores", type=float, metavar="CORES",
                        help="others may use so much before a run is repeated (0.2)")
    parser.add_argument("--list", action="store_true", help="print the rows and end")
    return parser.parse_args()


class Comparison:
    """A plan, its state and its output."""

    def __init__(self, options):
        self.rows, settings = plan.PLANS[options.plan]()
        changes = {"repetitions": options.repetitions, "foreign_cores_max": options.foreign_cores}
        self.settings = plan.dataclasses.replace(settings, **{k: v for k, v in changes.items() if v is not None})
        there = systems.available()
        self.rows = plan.restricted(self.rows, there, [word for word in options.only.split(",") if word])
        for system in sorted({c.system for c in systems.CONTENDERS.values()} - set(there)):
            print(f"without {system}: its library was not there when this was built")
        self.output = os.path.abspath(options.output or os.path.join(ROOT, "build/bench", options.plan))
        os.makedirs(self.output, exist_ok=True)
        path = os.path.join(self.output, "state.jsonl")
        if (options.fresh or options.plan == "smoke") and os.path.exists(path):
            os.remove(path)
        self.about = machine.description()
        identity = {"plan": options.plan, "commit": self.about["commit"]}
        self.state = State(path, identity)
        names = list(dict.fromkeys(name for row in self.rows for name in row.contenders))
        self.names = names
        for name in names:
            contender = systems.CONTENDERS[name]
            self.about.setdefault(contender.system, contender.version())

    def run(self):
        """True when no run had a problem."""
        began = time.monotonic()
        measurer = Measurer(self.settings, self.state)
        sound = True
        # Turn by turn, so that contenders of a row alternate and pairs are neighbours.
        for place, row in enumerate(self.rows, start=1):
            print(f"[{place}/{len(self.rows)}] {row.scenario} {row.title}, {row.bytes} bytes", flush=True)
            for turn in range(self.settings.repetitions):
                for name in row.contenders:
                    sound &= self._once(measurer, row, name, turn)
            self.write()
        print(f"{time.monotonic() - began:.0f} s; results in {self.output}")
        return sound

    def _once(self, measurer, row, name, turn):
        key = run_key(row, name, turn)
        run = self.state.get(key)
        if run is None:
            run = measure_undisturbed(measurer, row, systems.CONTENDERS[name], lambda text: print(text, flush=True))
            self.state.put(key, run)
            print(f"    {name}: {brief(row, run)}", flush=True)
        return not run["problems"]

    def write(self):
        document = report.results(self.rows, self.settings, self.state, self.about)
        with open(os.path.join(self.output, "results.json"), "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
        with open(os.path.join(self.output, "results.md"), "w", encoding="utf-8") as file:
            file.write(report.markdown(document))
        sample = hosts.Hosts(3)
        with open(os.path.join(self.output, "configurations.md"), "w", encoding="utf-8") as file:
            file.write(report.configurations(self.names, sample))
        shutil.rmtree(sample.folder, ignore_errors=True)


def brief(row, run):
    if run["problems"]:
        return "; ".join(run["problems"])[:600]
    columns = report.COLUMNS[report.kind_of(row)][:3]
    return ", ".join(f"{report.figure(run, name) or 0:,.{digits}f} {title}" for title, name, digits in columns)


def main():
    options = parse()
    if options.list:
        for row in plan.PLANS[options.plan]()[0]:
            print(row.id, *row.contenders)
        return 0
    machine.describe_before_entering()
    enter_namespace()
    hosts.keep_files_private()
    # Everything lives in our namespaces and ends with us; an orderly end also prints where it was.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        if options.profile:
            return profile.run(options.output or os.path.join(ROOT, "build/bench/profile"))
        sound = Comparison(options).run()
        if options.plan == "smoke":
            selfcheck.run()
        return 0 if sound else 1
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    except Failure as failure:
        print(f"compare: {failure}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
