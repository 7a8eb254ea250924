# SPDX-License-Identifier: Apache-2.0
"""A monitor that serves, and what asks it: plain requests, and the stream of events."""

import contextlib
import http.client
import json
import os
import re
import subprocess

from harness import PATIENCE, Stream, expect, expect_equal, inside, program, until

TOKEN = "0123456789abcdef0123"


def port_of(stream):
    """Of a monitor with --listen, once it says so."""
    def found():
        expect(stream.process.poll() is None, f"the monitor runs; stderr: {stream.errors()}")
        return re.search(r"figures are at http://\S+:(\d+)/", stream.errors())
    until("the monitor listens", found)
    return int(found().group(1))


class Served:
    """A monitor of a file, or of a pipe, in the namespace of the test."""

    def __init__(self, *words, stdin=subprocess.DEVNULL):
        listen = [] if "--listen" in words else ["--listen", "0"]
        words = [program("ringlog-monitor"), *listen, "--json", "--interval", "1h", *words]
        self.stream = Stream(words, dict(os.environ), stdin)

    def __enter__(self):
        try:
            self.port = port_of(self.stream)
        except BaseException:
            self.stream.stop()
            raise
        return self

    def __exit__(self, *error):
        if self.stream.process.stdin:
            with contextlib.suppress(OSError):
                self.stream.process.stdin.close()
        self.stream.stop()

    def write(self, lines):
        self.stream.process.stdin.write("".join(f"{line}\n" for line in lines).encode())
        self.stream.process.stdin.flush()

    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def ask(self, path, **options):
        return ask(self.port, path, **options)

    def json(self, path, **options):
        return ask_json(self.port, path, **options)


class Answer:
    def __init__(self, response):
        self.status, self.headers = response.status, response.headers
        self.text = response.read().decode("utf-8")


def connect(port, namespace=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with inside(namespace) if namespace else contextlib.nullcontext():
        connection.connect()
    return connection


def ask(port, path, method="GET", body=None, namespace=None, **headers):
    with contextlib.closing(connect(port, namespace)) as connection:
        connection.request(method, path, body=body, headers=headers)
        return Answer(connection.getresponse())


def ask_json(port, path, status=200, **options):
    answer = ask(port, path, **options)
    expect_equal(answer.status, status, f"status of {path}: {answer.text[:300]}")
    return json.loads(answer.text)


class Events:
    """The stream of /api/events, read as a browser does."""

    def __init__(self, port, query="", namespace=None, **headers):
        self.connection = connect(port, namespace)
        self.connection.request("GET", f"/api/events{query}", headers=headers)
        self.response = self.connection.getresponse()
        expect_equal(self.response.status, 200, "status of the stream")
        expect_equal(self.response.headers["Content-Type"], "text/event-stream", "type of the stream")

    def next(self):
        """The next event's data."""
        for line in iter(self.response.readline, b""):
            if line.startswith(b"data: "):
                return json.loads(line[len(b"data: "):])
        raise AssertionError("the stream has ended")

    def wait(self, what, predicate):
        for _ in range(int(PATIENCE)):
            event = self.next()
            if predicate(event):
                return event
        expect(False, f"not among {int(PATIENCE)} events: {what}")
        return None

    def close(self):
        self.connection.close()
