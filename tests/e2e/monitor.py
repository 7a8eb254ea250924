# SPDX-License-Identifier: Apache-2.0
"""The monitor of the farm, its figures by HTTP from another host, and its page in a browser there."""

import contextlib
import http.client
import json
import signal

from hosts import GROUP, write

from browser import Browser
from harness import PATIENCE, expect_equal, inside, until
from http_client import TOKEN

PORT = 8080
SHOWN = ("requests", "bytes", "errors", "lines")


class Monitor:
    def __init__(self, hosts, host, reader):
        self.hosts, self.host, self.reader = hosts, host, reader
        self.stream = None

    def start(self):
        token = self.hosts.path(self.host, "token")
        write(token, TOKEN + "\n")
        self.stream = self.hosts.stream(
            self.host, "--socket", self.hosts.socket(self.host), "--group", GROUP, "--as", "monitor", "--json",
            "--interval", "1h", "--listen", f"{self.hosts.address(self.host)}:{PORT}", "--token-file", token,
            tool="ringlog-monitor")
        until("the monitor has joined", lambda: f"#monitor#{self.host}" in self.hosts.members(self.host, GROUP))

    def figures(self):
        """As JSON, asked for from the reader's host."""
        link = http.client.HTTPConnection(self.hosts.address(self.host), PORT, timeout=PATIENCE)
        with contextlib.closing(link):
            with inside(self.reader):
                link.connect()
            link.request("GET", "/api/figures", headers={"Authorization": f"Bearer {TOKEN}"})
            answer = link.getresponse()
            text = answer.read()
            expect_equal(answer.status, 200, f"status of the monitor's answer: {text[:300]}")
            return json.loads(text)

    def check_page(self, wanted, screenshot):
        """The page shows these totals to a browser on the reader's host."""
        with inside(self.reader), Browser() as browser:
            browser.open(f"http://{self.hosts.address(self.host)}:{PORT}/#token={TOKEN}")
            browser.wait("the page is signed in", "return document.getElementById('state').dataset.state === 'live'"
                         " && document.getElementById('login').hidden && !document.getElementById('board').hidden")
            browser.wait("the page shows the totals", "return arguments[0].every((id, place) =>"
                         " document.getElementById(id).dataset.value === String(arguments[1][place]))",
                         [f"total-{name}" for name in SHOWN], [wanted[name] for name in SHOWN])
            browser.wait("the plots have lines",
                         "return [...document.querySelectorAll('.plot:not([hidden]) .readout b')].length > 0")
            browser.wait("the table has rows", "return document.querySelectorAll('#rows tr').length > 3")
            browser.keep_screenshot(screenshot)
            # It also complains that HTTP is no HTTPS, and of the answer that asks for the token.
            errors = [message for message in browser.messages() if message["source"] == "javascript"]
            expect_equal(errors, [], "errors of the page's script")

    def stop(self):
        if self.stream and self.stream.process.poll() is None:
            self.stream.signal(signal.SIGTERM)
            expect_equal(self.stream.end(), 0, f"exit code of the monitor; it said: {self.stream.errors()}")
