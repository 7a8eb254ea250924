# SPDX-License-Identifier: Apache-2.0
"""HAProxy in front of the web servers. It gives each request an id, which stands in the page's query, and logs
which server answered it: to a plain log, and by syslog to a group of the balancers' own. By a stream, from a ring of
HAProxy's: of datagrams it drops what finds a full socket, as when a cut lets hundreds of requests end at once."""

import os

from hosts import BALANCER_GROUP, Program, lines_of, write

from harness import installed, until
from publishers import Publisher
from web_servers import PORT

FRONT = 80


class Balancer:
    def __init__(self, hosts, host, servers):
        self.hosts, self.host = hosts, host
        self.publisher = Publisher(hosts, host, BALANCER_GROUP)
        self.syslog = hosts.path(host, "syslog.sock")
        lines = [f"    server {name} {hosts.address(name)}:{PORT} check inter 300ms fall 2 rise 1" for name in servers]
        write(hosts.path(host, "haproxy.cfg"), "\n".join([
            "global", "    nbthread 1", "    maxconn 1000", "    log stdout len 4096 format raw local0",
            "    log ring@publisher len 65535 local0",
            "ring publisher", "    format rfc3164", "    maxlen 65535", "    size 4194304", "    timeout connect 5s",
            "    timeout server 10s", f"    server here unix@{self.syslog} log-proto octet-count",
            "defaults", "    mode http", "    log global", "    option redispatch 1", "    option forwardfor",
            "    retries 3", "    retry-on conn-failure empty-response response-timeout", "    timeout connect 500ms",
            "    timeout check 500ms", "    timeout client 10s", "    timeout server 5s",
            "frontend web", f"    bind {hosts.address(host)}:{FRONT}", f"    unique-id-format {host}-%pid-%rt",
            '    log-format "request %ID %s %ST %ts %rc"', "    http-request set-query id=%[unique-id]",
            "    default_backend farm", "backend farm", "    balance roundrobin", *lines, ""]))
        self.server = Program(hosts, host, "haproxy", [installed("haproxy"), "-db", "-f", hosts.path(host, "haproxy.cfg")])

    def start(self):
        self.publisher.start("--syslog", f"unix-stream:{self.syslog}", "--spool", self.hosts.path(self.host, "spool"))
        until(f"the publisher of {self.host} takes syslog", lambda: os.path.exists(self.syslog))
        self.server.start()
        self.server.wait_listening(FRONT)

    def stop(self):
        self.server.kill()  # its connections are of no interest any more
        self.publisher.stop()

    def requests(self):
        """What it logged of each request."""
        return [line for line in lines_of(self.server.log_path()) if line.startswith(b"request ")]

    def answered(self):
        """Ids of the requests that a web server answered whole: their lines must be there."""
        entries = [line.decode().split() for line in self.requests()]
        return [entry[1] for entry in entries if entry[4] == "--"]
