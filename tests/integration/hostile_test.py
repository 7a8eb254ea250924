# SPDX-License-Identifier: Apache-2.0
"""What strangers and broken clients send is counted or closed with a reason; nobody else notices."""

import fcntl
import mmap
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
COUNTED_AS_REPLAYED = ("duplicate", "stale", "foreign")
COUNTED_AS_BAD = ("udp_unknown", "udp_truncated", "datagrams_rejected")


class Quiet:
    """Asserts that the ring and its subscribers notice nothing of what happens in the block."""

    def __init__(self, cluster, names=None, group=GROUP):
        self.cluster, self.names, self.group = cluster, names or cluster.names, group

    def __enter__(self):
        members = [f"#{self.group}#{name}" for name in self.names]
        self.streams = {n: self.cluster.subscribe(n, self.group, member=self.group) for n in self.names}
        for stream in self.streams.values():
            stream.wait_view(self.group, members)
        self.configuration = self.cluster.status(self.names[0])["configuration"]
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            return
        for name in self.names:
            expect(self.cluster.daemons[name].poll() is None, f"{name} has ended")
            self.cluster.publish(name, self.group, f"still here, {name}")
        for name, stream in self.streams.items():
            stream.wait_messages(len(self.names))
            noticed = [e for e in stream.of("configuration", "transitional", "closed")][1:]
            expect_equal(noticed, [], f"what the subscriber at {name} noticed")
        now = self.cluster.status(self.names[0])["configuration"]
        expect_equal(now, self.configuration, "the ring before and after")


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


def send_to_ring(cluster, datagrams):
    """To d1, as if from d2's own port: nothing but the bytes tells them from the ring's."""
    with inside("d2"):
        sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
    with sender:
        for datagram in datagrams:
            header = struct.pack("!HHHH", PORT, PORT, 8 + len(datagram), 0)
            sender.sendto(header + datagram, (cluster.address("d1"), 0))


def expect_counted(cluster, before, least, kinds=COUNTED_AS_BAD):
    """The daemon has counted so many datagrams as no packets of its ring, or as of another kind."""
    after = cluster.counters("d1")
    grown = {k: v - before.get(k, 0) for k, v in after.items() if v > before.get(k, 0)}
    bad = {k: v for k, v in grown.items() if any(word in k for word in kinds)}
    expect(sum(bad.values()) >= least, f"{least} datagrams are counted as {kinds}; what grew: {grown}")


def test_garbage_datagrams_are_counted_and_change_nothing():
    with Cluster(3) as cluster, Quiet(cluster):
        draw = random.Random(4)
        before = cluster.counters("d1")
        datagrams = [draw.randbytes(draw.choice((0, 1, 3, 8, 40, 64, 100, 500, 1400))) for _ in range(3000)]
        send_to_ring(cluster, datagrams)
        expect_counted(cluster, before, 1000)
        with inside("d2"):
            stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        before = cluster.counters("d1")
        with stranger:
            for datagram in datagrams[:500]:
                stranger.sendto(datagram, (cluster.address("d1"), PORT))
        expect_counted(cluster, before, 100)


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
            expect_counted(cluster, before, 1000)


def test_replayed_packets_of_the_ring_change_nothing():
    with Cluster(3) as cluster:
        real = capture(cluster, "d1", 200)
        with Quiet(cluster):
            before = cluster.counters("d1")
            send_to_ring(cluster, real * 3)
            expect_counted(cluster, before, len(real), COUNTED_AS_REPLAYED)
        cluster.kill("d3")
        cluster.wait_members("d1", 2)
        with Quiet(cluster, ["d1", "d2"], "late"):
            before = cluster.counters("d1")
            send_to_ring(cluster, real)
            expect_counted(cluster, before, len(real) // 2, COUNTED_AS_REPLAYED)


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


HELLO = struct.pack("<IBIHHB", 10, 1, 0x54534352, 1, 1, 0)
ACCEPTED = 4
TO_CLIENT_WRITTEN, TO_CLIENT_SLEEPS, TO_CLIENT_READ = 64, 72, 128
TO_DAEMON_WRITTEN, TO_DAEMON_SLEEPS = 192, 200


def offer_memory(path, size, seals):
    """A client that says hello and offers memory; its socket and the memory."""
    descriptor = os.memfd_create("test", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.posix_fallocate(descriptor, 0, size)
    memory = mmap.mmap(descriptor, size)
    struct.pack_into("<I", memory, 0, 1)
    struct.pack_into("<I", memory, TO_CLIENT_SLEEPS, 1)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(15)
    connection.connect(path)
    socket.send_fds(connection, [HELLO], [descriptor])
    os.close(descriptor)
    return connection, memory


def number(memory, offset):
    return struct.unpack_from("<Q", memory, offset)[0]


def wait_for(what, true):
    deadline = time.monotonic() + 15
    while not true():
        expect(time.monotonic() < deadline, f"in vain: {what}")
        os.sched_yield()


def test_memory_that_a_client_breaks_ends_its_session_and_changes_nothing():
    size, sealed = mmap.PAGESIZE + (384 << 10), fcntl.F_SEAL_SHRINK
    with Cluster(2) as cluster, Quiet(cluster):
        path = cluster.socket("d1")
        breaks = [(TO_CLIENT_READ, 1 << 40), (TO_DAEMON_WRITTEN, 1 << 40), (TO_DAEMON_WRITTEN, (128 << 10) + 1)]
        for place, value in breaks:
            connection, memory = offer_memory(path, size, sealed)
            with connection:
                expect_equal(len(connection.recv(1)), 1, "the bell of the welcome")
                expect_equal(number(memory, ACCEPTED) & 1, 1, "the memory is accepted")
                expect(number(memory, TO_CLIENT_WRITTEN) > 40, "the welcome is in the memory")
                wait_for("the daemon sleeps", lambda: number(memory, TO_DAEMON_SLEEPS) & 1)
                struct.pack_into("<Q", memory, place, value)
                connection.send(b"!")
                if place == TO_CLIENT_READ:  # looked at when there is no room left as far as is known
                    requests = b"".join(struct.pack("<IBQ", 9, 5, n) for n in range(1, 1000))
                    begin = mmap.PAGESIZE + (256 << 10)
                    memory[begin:begin + len(requests)] = requests
                    struct.pack_into("<Q", memory, TO_DAEMON_WRITTEN, len(requests))
                    connection.send(b"!")
                expect(closes(connection), f"a session goes on with {value} at {place}")
        frames = struct.pack("<IBI", 5, 6, 0)
        for other_size, seals in ((size, 0), (size - mmap.PAGESIZE, sealed), (2 * size, sealed)):
            connection, memory = offer_memory(path, other_size, seals)
            with connection:
                expect_equal(connection.recv(5)[4:], b"\x81", "a welcome by the socket")
                expect_equal(number(memory, ACCEPTED) & 1, 0, "such memory is not accepted")
                connection.sendall(frames)  # malformed: the session is served by the socket
                expect(closes(connection), "the session goes on after a malformed frame")


def test_frames_broken_after_a_good_start_change_nothing():
    """A real client's bytes with one bit flipped on their way to the daemon. A broken length makes
    the daemon wait for more, as it must; the proxy hangs up when nothing moves any more."""
    with Cluster(2) as cluster, Quiet(cluster):
        draw = random.Random(7)
        for _ in range(40):
            place, bit = draw.randrange(0, 400), 1 << draw.randrange(8)

            def flip(offset, data, place=place, bit=bit):
                if offset <= place < offset + len(data):
                    data = bytearray(data)
                    data[place - offset] ^= bit
                return bytes(data)

            with Proxy(cluster.socket("d1"), os.path.join(cluster.folder, "proxy.sock"), flip) as proxy:
                done = cluster.run("d1", "publish", "elsewhere", "x" * 100, "y" * 100, "z" * 100,
                                   client=["--socket", proxy.path])
                expect(done.code in (0, 1, 2, 3), f"bit {bit} of byte {place}: exit {done.code} {done.err}")


class Proxy:
    """Stands between one client and its daemon and changes or ends what the client sends. Hangs up
    when nothing has moved for a while."""

    IDLE_SECONDS = 0.7

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
            ready = select.select([client, daemon, self._stop], [], [], self.IDLE_SECONDS)[0]
            if not ready or self._stop in ready:
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
    with Cluster(3, clients='backlog_bytes_max = "8MiB"\n[limits]\nmessage_bytes_max = "512KiB"') as cluster:
        count = 100000
        path = os.path.join(cluster.folder, "lines")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"line {i} {'s' * 300}\n" for i in range(count))
        # Members of "watch" see who comes and goes in "g" as well, without its messages.
        watchers = cluster.subscribe_all("watch")
        stuck = cluster.stream("d1", "--as", "stuck", "subscribe", GROUP, "watch", "--json", "--views")
        readers = {}
        for name in cluster.names:
            raw = os.path.join(cluster.folder, f"{name}.raw")
            words = ["--as", "raw", "subscribe", GROUP, "watch", "--raw", "--count", str(count)]
            readers[name] = (cluster.stream(name, *words, stdout_path=raw), raw)
        everyone = [f"#{member}#{name}" for name in cluster.names for member in ("sub", "raw")]
        stuck.wait_view("watch", ["#stuck#d1", *everyone])
        stuck.signal(signal.SIGSTOP)

        publisher = cluster.publisher("d2", GROUP, path)
        expect_equal(publisher.end(60), 0, f"publisher: {publisher.errors()}")
        with open(path, "rb") as file:
            wanted = file.read().replace(b"\n", b"")
        for name, (reader, raw) in readers.items():
            expect_equal(reader.end(60), 0, f"reader at {name}: {reader.errors()}")
            with open(raw, "rb") as file:
                expect(file.read().replace(b"\n", b"") == wanted, f"the reader at {name} missed something")
        for watcher in watchers.values():
            place = watcher.wait("the stuck client's end",
                                 lambda e: e["event"] == "view" and e["cause"] == "disconnect")
            expect_equal(watcher.events[place]["who"], ["#stuck#d1"], "who was closed")

        stuck.signal(signal.SIGCONT)
        expect(stuck.end() != 0, "the stuck client ends with an error")
        said = " ".join([*(e["reason"] for e in stuck.of("closed")), stuck.errors()])
        expect("does not read" in said, f"the stuck client learns why: {said}")
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
