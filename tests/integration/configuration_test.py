# SPDX-License-Identifier: Apache-2.0
"""Each kind of wrong configuration: exit 2, and a line that says file, line, column and remedy."""

import os
import re
import socket
import subprocess
import tempfile

from harness import expect, expect_equal, program, run

GOOD = """\
[cluster]
name = "test"

[[daemon]]
name = "d1"
address = "127.0.0.1:4913"

[[daemon]]
name = "d2"
address = "127.0.0.2:4913"

[clients]
socket = "{folder}/%n.sock"
"""


def ringcastd(folder, text, *more):
    path = os.path.join(folder, "ringcast.toml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    env = dict(os.environ, STATE_DIRECTORY=os.path.join(folder, "state"))
    done = subprocess.run([program("ringcastd"), "--config", path, *more], capture_output=True, text=True, timeout=20,
                          check=False, env=env)
    return path, done


def expect_refused(change, line, column, *words, start=True):
    """`change` edits the good text; `start`: only a start can see it, not --check."""
    with tempfile.TemporaryDirectory(prefix="rc-") as folder:
        text = change(GOOD.format(folder=folder))
        for more in (("--name", "d1"),) if start else (("--check",), ("--name", "d1")):
            path, done = ringcastd(folder, text, *more)
            said = done.stdout + done.stderr
            expect_equal(done.returncode, 2, f"exit code with {more}; it said: {said}")
            found = re.search(re.escape(path) + r":(\d+):(\d+): ([^;\n]+); ([^\n]+)", said)
            expect(found is not None, f"no FILE:LINE:COLUMN: problem; remedy in: {said}")
            where = (int(found.group(1)), int(found.group(2)))
            expect_equal(where, (line, column or where[1]), f"place of: {found.group(0)}")
            for word in words:
                expect(word in said, f"'{word}' is not in: {said}")
            print(f"        {found.group(0)[len(folder) + 1:]}", flush=True)


def replaced(old, new):
    def change(text):
        expect(old in text, f"{old} is not in the good text")
        return text.replace(old, new, 1)
    return change


def test_a_good_file_is_ok():
    with tempfile.TemporaryDirectory(prefix="rc-") as folder:
        path, done = ringcastd(folder, GOOD.format(folder=folder), "--check")
        expect_equal((done.returncode, done.stdout.strip()), (0, f"{path}: ok"), "--check of a good file")


def test_an_answer_that_cannot_be_written_is_a_failure():
    with tempfile.TemporaryDirectory(prefix="rc-") as folder, open("/dev/full", "wb") as full:
        path, _ = ringcastd(folder, GOOD.format(folder=folder), "--check")
        done = subprocess.run([program("ringcastd"), "--config", path, "--check"], stdout=full, timeout=20, check=False,
                              stderr=subprocess.DEVNULL)
        expect_equal(done.returncode, 1, "exit code of --check >/dev/full")


def test_syntax():
    expect_refused(replaced('name = "test"', 'name = "test'), 2, None, start=False)


def test_unknown_key_names_the_nearest():
    expect_refused(replaced("socket =", "sockett ="), 13, 1, '"socket"', start=False)


def test_unknown_table():
    expect_refused(replaced("[clients]", "[client]"), 12, None, "[clients]", start=False)


def test_wrong_type():
    expect_refused(replaced('name = "test"', "name = 7"), 2, 8, start=False)


def test_duplicate_names():
    expect_refused(replaced('name = "d2"', 'name = "d1"'), 9, 8, '"d1"', "line 4", start=False)


def test_two_daemons_with_one_address():
    expect_refused(replaced("127.0.0.2:4913", "127.0.0.1:4913"), 10, 11, "127.0.0.1:4913", start=False)


def test_more_daemons_than_a_ring_holds():
    more = "".join(f'[[daemon]]\nname = "m{i}"\naddress = "127.0.1.{i}:4913"\n' for i in range(1, 128))
    expect_refused(lambda text: text + more, 14 + 126 * 3, 1, "129", "at most 128", start=False)


def test_an_address_that_is_not_local():
    expect_refused(replaced("127.0.0.1:4913", "192.0.2.7:4913"), 6, 11, "192.0.2.7")


def test_an_interface_of_another_host_passes_the_check_and_not_the_start():
    def change(text):
        return text.replace("127.0.0.1:4913", "[fe80::1%nosuch0]:4913").replace("127.0.0.2", "[fe80::2%nosuch0]")
    with tempfile.TemporaryDirectory(prefix="rc-") as folder:
        _, done = ringcastd(folder, change(GOOD.format(folder=folder)), "--check")
        expect_equal(done.returncode, 0, f"--check does not look at interfaces; it said: {done.stderr}")
    expect_refused(change, 6, 11, "nosuch0")


def test_a_port_in_use():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 4913))
        expect_refused(lambda text: text, 6, 11, "4913", "in use")


def test_a_tcp_port_in_use():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.bind(("127.0.0.1", 4914))
        taken.listen(1)
        expect_refused(lambda text: text + 'tcp = "127.0.0.1:4914"\n', 14, 1, "4914", "in use")


def test_a_socket_path_too_long():
    expect_refused(lambda text: re.sub(r'socket = ".*"', f'socket = "/tmp/{"x" * 120}/%n.sock"', text), 13, 1, "107",
                   start=False)


def test_a_socket_path_that_cannot_be_written():
    expect_refused(lambda text: re.sub(r'socket = ".*"', 'socket = "/proc/none/%n.sock"', text), 13, 1,
                   "/proc/none")


def test_a_socket_that_another_daemon_serves():
    with tempfile.TemporaryDirectory(prefix="rc-") as folder:
        text = GOOD.format(folder=folder)
        path = os.path.join(folder, "ringcast.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        env = dict(os.environ, STATE_DIRECTORY=os.path.join(folder, "state"))
        first = subprocess.Popen([program("ringcastd"), "--config", path, "--name", "d1"], env=env,
                                 stderr=subprocess.DEVNULL)
        try:
            ready = [program("ringcast"), "--socket", f"{folder}/d1.sock", "status", "--wait-members", "1", "--timeout",
                     "10s"]
            expect_equal(subprocess.run(ready, capture_output=True, check=False).returncode, 0, "first daemon is up")
            expect_refused(lambda _: text.replace("127.0.0.1", "127.0.0.3"), 13, 1, "d1.sock")
            expect_equal(subprocess.run(ready, capture_output=True, check=False).returncode, 0, "it still serves")
        finally:
            first.kill()
            first.wait()


def test_a_stale_socket_of_a_dead_daemon_is_no_obstacle():
    with tempfile.TemporaryDirectory(prefix="rc-") as folder:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as stale:
            stale.bind(f"{folder}/d1.sock")
        path = os.path.join(folder, "ringcast.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(GOOD.format(folder=folder))
        env = dict(os.environ, STATE_DIRECTORY=os.path.join(folder, "state"))
        daemon = subprocess.Popen([program("ringcastd"), "--config", path, "--name", "d1"], env=env,
                                  stderr=subprocess.DEVNULL)
        try:
            ready = [program("ringcast"), "--socket", f"{folder}/d1.sock", "status", "--wait-members", "1", "--timeout",
                     "10s"]
            expect_equal(subprocess.run(ready, capture_output=True, check=False).returncode, 0, "the daemon is up")
        finally:
            daemon.kill()
            daemon.wait()


def test_nobody_by_that_name_and_no_such_file():
    with tempfile.TemporaryDirectory(prefix="rc-") as folder:
        _, done = ringcastd(folder, GOOD.format(folder=folder), "--name", "d9")
        expect_equal(done.returncode, 2, f"exit code for an unknown name: {done.stderr}")
        expect("d9" in done.stderr and "d1" in done.stderr, f"names the names there are: {done.stderr}")
        # Both addresses are local here, so which of the two this is cannot be told.
        _, done = ringcastd(folder, GOOD.format(folder=folder))
        expect_equal(done.returncode, 2, f"exit code when several fit: {done.stderr}")
        missing = subprocess.run([program("ringcastd"), "--config", f"{folder}/none.toml"], capture_output=True,
                                 text=True, timeout=20, check=False)
        expect_equal(missing.returncode, 2, f"exit code without the file: {missing.stderr}")
        expect("none.toml" in missing.stderr, f"the file is named: {missing.stderr}")


def test_tools_say_when_there_is_no_daemon_and_what_usage_is_wrong():
    tool = program("ringcast")
    for words, code in ((["--socket", "/nonexistent/x.sock", "status"], 3), (["--socket", "/nonexistent/x.sock",
                        "publish", "g", "m"], 3), (["frobnicate"], 2), (["publish"], 2),
                        (["--socket", "/nonexistent/x.sock", "status", "--wait-members", "1", "--timeout", "200ms"], 4)):
        done = subprocess.run([tool, *words], capture_output=True, text=True, timeout=20, check=False,
                              stdin=subprocess.DEVNULL)
        expect_equal(done.returncode, code, f"exit code of ringcast {' '.join(words)}: {done.stderr}")
        expect(done.stderr.strip(), f"ringcast {' '.join(words)} says what is wrong")
    for name in ("ringcastd", "ringcast", "ringlog-publish", "ringlog-write"):
        for flag in ("--help", "--version"):
            done = subprocess.run([program(name), flag], capture_output=True, text=True, timeout=20, check=False)
            expect_equal(done.returncode, 0, f"exit code of {name} {flag}")
            expect(done.stdout.strip(), f"{name} {flag} prints to stdout")


run(globals())
