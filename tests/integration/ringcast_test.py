# SPDX-License-Identifier: Apache-2.0
"""What the everyday tool promises about time: --timeout bounds the whole command, whatever it waits for; no
waiting without a pause."""

import signal
import subprocess
import time

from harness import PATIENCE, Cluster, die_with_parent, expect, expect_equal, program, run


def exit_code(cluster, *words, stdin=subprocess.DEVNULL):
    """Of a command that must end by itself; a pipe as its stdin stays open and empty."""
    process = subprocess.Popen([program("ringcast"), "--socket", cluster.socket("d1"), *words], stdin=stdin,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
    try:
        return process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()


def test_publish_waits_for_its_input_no_longer_than_the_timeout():
    with Cluster(1) as cluster:
        for more in ([], ["--lines"]):
            words = ["publish", "g", "--timeout", "200ms", *more]
            expect_equal(exit_code(cluster, *words, stdin=subprocess.PIPE), 4, f"exit code of {words}")
        cluster.run("d1", "publish", "g", "--timeout", "30s", stdin=b"all of it\n").must()


def test_a_daemon_that_does_not_answer_is_waited_for_no_longer_than_the_timeout():
    with Cluster(1) as cluster:
        cluster.daemons["d1"].send_signal(signal.SIGSTOP)
        for words in (["status"], ["publish", "g", "m"], ["status", "--wait-members", "1"]):
            expect_equal(exit_code(cluster, *words, "--timeout", "200ms"), 4, f"exit code of {words}")
        cluster.daemons["d1"].send_signal(signal.SIGCONT)


def test_watch_ends_in_time_beside_a_daemon_that_stands_still():
    with Cluster(1) as cluster:
        for more, number in ((["--for", "2s"], 0), ([], signal.SIGTERM)):
            watch = cluster.stream("d1", "watch", "--json", "--interval", "10ms", *more)
            watch.wait("status", lambda event: event["event"] == "status")
            cluster.daemons["d1"].send_signal(signal.SIGSTOP)
            began = time.monotonic()
            watch.signal(number)
            expect_equal(watch.end(), 0, "exit code of watch")
            cluster.daemons["d1"].send_signal(signal.SIGCONT)
            expect(time.monotonic() - began < 4, f"watch {more} ended after {time.monotonic() - began:.1f} s")


def test_a_value_in_brackets_is_one_value_however_it_is_given():
    for words in (["--server", "[::1]:9"], ["--server=[::1]:9"]):
        done = subprocess.run([program("ringcast"), *words, "status"], capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
        expect("cannot connect to [::1]:9:" in done.stderr, f"{words}: {done.stderr}")


def test_watch_does_not_ask_without_a_pause():
    with Cluster(1) as cluster:
        expect_equal(exit_code(cluster, "watch", "--interval", "0s"), 2, "exit code of watch --interval 0s")


if __name__ == "__main__":
    run(globals())
