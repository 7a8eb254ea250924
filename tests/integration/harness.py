# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests stand on: real daemons in network namespaces of their own.

A test file defines functions test_*() and ends with `harness.run(globals())`. The file then
runs inside a private network and mount namespace (made with unshare, so no privilege beyond
user namespaces is needed), where a Cluster gives each daemon a host: a namespace with one
interface on a common bridge. Hosts can lose packets (nftables) and be cut from one another
(they move to another bridge). Nothing sleeps: every wait is for an event and has a deadline.

Environment: RINGCAST_BIN, the folder of the programs (default build/release/bin);
RINGCAST_TEST_OUTPUT, where logs of a failed test are kept (default: printed only).
"""

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
BIN = os.environ.get("RINGCAST_BIN", os.path.join(ROOT, "build/release/bin"))
OUTPUT = os.environ.get("RINGCAST_TEST_OUTPUT", "")
PORT = 4913
TCP_PORT = 4914

CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)

MEMBERSHIP_SECONDS = 1.5  # how soon clients see a change, by the guarantee in README.md
PATIENCE = 30.0  # for anything that has no figure of its own


class Failure(Exception):
    """A test's expectation was not met; the text says which."""


def expect(condition, text):
    if not condition:
        raise Failure(text)


def expect_equal(actual, wanted, text):
    if actual != wanted:
        raise Failure(f"{text}\n    got:    {shorten(actual)}\n    wanted: {shorten(wanted)}")


def shorten(value):
    text = repr(value)
    return text if len(text) < 600 else text[:400] + " ... " + text[-150:]


def program(name):
    path = os.path.join(BIN, name)
    expect(os.access(path, os.X_OK), f"{path} is not there: build first, or set RINGCAST_BIN")
    return path


def installed(name, *folders):
    """A program of Debian's that a test needs, by its path. Without it the test fails: test.sh installs it."""
    path = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", *folders)))
    expect(path, f"{name} is not installed: scripts/install-dependencies.sh --test")
    return path


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def command(*words):
    """Runs a system command of the set-up; its failure is the test's failure."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    expect(done.returncode == 0, f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


def pause(seconds):
    """For measuring over a stretch of time, never for waiting until something is so."""
    threading.Event().wait(seconds)


def until(what, predicate, seconds=PATIENCE):
    """Waits until the predicate is true; `what` says what was hoped for."""
    deadline = time.monotonic() + seconds
    while not predicate():
        expect(time.monotonic() < deadline, f"not within {seconds} s: {what}")
        threading.Event().wait(0.02)


@contextlib.contextmanager
def inside(namespace):
    """Sockets opened in this block belong to the namespace."""
    with open("/proc/thread-self/ns/net", "rb") as home, open(f"/run/netns/{namespace}", "rb") as there:
        expect(LIBC.setns(there.fileno(), CLONE_NEWNET) == 0, f"setns {namespace} failed")
        try:
            yield
        finally:
            LIBC.setns(home.fileno(), CLONE_NEWNET)


class Result:
    """A finished tool."""

    def __init__(self, words, code, out, err, seconds):
        self.words, self.code, self.out, self.err, self.seconds = words, code, out, err, seconds

    def must(self, code=0):
        if self.code != code:
            out = self.out[-500:].decode("utf-8", "replace")
            raise Failure(f"{' '.join(self.words[1:])}: exit {self.code}, not {code}\n"
                          f"    stdout: {out}\n    stderr: {self.err[-1500:]}")
        return self

    def json_lines(self):
        return [json.loads(line) for line in self.out.splitlines()]


class Stream:
    """A running tool that prints one JSON event a line; every event is stamped on arrival.
    With stdout_path its output goes to that file, unread."""

    def __init__(self, words, env, stdin=subprocess.DEVNULL, stdout_path=None):
        self.words = words
        self.events = []
        self.stamps = []
        self.garbled = []
        self._changed = threading.Condition()
        self._ended = False
        self._errors = tempfile.TemporaryFile()
        with open(stdout_path or os.devnull, "wb") as file:
            self.process = subprocess.Popen(words, stdin=stdin, stdout=file if stdout_path else subprocess.PIPE,
                                            stderr=self._errors, env=env, preexec_fn=die_with_parent)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self.process.stdout or ():
            now = time.monotonic()
            try:
                event = json.loads(line)
            except ValueError:
                event = None
                self.garbled.append(line)
            with self._changed:
                if event is not None:
                    self.events.append(event)
                    self.stamps.append(now)
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def errors(self):
        self._errors.seek(0)
        return self._errors.read().decode("utf-8", "replace")

    def find(self, predicate, start=0):
        for place in range(start, len(self.events)):
            if predicate(self.events[place]):
                return place
        return None

    def wait(self, what, predicate, start=0, seconds=PATIENCE):
        """The place of the first event from `start` on that fits; `what` says what was hoped for."""
        deadline = time.monotonic() + seconds
        place = start
        with self._changed:
            while True:
                while place < len(self.events):
                    if predicate(self.events[place]):
                        return place
                    place += 1
                left = deadline - time.monotonic()
                if left <= 0 or self._ended:
                    break
                self._changed.wait(left)
        tail = "\n      ".join(shorten(e) for e in self.events[-8:])
        state = "it has ended" if self._ended else f"within {seconds} s"
        raise Failure(f"no {what} at [{' '.join(self.words[1:])}], {state}; {len(self.events)} events, the last:\n"
                      f"      {tail}\n    stderr: {self.errors()[-1000:]}")

    def wait_view(self, group, members, start=0, seconds=PATIENCE, cause=None):
        def fits(event):
            return (event["event"] == "view" and event["group"] == group
                    and sorted(event["members"]) == sorted(members) and cause in (None, event["cause"]))
        return self.wait(f"view of {group} with {members}", fits, start, seconds)

    def wait_daemons(self, daemons, start=0, seconds=PATIENCE):
        def fits(event):
            return event["event"] == "configuration" and sorted(event["daemons"]) == sorted(daemons)
        return self.wait(f"configuration of {daemons}", fits, start, seconds)

    def wait_messages(self, count, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        seen, place = 0, 0
        with self._changed:
            while True:
                while place < len(self.events):
                    seen += self.events[place]["event"] == "message"
                    place += 1
                if seen >= count:
                    return
                left = deadline - time.monotonic()
                if left <= 0 or self._ended:
                    break
                self._changed.wait(left)
        raise Failure(f"{seen} of {count} messages at [{' '.join(self.words[1:])}] within {seconds} s; "
                      f"stderr: {self.errors()[-1000:]}")

    def messages(self, start=0, end=None):
        return [e for e in self.events[start:end] if e["event"] == "message"]

    def of(self, *kinds):
        return [e for e in self.events if e["event"] in kinds]

    def signal(self, number):
        self.process.send_signal(number)

    def end(self, seconds=PATIENCE):
        """Waits for the tool to end by itself; its exit code."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"[{' '.join(self.words[1:])}] did not end within {seconds} s") from None
        self._thread.join(seconds)
        return code

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._thread.join(5)
        if self.process.stdout:
            self.process.stdout.close()
        self._errors.close()


class Cluster:
    """n daemons named d1..dn on hosts of their own, driven through the programs alone.

    Options: v6 (addresses), transport, ring/clients (more lines for these sections of the
    configuration), daemons (start how many at once; default all).
    """

    def __init__(self, count, v6=False, transport="unicast", ring="", clients="", start=None):
        self.names = [f"d{i + 1}" for i in range(count)]
        self.v6 = v6
        self.folder = tempfile.mkdtemp(prefix="rc-")
        os.chmod(self.folder, 0o755)
        self.daemons = {}
        self.streams = []
        self.config = os.path.join(self.folder, "ringcast.toml")
        self._transport, self._ring, self._clients = transport, ring, clients
        self._start = self.names if start is None else start

    # Set-up and cleaning up.

    def __enter__(self):
        try:
            self._build_network()
            with open(self.config, "w", encoding="utf-8") as file:
                file.write(self.configuration())
            for name in self._start:
                self.start(name)
            for name in self._start:
                self.wait_members(name, len(self._start))
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, kind, value, trace):
        for stream in self.streams:
            stream.stop()
        for process in self.daemons.values():
            if process.poll() is None:
                process.kill()
            process.wait()
        if kind is not None:
            self._report(value)
        for name in self.names:
            # The namespace goes away some time after its name; its link would stay till then.
            subprocess.run(["ip", "link", "del", f"v-{name}"], capture_output=True, check=False)
            subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
        for bridge in self._bridges():
            subprocess.run(["ip", "link", "del", bridge], capture_output=True, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _report(self, failure):
        for name in self.names:
            log = self.log(name)
            lines = log.splitlines()
            if lines:
                print(f"--- log of {name} ({len(lines)} lines, the last 25)", *lines[-25:], sep="\n    ")
        if OUTPUT:
            kept = os.path.join(OUTPUT, f"{os.path.basename(sys.argv[0])}-{os.path.basename(self.folder)}")
            shutil.copytree(self.folder, kept, ignore=lambda _, names: [n for n in names if n.endswith(".sock")],
                            dirs_exist_ok=True)
            print(f"--- everything is kept in {kept}")

    def _bridges(self):
        listing = subprocess.run(["ip", "-o", "link", "show", "type", "bridge"], capture_output=True, text=True,
                                 check=False)
        return [line.split(":")[1].strip() for line in listing.stdout.splitlines()]

    def _build_network(self):
        self._bridge("br0")
        for name in self.names:
            command("ip", "netns", "add", name)
            command("ip", "link", "add", f"v-{name}", "type", "veth", "peer", "name", "eth0", "netns", name)
            command("ip", "link", "set", f"v-{name}", "master", "br0", "up")
            command("ip", "-n", name, "link", "set", "lo", "up")
            command("ip", "-n", name, "link", "set", "eth0", "up")
            length, more = ("64", ["nodad"]) if self.v6 else ("24", [])
            command("ip", "-n", name, "addr", "add", f"{self.address(name)}/{length}", "dev", "eth0", *more)

    def _bridge(self, bridge):
        if bridge in self._bridges():
            return
        command("ip", "link", "add", bridge, "type", "bridge", "stp_state", "0", "mcast_snooping", "0")
        command("ip", "link", "set", bridge, "up")

    def address(self, name):
        number = self.names.index(name) + 1
        return f"fd73::{number}" if self.v6 else f"10.73.0.{number}"

    def endpoint(self, name, port=PORT):
        return f"[{self.address(name)}]:{port}" if self.v6 else f"{self.address(name)}:{port}"

    def configuration(self):
        lines = ["[cluster]", 'name = "test"']
        for name in self.names:
            lines += ["[[daemon]]", f'name = "{name}"', f'address = "{self.endpoint(name)}"']
        lines += ["[ring]", f'transport = "{self._transport}"', self._ring]
        lines += ["[clients]", f'socket = "{self.folder}/%n.sock"', self._clients]
        return "\n".join(lines) + "\n"

    # Daemons.

    def start(self, name, on=None, **more_environment):
        """Starts the daemon, on its own host or that one; returns the moment just before."""
        state = os.path.join(self.folder, f"{name}.state")
        os.makedirs(state, exist_ok=True)
        env = dict(os.environ, STATE_DIRECTORY=state, **more_environment)
        words = ["nsenter", f"--net=/run/netns/{on or name}", program("ringcastd"), "--config", self.config,
                 "--name", name]
        with open(os.path.join(self.folder, f"{name}.log"), "ab") as log:
            began = time.monotonic()
            self.daemons[name] = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env,
                                                  preexec_fn=die_with_parent)
        return began

    def kill(self, name):
        """SIGKILL; returns the moment just before."""
        began = time.monotonic()
        self.daemons[name].kill()
        self.daemons[name].wait()
        return began

    def terminate(self, name):
        """SIGTERM; returns the moment just before. The daemon must end with 0."""
        began = time.monotonic()
        self.daemons[name].terminate()
        try:
            code = self.daemons[name].wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Failure(f"{name} does not end within {PATIENCE} s of SIGTERM") from None
        expect_equal(code, 0, f"exit code of {name} after SIGTERM")
        return began

    def log(self, name):
        with contextlib.suppress(FileNotFoundError), \
                open(os.path.join(self.folder, f"{name}.log"), encoding="utf-8", errors="replace") as file:
            return file.read()
        return ""

    def expect_alive(self):
        for name, process in self.daemons.items():
            expect(process.poll() is None, f"{name} has ended with {process.poll()}")

    # Tools.

    def socket(self, name):
        return os.path.join(self.folder, f"{name}.sock")

    def _words(self, name, words, tool, client):
        if tool != "ringcast":
            return ["nsenter", f"--net=/run/netns/{name}", program(tool), *words]
        where = client if client is not None else ["--socket", self.socket(name)]
        return ["nsenter", f"--net=/run/netns/{name}", program("ringcast"), *where, *words]

    def run(self, name, *words, stdin=b"", tool="ringcast", client=None, seconds=PATIENCE, env=None):
        """A tool on that host, to its end."""
        full = self._words(name, words, tool, client)
        began = time.monotonic()
        try:
            done = subprocess.run(full, input=stdin, capture_output=True, timeout=seconds, check=False,
                                  env=dict(os.environ, **(env or {})), preexec_fn=die_with_parent)
        except subprocess.TimeoutExpired as late:
            raise Failure(f"{' '.join(full[2:])} did not end within {seconds} s\n"
                          f"    stderr: {(late.stderr or b'')[-1000:]}") from None
        return Result(full[1:], done.returncode, done.stdout, done.stderr.decode("utf-8", "replace"),
                      time.monotonic() - began)

    def stream(self, name, *words, tool="ringcast", client=None, stdin=subprocess.DEVNULL, stdout_path=None):
        """A tool on that host that goes on; its events are collected."""
        stream = Stream(self._words(name, words, tool, client), dict(os.environ), stdin, stdout_path)
        self.streams.append(stream)
        return stream

    def subscribe(self, name, group, *more, member="sub", views=True, **options):
        words = ["--as", member, "subscribe", group, "--json", *(["--views"] if views else []), *more]
        return self.stream(name, *words, **options)

    def subscribe_all(self, group, *more, names=None):
        """One subscriber called "sub" on each host; all have seen all join."""
        names = names or self.names
        streams = {name: self.subscribe(name, group, *more) for name in names}
        for stream in streams.values():
            stream.wait_view(group, [f"#sub#{name}" for name in names])
        return streams

    def publish(self, name, group, *messages, more=(), **options):
        return self.run(name, "publish", group, *messages, *more, **options).must()

    def publisher(self, name, group, path, *more, member="pub"):
        """Publishes the lines of a file, in the background."""
        with open(path, "rb") as file:
            words = ["--as", member, "publish", group, "--lines", "--json", *more]
            return self.stream(name, *words, stdin=file)

    def status(self, name):
        return self.run(name, "--json", "status").must().json_lines()[0]

    def counters(self, name):
        return self.status(name)["counters"]

    def wait_members(self, name, count, seconds=PATIENCE):
        result = self.run(name, "status", "--wait-members", str(count), "--timeout", f"{int(seconds)}s",
                          seconds=seconds + 10)
        expect(result.code == 0, f"{name} does not see {count} members: exit {result.code} {result.err.strip()}")

    # The network.

    def lose(self, percent, names=None):
        """Each host loses that share of what arrives, at random. 0 ends it."""
        for name in names or self.names:
            rules = "table inet loss\ndelete table inet loss\n"
            if percent:
                rules += ("table inet loss { chain input { type filter hook input priority 0;\n"
                          f'iifname "eth0" numgen random mod 100 < {percent} counter drop\n}}\n}}\n')
            self.nft(name, rules)

    def nft(self, name, rules):
        done = subprocess.run(["nsenter", f"--net=/run/netns/{name}", "nft", "-f", "-"], input=rules,
                              capture_output=True, text=True, check=False)
        expect(done.returncode == 0, f"nft: {done.stderr}")

    def partition(self, *sides):
        """Hosts of one side hear each other and nobody else; returns the moment just before."""
        began = time.monotonic()
        for number, side in enumerate(sides):
            self._bridge(f"br{number}")
            for name in side:
                command("ip", "link", "set", f"v-{name}", "master", f"br{number}")
        return began

    def heal(self):
        return self.partition(self.names)


def expect_same_order(streams, count):
    """All streams printed the same messages at the same places of the order."""
    def places(stream):
        return [(m["configuration"], m["seq"], m["index"], m["sender"], m.get("payload", m.get("payload_base64")))
                for m in stream.messages()]
    lists = [places(s) for s in streams]
    expect_equal(len(lists[0]), count, "number of messages")
    for other in lists[1:]:
        if other != lists[0]:
            place = next((i for i, (a, b) in enumerate(zip(lists[0], other)) if a != b), min(len(lists[0]), len(other)))
            raise Failure(f"sequences differ at {place} of {len(lists[0])} and {len(other)}: "
                          f"{lists[0][place:place + 2]} and {other[place:place + 2]}")
    expect_equal(len({p[:3] for p in lists[0]}), count, "number of different places in the order")


# Running a file of tests.


def enter_namespace():
    """Runs this file again inside its own namespaces, unless it is there already."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if os.environ.get("RINGCAST_TEST_INSIDE") == "1":
        command("mount", "-t", "tmpfs", "tmpfs", "/run")
        os.makedirs("/run/netns")
        command("ip", "link", "set", "lo", "up")
        return
    ways = [["unshare", "-Urnm"]]
    if os.geteuid() == 0:
        ways.insert(0, ["unshare", "-nm"])
    env = dict(os.environ, RINGCAST_TEST_INSIDE="1", PYTHONDONTWRITEBYTECODE="1")
    refused = []
    for way in ways:
        probe = subprocess.run([*way, "sh", "-c", "mount -t tmpfs tmpfs /run && ip link set lo up"],
                               capture_output=True, text=True, check=False)
        if probe.returncode == 0:
            os.execvpe(way[0], [*way, sys.executable, *sys.argv], env)
        refused.append(f"  {' '.join(way)}: {probe.stderr.strip()}")
    print("This test needs a network namespace of its own and the system refuses one:", *refused,
          "Allow user namespaces (sysctl kernel.unprivileged_userns_clone=1), or run as root outside a"
          " container that forbids them.", sep="\n")
    sys.exit(1)


def run(names):
    """Runs the test_*() of a file, or those named on the command line; exits 1 at any failure."""
    enter_namespace()
    tests = {n: f for n, f in names.items() if n.startswith("test_") and callable(f)}
    chosen = sys.argv[1:] or list(tests)
    failed = []
    for name in chosen:
        began = time.monotonic()
        try:
            tests[name]()
            print(f"ok      {name}  {time.monotonic() - began:.1f} s", flush=True)
        except Exception as error:  # noqa: BLE001 - every kind of failure is reported the same way
            failed.append(name)
            print(f"FAILED  {name}  {time.monotonic() - began:.1f} s", flush=True)
            if isinstance(error, Failure):
                place = traceback.extract_tb(error.__traceback__)
                where = [f"{os.path.basename(f.filename)}:{f.lineno}" for f in place if "harness" not in f.filename]
                print(f"    {' <- '.join(reversed(where))}: {error}", flush=True)
            else:
                traceback.print_exc(file=sys.stdout)
    print(f"{len(chosen) - len(failed)} of {len(chosen)} passed", flush=True)
    sys.exit(1 if failed else 0)
