# SPDX-License-Identifier: Apache-2.0
"""An idle ring is quiet, and the first message after idleness is not late."""

import os
import time

from harness import Cluster, expect, inside, pause, run

SECONDS = 4.0
PACKETS_A_SECOND_MAX = 20
CPU_PERCENT_MAX = 1.0


def sent_packets(name):
    with inside(name), open("/proc/thread-self/net/snmp", encoding="ascii") as file:
        rows = [line.split() for line in file if line.startswith("Udp:")]
    return int(rows[1][rows[0].index("OutDatagrams")])


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_an_idle_ring_sends_little_and_burns_nothing():
    with Cluster(3) as cluster:
        streams = cluster.subscribe_all("g")
        pause(0.5)  # the last of the joining has settled
        before = {n: (sent_packets(n), cpu_seconds(cluster.daemons[n])) for n in cluster.names}
        began = time.monotonic()
        pause(SECONDS)
        took = time.monotonic() - began
        for name in cluster.names:
            packets = (sent_packets(name) - before[name][0]) / took
            percent = (cpu_seconds(cluster.daemons[name]) - before[name][1]) / took * 100
            print(f"        {name}: {packets:.1f} packets/s, {percent:.2f} % of a core", flush=True)
            expect(packets < PACKETS_A_SECOND_MAX, f"{name} sends {packets:.1f} packets a second while idle")
            expect(percent <= CPU_PERCENT_MAX, f"{name} takes {percent:.2f} % of a core while idle")

        for name in cluster.names:
            pause(0.5)
            began = time.monotonic()
            cluster.publish(name, "g", f"hello from {name}")
            for stream in streams.values():
                place = stream.wait("the message", lambda e, n=name: e.get("payload") == f"hello from {n}")
                late = stream.stamps[place] - began
                expect(late < 0.25, f"the first message after idleness took {late * 1000:.0f} ms, with the tool's start")


run(globals())
