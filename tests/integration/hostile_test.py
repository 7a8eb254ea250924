# SPDX-License-Identifier: Apache-2.0
"""What strangers and broken clients send is counted or closed with a reason; nobody else notices."""

import os
import random
import select
import signal
import socket
import struct
import threading
import time

from harness import PORT, Cluster, expect, expect_equal, inside, run

GROUP = "g"
ETH_P_IP = 0x0800


class Quiet:
    """Asserts that the ring and its subscribers notice nothing of what happens in the block."""

    def __init__(self, cluster):
        self.cluster = cluster

    def __enter__(self):
        self.streams = self.cluster.subscribe_all(GROUP)
        self.configuration = self.cluster.status("d1")["configuration"]
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            return
        self.cluster.expect_alive()
        for name in self.cluster.names:
            self.cluster.publish(name, GROUP, f"still here, {name}")
        for name, stream in self.streams.items():
            stream.wait_messages(len(self.cluster.names))
            noticed = [e for e in stream.of("configuration", "transitional", "closed")][1:]
            expect_equal(noticed, [], f"what the subscriber at {name} noticed")
        expect_equal(self.cluster.status("d1")["configuration"], self.configuration, "the ring before and after")


def capture(cluster, name, wanted):
    """Real datagrams of the ring as they arrive at that host, while it is busy."""
    with inside(name):
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
    got = []
    deadline = time.monotonic() + 20
    with tap:
        path = os.path.join(cluster.folder, "capture.lines")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"line {i} {'c' * (i % 900)}\n" for i in range(3000))
        publishers = [cluster.publisher(n, "capture", path, member="cap") for n in cluster.names]
        while len(got) < wanted and time.monotonic() < deadline:
            if select.select([tap], [], [], 1)[0]:
                packet, where = tap.recvfrom(65600)
                header = (packet[0] & 15) * 4
                if where[2] == socket.PACKET_HOST and packet[9] == 17:
                    if struct.unpack("!H", packet[header + 2:header + 4])[0] == PORT:
                        got.append(packet[header + 8:])
        for publisher in publishers:
            expect_equal(publisher.end(), 0, "publisher while capturing")
    expect(len(got) >= wanted // 2, f"captured {len(got)} datagrams")
    return got


def total(counters):
    return sum(v for k, v in counters.items() if any(w in k for w in ("drop", "malformed", "unsealed", "bad_",
                                                                         "corrupt", "foreign", "refused", "invalid")))


def send_to_ring(cluster, datagrams):
    """From a member's own host and from an unknown port, in bursts that fit a socket's buffer."""
    with inside("d2"):
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sender:
        for datagram in datagrams:
            sender.sendto(datagram, (cluster.address("d1"), PORT))


def test_garbage_datagrams_are_counted_and_change_nothing():
    with Cluster(3) as cluster, Quiet(cluster):
        draw = random.Random(4)
        before = cluster.counters("d1")
        datagrams = [draw.randbytes(draw.choice((0, 1, 3, 8, 40, 64, 100, 500, 1400))) for _ in range(3000)]
        send_to_ring(cluster, datagrams)
        after = cluster.counters("d1")
        grown = {k: v - before.get(k, 0) for k, v in after.items() if v != before.get(k, 0)}
        expect(total(after) - total(before) >= 1000, f"garbage is counted; what grew: {grown}")


def test_truncated_and_bit_flipped_packets_of_the_ring_itself_change_nothing():
    with Cluster(3) as cluster:
        real = capture(cluster, "d1", 400)
        with Quiet(cluster):
            draw = random.Random(5)
            before = cluster.counters("d1")
            for _ in range(8):
                broken = []
                for packet in real:
                    flipped = bytearray(packet)
                    flipped[draw.randrange(len(flipped))] ^= 1 << draw.randrange(8)
                    broken.append(bytes(flipped))
                    broken.append(packet[:draw.randrange(len(packet))])
                    broken.append(packet + draw.randbytes(draw.randrange(1, 40)))
                send_to_ring(cluster, broken)
            after = cluster.counters("d1")
            expect(total(after) - total(before) >= 1000, f"broken packets are counted: {total(before)}, {total(after)}")


def test_replayed_packets_of_the_ring_change_nothing():
    with Cluster(3) as cluster:
        real = capture(cluster, "d1", 200)
        with Quiet(cluster):
            send_to_ring(cluster, real * 3)
        cluster.kill("d3")
        cluster.wait_members("d1", 2)
        with Quiet(PartOf(cluster, ["d1", "d2"])):
            send_to_ring(cluster, real)


class PartOf:
    """The same cluster with some of its hosts only."""

    def __init__(self, cluster, names):
        self._cluster, self.names = cluster, names

    def __getattr__(self, word):
        return getattr(self._cluster, word)

    def subscribe_all(self, group):
        return self._cluster.subscribe_all("left", names=self.names)

    def publish(self, name, _, *messages):
        return self._cluster.publish(name, "left", *messages)

    def expect_alive(self):
        for name in self.names:
            expect(self._cluster.daemons[name].poll() is None, f"{name} has ended")


def closes(connection, seconds=15):
    """True when the daemon closes the connection; what it says before is read."""
    connection.settimeout(seconds)
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


def test_garbage_on_the_client_socket_is_closed_and_changes_nothing():
    with Cluster(2, clients='handshake = "2s"') as cluster, Quiet(cluster):
        draw = random.Random(6)
        openings = [b"\0" * 64, b"\xff" * 64, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
                    struct.pack("<I", 0xFFFFFFFF) + b"x" * 100, struct.pack("<I", 0), struct.pack("<IB", 5, 0x04)]
        openings += [draw.randbytes(draw.randrange(1, 3000)) for _ in range(60)]
        connections = []
        for opening in openings:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connection.connect(cluster.socket("d1"))
            try:
                connection.sendall(opening)
            except ConnectionError:
                pass
            connections.append(connection)
        silent = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        silent.connect(cluster.socket("d1"))
        connections.append(silent)
        for number, connection in enumerate(connections):
            with connection:
                expect(closes(connection), f"the daemon keeps connection {number} of a stranger open")


def test_frames_broken_after_a_good_start_are_closed_with_a_reason():
    """A real client's bytes, flipped one byte at a time on their way to the daemon."""
    with Cluster(2) as cluster, Quiet(cluster):
        draw = random.Random(7)
        for _ in range(40):
            place, bit = draw.randrange(0, 400), 1 << draw.randrange(8)

            def flip(offset, data, place=place, bit=bit):
                if offset <= place < offset + len(data):
                    data = bytearray(data)
                    data[place - offset] ^= bit
                return bytes(data)

            proxy = Proxy(cluster.socket("d1"), os.path.join(cluster.folder, "proxy.sock"), flip)
            with proxy:
                cluster.run("d1", "publish", "elsewhere", "x" * 100, "y" * 100, "z" * 100,
                            client=["--socket", proxy.path], seconds=20)


class Proxy:
    """Stands between one client and its daemon and changes or ends what the client sends."""

    def __init__(self, daemon, path, change, end_after=None):
        self.path, self._change, self._end_after = path, change, end_after
        if os.path.exists(path):
            os.unlink(path)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(path)
        self._listener.listen(1)
        self._daemon = daemon
        self._stop, self._wake = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._wake.close()
        self._thread.join(10)
        self._listener.close()
        self._stop.close()

    def _serve(self):
        if self._stop in select.select([self._listener, self._stop], [], [])[0]:
            return
        client, _ = self._listener.accept()
        daemon = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        daemon.connect(self._daemon)
        with client, daemon:
            self._pump(client, daemon)

    def _pump(self, client, daemon):
        offset = 0
        while True:
            ready = select.select([client, daemon, self._stop], [], [])[0]
            if self._stop in ready:
                return
            try:
                if daemon in ready:
                    data = daemon.recv(65536)
                    if not data:
                        return
                    client.sendall(data)
                if client in ready:
                    data = client.recv(65536)
                    if not data:
                        return
                    left = len(data) if self._end_after is None else self._end_after - offset
                    daemon.sendall(self._change(offset, data[:left]))
                    offset += len(data)
                    if left < len(data):
                        return
            except ConnectionError:
                return


def test_a_client_that_dies_in_the_middle_of_a_frame_was_there_or_was_not():
    with Cluster(2) as cluster, Quiet(cluster) as quiet:
        draw = random.Random(8)
        payload = b"p" * 300000
        for number in range(12):
            end = draw.randrange(1, 200) if number % 2 else draw.randrange(200, 299000)
            path = os.path.join(cluster.folder, "proxy.sock")
            with Proxy(cluster.socket("d1"), path, lambda _, data: data, end_after=end) as proxy:
                done = cluster.run("d1", "publish", GROUP, stdin=payload, client=["--socket", proxy.path])
                expect(done.code in (1, 3), f"cut off after {end} bytes: exit {done.code} {done.err}")
        for stream in quiet.streams.values():
            expect_equal(stream.messages(), [], "no part of a broken message is ever seen")


def test_a_client_that_never_reads_is_closed_and_slows_nobody():
    with Cluster(3, clients='backlog_bytes_max = "2MiB"\n[limits]\nmessage_bytes_max = "512KiB"') as cluster:
        streams = cluster.subscribe_all(GROUP)
        stuck = cluster.subscribe("d1", GROUP, member="stuck")
        stuck.wait_view(GROUP, ["#stuck#d1", *(f"#sub#{n}" for n in cluster.names)])
        stuck.signal(signal.SIGSTOP)
        path = os.path.join(cluster.folder, "lines")
        count = 40000
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"line {i} {'s' * 300}\n" for i in range(count))
        publisher = cluster.publisher("d2", GROUP, path)
        expect_equal(publisher.end(60), 0, f"publisher: {publisher.errors()}")
        for stream in streams.values():
            stream.wait_messages(count)
            place = stream.wait_view(GROUP, [f"#sub#{n}" for n in cluster.names], cause="disconnect")
            expect_equal(stream.events[place]["who"], ["#stuck#d1"], "who was closed")
            expect_equal([m["payload"].split()[1] for m in stream.messages()], [str(i) for i in range(count)],
                         "nobody else misses a message")
        stuck.signal(signal.SIGCONT)
        expect(stuck.end() != 0, "the stuck client ends with an error")
        closed = stuck.of("closed")
        expect(closed or stuck.errors(), "the stuck client learns why")
        said = (closed[-1]["reason"] if closed else "") + stuck.errors()
        print(f"        the stuck client reads: {said.strip()}", flush=True)
        got = [m["payload"].split()[1] for m in stuck.messages()]
        expect_equal(got, [str(i) for i in range(len(got))], "what it got is a beginning without holes")


def test_a_stopped_daemon_comes_back_as_the_one_left_behind():
    with Cluster(3) as cluster:
        streams = cluster.subscribe_all(GROUP)
        cluster.daemons["d3"].send_signal(signal.SIGSTOP)
        for name in ("d1", "d2"):
            streams[name].wait_view(GROUP, ["#sub#d1", "#sub#d2"], cause="network")
        cluster.publish("d1", GROUP, "while it slept")
        cluster.daemons["d3"].send_signal(signal.SIGCONT)
        everyone = [f"#sub#{n}" for n in cluster.names]
        for name, stream in streams.items():
            alone = ["#sub#d3"] if name == "d3" else ["#sub#d1", "#sub#d2"]
            place = stream.wait_view(GROUP, alone, cause="network")
            stream.wait_view(GROUP, everyone, start=place, cause="network")
        cluster.publish("d2", GROUP, "together")
        streams["d3"].wait("a message", lambda e: e.get("payload") == "together")
        expect_equal([m["payload"] for m in streams["d3"].messages()], ["together"], "what d3 got")


run(globals())
