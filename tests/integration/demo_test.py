# SPDX-License-Identifier: Apache-2.0
"""demo.sh that stays: its page is live, its figures are those of the log, and Ctrl-C ends all of it."""

import contextlib
import os
import re
import signal
import subprocess
import tempfile

from harness import BIN, PATIENCE, ROOT, Failure, die_with_parent, expect, expect_equal, run, until
from http_client import Events, ask, ask_json
from monitor_test import SAMPLE, counted_by_awk

OUT = os.path.join(ROOT, "demo.out")


def processes_of_the_demo():
    """What still runs in the folder that demo.sh makes."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/cwd").startswith(OUT):
                found.append(pid)
    return found


class Demo:
    def __init__(self, *words):
        # A pipe's reader would have to be fast; a file takes everything.
        descriptor, self.path = tempfile.mkstemp(prefix="rl-demo-")
        with open(descriptor, "wb") as file:
            self.process = subprocess.Popen([os.path.join(ROOT, "demo.sh"), *words], stdin=subprocess.DEVNULL, stdout=file,
                                            stderr=subprocess.STDOUT, env=dict(os.environ, RINGCAST_BIN=BIN),
                                            start_new_session=True, preexec_fn=die_with_parent)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(PATIENCE)
        os.unlink(self.path)

    def text(self):
        with open(self.path, encoding="utf-8") as file:
            return file.read()

    def find(self, pattern, seconds=60):
        def found():
            if self.process.poll() is not None and not re.search(pattern, self.text(), re.M):
                raise Failure(f"demo.sh has ended with {self.process.returncode}:\n{self.text()}")
            return re.search(pattern, self.text(), re.M)
        until(f"demo.sh says {pattern}", found, seconds)
        return found()


def test_the_page_stays_live_until_ctrl_c():
    wanted = counted_by_awk(SAMPLE)
    with Demo("--stay") as demo:
        port = int(demo.find(r"^live page: http://127\.0\.0\.1:(\d+)/").group(1))
        expect_equal(ask(port, "/").status, 200, "the page while lines come")
        demo.find(r"^The page stays at http://127\.0\.0\.1:\d+/")
        for row, count in (("lines", 10000), ("requests", wanted["requests"]), ("errors .*", wanted["errors"]),
                           ("bytes", wanted["bytes"])):
            figures = demo.find(rf"^  {row} +(\d+) +(\d+)$").groups()
            expect_equal(figures, (str(count), str(count)), f"{row} in the log and on the page")
        expect("identical: yes" in demo.text(), "the files are identical")
        figures = ask_json(port, "/api/figures?top=10000")
        expect(figures["lines"] >= 10000, "lines on the page")
        expect_equal({server["server"] for server in figures["servers"]["list"]}, {"web1", "web2", "web3"}, "servers")
        events = Events(port)
        events.wait("more lines come", lambda event: event["figures"]["lines"] > figures["lines"])
        events.close()
        os.killpg(demo.process.pid, signal.SIGINT)  # as a terminal does
        expect_equal(demo.process.wait(PATIENCE), 0, f"exit code; it said:\n{demo.text()}")
        picture = re.search(r"^requests (\S+) +bytes", demo.text(), re.M)
        expect(picture and "[1 Metrics]" in demo.text() and "[4 Pages]" in demo.text(), "a picture of the monitor")
        until("nothing of it runs any more", lambda: not processes_of_the_demo())


def test_ctrl_c_in_the_middle_leaves_nothing():
    with Demo() as demo:
        demo.find(r"^killed daemon web3")
        demo.process.send_signal(signal.SIGINT)
        expect_equal(demo.process.wait(PATIENCE), 130, "exit code")
        until("nothing of it runs any more", lambda: not processes_of_the_demo())


def test_an_unknown_option_is_refused():
    with Demo("--odd") as demo:
        expect_equal(demo.process.wait(PATIENCE), 2, "exit code")
        expect("usage: ./demo.sh [--stay]" in demo.text(), "what options there are")


if __name__ == "__main__":
    run(globals())
