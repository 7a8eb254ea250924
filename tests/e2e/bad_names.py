# SPDX-License-Identifier: Apache-2.0
"""Virtual hosts that come from the network: names that try to leave their directory, and a million of them."""

import os
import signal
import socket
import threading
import time

from trouble import SmallDisk, descriptors, has_said, memory_peak, says
from web_servers import COMBINED, PORT

from apache import MODULES, MPM, as_somebody
from farm import GROUP, Farm
from harness import PATIENCE, expect, expect_equal, inside, installed, program, until
from http_client import Served
from sinks_test import Service, write
from web_servers_test import server

HOSTS = {  # what a Host header is, and the file it gets
    b"../../etc/passwd": "%2E.%2F..%2Fetc%2Fpasswd",
    b"..": "%2E.",
    b".": "%2E",
    b"/": "%2F",
    b"/etc/passwd": "%2Fetc%2Fpasswd",
    b"": "%",
    b"www.example.com": "www.example.com",
    b"www.example.com:8080": "www.example.com:8080",
    b".hidden": "%2Ehidden",
    b"..%2f..": "%2E.%252f..",
    b"%2e%2e%2f": "%252e%252e%252f",
    b"a\\..\\b": None,  # Apache writes \\\\, nginx \\x5C
    b"x" * 3000: None,  # cut, with a hash at its end
    "é".encode(): None,  # \\xc3\\xa9, or \\xC3\\xA9
    b"a\x0bb": None,  # \\v, or \\x0B
    b"$(reboot)": "%24%28reboot%29",
    b"`id`": "%60id%60",
    b"-rf": "-rf",
    b"~root": "%7Eroot",
    b"*": "%2A",
    b"old.log.gz": "old.log%2Egz",
    b"old.log~20260101T000000Z": "old.log%7E20260101T000000Z",
    b"%more": "%25more",
}
SINK = ('[[sink]]\ntype = "file"\nname = "file"\npath = "{folder}/out/deep/er/{vhost}"\nsplit_vhost = true\n')
LONGEST = 200  # bytes of a file's name


def ask(address, host, path):
    """One request as raw bytes; the first line of the answer."""
    with socket.socket(socket.AF_INET) as link:
        link.settimeout(PATIENCE)
        link.connect(address)
        link.sendall(b"GET /" + path.encode() + b" HTTP/1.1\r\nHost: " + host
                     + b"\r\nUser-Agent: t\r\nConnection: close\r\n\r\n")
        answer = b""
        while part := link.recv(65536):
            answer += part
    return answer.split(b"\r\n", 1)[0]


def everything_below(folder):
    return {os.path.join(root, name) for root, folders, names in os.walk(folder) for name in folders + names}


def expect_contained(farm, service, plain_log):
    """Each line is in the file of its name, and no file is anywhere else. `plain_log` is the server's own."""
    folder = farm.path("out/deep/er")
    until("the server has logged all", lambda: len(farm.read(plain_log)) == len(HOSTS))
    until("all lines are in files", lambda: os.path.isdir(folder) and sum(
        len(farm.read(f"out/deep/er/{name}")) for name in os.listdir(folder)) >= len(HOSTS))
    expect_equal(sorted(os.listdir(farm.path("out"))), ["deep"], "the directory above")
    expect_equal(sorted(os.listdir(farm.path("out/deep"))), ["er"], "the directory above")
    files = {name: farm.read(f"out/deep/er/{name}") for name in os.listdir(folder)}
    for name in files:
        path = os.path.join(folder, name)
        expect(os.path.isfile(path) and not os.path.islink(path), f"{path} is a file")
        expect(len(name.encode()) <= LONGEST and not name.startswith("."), f"the name of {path}")
    logged = [line.partition(" ") for line in farm.read(plain_log)]
    expect_equal(sorted(line for lines in files.values() for line in lines), sorted(rest for _, _, rest in logged),
                 "lines of all files, without their virtual host")
    for number, (host, name) in enumerate(HOSTS.items()):
        [found] = [name for name, lines in files.items() if any(f"GET /n{number}end " in line for line in lines)]
        if name is not None:
            expect_equal(found, name, f"the file of {host}")
        if len(host) == 3000:
            expect(found.startswith("x" * 160 + "%~") and len(found) == 160 + 2 + 16, f"a name that was cut: {found}")
    expect_equal(service.stop()["file"]["errors"], 0, "errors of the sink")


def test_a_host_header_does_not_leave_its_directory_through_apache():
    apache2 = installed("apache2")
    with Farm(1) as farm:
        service = Service(farm, SINK)
        before = set(os.listdir("/etc")), set(os.listdir("/"))
        write(farm.path("apache.conf"), "\n".join([
            f"ServerRoot {farm.folder}", "PidFile apache.pid", "ServerName web", f"Listen 127.0.0.1:{PORT}",
            *[f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in ("mpm_event", "authz_core")], MPM["event"],
            f"Mutex file:{farm.folder}", "ErrorLog apache.err", "HttpProtocolOptions Unsafe", "UseCanonicalName Off",
            f"DocumentRoot {farm.folder}", f'LogFormat "%{{Host}}i {COMBINED}" vhost', "CustomLog apache.log vhost",
            f'CustomLog "|{program("ringlog-publish")} --group {GROUP} --socket {farm.cluster.socket("d1")}" vhost', ""]))
        os.chmod(farm.folder, 0o777)
        user = as_somebody() or ["setpriv", "--reuid=www-data", "--regid=0", "--clear-groups"]
        with open(farm.path("apache.conf"), encoding="utf-8") as file:
            text = file.read()
        with server(farm, "apache", text, *user, apache2, "-X", "-f", "FILE", log="apache.out"):
            address = ("127.0.0.1", PORT)
            until("Apache listens", lambda: can_connect(address))
            for number, host in enumerate(HOSTS):
                ask(address, host, f"n{number}end")
            expect_contained(farm, service, "apache.log")
        expect_equal((set(os.listdir("/etc")), set(os.listdir("/"))), before, "what is in /etc and /")


def test_a_host_header_does_not_leave_its_directory_through_nginx():
    nginx = installed("nginx")
    with Farm(1) as farm:
        service = Service(farm, SINK)
        before = set(os.listdir("/etc")), set(os.listdir("/"))
        with inside("d1"):  # nginx drops when the socket is full; it has the room that there was when it was made
            write("/proc/sys/net/unix/max_dgram_qlen", "4096")
        publisher = farm.publisher("d1", "--syslog", f"unix:{farm.path('log.sock')}")
        publisher.process.stdin.close()
        until("the socket is there", lambda: os.path.exists(farm.path("log.sock")))
        temporary = "".join(f"{kind}_temp_path {farm.path(kind)};\n"
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        text = (f"daemon off; master_process off; pid {farm.path('nginx.pid')}; error_log stderr;\nevents {{ }}\nhttp {{\n"
                f"{temporary}log_format vhost '$http_host $remote_addr - $remote_user [$time_local] \"$request\" $status "
                "$body_bytes_sent \"$http_referer\" \"$http_user_agent\"';\n"
                f"server {{ listen 127.0.0.1:{PORT}; large_client_header_buffers 4 16k;\n"
                f"access_log {farm.path('nginx.log')} vhost;\n"
                f"access_log syslog:server=unix:{farm.path('log.sock')},nohostname vhost; return 200 ok; }} }}\n")
        with server(farm, "nginx", text, *as_somebody(), nginx, "-c", "FILE"):
            address = ("127.0.0.1", PORT)
            until("nginx listens", lambda: can_connect(address))
            for number, host in enumerate(HOSTS):
                ask(address, host, f"n{number}end")
            expect_contained(farm, service, "nginx.log")
        publisher.signal(signal.SIGTERM)
        expect_equal(publisher.end(), 0, f"exit code of the publisher; it said: {publisher.errors()}")
        expect_equal((set(os.listdir("/etc")), set(os.listdir("/"))), before, "what is in /etc and /")


def can_connect(address):
    with socket.socket(socket.AF_INET) as link:
        return link.connect_ex(address) == 0


MILLION = 1_000_000
NAMES_MAX, OPEN_FILES, SERVERS_MAX = 10_000, 256, 256
FORMAT = '%v %h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"'
WRITER_MEBIBYTES, MONITOR_MEBIBYTES = 64, 150  # docs/logging.md promises the latter


class Peak:
    """The most descriptors a program had while it was looked at, ten times a second."""

    def __init__(self, stream):
        self.stream, self.most, self.ended = stream, 0, threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def _look(self):
        while not self.ended.wait(0.1):
            self.most = max(self.most, descriptors(self.stream))

    def end(self):
        self.ended.set()
        self.thread.join()
        return self.most


def test_a_million_virtual_hosts_take_bounded_files_and_memory_and_no_line():
    with Farm(1) as farm, SmallDisk(farm.path("logs"), 2048):
        sink = SINK.replace("{folder}/out/deep/er", farm.path("logs/hosts")) + 'fsync = "never"\n'
        service = Service(farm, sink, folder="logs")
        monitor = farm.cluster.stream(
            "d1", "--socket", farm.cluster.socket("d1"), "--group", GROUP, "--json", "--as", "mon", "--interval", "1h",
            "--server-by", "vhost", "--format", FORMAT, tool="ringlog-monitor")
        until("the monitor joined", lambda: "#mon#d1" in farm.members("d1", GROUP))
        with open(farm.path("logs/million"), "w", encoding="utf-8") as file:
            file.writelines(line_of(number) + "\n" for number in range(MILLION))
        peak = Peak(service.stream)
        began = time.monotonic()
        with open(farm.path("logs/million"), "rb") as lines:
            publisher = farm.cluster.stream("d1", "--socket", farm.cluster.socket("d1"), "--group", GROUP, "--json",
                                            tool="ringlog-publish", stdin=lines)
        expect_equal(publisher.end(240), 0, f"exit code of the publisher; it said: {publisher.errors()}")
        size = os.path.getsize(farm.path("logs/million"))
        until("the journal has all", lambda: os.path.getsize(farm.path("logs/journal")) == size, 120)
        says(service.stream, f"weblogs/file: there are more than {NAMES_MAX} names of publishers, daemons or virtual hosts; "
             f"lines of further ones go to {farm.path('logs/hosts/%more')}; raise names_max if they are real")
        written = size - sum(len(host_of(number)) + 1 for number in range(MILLION))
        until("the files have all", lambda: size_of(farm.path("logs/hosts")) == written, 240)
        seconds = time.monotonic() - began
        most, memory, monitor_memory = peak.end(), memory_peak(service.stream), memory_peak(monitor)
        print(f"        {seconds:.0f} s; writer {memory:.0f} MiB and {most} descriptors, monitor {monitor_memory:.0f} MiB",
              flush=True)
        expect(most <= OPEN_FILES + 40, f"descriptors of the writer: {most}")
        expect(memory < WRITER_MEBIBYTES, f"MiB of the writer: {memory}")
        expect(monitor_memory < MONITOR_MEBIBYTES, f"MiB of the monitor: {monitor_memory}")
        figures = service.stop()["file"]
        expect_equal((figures["lines"], figures["errors"], figures["lag_bytes"]), (MILLION, 0, 0), "figures of the sink")
        expect_each_line_once(farm)
        monitor.signal(signal.SIGTERM)
        expect_equal(monitor.end(), 0, "exit code of the monitor")
        # It slows nobody down: where it does not keep up it is told so, and counts on.
        expect(monitor.events[-1]["lines"] == MILLION or has_said(monitor, "session over: client does not read"),
               f"lines the monitor counted: {monitor.events[-1]['lines']}; it said: {monitor.errors()}")
        expect_counted_exactly(farm)


def expect_counted_exactly(farm):
    """By a monitor that reads the journal at its own speed."""
    with Served("--file", farm.path("logs/journal"), "--server-by", "vhost", "--format", FORMAT) as served:
        until("it is read", lambda: served.json("/api/figures")["lines"] == MILLION)
        figures = served.json("/api/figures")
        expect_equal((figures["requests"], figures["unparsed"]), (MILLION, 0), "requests, and lines that are none")
        table = served.json("/api/table?name=servers&limit=10000")["rows"]
        expect_equal(len(table), SERVERS_MAX + 1, "servers that it tells apart, and the others")
        expect_equal(sum(row["requests"] for row in table), MILLION, "requests of all servers")
        expect_equal([row["requests"] for row in table if row["server"] == "(others)"], [MILLION - SERVERS_MAX],
                     "requests of the others")
        pages = served.json("/api/table?name=pages&limit=10")
        expect(not pages["exact"], "of a million pages counts are estimates, and it says so")
        memory = memory_peak(served.stream)
        expect(memory < MONITOR_MEBIBYTES, f"MiB of the monitor: {memory}")


def host_of(number):
    return f"h{number}.example"


def line_of(number):
    return f'{host_of(number)} 192.0.2.1 - - [02/Jan/2026:03:04:05 +0000] "GET /{number} HTTP/1.1" 200 {number} "-" "t"'


def size_of(folder):
    if not os.path.isdir(folder):
        return 0
    with os.scandir(folder) as found:
        return sum(entry.stat().st_size for entry in found)


def expect_each_line_once(farm):
    """Ten thousand files with the one line of their host, and one for all others, in their order."""
    folder = farm.path("logs/hosts")
    names = set(os.listdir(folder))
    expect_equal(names, {host_of(number) for number in range(NAMES_MAX)} | {"%more"}, "the files")
    for number in range(NAMES_MAX):
        with open(os.path.join(folder, host_of(number)), encoding="utf-8") as file:
            expect_equal(file.read(), line_of(number).split(" ", 1)[1] + "\n", f"the file of {host_of(number)}")
    with open(os.path.join(folder, "%more"), encoding="utf-8") as file:
        for number in range(NAMES_MAX, MILLION):
            if next(file, None) != line_of(number).split(" ", 1)[1] + "\n":
                expect(False, f"line of {host_of(number)} in %more")
        expect_equal(file.read(), "", "what follows in %more")
