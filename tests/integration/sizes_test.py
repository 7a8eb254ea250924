# SPDX-License-Identifier: Apache-2.0
"""Messages from nothing to the limit arrive byte for byte; one byte more is refused."""

import hashlib
import random

from harness import Cluster, Failure, expect, expect_equal, run

GROUP = "blobs"
LIMIT = 8 << 20


def raw_subscribers(cluster, count):
    """Plain subscribers with --raw; they have joined when the watcher has seen them."""
    watcher = cluster.subscribe("d1", GROUP, member="watcher")
    watcher.wait_view(GROUP, ["#watcher#d1"])
    streams = {}
    for name in cluster.names:
        streams[name] = RawSubscriber(cluster, name, count)
    watcher.wait_view(GROUP, ["#watcher#d1", *(f"#raw#{n}" for n in cluster.names)])
    return watcher, streams


class RawSubscriber:
    def __init__(self, cluster, name, count):
        self.path = f"{cluster.folder}/{name}.raw"
        self.stream = cluster.stream(name, "--as", "raw", "subscribe", GROUP, "--raw", "--count", str(count),
                                     stdout_path=self.path)

    def bytes(self):
        code = self.stream.end(60)
        if code != 0:
            raise Failure(f"raw subscriber: exit {code}, {self.stream.errors()}")
        with open(self.path, "rb") as file:
            return file.read()


def test_a_message_of_8_mib_arrives_byte_for_byte_and_one_byte_more_is_refused():
    with Cluster(3) as cluster:
        watcher, subscribers = raw_subscribers(cluster, 1)
        big = random.Random(1).randbytes(LIMIT)
        before = cluster.status("d1")["configuration"]["id"]

        refused = cluster.run("d2", "publish", GROUP, stdin=big + b"!")
        expect(refused.code in (1, 2), f"one byte too many: exit {refused.code}")
        expect(str(LIMIT) in refused.err or "8 MiB" in refused.err, f"the limit is named: {refused.err}")

        cluster.run("d2", "publish", GROUP, stdin=big).must()
        for name, subscriber in subscribers.items():
            got = subscriber.bytes()
            expect_equal((len(got), hashlib.sha256(got).hexdigest()), (LIMIT, hashlib.sha256(big).hexdigest()),
                         f"the message at {name}")
        expect_equal(cluster.status("d1")["configuration"]["id"], before, "the ring stayed as it was")
        watcher.wait_messages(1)
        expect_equal(len(watcher.messages()), 1, "messages in all")


def test_sizes_around_the_seams_arrive_byte_for_byte_with_loss():
    with Cluster(3) as cluster:
        cluster.lose(2)
        sizes = [0, 1, 2, 255, 256, 1199, 1200, 1201, 1399, 1400, 1401, 1472, 1473, 2800, 65506, 65507, 65508, 1 << 20]
        _, subscribers = raw_subscribers(cluster, len(sizes))
        draw = random.Random(2)
        wanted = b""
        for number, size in enumerate(sizes):
            payload = draw.randbytes(size)
            wanted += payload
            cluster.run(cluster.names[number % 3], "publish", GROUP, stdin=payload).must()
        for name, subscriber in subscribers.items():
            got = subscriber.bytes()
            expect_equal(len(got), len(wanted), f"bytes at {name}")
            expect(got == wanted, f"other bytes at {name}")


def test_large_and_small_messages_of_many_senders_mix():
    with Cluster(3) as cluster:
        watcher = cluster.subscribe("d3", GROUP)
        watcher.wait_view(GROUP, ["#sub#d3"])
        path = f"{cluster.folder}/large"
        draw = random.Random(3)
        lines = ["".join(draw.choices("abcdefgh", k=draw.choice((3, 300, 30000, 300000)))) for _ in range(60)]
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        publishers = [cluster.publisher(name, GROUP, path) for name in cluster.names]
        for publisher in publishers:
            expect_equal(publisher.end(60), 0, f"publisher: {publisher.errors()}")
        watcher.wait_messages(len(lines) * 3, 60)
        for name in cluster.names:
            got = [m["payload"] for m in watcher.messages() if m["sender"] == f"#pub#{name}"]
            expect(got == lines, f"lines of {name} differ")


run(globals())
