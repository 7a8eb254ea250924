# SPDX-License-Identifier: Apache-2.0
"""Users: h2load asks a balancer for pages at a steady rate, round after round, until it is told to stop."""

import re
import subprocess
import threading

from hosts import words_on, write

from harness import Failure, die_with_parent, installed
from web_servers import PAGES

AGENTS = ["Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/128.0",
          "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1",
          "Mozilla/5.0 (compatible; Examplebot/2.1; +http://bot.example/)"]
MISSING = ["no-such-page", "favicon.ico"]
CONNECTIONS = 8
ROUND_SECONDS = 2


class Load:
    """Users of one host who ask one balancer, `rate` times a second."""

    def __init__(self, hosts, users, balancer, rate):
        self.users, self.rate = users, rate
        self.base = f"http://{hosts.address(balancer)}"
        self.pages = hosts.path(users, "pages")
        self.h2load = installed("h2load")
        write(self.pages, "".join(f"{self.base}/{page}\n" for page in [*PAGES, *PAGES, *MISSING]))
        self.asked, self.answered = 0, 0
        self.stopping = threading.Event()
        self.problem = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self.thread.start()

    def stop(self):
        """No request is under way any more."""
        self.stopping.set()
        self.thread.join(60)
        if self.thread.is_alive():
            raise Failure(f"the users of {self.users} are not done within 60 s")
        if self.problem:
            raise self.problem

    def _run(self):
        number = 0
        try:
            while not self.stopping.is_set():
                self._round(AGENTS[number % len(AGENTS)])
                number += 1
        except Exception as problem:  # noqa: BLE001 - told by stop()
            self.problem = problem

    def _round(self, agent):
        each = max(1, self.rate // CONNECTIONS)
        words = [self.h2load, "--h1", "-n", str(each * CONNECTIONS * ROUND_SECONDS), "-c", str(CONNECTIONS), "--rps",
                 str(each), "-N", "15", "-H", f"user-agent: {agent}", "-H", f"referer: {self.base}/index.html", "-i",
                 self.pages]
        done = subprocess.run(words_on(self.users, words), capture_output=True, text=True, check=False, timeout=60,
                              stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        total = re.search(r"requests: (\d+) total", done.stdout)
        codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx", done.stdout)
        if done.returncode != 0 or not total or not codes:
            raise Failure(f"h2load ended with {done.returncode}: {done.stdout[-800:]} {done.stderr[-800:]}")
        self.asked += int(total.group(1))
        self.answered += sum(map(int, codes.groups()))
