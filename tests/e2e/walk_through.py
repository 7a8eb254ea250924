#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Types what README.md and docs/logging.md tell a newcomer to type, on fresh hosts, and looks whether it is as they say.

    tests/e2e/walk_through.py            --show: only what would be typed where

The commands and files are those of the page's section "In ten minutes": each indented block goes to the hosts that the
sentence before it names ("every host", or by their names), into the file that it says to "Write", else into their shells.
Of README it is what stands behind "Then by hand", in the terminals that the comments name.
"""

import os
import re
import subprocess
import sys
import textwrap
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))

from apache import as_somebody  # noqa: E402
from harness import BIN, ROOT, Cluster, Failure, die_with_parent, expect, expect_equal, installed, until  # noqa: E402
from hosts import enter_own_processes  # noqa: E402
from http_client import ask_json  # noqa: E402

README = os.path.join(ROOT, "README.md")
PAGE, SECTION = os.path.join(ROOT, "docs/logging.md"), "In ten minutes"
ALONE = "log2"  # README's host
HOSTS = {"web1": "192.0.2.1", "log1": "192.0.2.2", "log2": "192.0.2.3"}
BUILD = os.path.dirname(os.path.abspath(BIN))
DONE_BEFORE = ["scripts/install-dependencies.sh", "cmake --preset release -DRINGCAST_TESTS=OFF -DRINGCAST_BENCH=OFF",
               "cmake --build --preset release"]
VISITS, LOG, WEB_LOG, SITE_PORT = 100, "/var/log/farm/access.log", "/var/log/apache2/access.log", 8080

# A host as it was installed, but for the programs that the page brings. Its /etc is a copy.
FRESH = r"""
set -e
hostname "$NAME"
mount -t tmpfs tmpfs /run
mkdir -p /run/checkout /run/home /run/lock
mount --rbind "$ROOT" /run/checkout
for folder in /etc /var/lib/apache2; do
  mkdir -p "/run/copy$folder"
  cp -a "$folder/." "/run/copy$folder/" 2>>/run/not-copied || true  # what an ordinary user may not read
  mount --bind "/run/copy$folder" "$folder"
done
for folder in /usr/local /var/log /var/lib/ringcast /var/spool; do
  [ -d "$folder" ] || continue
  mount -t tmpfs tmpfs "$folder"
done
mkdir -p /var/log/apache2
echo "127.0.0.1 localhost $NAME" >/etc/hosts
echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start
export HOME=/run/home XDG_RUNTIME_DIR=/run PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
cd /run/checkout
exec $AS bash --norc --noprofile
"""


class Step:
    """One block of the page."""

    def __init__(self, sentence, text):
        self.text = text
        self.hosts = list(HOSTS) if "every host" in sentence else [name for name in HOSTS if f"`{name}`" in sentence]
        written = re.search(r"Write\s+`(/[^`]+)`", sentence)
        self.file = written.group(1) if written else None
        expect(self.hosts, f"{PAGE}: no host is named before:\n{text}")


def steps_of(page):
    """The numbered part of the section; what follows it is other ways to do the same."""
    section = page.split(f"\n## {SECTION}\n", 1)[1].split("\n## ", 1)[0]
    numbered = "\n".join(re.findall(r"(?m)^(?:\d+\. .*|   .*|)$", section))
    steps, paragraph = [], ""
    for block in re.split(r"\n{2,}", numbered):
        if block.startswith("       "):
            text = textwrap.dedent(block)
            if paragraph:
                steps.append(Step(re.split(r"(?<=[.?]) ", paragraph)[-1], text))
                paragraph = ""
            else:  # an empty line inside a file
                steps[-1].text += "\n\n" + text
        else:
            paragraph = re.sub(r"\s+", " ", block).strip()
    return steps


class Shell:
    """A newcomer's terminal on a host: its first, which makes the host, or one more."""

    def __init__(self, name, first=None):
        self.name, self.said, self.changed, self.count = name, [], threading.Condition(), 0
        if first:
            [pid] = first.type("cut -d ' ' -f 4 /proc/self/stat")  # its own by /proc, which is not of our process namespace
            words = ["nsenter", f"--target={pid}", "--mount", "--uts", "--net", "bash", "-c",
                     "export HOME=/run/home XDG_RUNTIME_DIR=/run; cd /run/checkout && exec bash --norc --noprofile"]
        else:
            words = ["nsenter", f"--net=/run/netns/{name}", "unshare", "--mount", "--uts", "bash", "-c", FRESH]
        env = dict(os.environ, NAME=name, ROOT=ROOT, AS=" ".join(somebody()) if name == "web1" else "")
        self.process = subprocess.Popen(
            words, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.said.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.said.append("")
            self.process.wait()
            self.changed.notify_all()

    def start(self, line):
        """Goes on; nothing is waited for."""
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def wait(self, what):
        until(f"{self.name} says: {what}", lambda: any(what in said for said in list(self.said)))

    def type(self, line, seconds=120.0):
        """Until the prompt is back; what was said since. It must have worked."""
        self.count += 1
        prompt = f"prompt {self.count} "
        begin = len(self.said)
        self.process.stdin.write(f"{line}\necho '{prompt}'$?\n")
        self.process.stdin.flush()

        def code():
            return next((said[len(prompt):] for said in self.said[begin:] if said.startswith(prompt)), None)
        with self.changed:
            back = self.changed.wait_for(lambda: code() is not None or self.process.poll() is not None, seconds)
        said = [line for line in self.said[begin:] if not line.startswith(prompt)]
        expect(back and code() == "0", f"{self.name}# {line}\n    exit code {code()}, it says:\n" + "\n".join(said[-20:]))
        return said

    def write(self, path, text):
        self.type(f"mkdir -p {os.path.dirname(path)} && cat >{path} <<'END OF FILE'\n{text}\nEND OF FILE")

    def stop(self):
        self.process.kill()
        self.process.wait()


def somebody():
    """Where root's rights end at the namespace Apache cannot become www-data: web1's newcomer is that from the start."""
    return ["unshare", "-U", "--map-user=33", "--map-group=33"] if as_somebody() else []


class Network(Cluster):
    """The hosts, without anything on them."""

    def __init__(self):
        super().__init__(len(HOSTS), start=[])
        self.names, self.shells = list(HOSTS), {}

    def address(self, name):
        return HOSTS[name]

    def __enter__(self):
        super().__enter__()
        try:
            for name in HOSTS:
                self.open(name)
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def open(self, name):
        """A terminal there; a further one is called NAME/2."""
        first = self.shells.get(name)
        shell = self.shells[f"{name}/2" if first else name] = Shell(name, first)
        shell.type("set -m")  # jobs have numbers
        return shell

    def __exit__(self, kind, value, trace):
        for shell in self.shells.values():
            shell.stop()
            if kind is not None:
                print(f"--- the terminal of {shell.name}", *shell.said[-30:], sep="\n    ")
        super().__exit__(kind, value, trace)


def follow(network, steps):
    for step in steps:
        for name in step.hosts:
            shell = network.shells[name]
            if step.file:
                print(f"{name}: {step.file} is written", flush=True)
                shell.write(step.file, step.text)
                continue
            for line in step.text.splitlines():
                if line in DONE_BEFORE:
                    continue
                print(f"{name}# {line}", flush=True)
                shell.type(line.replace("build/release", BUILD))
        if "ringlog-write" in step.text:  # nobody types so fast
            until("the writers have joined", lambda hosts=step.hosts: all(has_joined(network.shells[name]) for name in hosts))


def has_joined(shell):
    return f"#{shell.name}" in " ".join(shell.type("ringcast groups weblogs.writers || true"))


def by_hand(readme):
    """README's lines, each with its comment."""
    block = readme.split("Then by hand:\n\n", 1)[1].split("\n\n", 1)[0]
    return [[part.strip() for part in line.partition(" # ")[::2]] for line in block.splitlines()]


def follow_by_hand(network, lines):
    first, second = network.shells[ALONE], network.open(ALONE)
    for line, comment in lines:
        print(f"{ALONE}{'/2' if 'second' in comment else ''}# {line}", flush=True)
        typed = line.replace("$PWD/build/release", BUILD)
        if "second terminal" in comment:
            second.start(typed)
            until("it has joined", lambda: '"members":["' in "".join(first.type("ringcast --json groups greetings || true")))
            continue
        first.type(typed)
        if "both terminals" in comment:
            second.type(typed)
    second.wait("hello, ring")
    second.wait("the daemon closed the session: daemon stopped")


def prove(network):
    """What the section promises in its first sentence."""
    web, log1, log2 = (network.shells[name] for name in HOSTS)
    wanted = web.type(f"cat {WEB_LOG}")
    expect_equal(len(wanted), VISITS, "lines of Apache's own log")
    until("both files have all", lambda: all(shell.type(f"wc -l <{LOG}") == [str(VISITS)] for shell in (log1, log2)))
    expect_equal(log1.type(f"cat {LOG}"), wanted, "the log at log1, beside Apache's own")
    hashes = [shell.type(f"sha256sum {LOG}") for shell in (log1, log2)]
    expect_equal(hashes[0], hashes[1], "what sha256sum says on both")
    until("the page counts them", lambda: ask_json(SITE_PORT, "/api/figures", namespace="log1")["lines"] == VISITS)
    figures = ask_json(SITE_PORT, "/api/figures", namespace="log1")
    expect_equal((figures["requests"], figures["unparsed"]), (VISITS, 0), "requests on the page, and lines that are none")
    print(f"{VISITS} requests; both logs are {hashes[0][0].split()[0][:16]}...; the page counts them", flush=True)


def main():
    with open(PAGE, encoding="utf-8") as file:
        steps = steps_of(file.read())
    with open(README, encoding="utf-8") as file:
        lines = by_hand(file.read())
    typed = [line for step in steps if not step.file for line in step.text.splitlines()]
    for line in DONE_BEFORE:
        expect(line in typed, f"{PAGE} does not say {line}")
    if sys.argv[1:] == ["--show"]:
        for step in steps:
            print(f"--- {', '.join(step.hosts)}: {step.file or 'typed'}", step.text, sep="\n")
        print(f"--- {ALONE}: typed", *(line for line, _ in lines), sep="\n")
        return
    enter_own_processes()
    for name in ("a2enconf", "apachectl", "curl", "cmake"):
        installed(name)
    with Network() as network:
        follow_by_hand(network, lines)
    with Network() as network:
        follow(network, steps)
        prove(network)


if __name__ == "__main__":
    try:
        main()
    except Failure as failure:
        print(f"FAILED  {failure}", flush=True)
        sys.exit(1)
