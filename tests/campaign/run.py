#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A campaign on the real kernel: real daemons, harmed in every way we know, watched by clients
that record all they are told, and judged by the simulator's checkers.

    tests/campaign/run.py --minutes 20 --seed 1 --daemons 5 --kills 300 --pauses 300

What is done is drawn from the seed before it begins; when each packet meets it is not. Everything
happens in namespaces of its own and ends with this program, also when that is killed. Exit
status: 0 without a violation, 1 with one (the records are kept), 2 when the campaign could not
be made.
"""

import argparse
import heapq
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))

from harness import Failure, die_with_parent, enter_namespace, expect, program  # noqa: E402
from schedule import CUTS, HOSTS, PACKETS, PATHS, Schedule  # noqa: E402
from world import World  # noqa: E402

GROUPS = ["g1", "g2", "g3"]
HEAL_SECONDS = 60.0  # for the last merge; a lost one is a violation
QUIET_SECONDS = 2.0  # nothing was recorded for so long: nothing is under way


class Client:
    """A recorder in its place: it is replaced there when it is killed."""

    def __init__(self, daemon, roamer):
        self.daemon, self.roamer = daemon, roamer  # roamer 0: the witness
        self.process, self.number = None, 0


class Campaign:
    """One run: the world, its clients, the schedule, and the log of what was done."""

    def __init__(self, options, output):
        self.options, self.output = options, output
        self.world = World(options.daemons, options.seed, options.network)
        self.clients = [Client(name, r) for name in self.world.names for r in range(options.roamers + 1)]
        self.recorders = 0
        self.down = set()  # daemons that were killed and are not to run yet
        self.kills, self.stopped = 0, 0
        self.began = 0.0
        self.pauses = {}  # fault number -> the process that was stopped
        self.stalls = {}
        self.problems = []
        self.log = open(os.path.join(output, "log"), "w", buffering=1, encoding="ascii")

    def note(self, *words):
        self.log.write(f"{words[0]} {time.monotonic_ns() // 1000} {' '.join(map(str, words[1:]))}\n")

    # The people of the play.

    def start_daemon(self, name):
        self.world.start(name)
        self.note("D", name, self.world.daemons[name].pid)

    def daemon_ended(self, name):
        self.note("X", name, self.world.daemons[name].pid)

    def start_client(self, client):
        self.recorders += 1
        client.number = self.recorders
        words = [program("ringcast_recorder"), "--socket", self.world.socket(client.daemon),
                 "--record", os.path.join(self.output, f"record-{client.number}"), "--number", str(client.number),
                 "--seed", str(self.options.seed * 1000003 + client.number), "--rate", str(self.options.rate),
                 *(word for group in GROUPS for word in ("--group", group))]
        if client.roamer == 0:
            words.append("--witness")
        elif client.roamer % 2:
            words += ["--as", f"r{client.roamer}"]  # the others get a new name with each session
        client.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                          preexec_fn=die_with_parent)

    def client_at(self, slot):
        daemon, roamer = slot.split("/")
        return next(c for c in self.clients if c.daemon == daemon and c.roamer == int(roamer))

    # What is done to them.

    def begin(self, fault):
        target = fault.target
        if fault.kind in ("stall", "client-kill"):
            client = self.client_at(target)
            target = str(client.number)
        self.note("B", fault.number, fault.kind, target, *str(fault).split()[2:])
        print(f"  {time.monotonic() - self.began:8.3f} s  {fault}", flush=True)
        if fault.kind == "kill":
            self.kill(target)
        elif fault.kind == "pause":
            self.stopped += self.world.daemons[target].poll() is None
            self.pauses[fault.number] = self.stop(self.world.daemons[target])
        elif fault.kind == "stall":
            self.stalls[fault.number] = self.stop(client.process)
        elif fault.kind == "client-kill":
            client.process.kill()
        else:
            self.world.begin(fault)

    def end(self, fault):
        if fault.kind == "pause":
            self.go_on(self.pauses.pop(fault.number))
        elif fault.kind == "stall":
            self.go_on(self.stalls.pop(fault.number))
        elif fault.kind == "client-kill":
            client = self.client_at(fault.target)
            if client.process.poll() is not None:
                self.replace(client)
        elif fault.kind == "kill":
            self.restart(fault.target)
        else:
            self.world.end(fault)
        self.note("Z", fault.number)

    def kill(self, name):
        self.down.add(name)
        if self.world.daemons[name].poll() is None:
            self.kills += 1
            self.world.kill(name)
            self.daemon_ended(name)

    def restart(self, name):
        self.down.discard(name)
        if self.world.daemons[name].poll() is not None:
            self.start_daemon(name)

    @staticmethod
    def stop(process):
        if process.poll() is None:
            process.send_signal(signal.SIGSTOP)
        return process

    @staticmethod
    def go_on(process):
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)

    def replace(self, client):
        client.process.wait()
        client.process.stdin.close()
        client.process.stdout.close()
        self.start_client(client)

    # The run.

    def look(self):
        """Whoever is gone without our doing is a violation."""
        for name, process in self.world.daemons.items():
            if process.poll() is not None and name not in self.down:
                self.daemon_ended(name)
                self.problems.append(f"daemon {name} ended by itself with {process.returncode}")
                self.start_daemon(name)
        for client in self.clients:
            code = client.process.poll()
            if code is not None and code != -signal.SIGKILL:
                self.problems.append(f"recorder {client.number} ended by itself with {code}")
                self.replace(client)

    def perform(self, faults):
        actions = [(self.options.minutes * 60, len(faults) + 1, 2, None)]  # the quiet at the end
        for fault in faults:
            heapq.heappush(actions, (fault.at, fault.number, 0, fault))
            heapq.heappush(actions, (fault.at + fault.seconds, fault.number, 1, fault))
        self.began = time.monotonic()
        while actions:
            at, _, step, fault = actions[0]
            wait = self.began + at - time.monotonic()
            if wait > 0:
                self.look()
                signal.sigtimedwait((), min(wait, 0.05))
                continue
            heapq.heappop(actions)
            if fault is not None:
                (self.begin, self.end)[step](fault)

    def heal(self):
        """The ring is whole, the clients ask for nothing new, and nothing is under way."""
        deadline = time.monotonic() + HEAL_SECONDS
        for client in self.clients:
            if client.process.poll() is not None:
                self.replace(client)
        self.look()
        for name in self.world.names:
            self.restart(name)
        try:
            for name in self.world.names:
                self.world.wait_members(name, len(self.world.names), max(1.0, deadline - time.monotonic()))
        except Failure as failure:
            self.problems.append(f"L1 the ring does not heal: {failure}")
            return
        self.tell("quiet")
        if not self.wait_quiet(deadline + HEAL_SECONDS):
            self.problems.append("L2 the ring does not come to rest")
            return
        self.note("H")
        self.tell("freeze")

    def tell(self, command):
        for client in self.clients:
            client.process.stdin.write(command + "\n")
            client.process.stdin.flush()
        for client in self.clients:
            answer = client.process.stdout.readline().strip()
            expect(answer == command, f"recorder {client.number} answers {command} with {answer!r}")

    def wait_quiet(self, deadline):
        def sizes():
            return [os.path.getsize(os.path.join(self.output, f"record-{c.number}")) for c in self.clients]
        last, since = sizes(), time.monotonic()
        while time.monotonic() < deadline:
            signal.sigtimedwait((), 0.1)
            now = sizes()
            if now != last:
                last, since = now, time.monotonic()
            if time.monotonic() - since >= QUIET_SECONDS:
                return True
        return False

    def run(self, faults):
        with self.world:
            for name in self.world.names:
                self.start_daemon(name)
            # At once: a witness counts for the configurations that begin after it joined.
            for client in self.clients:
                self.start_client(client)
            for name in self.world.names:
                self.world.wait_members(name, len(self.world.names))
            print(f"{len(self.world.names)} daemons and {len(self.clients)} clients; network: {self.world.network}"
                  f"{', netem' if self.world.netem else ''}", flush=True)
            self.perform(faults)
            self.heal()
            for name in self.world.names:
                shutil.copy(os.path.join(self.world.folder, f"{name}.log"), self.output)
            if self.world.switch is not None:
                print(f"switch: {self.world.ask_switch('counts')}")
            self.stop_all()

    def stop_all(self):
        for client in self.clients:
            client.process.kill()
            client.process.wait()
            client.process.stdin.close()
            client.process.stdout.close()
        self.log.close()


def judge(output):
    """The checker's verdict: its exit code, its words printed."""
    files = [os.path.join(output, name) for name in sorted(os.listdir(output)) if name.startswith("record-")]
    return subprocess.run([program("ringcast_check"), os.path.join(output, "log"), *files], check=False).returncode


def arguments():
    parser = argparse.ArgumentParser(description="A campaign on the real kernel, judged by the simulator's checkers.")
    parser.add_argument("--minutes", type=float, default=2.0, help="length, without healing and judging [2]")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn [1]")
    parser.add_argument("--daemons", type=int, default=5, help="[5]")
    parser.add_argument("--kills", type=int, default=30, help="SIGKILLs of daemons [30]")
    parser.add_argument("--pauses", type=int, default=30, help="SIGSTOPs of daemons, each with a SIGCONT [30]")
    parser.add_argument("--client-kills", type=int, default=20, help="SIGKILLs of clients [20]")
    parser.add_argument("--stalls", type=int, default=20, help="SIGSTOPs of clients, each with a SIGCONT [20]")
    parser.add_argument("--roamers", type=int, default=2, help="clients of each daemon beside its witness [2]")
    parser.add_argument("--rate", type=float, default=15.0, help="publishes a second of each client [15]")
    parser.add_argument("--network", choices=("auto", "switch", "bridge"), default="auto",
                        help="between the hosts: ringcast_switch over TAP devices, or a bridge [auto]")
    parser.add_argument("--output", help="a folder for records and logs, kept; must not exist")
    options = parser.parse_args()
    if options.daemons < 2 or options.minutes <= 0 or options.roamers < 1:
        parser.error("at least two daemons, one roamer, and some time")
    return options


def lanes_of(world):
    """What this system can do; faults that need the same device follow each other."""
    if world.netem:  # it and the rate limit are both the root queue of a host
        return [tuple(kind for kind in PACKETS if kind != "rate"), HOSTS, CUTS, (*PATHS, "rate")]
    if world.shapes_paths:
        return [PACKETS, HOSTS, CUTS, PATHS]
    print("neither netem nor the switch: no delay, jitter, reordering, duplication, corruption")
    return [PACKETS, HOSTS, CUTS]


def report(campaign, code):
    print(f"{campaign.kills} SIGKILLs and {campaign.stopped} pauses of daemons")
    for problem in campaign.problems:
        print(f"VIOLATION: {problem}")
    failed = bool(campaign.problems) or code == 1
    print("the campaign FAILED" if failed else "zero violations" if code == 0 else "the records cannot be judged")
    return 1 if failed else 2 if code else 0


def main():
    options = arguments()
    enter_namespace()
    # /run is a file system of this namespace: what is there ends with us.
    tempfile.tempdir = "/run"
    output = options.output or tempfile.mkdtemp(prefix="campaign-")
    if options.output:
        os.makedirs(output)
    campaign = Campaign(options, output)
    lanes = lanes_of(campaign.world)
    schedule = Schedule(options.seed, options.minutes * 60, campaign.world.names, options.kills, options.pauses,
                        options.client_kills, options.stalls, options.roamers, lanes)
    with open(os.path.join(output, "schedule"), "w", encoding="ascii") as file:
        file.writelines(f"{fault.at:.3f} {fault}\n" for fault in schedule.faults)
    print(f"seed {options.seed}: {len(schedule.faults)} faults in {options.minutes:g} minutes", flush=True)
    began = time.monotonic()
    try:
        campaign.run(schedule.faults)
    except Failure as failure:
        campaign.problems.append(str(failure))
    print(f"ran for {time.monotonic() - began:.0f} s", flush=True)
    status = report(campaign, judge(output))
    if status != 0 and not options.output:
        kept = tempfile.mkdtemp(prefix="ringcast-campaign-", dir=os.environ.get("TMPDIR", "/tmp"))
        shutil.copytree(output, kept, dirs_exist_ok=True)
        output = kept
    if status != 0 or options.output:
        print(f"records, logs and the schedule are in {output}")
    return status


if __name__ == "__main__":
    sys.exit(main())
