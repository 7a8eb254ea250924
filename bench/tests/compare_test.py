#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The judgement and the arithmetic of the comparison, without a run."""

import copy
import os
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../compare"), os.path.join(HERE, "../../tests/integration")]

import goals  # noqa: E402
import measures  # noqa: E402
import plan  # noqa: E402
import report  # noqa: E402
import windows  # noqa: E402
from harness import Failure  # noqa: E402
from session import judge  # noqa: E402
from state import State  # noqa: E402
from systems import CONTENDERS  # noqa: E402

LATENCY = {"count": 10, "p50": 100.0, "p99": 200.0, "p99.9": 300.0, "max": 400.0}
SOUND = {"seconds": 1.0, "delivered": 10, "delivered_in_all": 12, "sent": 4, "processor_seconds": 0.1,
         "membership_changes": 0, "latency_us": LATENCY, "own_latency_us": LATENCY, "complete": True, "missing": 0,
         "repeated": 0, "spoiled": 0, "order": 1}


def run(rate, problems=()):
    return {"rate": rate, "mbit": 1.0, "latency_us": LATENCY, "own_p50_us": 1.0, "client_s_per_million": 1.0,
            "daemon_s_per_million": 1.0, "rss_mb": 1.0, "foreign_cores": 0.0, "membership_changes": 0,
            "lost_share": 0.0, "window": 10, "problems": list(problems), "disturbed": False}


class Judgement(unittest.TestCase):
    def problems(self, contender, **changes):
        """Of three receivers, the last of which differs so."""
        outcomes = [copy.deepcopy(SOUND) for _ in range(3)]
        outcomes[2].update(changes)
        return judge(CONTENDERS[contender], outcomes)

    def test_a_sound_run_has_none(self):
        self.assertEqual(self.problems("ringcast"), [])

    def test_each_fault_of_a_receiver_is_one(self):
        for what in ("missing", "repeated", "spoiled"):
            self.assertIn(what, " ".join(self.problems("ringcast", **{what: 1})))
        self.assertIn("incomplete", " ".join(self.problems("corosync", complete=False)))
        self.assertTrue(self.problems("zeromq", delivered_in_all=11))

    def test_another_order_is_one_for_ordered_systems_alone(self):
        self.assertTrue(self.problems("ringcast", order=2))
        self.assertTrue(self.problems("corosync", order=2))
        self.assertEqual(self.problems("zeromq", order=2), [])

    def test_the_raw_limit_may_lose(self):
        self.assertEqual(self.problems("udp-gso-gro-unicast", missing=5, delivered_in_all=7), [])


class Report(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "state.jsonl")
        self.state = State(self.path, {"commit": "a"})
        self.row = plan.Row("S1", "three hosts", ("ringcast", "corosync"))

    def put(self, name, *runs, row=None):
        for turn, one in enumerate(runs):
            self.state.put(measures.run_key(row or self.row, name, turn), one)

    def contender(self, name):
        document = report.results([self.row], plan.Settings(repetitions=3), self.state, {})
        return next(c for c in document["rows"][0]["contenders"] if c["name"] == name)

    def test_ratios_are_of_neighbours_in_time(self):
        self.put("ringcast", run(100), run(200), run(900))
        self.put("corosync", run(100), run(50), run(100))
        self.assertEqual(self.contender("corosync")["ratios"]["rate"], {"median": 4, "min": 1, "max": 9})

    def test_a_run_with_a_problem_counts_for_nothing_and_is_told(self):
        self.put("ringcast", run(100), run(10**9, ["receivers saw different orders"]))
        found = self.contender("ringcast")
        self.assertEqual(found["figures"]["rate"]["max"], 100)
        self.assertEqual(found["problems"], ["receivers saw different orders"])
        document = report.results([self.row], plan.Settings(), self.state, {})
        self.assertIn("different orders", report.markdown(document))

    def test_shares_are_of_the_best_raw_way_from_one_host_to_three(self):
        raw = plan.Row("RAW", "", ("udp-gso-gro-unicast", "udp-gso-gro-multicast"), hosts=4, senders=1)
        self.put("ringcast", {**run(100), "mbit": 300.0})
        self.put("udp-gso-gro-unicast", {**run(1), "mbit": 500.0}, row=raw)
        self.put("udp-gso-gro-multicast", {**run(1), "mbit": 1000.0}, row=raw)
        text = report.markdown(report.results([self.row, raw], plan.Settings(), self.state, {}))
        self.assertIn("ringcast: 30% of 1,000 Mbit/s (udp-gso-gro-multicast, one host to three)", text)

    def test_a_state_goes_on_where_it_was_but_not_with_another_commit(self):
        self.put("ringcast", run(100))
        with open(self.path, "a", encoding="utf-8") as file:
            file.write('{"key": "cut short')
        again = State(self.path, {"commit": "a"})
        self.assertEqual(again.get(measures.run_key(self.row, "ringcast", 0))["rate"], 100)
        with self.assertRaises(Failure):
            State(self.path, {"commit": "b"})


class Goals(unittest.TestCase):
    def setUp(self):
        self.state = {}

    def put(self, row, **runs):
        for name, figures in runs.items():
            self.state[measures.run_key(row, name, 0)] = {**run(1.0), **figures}

    def table(self, *rows):
        return list(goals.table(report.results(rows, plan.Settings(), self.state, {})))

    def test_a_ratio_is_held_against_what_is_to_be_reached_and_what_is_aimed_at(self):
        row = plan.Row("S1", "", ("ringcast", "corosync"))
        for rate, verdict in ((499.0, "**missed**"), (500.0, "reached"), (999.0, "reached"), (1000.0, "aim")):
            self.put(row, ringcast={"rate": rate}, corosync={"rate": 100.0})
            self.assertEqual(self.table(row)[2],
                             f"| S1, 100 bytes, messages/s | {rate / 100:.2f} | x Corosync | 5 | 10 | {verdict} |")

    def test_each_system_counts_by_its_best_transport(self):
        row = plan.Row("S1", "", ("ringcast", "ringcast-multicast", "corosync", "corosync-udpu"))
        for multicast, udpu, factor in ((300.0, 50.0, "6.00"), (600.0, 50.0, "12.00"), (600.0, 100.0, "6.00")):
            self.put(row, **{"ringcast": {"rate": 300.0}, "ringcast-multicast": {"rate": multicast},
                             "corosync": {"rate": 50.0}, "corosync-udpu": {"rate": udpu}})
            self.assertIn(f"| {factor} | x Corosync |", self.table(row)[2])
        row = plan.Row("S2", "", ("ringcast", "ringcast-multicast"), bytes=200, rate=1000)
        self.put(row, **{"ringcast": {"latency_us": {**LATENCY, "p50": 140.0, "p99": 200.0}},
                         "ringcast-multicast": {"latency_us": {**LATENCY, "p50": 110.0, "p99": 300.0}}})
        text = "\n".join(self.table(row))
        self.assertIn("p50 | 110 | us", text)
        self.assertIn("p99 | 300 | us", text)

    def test_of_eight_hosts_the_better_peer_counts(self):
        row = plan.Row("S3", "", ("ringcast", "corosync"), hosts=8)
        for theirs, factor in ((20000.0, "10.00"), (50600.0, "5.00")):
            self.put(row, ringcast={"rate": 253000.0}, corosync={"rate": theirs})
            self.assertIn(f"| {factor} | x the better peer |", " ".join(self.table(row)))

    def test_what_was_not_measured_is_named_and_has_no_figure(self):
        row = plan.Row("S1", "", ("ringcast", "corosync"))
        self.put(row, ringcast={"rate": 500.0}, corosync={"rate": 100.0})
        *measured, missing = self.table(row)
        self.assertNotIn("S3", " ".join(measured))
        self.assertIn("S3, eight hosts, 100 bytes", missing)

    def test_latencies_are_those_of_their_load_and_smaller_is_better(self):
        slow = plan.Row("S2", "", ("ringcast",), bytes=200, rate=1000)
        other = plan.Row("S2", "", ("ringcast",), bytes=200, rate=500)
        self.put(slow, ringcast={"latency_us": {**LATENCY, "p50": 90.0, "p99": 751.0}})
        self.put(other, ringcast={"latency_us": {**LATENCY, "p50": 1.0}})
        text = "\n".join(self.table(other, slow))
        self.assertIn("p50 | 90 | us | 142 | 90 | aim |", text)
        self.assertIn("p99 | 751 | us | 750 | 300 | **missed** |", text)

    def test_of_the_raw_limit_the_share_of_the_better_transport_counts(self):
        ours = plan.Row("S1", "", ("ringcast", "ringcast-multicast"), bytes=8000)
        limit = plan.Row("RAW", "", plan.RAW_BEST, hosts=4, bytes=8000, senders=1)
        self.put(limit, **{plan.RAW_BEST[0]: {"mbit": 900.0}, plan.RAW_BEST[1]: {"mbit": 1000.0}})
        for unicast, multicast, share in ((310.0, 290.0, 31), (290.0, 310.0, 31)):
            self.put(ours, **{"ringcast": {"mbit": unicast}, "ringcast-multicast": {"mbit": multicast}})
            self.assertIn(f"| {share} | % of the raw limit | 30 |", "\n".join(self.table(ours, limit)))
        self.put(ours, ringcast={"mbit": 150.0})
        self.state.pop(measures.run_key(ours, "ringcast-multicast", 0))
        self.assertIn("| 15 | % of the raw limit | 30 |", "\n".join(self.table(ours, limit)))

    def test_what_was_not_measured_is_named(self):
        self.assertIn("S6, idle, processor", self.table()[-1])


class Plans(unittest.TestCase):
    def test_rows_have_names_of_their_own_and_known_contenders(self):
        for make in plan.PLANS.values():
            rows, _ = make()
            ids = [(row.id, row.title) for row in rows]
            self.assertEqual(len(set(ids)), len(ids))
            self.assertLessEqual({name for row in rows for name in row.contenders}, set(CONTENDERS))

    def test_the_full_one_measures_all_that_is_asked(self):
        rows, _ = plan.full()
        figures = {**run(1.0), "view_at_survivors_s": 1.0, "merged_s": 1.0, "core_percent": 1.0, "sent_per_second": 1.0}
        state = {measures.run_key(row, name, 0): figures for row in rows for name in row.contenders}
        self.assertNotIn("Not measured", "\n".join(goals.table(report.results(rows, plan.Settings(), state, {}))))

    def test_what_is_asked_for_as_a_share_was_measured_before(self):
        for make in plan.PLANS.values():
            rows, _ = make()
            for place, row in enumerate(rows):
                for name in row.contenders if row.share else ():
                    of = row.share_of or name
                    before = [r for r in rows[:place] if r.scenario == "S1" and r.bytes == row.bytes]
                    self.assertTrue(any(of in r.contenders for r in before), (row.id, of))

    def test_windows_are_bounded_in_messages_and_bytes(self):
        for size in plan.SIZES:
            sizes = windows.candidates(size)
            self.assertIn(windows.usual(size), sizes)
            for window in sizes:
                self.assertLessEqual(window, windows.MESSAGES_MAX)
                self.assertTrue(window == 1 or window * size <= max(windows.BYTES))

    def test_a_climb_finds_the_top_of_a_hill_from_either_side(self):
        sizes = [1, 4, 16, 64, 256]
        for top in sizes:
            rates = windows.climb(sizes, 16, lambda size, top=top: 100.0 - abs(sizes.index(size) - sizes.index(top)))
            self.assertEqual(max(rates, key=rates.get), top)

    def test_one_lucky_trial_does_not_choose_the_window(self):
        later = {4: iter((90.0, 95.0)), 16: iter((100.0, 101.0)), 64: iter((98.0, 0.0))}
        window, rates = windows.run_off({1: 10.0, 4: 120.0, 16: 99.0, 64: 98.0, 256: 0.0}, lambda size: next(later[size]))
        self.assertEqual(window, 16)
        self.assertEqual(rates, {1: 10.0, 4: 95.0, 16: 100.0, 64: 98.0, 256: 0.0})

    def test_a_window_without_a_rival_is_not_tried_again(self):
        self.assertEqual(windows.run_off({1: 0.0, 4: 5.0}, None), (4, {1: 0.0, 4: 5.0}))
        self.assertEqual(windows.run_off({1: 0.0, 4: 0.0}, None)[1], {1: 0.0, 4: 0.0})


if __name__ == "__main__":
    unittest.main()
