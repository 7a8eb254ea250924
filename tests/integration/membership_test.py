# SPDX-License-Identifier: Apache-2.0
"""Daemons die, come back, leave, and are cut from one another: what clients see, and how soon."""

import shutil

from harness import MEMBERSHIP_SECONDS, Cluster, expect, expect_equal, expect_same_order, run

GROUP = "g"


def soon(stream, place, began, what):
    seconds = stream.stamps[place] - began
    print(f"        {what}: {seconds * 1000:.0f} ms", flush=True)
    expect(seconds <= MEMBERSHIP_SECONDS, f"{what} took {seconds:.2f} s, promised {MEMBERSHIP_SECONDS} s")


def expect_one_transitional(stream, start, view):
    signals = [i for i in range(start, view) if stream.events[i]["event"] == "transitional"]
    expect_equal(len(signals), 1, f"transitional signals before the view {stream.events[view]}")


def member(name):
    return f"#sub#{name}"


def members(*names):
    return [member(name) for name in names]


def test_a_killed_daemon_is_gone_and_back_within_the_time_promised():
    with Cluster(3) as cluster:
        streams = cluster.subscribe_all(GROUP)
        survivors = {name: streams[name] for name in ("d1", "d2")}
        starts = {name: len(s.events) for name, s in survivors.items()}
        began = cluster.kill("d3")
        views = {}
        for name, stream in survivors.items():
            views[name] = stream.wait_view(GROUP, members("d1", "d2"), starts[name], cause="network")
            soon(stream, views[name], began, f"{name} sees d3 gone")
            expect_one_transitional(stream, starts[name], views[name])
            expect_equal(sorted(stream.events[views[name]]["with_me"]), members("d1", "d2"), "who came along")
            stream.wait_daemons(["d1", "d2"], starts[name])
        ids = {s.events[views[n]]["id"] for n, s in survivors.items()}
        expect_equal(len(ids), 1, "the survivors call the view by one name")
        expect_equal(streams["d3"].end() != 0, True, "the dead daemon's subscriber ends with an error")

        cluster.publish("d1", GROUP, "between")
        for stream in survivors.values():
            stream.wait_messages(1)
        starts = {name: len(s.events) for name, s in survivors.items()} | {"d3": 0}
        began = cluster.start("d3")
        for name, stream in survivors.items():
            place = stream.wait_daemons(["d1", "d2", "d3"], starts[name])
            soon(stream, place, began, f"{name} sees d3 back")
            expect(stream.find(lambda e: e["event"] == "view", starts[name]) is None,
                   "a group whose members did not change gets no view")
        cluster.wait_members("d3", 3)
        back = cluster.subscribe("d3", GROUP)
        for name, stream in (*survivors.items(), ("d3", back)):
            stream.wait_view(GROUP, members("d1", "d2", "d3"), starts[name], cause="join")
        cluster.publish("d3", GROUP, "after")
        back.wait_messages(1)
        expect_equal([m["payload"] for m in back.messages()], ["after"], "what the newcomer gets")


def test_a_kill_under_load_leaves_the_survivors_with_equal_histories():
    with Cluster(3) as cluster:
        streams = cluster.subscribe_all(GROUP)
        path = f"{cluster.folder}/lines"
        count = 20000
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"line {i} {'y' * 100}\n" for i in range(count))
        publishers = [cluster.publisher(name, GROUP, path, "--service", "safe") for name in ("d1", "d2")]
        streams["d1"].wait_messages(count // 4)
        cluster.kill("d3")
        for publisher in publishers:
            expect_equal(publisher.end(60), 0, f"a survivor's publisher: {publisher.errors()}")
            expect_equal(len(publisher.of("confirmation")), count, "each line is confirmed")
        for name in ("d1", "d2"):
            streams[name].wait_messages(2 * count, 60)
        expect_same_order([streams["d1"], streams["d2"]], 2 * count)
        histories = [[e.get("id") or (e.get("configuration"), e.get("seq"), e.get("index"), e["event"])
                      for e in streams[name].events[streams[name].find(lambda e: e["event"] == "message"):]]
                     for name in ("d1", "d2")]
        expect_equal(histories[0] == histories[1], True, "messages, signals and views stand in the same order")


def test_a_clean_leave_is_seen_at_once():
    with Cluster(3) as cluster:
        stream = cluster.subscribe("d1", GROUP)
        stream.wait_view(GROUP, members("d1"))
        gone = cluster.subscribe("d3", GROUP)
        gone.wait_view(GROUP, members("d1", "d3"))
        start = stream.wait_view(GROUP, members("d1", "d3")) + 1
        began = cluster.terminate("d3")
        place = stream.wait_view(GROUP, members("d1"), start)
        soon(stream, place, began, "d1 sees d3 leave")
        place = stream.wait_daemons(["d1", "d2"], start)
        soon(stream, place, began, "d1 sees the ring without d3")
        expect(stream.stamps[place] - began < 0.4, "a leave does not wait for a token to be missed")
        gone.end()
        closed = gone.of("closed")
        expect(closed and closed[-1]["reason"], f"the leaver's client is told why: {closed}")


def test_two_sides_of_a_cut_go_on_alone_and_agree_from_the_merge_on():
    with Cluster(3) as cluster:
        streams = cluster.subscribe_all(GROUP)
        sides = {"d1": members("d1", "d2"), "d2": members("d1", "d2"), "d3": members("d3")}
        starts = {name: len(s.events) for name, s in streams.items()}
        began = cluster.partition(["d1", "d2"], ["d3"])
        cut = {}
        for name, stream in streams.items():
            cut[name] = stream.wait_view(GROUP, sides[name], starts[name], cause="network")
            view = stream.events[cut[name]]
            soon(stream, cut[name], began, f"{name} sees the cut")
            expect_one_transitional(stream, starts[name], cut[name])
            expect_equal(sorted(view["with_me"]), sides[name], f"with_me at {name}")
            expect_equal(view["who"], [], f"who at {name}: a network view names nobody")

        for text in ("x", "y", "z"):
            cluster.publish("d1", GROUP, f"left {text}")
            cluster.publish("d3", GROUP, f"right {text}", more=["--service", "safe"])
        for stream in streams.values():
            stream.wait_messages(3)
        for name, side in (("d1", "left"), ("d2", "left"), ("d3", "right")):
            texts = [m["payload"] for m in streams[name].messages(cut[name])]
            expect_equal(texts, [f"{side} {t}" for t in "xyz"], f"what {name} got while cut off")

        starts = {name: len(s.events) for name, s in streams.items()}
        began = cluster.heal()
        merged = {}
        for name, stream in streams.items():
            merged[name] = stream.wait_view(GROUP, members("d1", "d2", "d3"), starts[name], cause="network")
            view = stream.events[merged[name]]
            soon(stream, merged[name], began, f"{name} sees the merge")
            expect_one_transitional(stream, starts[name], merged[name])
            expect_equal(sorted(view["with_me"]), sides[name], f"with_me at {name} after the merge")
        ids = {s.events[merged[n]]["id"] for n, s in streams.items()}
        expect_equal(len(ids), 1, "all call the merged view by one name")

        for name in cluster.names:
            cluster.publish(name, GROUP, f"merged {name} 1", f"merged {name} 2")
        for stream in streams.values():
            stream.wait_messages(9)
        tails = [[(m["configuration"], m["seq"], m["index"], m["payload"]) for m in streams[n].messages(merged[n])]
                 for n in cluster.names]
        expect_equal(len(tails[0]), 6, "messages after the merge")
        expect(tails[0] == tails[1] == tails[2], f"different orders after the merge: {tails}")


def test_a_cut_under_load_merges_under_load():
    with Cluster(3) as cluster:
        streams = cluster.subscribe_all(GROUP)
        path = f"{cluster.folder}/lines"
        count = 30000
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"line {i} {'z' * 100}\n" for i in range(count))
        publishers = {name: cluster.publisher(name, GROUP, path) for name in ("d1", "d3")}
        streams["d2"].wait_messages(1000)
        cluster.partition(["d1", "d2"], ["d3"])
        streams["d1"].wait_view(GROUP, members("d1", "d2"))
        streams["d3"].wait_view(GROUP, members("d3"))
        cluster.heal()
        merged = {n: s.wait_view(GROUP, members("d1", "d2", "d3"), s.wait_daemons(
            ["d3"] if n == "d3" else ["d1", "d2"])) for n, s in streams.items()}
        for publisher in publishers.values():
            expect_equal(publisher.end(60), 0, f"a publisher: {publisher.errors()}")
        cluster.publish("d2", GROUP, "the end", more=["--service", "safe"])
        tails = []
        for name, stream in streams.items():
            end = stream.wait("the last message", lambda e: e.get("payload") == "the end", merged[name])
            tails.append([(m["configuration"], m["seq"], m["index"]) for m in stream.messages(merged[name], end)])
        expect(tails[0] == tails[1] == tails[2], f"different after the merge: {[len(t) for t in tails]}")
        expect_equal(len(streams["d1"].messages()) >= count, True, "d1's own lines all arrived at d1")


def test_losing_the_state_directory_is_safe():
    with Cluster(2) as cluster:
        before = cluster.status("d1")["configuration"]["id"]
        cluster.kill("d2")
        cluster.wait_members("d1", 1)
        shutil.rmtree(f"{cluster.folder}/d2.state")
        cluster.start("d2")
        cluster.wait_members("d1", 2)
        after = cluster.status("d1")["configuration"]["id"]
        expect(int(after.split(".")[0]) > int(before.split(".")[0]), f"ring numbers grow: {before}, then {after}")


run(globals())
