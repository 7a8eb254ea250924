# SPDX-License-Identifier: Apache-2.0
"""The farm's web servers, and how their lines get to the group: Apache by its module and by a pipe, nginx by a
followed file and by syslog. Each writes a plain log besides, which says what there was to be logged."""

import os

from hosts import GROUP, Program, write

from apache import MODULE, MODULES, MPM, as_somebody
from harness import expect, expect_equal, installed, program, until
from publishers import Publisher, room_for_datagrams

PORT = 8080  # not below 1024: where root ends at the namespace, Apache is not root
PAGES = {"index.html": 1200, "style.css": 340, "app.js": 5100, "picture.png": 20480, "about.html": 730}
COMBINED = '%{X-Forwarded-For}i %l %u %t \\"%r\\" %>s %b \\"%{Referer}i\\" \\"%{User-Agent}i\\"'


class WebServer:
    """A server, and its publisher unless the server has it."""

    def __init__(self, hosts, host):
        self.hosts, self.host = hosts, host
        self.publisher = None
        os.makedirs(self.path("www"))
        for name, size in PAGES.items():
            write(self.path("www", name), (name + " ") * (size // len(name)))

    def path(self, *names):
        return self.hosts.path(self.host, *names)

    def socket(self):
        return self.hosts.socket(self.host)

    def plain_log(self):
        return self.path("access.log")

    def start(self):
        self.start_publisher()
        self.server.start()
        self.server.wait_listening(PORT)

    def start_publisher(self):
        """Where the server does it, nothing is left to do."""

    def publish(self, *words):
        self.publisher = Publisher(self.hosts, self.host, GROUP)
        self.publisher.start(*words)

    def go_down(self):
        """With its host: all at once."""
        self.server.kill()
        if self.publisher:
            self.publisher.kill()

    def stop(self):
        self.server.stop()
        if self.publisher:
            self.publisher.stop()


class Apache(WebServer):
    """Event-driven; `log` is the directives that get the lines to the group."""

    def __init__(self, hosts, host):
        super().__init__(hosts, host)
        os.makedirs(self.path("spool"))
        expect(os.path.exists(MODULE), f"{MODULE} is not there: configure and build where apxs is")
        modules = ["mpm_event", "authz_core"]
        write(self.path("apache.conf"), "\n".join([
            f"ServerRoot {self.path()}", f"DefaultRuntimeDir {self.path()}", "PidFile apache.pid", f"ServerName {host}",
            f"Listen {PORT}", *[f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in modules], MPM["event"],
            "User www-data", "Group www-data", "ErrorLog error.log", "LogLevel info", f"DocumentRoot {self.path('www')}",
            f'LogFormat "{COMBINED}" farm', "CustomLog access.log farm", *self.log(), ""]))
        self.server = Program(hosts, host, "apache", [
            *as_somebody(), installed("apache2"), "-DFOREGROUND", "-d", self.path(), "-f", self.path("apache.conf")])

    def stop(self):
        super().stop()
        left = [name for name in os.listdir(self.path("spool")) if name.endswith(".spool")]
        expect_equal(left, [], f"lines of {self.host} that wait in the spool at the end")


class ApacheByModule(Apache):
    def log(self):
        return [f"LoadModule log_ringcast_module {MODULE}", f"RingcastPublisher {program('ringlog-publish')}",
                f"RingcastDaemon {self.socket()}", f"RingcastSpool {self.path('spool')}", f'CustomLog "${GROUP}" farm']


class ApacheByPipe(Apache):
    def log(self):
        write(self.path("publish.toml"), f'group = "{GROUP}"\nsocket = ["{self.socket()}"]\nspool = "{self.path("spool")}"\n'
              'when_full = "block-then-drop-newest"\n')
        return [f'CustomLog "|{program("ringlog-publish")} --config {self.path("publish.toml")}" farm']


class Nginx(WebServer):
    """`log` is the directive that gets the lines to the group."""

    def __init__(self, hosts, host):
        super().__init__(hosts, host)
        temporary = "".join(f"{kind}_temp_path {self.path(kind)};\n"
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        write(self.path("nginx.conf"), (
            f"daemon off; master_process off; pid {self.path('nginx.pid')}; error_log stderr;\nevents {{ }}\nhttp {{\n"
            f"{temporary}log_format farm '$http_x_forwarded_for - $remote_user [$time_local] \"$request\" $status "
            "$body_bytes_sent \"$http_referer\" \"$http_user_agent\"';\n"
            f"server {{ listen {PORT}; root {self.path('www')};\naccess_log {self.plain_log()} farm;\n{self.log()}}} }}\n"))
        self.server = Program(hosts, host, "nginx", [*as_somebody(), installed("nginx"), "-c", self.path("nginx.conf")])


class NginxByFile(Nginx):
    """The plain log is the one that is followed."""

    def log(self):
        return ""

    def start_publisher(self):
        self.publish("--tail", self.plain_log(), "--state", self.path("state"))


class NginxBySyslog(Nginx):
    def log(self):
        return f"access_log syslog:server=unix:{self.path('syslog.sock')},nohostname farm;\n"

    def start_publisher(self):
        room_for_datagrams(self.host)
        self.publish("--syslog", f"unix:{self.path('syslog.sock')}", "--spool", self.path("spool"))
        until(f"the publisher of {self.host} takes syslog", lambda: os.path.exists(self.path("syslog.sock")))


KINDS = {"web1": ApacheByModule, "web2": ApacheByModule, "web3": ApacheByPipe, "web4": NginxByFile,
         "web5": NginxBySyslog, "web6": NginxBySyslog}
