#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What logging to a group costs a web server: processor time per request, side by side.

    bench/weblog.py [--rate N] [--seconds S] [--rounds R] [--only module,...] [--plain] [--page BYTES]

For each way of logging there is a real Apache (event), or for syslog, which Apache's access log does
not have, an nginx, that answers the requests of the sample log with documents as long as the log says
(up to 1 MiB), by HTTPS; --plain is HTTP, and --page BYTES one page of that length. All of them run all the time and take
turns of a second, in changing order, so that whatever else the machine does meets all alike. From
/proc/*/task/*/schedstat comes the time of all processes of the server whose turn it is, from before
the first request until its last line is in the file: parent, children, and its publishers. Daemon
and writer are not in it: they are the ring's, not the web server's. `file again` is a second server
with a plain file, and differs from `file` by chance alone: what is not clear of it is not shown. Unix
sockets have the room conf/examples/nginx.conf asks for. Needs the build (RINGCAST_BIN), nginx and
root, since a server changes its user; runs in a network namespace of its own and leaves nothing.
"""

import argparse
import contextlib
import math
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile

from ringlog_farm import BIN, ROOT, SAMPLE, free_port, until
from weblog_load import PATIENCE, Site, load

MODULE = os.path.join(BIN, "../modules/mod_log_ringcast.so")
APACHE, MODULES, NGINX = "/usr/sbin/apache2", "/usr/lib/apache2/modules", "/usr/sbin/nginx"
QUEUE, SEND_BYTES = "4096", "4194304"  # net.unix.max_dgram_qlen, net.core.wmem_default: as conf/examples/nginx.conf asks for
FORMAT = '%h %l %u %t \\"%r\\" %>s %b \\"%{Referer}i\\" \\"%{User-Agent}i\\"'
NGINX_FORMAT = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'


class Scene:
    """A daemon, a writer and the servers, in a folder of their own."""

    def __init__(self, page, secure):
        self.folder = tempfile.mkdtemp(prefix="weblog-")
        os.chmod(self.folder, 0o755)
        self.running, self.secure = [], secure
        self.site = Site(self.path("www"), SAMPLE, page)

    def __enter__(self):
        with open(self.path("ring.toml"), "w", encoding="utf-8") as file:
            file.write(f'[cluster]\nname = "bench"\n[[daemon]]\nname = "one"\n'
                       f'address = "127.0.0.1:{free_port(socket.SOCK_DGRAM)}"\n'
                       f'[clients]\nsocket = "{self.path("ring.sock")}"\n')
        if self.secure:
            subject = ["-subj", "/CN=bench.example", "-keyout", self.path("key"), "-out", self.path("certificate")]
            curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
            subprocess.run(["openssl", "req", "-x509", "-nodes", *curve, *subject], check=True, capture_output=True)
        self.start("ringcastd", "--config", self.path("ring.toml"))
        until("the daemon", lambda: os.path.exists(self.path("ring.sock")))
        self.start("ringlog-write", "--socket", self.path("ring.sock"), "--group", "weblogs", "--file", self.path("group.log"))
        until("the writer", lambda: os.path.exists(self.path("group.log")))
        return self

    def __exit__(self, *error):
        for process in reversed(self.running):
            self.end(process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, name, *words):
        path = name if "/" in name else os.path.join(BIN, name)
        environment = dict(os.environ, STATE_DIRECTORY=self.folder, PATH=BIN + ":" + os.environ["PATH"])
        with open(self.path("output"), "ab") as file:
            process = subprocess.Popen([path, *words], stdout=file, stderr=file, stdin=subprocess.DEVNULL, env=environment,
                                       start_new_session=True)
        self.running.append(process)
        return process

    def end(self, process):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE)
            if process.poll() is None:
                process.kill()
                process.wait()
        if process in self.running:
            self.running.remove(process)


class Log:
    """A growing file, of which the lines are counted as they come."""

    def __init__(self, path):
        self.path, self.place, self.count = path, 0, 0

    def lines(self):
        with contextlib.suppress(FileNotFoundError), open(self.path, "rb") as file:
            file.seek(self.place)
            while piece := file.read(1 << 20):
                self.place += len(piece)
                self.count += piece.count(b"\n")
        return self.count


def ways(scene, linger):
    """Servers by their way to log, each with the log where its lines must arrive and the way it is compared with."""
    group = Log(scene.path("group.log"))
    publish = [f"{BIN}/ringlog-publish", "--group", "weblogs", "--socket", scene.path("ring.sock")]
    syslog = scene.path("syslog.sock")

    def file(name):
        return scene.path(f"{name}.log".replace(" ", "-"))

    def apache(text, log, base="file"):
        return Apache, text, log, base

    def nginx(text, log, publisher=()):
        return Nginx, f"access_log {text};", log, "nginx file", *publisher

    return {
        "file": apache(f'CustomLog {file("file")} "{FORMAT}"', Log(file("file"))),
        "file again": apache(f'CustomLog {file("again")} "{FORMAT}"', Log(file("again"))),
        "module": apache(f'LoadModule log_ringcast_module {MODULE}\nRingcastPublisher {BIN}/ringlog-publish\n'
                         f'RingcastDaemon {scene.path("ring.sock")}\nRingcastPublisherOption --linger {linger}\n'
                         f'CustomLog "$weblogs" "{FORMAT}"', group),
        "pipe": apache(f'CustomLog "|{" ".join(publish)} --linger {linger}" "{FORMAT}"', group),
        "nginx file": nginx(f'{file("nginx")} line', Log(file("nginx"))),
        "nginx file again": nginx(f'{file("nginx again")} line', Log(file("nginx again"))),
        "nginx syslog": nginx(f"syslog:server=unix:{syslog},nohostname line", group,
                              [*publish, "--linger", linger, "--syslog", f"unix:{syslog}"]),
    }


class Server:
    """A web server that logs in one way."""

    def __init__(self, scene, name, text, log, base, *publisher):
        self.log, self.base, self.port = log, base, free_port(socket.SOCK_STREAM)
        self.folder, self.scene = scene.path(name.replace(" ", "-")), scene
        os.makedirs(self.folder)
        self.publisher = self.start_publisher(publisher) if publisher else None
        with open(os.path.join(self.folder, "conf"), "w", encoding="utf-8") as file:
            file.write("\n".join([*self.lines(), text, *self.ending()]) + "\n")
        self.process = scene.start(*self.words(os.path.join(self.folder, "conf")))
        until(f"the server ({name})", self.answers)

    def start_publisher(self, words):
        process = self.scene.start(*words)
        path = words[-1].removeprefix("unix:")
        until("the publisher", lambda: os.path.exists(path))
        return process

    def answers(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def measure(self, requests, rate):
        """Microseconds of processor time per request: of all its processes, and of the server's own."""
        count, before = len(requests), self.log.lines()
        pids = processes_below(self.process.pid)
        own = {pid for pid in pids if name_of(pid) in ("apache2", "nginx")}
        if self.publisher:
            pids |= processes_below(self.publisher.pid)
        began, began_own = seconds_of(pids), seconds_of(own)
        late = load(self.port, requests, rate, self.scene.secure)
        until("all lines", lambda: self.log.lines() >= before + count)
        used, used_own = seconds_of(pids) - began, seconds_of(own) - began_own
        if self.log.lines() != before + count:
            sys.exit(f"weblog.py: {self.log.lines() - before} lines of {count} requests")
        if late > 0.2:
            print(f"  the clients were {late:.1f} s late: the rate is too high for this machine", file=sys.stderr)
        return used / count * 1e6, used_own / count * 1e6


class Apache(Server):
    def lines(self):
        names = ("mpm_event", "authz_core", "dir", *(["ssl"] if self.scene.secure else []))
        certificate = [f"SSLEngine on\nSSLSessionCache none\nSSLCertificateFile {self.scene.path('certificate')}",
                       f"SSLCertificateKeyFile {self.scene.path('key')}"] if self.scene.secure else []
        return [f"ServerRoot {self.folder}", f"DefaultRuntimeDir {self.folder}", "PidFile pid", "ServerName bench.example",
                f"Listen 127.0.0.1:{self.port}", *(f"LoadModule {n}_module {MODULES}/mod_{n}.so" for n in names),
                "StartServers 1\nServerLimit 1\nThreadsPerChild 16\nMaxRequestWorkers 16\nMinSpareThreads 1",
                "MaxSpareThreads 16\nMaxKeepAliveRequests 0\nKeepAliveTimeout 30", "User www-data\nGroup www-data",
                *certificate, "ErrorLog error.log", f"DocumentRoot {self.scene.path('www')}"]

    def ending(self):
        return []

    def words(self, conf):
        return [APACHE, "-f", conf, "-d", self.folder, "-DFOREGROUND"]


class Nginx(Server):
    def lines(self):
        temporary = [f"{kind}_temp_path {self.folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")]
        return ["daemon off; master_process off;", f"pid {self.folder}/pid; error_log {self.folder}/error.log;",
                "events { }", "http {", *temporary, "keepalive_requests 1000000;", f"log_format line '{NGINX_FORMAT}';",
                f"server {{ listen 127.0.0.1:{self.port}{' ssl' if self.scene.secure else ''}; root {self.scene.path('www')};",
                *([f"ssl_certificate {self.scene.path('certificate')};", f"ssl_certificate_key {self.scene.path('key')};"]
                  if self.scene.secure else [])]

    def ending(self):
        return ["} }"]

    def words(self, conf):
        return [NGINX, "-c", conf]


def processes_below(root):
    """The process and all its descendants."""
    parents = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            parents[int(pid)] = int(file.read().rsplit(")", 1)[1].split()[1])
    found, more = set(), {root}
    while more:
        found |= more
        more = {pid for pid, parent in parents.items() if parent in more} - found
    return found


def seconds_of(pids):
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat", encoding="utf-8") as file:
                    total += int(file.read().split()[0])
    return total / 1e9


def name_of(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/comm", encoding="utf-8") as file:
        return file.read().strip()
    return ""


def interval(figures):
    """Median, and the two figures between which the true one lies with 95 % (by their ranks)."""
    ordered, size = sorted(figures), len(figures)
    tail, rank = 0.0, 0
    while rank < size // 2:
        tail += math.comb(size, rank) / 2 ** size
        if 2 * tail > 0.05:
            break
        rank += 1
    return statistics.median(ordered), ordered[max(rank - 1, 0)], ordered[min(size - rank, size - 1)]


def describe():
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True,
                            check=False).stdout.strip()
    version = subprocess.run([APACHE, "-v"], capture_output=True, text=True, check=False).stdout.splitlines()[0]
    return f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release()}; {version}; ringcast {commit}"


def enter_network():
    """A network of our own: ports are free, and the length of unix queues is ours to say. How much a socket may send is
    the host's to say: that is set for as long as we run."""
    if os.environ.get("RINGCAST_BENCH_INSIDE") == "1":
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        write_setting("net/unix/max_dgram_qlen", QUEUE)
        return
    before = write_setting("net/core/wmem_default", SEND_BYTES)
    try:
        signal.signal(signal.SIGINT, lambda *_: None)  # it is the other's to end what it started
        inside = subprocess.Popen(["unshare", "--net", sys.executable, *sys.argv], env=dict(os.environ, RINGCAST_BENCH_INSIDE="1"))
        signal.signal(signal.SIGTERM, lambda *_: inside.terminate())
        code = inside.wait()
    finally:
        write_setting("net/core/wmem_default", before)
    sys.exit(code)


def write_setting(name, value):
    """What it was before."""
    with open(f"/proc/sys/{name}", "r+", encoding="ascii") as file:
        before = file.read().strip()
        file.seek(0)
        file.write(value)
    return before


def main():
    parser = argparse.ArgumentParser(description="Processor time per request of a web server, by way of logging.")
    parser.add_argument("--rate", type=int, default=1000, help="requests per second (1000)")
    parser.add_argument("--seconds", type=float, default=1, help="of each turn (1)")
    parser.add_argument("--rounds", type=int, default=16, help="turns of each way (16)")
    parser.add_argument("--only", default="", help="ways to measure, with commas; the files they are compared with are there too")
    parser.add_argument("--plain", action="store_true", help="HTTP without TLS")
    parser.add_argument("--page", type=int, default=0, metavar="BYTES", help="one page of that length (the sample's documents)")
    parser.add_argument("--linger", default="100ms", help="of the publishers (100ms)")
    options = parser.parse_args()
    enter_network()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    for path in (APACHE, NGINX, MODULE, f"{BIN}/ringcastd", f"{BIN}/ringlog-publish", f"{BIN}/ringlog-write"):
        if not os.path.exists(path):
            sys.exit(f"weblog.py: {path} is not there: scripts/install-dependencies.sh and build first")
    with Scene(options.page, not options.plain) as scene:
        chosen = ways(scene, options.linger)
        if options.only:
            only = options.only.split(",")
            kept = {base for name, (_, _, _, base, *_) in chosen.items() if name in only}
            chosen = {n: w for n, w in chosen.items() if n in only or w[3] in kept and " again" in n or n in kept}
        servers = {name: kind(scene, name, *rest) for name, (kind, *rest) in chosen.items()}
        found = {name: [] for name in chosen}
        asked, each = scene.site.requests, int(options.rate * options.seconds)
        for turn in range(-1, options.rounds):  # the first one warms up
            requests = [asked[number % len(asked)] for number in range((turn + 1) * each, (turn + 2) * each)]
            for name in list(servers) if turn % 2 else reversed(servers):
                figures = servers[name].measure(requests, options.rate)
                if turn >= 0:
                    found[name].append(figures)
    what = f"of a page of {options.page} bytes" if options.page else "of the sample log"
    how = "HTTP" if options.plain else "HTTPS"
    print(f"{describe()}\n{options.rate} requests/s {what} by {how}, {options.rounds} turns of {options.seconds:g} s; processor time of all "
          "processes of the server, medians; against the file of the same server: of the same round, with the interval of 95 %\n")
    print("| way | us per request | in the server itself | against file, us | against file, % |\n|---|---|---|---|---|")
    for name, figures in found.items():
        whole, own = zip(*figures)
        pairs = [(figure, base) for figure, (base, _) in zip(whole, found[servers[name].base])]
        more = "{:+.1f} ({:+.1f} to {:+.1f})".format(*interval([figure - base for figure, base in pairs]))
        ratio = "{:+.1f} ({:+.1f} to {:+.1f})".format(*interval([(figure / base - 1) * 100 for figure, base in pairs]))
        print(f"| {name} | {statistics.median(whole):.1f} | {statistics.median(own):.1f} | {more} | {ratio} |")


if __name__ == "__main__":
    main()
