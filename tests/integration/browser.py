# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium, driven by its chromedriver in the WebDriver protocol (W3C), which is JSON over HTTP."""

import base64
import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile

from harness import PATIENCE, die_with_parent, expect, until

SCREENSHOTS = os.environ.get("RINGCAST_TEST_SCREENSHOTS", "")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Browser:
    """One window. `size` is (width, height); `dark` is what the system prefers."""

    def __init__(self, size=(1400, 900), dark=False):
        for name in ("chromium", "chromedriver"):
            expect(shutil.which(name), f"{name} is there: scripts/install-dependencies.sh --test installs it")
        self.size, self.dark = size, dark
        self.port = free_port()
        self.home = tempfile.mkdtemp(prefix="rl-browser-")

    def __enter__(self):
        env = dict(os.environ, HOME=self.home)
        self.driver = subprocess.Popen(["chromedriver", f"--port={self.port}"], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env,
                                       preexec_fn=die_with_parent)
        self.session = None
        try:
            until("chromedriver listens", self._is_up)
            arguments = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars",
                         f"--user-data-dir={self.home}/profile"]
            wanted = {"browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL"},
                      "goog:chromeOptions": {"args": arguments, "binary": shutil.which("chromium")}}
            self.session = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
            width, height = self.size
            self.control("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                         mobile=width < 600)
            self.control("Emulation.setEmulatedMedia",
                         features=[{"name": "prefers-color-scheme", "value": "dark" if self.dark else "light"}])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error):
        if self.session:
            with contextlib.suppress(OSError, http.client.HTTPException, AssertionError):
                self._ask("DELETE", f"/session/{self.session}")
        self.driver.kill()
        self.driver.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    def _is_up(self):
        try:
            return self._ask("GET", "/status")["ready"]
        except OSError:
            return False

    def _ask(self, method, path, body=None):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=2 * PATIENCE)) as connection:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, body=text, headers={"Content-Type": "application/json"})
            response = connection.getresponse()
            value = json.loads(response.read())["value"]
            expect(response.status == 200, f"{method} {path}: {value}")
            return value

    def _command(self, name, body):
        return self._ask("POST", f"/session/{self.session}/{name}", body)

    def control(self, command, **parameters):
        return self._command("goog/cdp/execute", {"cmd": command, "params": parameters})

    def open(self, url):
        self._command("url", {"url": url})

    def run(self, script, *arguments):
        """What the script returns."""
        return self._command("execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, what, script, *arguments):
        """Until the script returns something true."""
        until(what, lambda: self.run(script, *arguments))

    def messages(self):
        """What the page said on the console: errors and refusals of its policy."""
        return [entry for entry in self._command("se/log", {"type": "browser"}) if entry["level"] in ("SEVERE", "WARNING")]

    def keep_screenshot(self, name):
        """The whole page, as a file in RINGCAST_TEST_SCREENSHOTS when that is set."""
        height = self.run("return document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": self.size[0], "height": height, "scale": 1}
        data = self.control("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        expect(len(data) > 10000, f"screenshot {name} shows something")
        if SCREENSHOTS:
            os.makedirs(SCREENSHOTS, exist_ok=True)
            with open(os.path.join(SCREENSHOTS, f"{name}.png"), "wb") as file:
                file.write(base64.b64decode(data))
