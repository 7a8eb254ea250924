# SPDX-License-Identifier: Apache-2.0
"""The hosts of the farm: ten with a daemon each, and those of the users, on one network."""

import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))

from harness import Cluster, Failure, command, die_with_parent, enter_namespace, expect, until  # noqa: E402

BALANCERS = ["lb1", "lb2"]
WEB = ["web1", "web2", "web3", "web4", "web5", "web6"]
LOGGERS = ["db1", "db2"]
DAEMONS = BALANCERS + WEB + LOGGERS
USERS = ["users1", "users2"]
GROUP = "weblogs"
BALANCER_GROUP = "balancers"


class Hosts(Cluster):
    """A cluster whose hosts have names, a folder each, and users beside them."""

    def __init__(self):
        super().__init__(len(DAEMONS), start=DAEMONS)
        self.names = list(DAEMONS)
        for name in DAEMONS + USERS:
            os.makedirs(self.path(name))
            os.chmod(self.path(name), 0o755)

    def path(self, host, *names):
        return os.path.join(self.folder, host, *names)

    def address(self, name):
        return f"10.73.0.{101 + USERS.index(name)}" if name in USERS else super().address(name)

    def _build_network(self):
        daemons, self.names = self.names, self.names + USERS  # hosts like the others, without a daemon
        try:
            super()._build_network()
        finally:
            self.names = daemons

    def members(self, host, group):
        result = self.run(host, "--json", "groups", group)
        return [m for g in result.json_lines() for m in g["members"]] if result.code == 0 else []

    def link(self, host, state):
        """The host's cable: "up" or "down"."""
        command("ip", "link", "set", f"v-{host}", state)


def words_on(host, words):
    return ["nsenter", f"--net=/run/netns/{host}", *words]


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def lines_of(path):
    """Lines as bytes: nothing is assumed of them."""
    with open(path, "rb") as file:
        return file.read().splitlines()


def listening(host):
    """TCP ports at which somebody listens there."""
    words = words_on(host, ["cat", "/proc/net/tcp", "/proc/net/tcp6"])
    sockets = [line.split() for line in command(*words).splitlines()]
    return {int(fields[1].rsplit(":", 1)[1], 16) for fields in sockets if fields[3] == "0A"}


class Program:
    """A program of Debian's on a host, in the foreground; what it says goes to a file in its folder."""

    def __init__(self, hosts, host, name, words):
        self.hosts, self.host, self.name, self.words = hosts, host, name, words
        self.process = None

    def start(self):
        with open(self.log_path(), "ab") as log:
            self.process = subprocess.Popen(words_on(self.host, self.words), stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, preexec_fn=die_with_parent, start_new_session=True)

    def log_path(self):
        return self.hosts.path(self.host, f"{self.name}.said")

    def said(self):
        with open(self.log_path(), encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_listening(self, port):
        def listens():
            expect(self.process.poll() is None, f"{self.name} of {self.host} ended: {self.said()[-1500:]}")
            return port in listening(self.host)
        until(f"{self.name} of {self.host} listens", listens)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=30.0):
        """SIGTERM, and its end in time."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure(f"{self.name} of {self.host} did not end within {seconds} s of SIGTERM") from None


def enter_own_processes():
    """In a process namespace of our own, so that nothing stays behind whatever becomes of us."""
    if os.environ.get("RINGCAST_E2E_INSIDE") == "1":
        tempfile.tempdir = "/run"  # which is our own, too
        return
    enter_namespace()
    env = dict(os.environ, RINGCAST_E2E_INSIDE="1")
    os.execvpe("unshare", ["unshare", "--pid", "--fork", "--kill-child", sys.executable, *sys.argv], env)
