# SPDX-License-Identifier: Apache-2.0
"""The daemon as a service, and the questions an operator asks: notifications, reload, status."""

import contextlib
import os
import signal
import socket
import time

from harness import PATIENCE, Cluster, expect, expect_equal, run, until


@contextlib.contextmanager
def notified(cluster, name):
    """The daemon, started by a supervisor that listens; yields a function for the next message."""
    path = os.path.join(cluster.folder, "notify.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(path)
        supervisor.settimeout(PATIENCE)
        cluster.start(name, NOTIFY_SOCKET=path)

        def wait_for(text):
            while True:
                said = supervisor.recv(4096).decode().splitlines()
                if text in said:
                    return said
        yield wait_for


def wait_log(cluster, name, text):
    until(f"'{text}' is in the log of {name}", lambda: text in cluster.log(name))


def rewrite(cluster, old, new):
    with open(cluster.config, encoding="utf-8") as file:
        text = file.read()
    expect(old in text, f"{old} is not in the configuration")
    with open(cluster.config, "w", encoding="utf-8") as file:
        file.write(text.replace(old, new))


def test_the_supervisor_hears_ready_reloading_and_stopping():
    with Cluster(1, start=[]) as cluster, notified(cluster, "d1") as wait_for:
        wait_for("READY=1")
        expect(os.path.exists(cluster.socket("d1")), "ready means that clients can connect")
        cluster.publish("d1", "g", "at once")
        cluster.daemons["d1"].send_signal(signal.SIGHUP)
        wait_for("RELOADING=1")
        wait_for("READY=1")
        cluster.daemons["d1"].terminate()
        wait_for("STOPPING=1")
        expect_equal(cluster.daemons["d1"].wait(PATIENCE), 0, "exit code")
        expect(not os.path.exists(cluster.socket("d1")), "the socket is gone with the daemon")


def test_the_supervisor_sees_how_many_daemons_stand():
    with Cluster(3, start=[]) as cluster, notified(cluster, "d1") as wait_for:
        expect("STATUS=operational, 1 of 3 daemons" in wait_for("READY=1"), "the status comes with ready")
        cluster.start("d2")
        expect("READY=1" not in wait_for("STATUS=operational, 2 of 3 daemons"), "ready is said once")
        cluster.start("d3")
        wait_for("STATUS=operational, 3 of 3 daemons")
        cluster.kill("d2")
        wait_for("STATUS=operational, 2 of 3 daemons")


def test_a_reload_before_the_first_configuration_does_not_claim_to_be_ready():
    with Cluster(1, start=[]) as cluster:
        # Something in the place of the new state file: no ring number, no configuration.
        obstacle = os.path.join(cluster.folder, "d1.state", "d1.state.new")
        os.makedirs(obstacle)
        with notified(cluster, "d1") as wait_for:
            wait_log(cluster, "d1", "trying again every second")
            cluster.daemons["d1"].send_signal(signal.SIGHUP)
            wait_log(cluster, "d1", "configuration reloaded")
            os.rmdir(obstacle)
            said = wait_for("READY=1")
            expect("STATUS=operational, 1 of 1 daemons" in said, f"ready comes with the configuration: {said}")


def test_a_reload_applies_what_it_can_and_names_what_it_cannot():
    with Cluster(1, start=[]) as cluster, notified(cluster, "d1") as wait_for:
        wait_for("READY=1")

        def reload():
            cluster.daemons["d1"].send_signal(signal.SIGHUP)
            wait_for("RELOADING=1")
            wait_for("READY=1")
            return cluster.log("d1")

        cluster.publish("d1", "g", "x" * 5000)
        rewrite(cluster, "[clients]", "[limits]\nmessage_bytes_max = 4096\n[clients]")
        expect("configuration reloaded" in reload(), f"a good file is taken: {cluster.log('d1')}")
        refused = cluster.run("d1", "publish", "g", "x" * 5000)
        expect_equal(refused.code, 1, f"exit code of what is longer than the new limit: {refused.err}")
        rewrite(cluster, "message_bytes_max", "message_bytes_mx")
        log = reload()
        expect("message_bytes_max" in log and ".toml:" in log, f"a wrong file is named with its place: {log}")
        cluster.publish("d1", "g", "still here")


def test_a_reload_that_changes_what_is_fixed_applies_the_rest():
    with Cluster(1, start=[]) as cluster, notified(cluster, "d1") as wait_for:
        wait_for("READY=1")
        rewrite(cluster, 'name = "test"', 'name = "elsewhere"')
        rewrite(cluster, cluster.address("d1"), "10.73.0.99")
        rewrite(cluster, "[clients]", '[log]\nlevel = "warn"\n[limits]\nmessage_bytes_max = 4096\n[clients]')
        cluster.daemons["d1"].send_signal(signal.SIGHUP)
        wait_for("RELOADING=1")
        wait_for("READY=1")
        log = cluster.log("d1")
        for what in ("[cluster] name", "our own address"):
            expect(f"{what} cannot change while running" in log, f"{what} is named: {log}")
        expect(cluster.run("d1", "publish", "g", "x" * 5000).code != 0, "the new limit holds")
        expect("closed" not in cluster.log("d1")[len(log):], "the new log level holds")
        status = cluster.status("d1")
        expect_equal((status["cluster"], status["daemons"][0]["address"]), ("test", cluster.endpoint("d1")),
                     "what is in force is shown")


def test_status_members_groups_and_watch_agree():
    with Cluster(3, start=["d1", "d2"]) as cluster:
        streams = cluster.subscribe_all("g", names=["d1", "d2"])
        status = cluster.status("d1")
        expect_equal((status["daemon"], status["cluster"], status["state"]), ("d1", "test", "operational"), "status")
        expect_equal(sorted(status["configuration"]["members"]), ["d1", "d2"], "members in the status")
        expect_equal(status["groups"], 1, "groups in the status")
        expect(status["sessions"] >= 1 and status["uptime_s"] >= 0 and status["counters"], f"status: {status}")
        expect(any("unprotected" in warning for warning in status["warnings"]), "the missing protection is named")
        members = cluster.run("d1", "members").must().out.decode()
        away = [line.split()[0] for line in members.splitlines() if "away" in line]
        expect_equal(away, ["d3"], f"who is away: {members}")
        groups = cluster.run("d2", "--json", "groups").must().json_lines()
        expect_equal([(g["group"], sorted(g["members"])) for g in groups], [("g", ["#sub#d1", "#sub#d2"])], "groups")

        watch = cluster.stream("d1", "watch", "--json", "g")
        watch.wait_view("g", [*(f"#sub#{n}" for n in ("d1", "d2")), watcher_of(streams["d1"], watch)])
        cluster.start("d3")
        watch.wait_daemons(["d1", "d2", "d3"])


def watcher_of(subscriber, watch):
    """The watcher's generated name, as another member of the group sees it come."""
    place = watch.wait("its own join", lambda e: e["event"] == "view" and e["cause"] == "join")
    name = watch.events[place]["who"][0]
    subscriber.wait("the watcher", lambda e: e["event"] == "view" and name in e["members"])
    return name


def test_names_are_unique_on_a_daemon_and_free_again_after_the_end():
    with Cluster(2) as cluster:
        first = cluster.subscribe("d1", "g", member="me")
        first.wait_view("g", ["#me#d1"])
        taken = cluster.run("d1", "--as", "me", "subscribe", "g", "--for", "5s")
        expect(taken.code in (1, 2), f"a name in use is refused: exit {taken.code}")
        expect("me" in taken.err, f"and named: {taken.err}")
        elsewhere = cluster.subscribe("d2", "g", member="me")
        elsewhere.wait_view("g", ["#me#d1", "#me#d2"])
        first.process.kill()
        elsewhere.wait_view("g", ["#me#d2"], cause="disconnect")
        again = cluster.subscribe("d1", "g", member="me")
        again.wait_view("g", ["#me#d1", "#me#d2"])


run(globals())
