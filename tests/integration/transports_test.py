# SPDX-License-Identifier: Apache-2.0
"""The same ring over IPv6, multicast and TCP clients, and run by an ordinary user."""

import os
import signal
import subprocess

from harness import TCP_PORT, Cluster, command, die_with_parent, expect, expect_equal, expect_same_order, program, run

GROUP = "g"
LINES = 2000


def exchange(cluster):
    streams = cluster.subscribe_all(GROUP)
    path = os.path.join(cluster.folder, "lines")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"line {i} {'t' * (i % 500)}\n" for i in range(LINES))
    publishers = [cluster.publisher(name, GROUP, path) for name in cluster.names]
    for publisher in publishers:
        expect_equal(publisher.end(), 0, f"publisher: {publisher.errors()}")
    total = LINES * len(cluster.names)
    for stream in streams.values():
        stream.wait_messages(total)
    expect_same_order(list(streams.values()), total)
    return streams


def survives_a_kill(cluster, streams):
    cluster.kill("d2")
    for name in ("d1", "d3"):
        streams[name].wait_view(GROUP, ["#sub#d1", "#sub#d3"], cause="network")
    cluster.start("d2")
    for name in cluster.names:
        cluster.wait_members(name, 3)


def test_ipv6_unicast():
    with Cluster(3, v6=True) as cluster:
        survives_a_kill(cluster, exchange(cluster))


def test_ipv4_multicast():
    with Cluster(3, transport="multicast", ring='multicast = "239.192.73.1:4913"') as cluster:
        survives_a_kill(cluster, exchange(cluster))


def test_ipv6_multicast():
    with Cluster(3, v6=True, transport="multicast", ring='multicast = "[ff15::4913]:4913"') as cluster:
        survives_a_kill(cluster, exchange(cluster))


def test_multicast_is_not_copied_per_daemon():
    """One datagram serves all: the sender of bulk data sends hardly more than it would to one."""
    sent = {}
    for transport in ("unicast", "multicast"):
        ring = 'multicast = "239.192.73.1:4913"' if transport == "multicast" else ""
        with Cluster(4, transport=transport, ring=ring) as cluster:
            before = sent_bytes("d1")
            cluster.run("d1", "publish", GROUP, stdin=b"m" * (2 << 20)).must()
            sent[transport] = sent_bytes("d1") - before
    expect(sent["multicast"] < 1.5 * (2 << 20) < sent["unicast"], f"bytes on the wire: {sent}")


def test_own_multicast_does_not_come_back():
    """A daemon that has its host for itself does not receive what it sends."""
    # Tokens are datagrams too: they are to rest as soon as they may.
    ring = 'multicast = "239.192.73.1:4913"\ntoken_rest_after = "0s"'
    with Cluster(3, transport="multicast", ring=ring) as cluster:
        before = {name: received_datagrams(name) for name in cluster.names}
        cluster.run("d1", "publish", GROUP, stdin=b"m" * (2 << 20)).must()
        more = {name: received_datagrams(name) - before[name] for name in cluster.names}
    expect(4 * more["d1"] < more["d2"], f"datagrams received: {more}")


def test_daemons_of_one_host_hear_one_anothers_multicast():
    """Two daemons with addresses of the same host, beside one elsewhere."""
    with Cluster(3, transport="multicast", ring='multicast = "239.192.73.1:4913"', start=[]) as cluster:
        command("ip", "-n", "d1", "address", "add", f"{cluster.address('d2')}/24", "dev", "eth0")
        command("ip", "-n", "d2", "link", "set", "eth0", "down")
        cluster.start("d1")
        cluster.start("d2", on="d1")
        cluster.start("d3")
        cluster.wait_members("d3", 3)
        exchange(cluster)


def received_datagrams(name):
    text = command("nsenter", f"--net=/run/netns/{name}", "cat", "/proc/net/snmp")
    names, values = [line.split() for line in text.splitlines() if line.startswith("Udp:")]
    return int(values[names.index("InDatagrams")])


def sent_bytes(name):
    text = command("ip", "-n", name, "-s", "-o", "link", "show", "eth0")
    return int(text.split("TX:")[1].split("\\")[1].split()[0])


def test_datagrams_follow_a_smaller_path():
    with Cluster(3) as cluster:
        for name in cluster.names:
            cluster.terminate(name)
            command("ip", "-n", name, "link", "set", "eth0", "mtu", "1300")
            command("ip", "link", "set", f"v-{name}", "mtu", "1300")
        for name in cluster.names:
            cluster.start(name)
        for name in cluster.names:
            cluster.wait_members(name, 3)
        exchange(cluster)


def test_clients_over_tcp_from_another_host():
    for v6 in (False, True):
        anywhere = "[::]" if v6 else "0.0.0.0"
        with Cluster(2, v6=v6, clients=f'tcp = "{anywhere}:{TCP_PORT}"') as cluster:
            remote = ["--server", cluster.endpoint("d1", TCP_PORT)]
            far = cluster.stream("d2", "--as", "far", "subscribe", GROUP, "--json", "--views", client=remote)
            far.wait_view(GROUP, ["#far#d1"])
            big = b"b" * (1 << 20)
            cluster.run("d2", "publish", GROUP, stdin=big, client=remote).must()
            cluster.publish("d2", GROUP, "small")
            far.wait_messages(2)
            expect_equal([len(m["payload"]) for m in far.messages()], [1 << 20, 5], "sizes over TCP")
            closed = cluster.run("d2", "status", client=["--server", cluster.endpoint("d1", TCP_PORT + 1)])
            expect_equal(closed.code, 3, "exit code where nobody listens")


def test_a_tcp_client_whose_host_is_gone_leaves_and_one_that_does_not_read_stays():
    with Cluster(2, clients=f'tcp = "0.0.0.0:{TCP_PORT}"') as cluster:
        remote = ["--server", cluster.endpoint("d1", TCP_PORT)]
        # Nothing is said to one when the cable is cut, something is on its way to the other.
        groups = {"silent": "quiet", "spoken": GROUP}
        watchers = {}
        for member, group in groups.items():
            watchers[member] = cluster.subscribe("d1", group, member=f"near-{member}")
            far = cluster.stream("d2", "--as", member, "subscribe", group, "--json", "--views", client=remote)
            far.wait_view(group, [f"#near-{member}#d1", f"#{member}#d1"])
        idle = cluster.stream("d1", "--as", "idle", "subscribe", "flood", "--json", "--views", client=remote)
        idle.wait_view("flood", ["#idle#d1"])
        idle.signal(signal.SIGSTOP)
        for _ in range(3):  # more than the sockets between them hold
            cluster.run("d1", "publish", "flood", stdin=b"f" * (8 << 20)).must()

        cluster.nft("d2", "table inet cut {"
                    'chain input { type filter hook input priority 0; iifname "eth0" meta l4proto tcp drop; }\n'
                    'chain output { type filter hook output priority 0; oifname "eth0" meta l4proto tcp drop; }\n}\n')
        cluster.publish("d1", GROUP, "nobody there")
        for member, group in groups.items():
            place = watchers[member].wait_view(group, [f"#near-{member}#d1"], cause="disconnect", seconds=20)
            expect_equal(watchers[member].events[place]["who"], [f"#{member}#d1"], "who is gone")

        idle.signal(signal.SIGCONT)
        idle.wait_messages(3)
        expect_equal(idle.of("closed"), [], "the one that did not read was not closed")


def test_a_ring_of_one_without_configuration_by_an_ordinary_user():
    with Cluster(1, start=[]) as cluster:
        runtime = os.path.join(cluster.folder, "runtime")
        state = os.path.join(cluster.folder, "xdg-state")
        os.makedirs(runtime)
        os.makedirs(state)
        env = {k: v for k, v in os.environ.items() if not k.startswith("RINGCAST_")}
        env.update(XDG_RUNTIME_DIR=runtime, XDG_STATE_HOME=state, HOME=cluster.folder)
        # A user namespace below this one, in which we are number 1000 and may do nothing special.
        user = ["unshare", "-U", "--map-user=1000", "--map-group=1000"]
        with open(os.path.join(cluster.folder, "d1.log"), "wb") as log:
            # Its output closed: no socket may take that place.
            daemon = subprocess.Popen([*user, "sh", "-c", f"exec {program('ringcastd')} <&- >&-"], env=env, stderr=log,
                                      preexec_fn=die_with_parent)
        cluster.daemons["d1"] = daemon

        def tool(*words, stdin=b""):
            return subprocess.run([*user, program("ringcast"), *words], env=env, input=stdin, capture_output=True,
                                  timeout=20, check=False)

        ready = tool("status", "--wait-members", "1", "--timeout", "10s")
        expect_equal(ready.returncode, 0, f"the daemon is up: {ready.stderr}")
        expect(os.path.exists(os.path.join(runtime, "ringcast.sock")), "the socket is where the rule says")
        expect_equal([os.readlink(f"/proc/{daemon.pid}/fd/{fd}") for fd in (0, 1)], ["/dev/null"] * 2, "its streams")
        sent = tool("publish", GROUP, "hello")
        expect_equal(sent.returncode, 0, f"publish: {sent.stderr}")
        shown = tool("status", "--json")
        expect_equal(shown.returncode, 0, f"status: {shown.stderr}")
        expect(b'"members":[' in shown.stdout, f"status: {shown.stdout}")
        cluster.terminate("d1")


run(globals())
