# SPDX-License-Identifier: Apache-2.0
"""Everybody sees the same messages in the same order, at full speed and over lossy links."""

import os

from harness import Cluster, expect, expect_equal, expect_same_order, run

GROUP = "weblogs"


def write_lines(cluster, name, count):
    """Lines of 20 to 300 bytes, each unique, one of them empty and one not ASCII."""
    path = os.path.join(cluster.folder, f"{name}.lines")
    lines = [f"{name} line {i} " + "x" * (i * 37 % 280) for i in range(count)]
    lines[1], lines[2] = "", f"{name} \u00fc\u2603 \\ \" \t"
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return path, lines


def three_publishers(cluster, count, seconds, *more):
    subscribers = cluster.subscribe_all(GROUP)
    inputs = {name: write_lines(cluster, name, count) for name in cluster.names}
    publishers = {name: cluster.publisher(name, GROUP, path, *more) for name, (path, _) in inputs.items()}
    for name, publisher in publishers.items():
        expect_equal(publisher.end(seconds), 0, f"publisher at {name}: {publisher.errors()}")
        expect_equal(len(publisher.of("confirmation")), count, f"confirmations at {name}")
    total = count * len(cluster.names)
    for subscriber in subscribers.values():
        subscriber.wait_messages(total, seconds)
    expect_same_order(list(subscribers.values()), total)
    for name, (_, lines) in inputs.items():
        got = [m["payload"] for m in subscribers[cluster.names[0]].messages() if m["sender"] == f"#pub#{name}"]
        expect_equal(got, lines, f"lines of {name} as they were delivered")
    return subscribers, publishers


def test_the_same_sequence_everywhere_at_full_speed():
    with Cluster(3) as cluster:
        subscribers, _ = three_publishers(cluster, 20000, 60)
        configurations = {m["configuration"] for s in subscribers.values() for m in s.messages()}
        expect_equal(len(configurations), 1, "an undisturbed ring stays one configuration")


def test_the_same_sequence_everywhere_with_5_percent_loss_at_every_host():
    with Cluster(3) as cluster:
        cluster.lose(5)
        three_publishers(cluster, 5000, 100)


def test_safe_messages_are_confirmed_stable_and_ordered_alike():
    with Cluster(3) as cluster:
        _, publishers = three_publishers(cluster, 2000, 60, "--service", "safe")
        for publisher in publishers.values():
            unstable = [c for c in publisher.of("confirmation") if not c["stable"] or c["transitional"]]
            expect_equal(unstable, [], "confirmations of safe messages in a ring that did not change")


def test_confirmations_say_where_the_message_stands():
    with Cluster(2) as cluster:
        subscribers = cluster.subscribe_all(GROUP)
        done = cluster.run("d1", "--json", "publish", GROUP, "one", "two", "three").must()
        confirmed = [(c["configuration"], c["seq"], c["index"]) for c in done.json_lines()
                     if c["event"] == "confirmation"]
        subscribers["d2"].wait_messages(3)
        seen = [(m["configuration"], m["seq"], m["index"]) for m in subscribers["d2"].messages()]
        expect_equal(confirmed, seen, "places confirmed and places delivered")


def test_a_message_for_several_groups_comes_once_and_no_echo_is_kept():
    with Cluster(2) as cluster:
        both = cluster.stream("d2", "--as", "both", "subscribe", "a", "b", "--json", "--views")
        both.wait_view("b", ["#both#d2"])
        cluster.publish("d1", "a,b", "once")
        cluster.publish("d1", "b", "end")
        both.wait_messages(2)
        expect_equal([(m["payload"], m["groups"]) for m in both.messages()], [("once", ["a", "b"]), ("end", ["b"])],
                     "what a member of both groups gets")
        cluster.publish("d1", "#both#d2", "to you alone")
        both.wait_messages(3)
        expect_equal(both.messages()[2]["groups"], ["#both#d2"], "the private group is the address")


def test_count_ends_a_subscriber_and_views_follow_joins_and_leaves():
    with Cluster(2) as cluster:
        watcher = cluster.subscribe("d1", GROUP, member="w")
        watcher.wait_view(GROUP, ["#w#d1"])
        short = cluster.subscribe("d2", GROUP, "--count", "2", member="short")
        place = watcher.wait_view(GROUP, ["#w#d1", "#short#d2"], cause="join")
        expect_equal(watcher.events[place]["who"], ["#short#d2"], "who joined")
        cluster.publish("d1", GROUP, "1", "2")
        expect_equal(short.end(), 0, "exit code at the count")
        place = watcher.wait_view(GROUP, ["#w#d1"], start=place + 1, cause="leave")
        expect_equal(watcher.events[place]["who"], ["#short#d2"], "who left")
        dying = cluster.subscribe("d2", GROUP, member="dying")
        place = watcher.wait_view(GROUP, ["#w#d1", "#dying#d2"], start=place, cause="join")
        dying.process.kill()
        place = watcher.wait_view(GROUP, ["#w#d1"], start=place, cause="disconnect")
        expect(watcher.find(lambda e: e["event"] == "transitional") is None,
               "joins and leaves of clients have no transitional signal")


run(globals())
