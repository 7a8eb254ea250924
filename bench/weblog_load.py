# SPDX-License-Identifier: Apache-2.0
"""What weblog.py asks its web servers for: the requests of the sample log, in its order, or one small page.

`Site` makes the documents below a folder, each as long as the log says it was, up to a limit.
`Load` sends so many requests by the clock over a few kept connections and reads the answers.
"""

import contextlib
import os
import re
import socket
import ssl
import sys
import threading
import time

CONNECTIONS = 4
PATIENCE = 20.0
DOCUMENT_BYTES_MAX = 1 << 20  # longer ones are cut: 1 % of the requests, which would be most of the bytes
LINE = re.compile(rb'^\S+ \S+ \S+ \[[^]]*\] "(?:GET|HEAD|POST) (/[^ "]*) HTTP/[0-9.]+" (\d{3}) (\d+|-) "([^"]*)" "([^"]*)"')
AGENT = b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"


def request(path, referer, agent, more=b""):
    return (b"GET " + path + b" HTTP/1.1\r\nHost: bench.example\r\nReferer: " + referer + b"\r\nUser-Agent: " + agent +
            b"\r\n" + more + b"\r\n")


class Site:
    """`requests`, and the documents they ask for."""

    def __init__(self, folder, log, page):
        """page: the bytes of the one page there is to be, or 0: the documents of the log."""
        self.folder, self.sizes = folder, {}
        os.makedirs(folder)
        if page:
            self.sizes[b"/page"] = page
            self.requests = [request(b"/page", b"http://bench.example/", AGENT)]
        else:
            with open(log, "rb") as file:
                self.requests = [self._take(*found.groups()) for found in map(LINE.match, file) if found]
        for path, size in self.sizes.items():
            self._write(path.decode("ascii"), size)

    def _take(self, path, status, size, referer, agent):
        if status == b"304":  # whoever has it asks whether it is new
            return request(path, referer, agent, b"If-Modified-Since: Fri, 31 Dec 2066 23:59:59 GMT\r\n")
        if status in (b"200", b"206"):
            name = path.partition(b"?")[0]
            self.sizes[name] = max(self.sizes.get(name, 0), min(int(size.replace(b"-", b"0")), DOCUMENT_BYTES_MAX))
        return request(path, referer, agent)

    def _write(self, path, size):
        """A path that others lie below is a folder with an index."""
        parts = [part for part in path.split("/") if part not in ("", ".", "..")]
        below = any(other != path and other.startswith(path.rstrip("/") + "/") for other in self._texts())
        if path.endswith("/") or below:
            parts.append("index.html")
        name = os.path.join(self.folder, *parts)
        os.makedirs(os.path.dirname(name), exist_ok=True)
        if not os.path.isdir(name):
            with open(name, "wb") as file:
                file.write(b"a line of a document, as long as needed\n" * (size // 40) + b"." * (size % 40))

    def _texts(self):
        return (path.decode("ascii") for path in self.sizes)


def load(port, requests, rate, secure):
    """Sends the requests by the clock; how late the last one was."""
    late = []
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def client(first):
        space = memoryview(bytearray(2 * DOCUMENT_BYTES_MAX))
        with contextlib.ExitStack() as ends:
            link = ends.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE))
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if secure:
                link = ends.enter_context(context.wrap_socket(link))
            for number in range(first, len(requests), CONNECTIONS):
                ahead = began + number / rate - time.monotonic()
                if ahead > 0:
                    time.sleep(ahead)
                link.sendall(requests[number])
                read_answer(link, space)
        late.append(time.monotonic() - began - len(requests) / rate)
    began = time.monotonic()
    clients = [threading.Thread(target=client, args=(first,)) for first in range(CONNECTIONS)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    if len(late) < CONNECTIONS:
        sys.exit("weblog.py: a client failed")
    return max(late)


def read_answer(link, space):
    got, end = 0, None
    while end is None or got < end:
        count = link.recv_into(space[got:])
        if not count:
            sys.exit("weblog.py: the server closed a connection")
        got += count
        if end is None:
            end = end_of(bytes(space[:min(got, 4096)]))


def end_of(head):
    """Of an answer that begins so: where it ends; nothing while its head is not all there."""
    place = head.find(b"\r\n\r\n")
    if place < 0:
        return None
    length = re.search(rb"\r\ncontent-length: *(\d+)", head[:place], re.IGNORECASE)
    if head[9:12] in (b"304", b"204"):
        return place + 4
    if not length:
        sys.exit(f"weblog.py: an answer without a length: {head[:place]!r}")
    return place + 4 + int(length[1])
