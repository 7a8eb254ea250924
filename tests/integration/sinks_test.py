# SPDX-License-Identifier: Apache-2.0
"""The sinks of ringlog-write: each has every line once, whatever happens to it, to the writer or to the others."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading

from farm import GROUP, Farm, lines
from harness import command, expect, expect_equal, program, run, until
from postgres import Postgres

# Appends what it gets to the file it is given, line by line.
COPY = "import sys; f = open(sys.argv[1], 'a'); [(f.write(l), f.flush()) for l in iter(sys.stdin.readline, '')]"


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class Service:
    """ringlog-write with a configuration on a host of a farm; {folder} in it is a folder of the farm."""

    def __init__(self, farm, text, host="d1", folder="", json_too=True):
        self.farm, self.host, self.folder = farm, host, os.path.join(farm.folder, folder).rstrip("/")
        os.makedirs(self.folder, exist_ok=True)
        self.configure(text)
        self.words = ["--socket", farm.cluster.socket(host), "--config", f"{self.folder}/write.toml", "--as", "w",
                      *(["--json"] if json_too else [])]
        self.start()

    def configure(self, text):
        head = f'[[group]]\nname = "{GROUP}"\njournal = "{{folder}}/journal"\n'
        write(f"{self.folder}/write.toml", (head + text).replace("{folder}", self.folder))

    def start(self, **options):
        self.stream = self.farm.cluster.stream(self.host, *self.words, tool="ringlog-write", **options)
        until("the writer joined", lambda: f"#w#{self.host}" in self.farm.members(self.host, GROUP + ".writers"))

    def kill(self):
        self.stream.signal(signal.SIGKILL)
        self.stream.end()

    def wait_error(self, text):
        until(f"\"{text}\" on stderr", lambda: text in self.stream.errors())

    def stop(self):
        """The figures of each sink."""
        self.stream.signal(signal.SIGTERM)
        expect_equal(self.stream.end(), 0, f"exit code; stderr: {self.stream.errors()}")
        return {e["sink"]: e for e in self.stream.events if e["event"] == "sink"}


FILE = '[[sink]]\ntype = "file"\nname = "file"\npath = "{folder}/out/access.log"\n'
SQLITE = '[[sink]]\ntype = "sqlite"\nname = "db"\ndatabase = "{folder}/lines.db"\n'
EXEC = f'[[sink]]\ntype = "exec"\nname = "copy"\ncommand = ["{sys.executable}", "-c", "{COPY}", "{{folder}}/copy"]\n'


def rows(farm, sql, name="lines.db"):
    try:
        with contextlib.closing(sqlite3.connect(f"file:{farm.path(name)}?mode=ro", uri=True)) as database:
            return database.execute(sql).fetchall()
    except sqlite3.OperationalError:
        return []  # not made yet


def rotated(farm, folder):
    """The lines of access.log and of what was rotated away from it, file by file, the oldest first."""
    def order(name):
        stamp, _, number = name.partition("~")[2].partition("-")
        return stamp or "now", int(number or 0)
    return [farm.read(f"{folder}/{name}") for name in sorted(os.listdir(farm.path(folder)), key=order)]


def db_lines(farm):
    return [row[0] for row in rows(farm, "SELECT line FROM ringlog ORDER BY position")]


def test_every_sink_has_every_line_of_the_journal():
    with Farm(1) as farm:
        service = Service(farm, FILE + SQLITE + EXEC + 'output = "json"\n')
        text = lines("a", 2000)
        farm.publish("d1", text)
        until("the program has all", lambda: len(farm.read("copy")) == 2000)
        until("the database has all", lambda: len(db_lines(farm)) == 2000)
        farm.wait_lines("out/access.log", 2000)
        figures = service.stop()
        expect_equal(farm.read("out/access.log"), text, "the file")
        expect_equal(farm.read("journal"), text, "the journal")
        expect_equal(db_lines(farm), text, "the table")
        expect_equal(rows(farm, "SELECT DISTINCT publisher, daemon FROM ringlog"), [("pub", "d1")], "where from")
        expect_equal([row[0] for row in rows(farm, "SELECT seq FROM ringlog ORDER BY position")],
                     list(range(1, 2001)), "their numbers")
        copied = [json.loads(line) for line in farm.read("copy")]
        expect_equal([c["line"] for c in copied], text, "what the program got")
        expect_equal(copied[-1]["position"], os.path.getsize(farm.path("journal")), "its position")
        for name in ("file", "db", "copy"):
            sink = figures[name]
            expect_equal((sink["lines"], sink["errors"], sink["lag_bytes"]), (2000, 0, 0), f"figures of {name}")
            expect_equal(sink["bytes"], os.path.getsize(farm.path("journal")), f"bytes of {name}")


def test_a_killed_service_goes_on_where_each_sink_was():
    with Farm(1) as farm:
        service = Service(farm, FILE + "rotate_bytes = 300000\n" + SQLITE)
        stream = farm.publisher("d1")
        kills, piece = 4, 10000
        text = lines("x" * 60, kills * piece)

        def feed(part):
            stream.process.stdin.write("".join(f"{line}\n" for line in part).encode())
            stream.process.stdin.flush()
        for kill in range(kills):
            feeder = threading.Thread(target=feed, args=(text[kill * piece:(kill + 1) * piece],))
            size = len(db_lines(farm))
            feeder.start()
            until("a batch is in the table", lambda: len(db_lines(farm)) > size)
            service.kill()
            feeder.join()
            service.start()
        stream.process.stdin.close()
        stream.end()
        journal = farm.read("journal")

        def caught_up():
            journal[:] = farm.read("journal")
            return journal and journal[-1] == text[-1] and len(db_lines(farm)) == len(journal)
        until("the table has the journal", caught_up)
        figures = service.stop()
        expect_equal(figures["file"]["lag_bytes"], 0, "lag of the file sink")
        expect_equal(db_lines(farm), journal, "the table")
        files = rotated(farm, "out")
        expect_equal([line for file in files for line in file], journal, "the files, one after the other")
        expect(len(files) > 4, f"rotated files: {len(files)}")


def test_a_sink_that_fails_lags_behind_and_holds_nobody_up():
    with Farm(1) as farm:
        os.mkdir(farm.path("lines.db"))  # no database can be there
        service = Service(farm, FILE + SQLITE + EXEC)
        farm.publish("d1", lines("a", 100))
        farm.wait_lines("out/access.log", 100)
        farm.wait_lines("copy", 100)
        service.wait_error("weblogs/db: " + farm.path("lines.db") + ": cannot open")
        service.stream.signal(signal.SIGUSR1)
        service.wait_error('"event":"status"')
        status = json.loads(service.stream.errors().split('ringlog-write: {"event":"status"')[1].splitlines()[0]
                            .join(['{"event":"status"', ""]))
        sinks = {sink["sink"]: sink for sink in status["sinks"]}
        expect(sinks["db"]["errors"] > 0 and "cannot open" in sinks["db"]["trouble"], f"its errors: {sinks}")
        expect_equal(sinks["db"]["lag_bytes"], os.path.getsize(farm.path("journal")), "its lag")
        os.rmdir(farm.path("lines.db"))
        until("the database has all", lambda: len(db_lines(farm)) == 100)
        expect_equal(service.stop()["db"]["lag_bytes"], 0, "its lag in the end")


def test_full_disks_of_sinks_cost_patience_and_no_line():
    with Farm(1) as farm:
        small = farm.path("small")
        os.mkdir(small)
        command("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small)
        try:
            service = Service(farm, FILE.replace("/out/", "/small/") + SQLITE.replace("/lines.db", "/small/lines.db") + EXEC)
            text = lines("x" * 1000, 3000)
            farm.publish("d1", text)
            service.wait_error(f"weblogs/file: {small}/access.log: cannot write: No space left on device; make room there; nothing is lost")
            service.wait_error("weblogs/db: " + small + "/lines.db: ")
            until("the program has all the same", lambda: len(farm.read("copy")) == 3000)
            command("mount", "-o", "remount,size=64m", small)
            until("the file has all", lambda: len(farm.read("small/access.log")) == 3000)
            until("the table has all", lambda: rows(farm, "SELECT count(*) FROM ringlog", "small/lines.db") == [(3000,)])
            service.wait_error("weblogs/file: writing again")
            service.stop()
            expect_equal(farm.read("small/access.log"), text, "the file")
            expect_equal(farm.read("copy"), text, "what the program got")
            expect_equal([row[0] for row in rows(farm, "SELECT line FROM ringlog ORDER BY position", "small/lines.db")],
                         text, "the table")
        finally:
            command("umount", "-l", small)


def test_the_status_file_shows_every_writer_and_sink():
    with Farm(1) as farm:
        service = Service(farm, FILE + f'[writer]\nstatus_file = "{farm.path("status")}"\nstatus_interval = "100ms"\n')
        farm.publish("d1", lines("a", 7))

        def shown():
            with contextlib.suppress(FileNotFoundError), open(farm.path("status"), encoding="utf-8") as file:
                status = json.load(file)
                return ([(g["group"], g["in_step"], g["lines_total"], g["gaps"]) for g in status["groups"]],
                        [(s["group"], s["sink"], s["lines"], s["lag_bytes"]) for s in status["sinks"]])
            return None
        until("the file shows the lines", lambda: shown() == ([(GROUP, True, 7, 0)], [(GROUP, "file", 7, 0)]))
        service.stop()


def test_a_file_that_may_not_be_written_is_told_and_waited_for():
    with Farm(1) as farm:
        os.mkdir(farm.path("locked"))
        command("mount", "-t", "tmpfs", "-o", "ro", "tmpfs", farm.path("locked"))  # root heeds no mode
        try:
            service = Service(farm, FILE.replace("/out/", "/locked/"))
            farm.publish("d1", lines("a", 5))
            service.wait_error(f"weblogs/file: {farm.path('locked')}/access.log: cannot open for writing: Read-only file system")
            command("mount", "-o", "remount,rw", farm.path("locked"))
            farm.wait_lines("locked/access.log", 5)
            service.stop()
        finally:
            command("umount", "-l", farm.path("locked"))


def test_sighup_reads_the_configuration_at_once():
    with Farm(1) as farm:
        service = Service(farm, FILE)
        farm.publish("d1", lines("a", 10))
        farm.wait_lines("out/access.log", 10)
        service.configure(FILE + "rotate_bites = 3\n")
        service.stream.signal(signal.SIGHUP)
        service.wait_error("write.toml:8:1: unknown key \"rotate_bites\" in [sink]; did you mean \"rotate_bytes\"?")
        service.wait_error("was not changed")
        os.rename(farm.path("out/access.log"), farm.path("out/moved"))
        service.configure(FILE + SQLITE)
        service.stream.signal(signal.SIGHUP)
        service.wait_error("1 groups, 2 sinks")
        until("a new sink begins with the first line", lambda: len(db_lines(farm)) == 10)
        farm.publish("d1", lines("b", 5))
        farm.wait_lines("out/access.log", 5)
        service.configure(SQLITE)
        service.stream.signal(signal.SIGHUP)
        service.wait_error("1 groups, 1 sinks")
        farm.publish("d1", lines("c", 5))
        until("the other goes on", lambda: len(db_lines(farm)) == 20)
        expect_equal(list(service.stop()), ["db"], "sinks in the end")
        expect_equal(farm.read("out/access.log"), lines("b", 5), "the file that ended")
        expect_equal(farm.read("out/moved"), lines("a", 10), "the file that was moved")


def test_a_program_that_ends_is_started_again_and_misses_nothing():
    with Farm(1) as farm:
        once = ("import sys, os\\nn = 0\\nfor l in iter(sys.stdin.readline, ''):\\n"
                "    f = open(sys.argv[1], 'a'); f.write(l); f.close(); print(flush=True); n += 1\\n"
                "    n < 40 or os._exit(3)\\n")
        service = Service(farm, '[[sink]]\ntype = "exec"\nname = "ends"\nanswers = true\n'
                          f'command = ["{sys.executable}", "-c", "{once}", "{{folder}}/copy"]\n'
                          + EXEC.replace('"copy"', '"none"').replace(sys.executable, "/no/such/program"))
        text = lines("a", 1000)
        farm.publish("d1", text)
        service.wait_error("weblogs/ends: " + sys.executable + ": ended with 3 before it had answered all of its lines")
        service.wait_error("weblogs/none: /no/such/program: cannot start: No such file or directory")
        service.stream.signal(signal.SIGHUP)  # another try at once
        until("it has all", lambda: len(farm.read("copy")) >= 200)
        figures = service.stop()
        expect(figures["none"]["lag_bytes"] > 0, "the one that cannot start lags")
        got = farm.read("copy")
        expect_equal(got, text[:len(got)], "what it has, each once since each was answered")
        expect_equal(figures["ends"]["position"], sum(len(line) + 1 for line in got), "its position")


def test_stdout_gets_each_line_once_over_restarts():
    with Farm(1) as farm:
        out = farm.path("stdout")
        service = Service(farm, '[[sink]]\ntype = "stdout"\n', json_too=False)
        service.kill()
        for word in ("a", "b"):
            service.start(stdout_path=out)
            farm.publish("d1", lines(word, 50))
            farm.wait_lines("stdout", 50)
            service.stop()
            if word == "a":
                expect_equal(farm.read("stdout"), lines("a", 50), "before the restart")
        expect_equal(farm.read("stdout"), lines("b", 50), "after it")


def test_lines_of_any_bytes_and_of_any_length_reach_every_sink():
    with Farm(1) as farm:
        service = Service(farm, FILE + SQLITE)
        odd = [b"nul \0 and \xff\xfe", b"back\\slash\ttab\r", "é".encode(), b"", b"x" * (7 << 20)]
        text = b"".join(line + b"\n" for line in odd) + b"y" * (9 << 20) + b"\n"
        done = farm.cluster.run("d1", "--socket", farm.cluster.socket("d1"), "--group", GROUP, "--max-line", "8M",
                                stdin=text, tool="ringlog-publish")
        expect_equal(done.code, 1, f"exit code of the publisher, with a line that is too long: {done.err}")
        expect("a line of 9437184 bytes" in done.err, f"what it says: {done.err}")
        until("the table has all", lambda: len(rows(farm, "SELECT position FROM ringlog")) == 6)
        service.stop()
        with open(farm.path("out/access.log"), "rb") as file:
            written = file.read().split(b"\n")
        expect_equal(written[:5], odd, "lines of the file")
        expect(written[5].startswith(b"#ringlog-too-long "), "the marker of the line that is too long")
        found = rows(farm, "SELECT line, raw, marker FROM ringlog ORDER BY position")
        expect_equal([raw if raw is not None else line.encode() for line, raw, _ in found][:5], odd, "lines of the table")
        expect_equal(found[0][0], "nul \\x00 and \\xff\\xfe", "the readable form")
        expect_equal([marker for _, _, marker in found], [0, 0, 0, 0, 0, 1], "markers of the table")


def test_postgresql_restarted_in_the_middle_of_a_batch_has_every_line_once():
    with Farm(1) as farm, Postgres(farm.folder) as server:
        sink = f'[[sink]]\ntype = "postgresql"\nname = "pg"\nconnection = "{server.connection()}"\n'
        service = Service(farm, FILE + sink + 'format = "common"\n')
        text = [f'10.0.0.{n % 250} - - [02/Jan/2026:03:04:05 +0000] "GET /p{n}?q HTTP/1.1" 200 {n}' for n in range(3000)]
        farm.publish("d1", text[:1000])

        def count():
            return server.query("SELECT count(*) FROM ringlog", check=False)
        until("the first lines are in", lambda: count() == [["1000"]])
        # The next batch is held within its transaction, and cut off there.
        holder = server.psql(stdin=subprocess.PIPE)
        holder.stdin.write("BEGIN; LOCK TABLE ringlog_position IN ACCESS EXCLUSIVE MODE;\n")
        holder.stdin.flush()
        until("the lock is held", lambda: server.query(
            "SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted "
            "AND relation = 'ringlog_position'::regclass") == [["1"]])
        farm.publish("d1", text[1000:2000])
        until("a transaction waits, its lines copied", lambda: server.query(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name = 'ringlog-write'"
            ) == [["1"]])
        server.stop()
        holder.communicate()
        service.wait_error("weblogs/pg: PostgreSQL: ")
        farm.publish("d1", text[2000:])
        farm.wait_lines("out/access.log", 3000)
        server.start()
        until("all lines are in", lambda: count() == [["3000"]])
        expect_equal(service.stop()["pg"]["lag_bytes"], 0, "its lag")
        expect_equal([row[0] for row in server.query("SELECT line FROM ringlog ORDER BY position")], text, "the table")
        expect_equal(server.query("SELECT client, logged AT TIME ZONE 'UTC', method, page, status, bytes FROM ringlog "
                                  "WHERE seq = 8 ORDER BY position LIMIT 1"),
                     [["10.0.0.7", "2026-01-02 03:04:05", "GET", "/p7", "200", "7"]], "columns")
        expect_equal(server.query("SELECT position FROM ringlog_position"),
                     [[str(os.path.getsize(farm.path("journal")))]], "the position")


def test_two_writers_sinks_have_equal_files():
    with Farm(3) as farm:
        text = FILE + "rotate_bytes = 1024\n"
        one, two = Service(farm, text), Service(farm, text, "d2", "two")
        farm.publish("d3", lines("a", 1000))
        for name in ("journal", "two/journal"):
            farm.wait_lines(name, 1000)
        for service in (one, two):
            expect_equal(service.stop()["file"]["lag_bytes"], 0, "lag in the end")
        expect_equal(farm.read("journal"), farm.read("two/journal"), "the journals")
        files = rotated(farm, "out")
        expect(len(files) > 2, f"rotated files: {len(files)}")
        expect_equal(files, rotated(farm, "two/out"), "their files, one after the other")
        expect_equal([line for file in files for line in file], lines("a", 1000), "all of them")


def test_a_configuration_of_spreadlogd_is_understood():
    with Farm(1) as farm:
        write(farm.path("hook.py"), "def line(sender, group, text):\n"
              f"    open('{farm.path('hooked')}', 'a').write(f'{{sender}} {{group}} {{text}}\\n')\n")
        write(farm.path("spreadlogd.conf"), f"""
BufferSize = 65536
PythonLib {farm.folder}
Spread {{
  Port = 4803
  Log {{
    Group = {GROUP}
    VhostDir = {farm.path("vhosts")}
    Match = "GET"
    RewriteTimestamp = "[now]"
    PythonLog hook.line
  }}
}}
""")
        words = ["--compat", farm.path("spreadlogd.conf"), "--state", farm.folder]
        checked = farm.cluster.run("d1", *words, "--check", tool="ringlog-write").must()
        expect_equal(checked.out.decode(), farm.path("spreadlogd.conf") + ": ok\n", "--check")
        expect("spreadlogd.conf:9:1" not in checked.err and "runs in a python3 of its own" in checked.err, checked.err)
        stream = farm.cluster.stream("d1", "--socket", farm.cluster.socket("d1"), *words, "--as", "w", "--json",
                                     tool="ringlog-write")
        until("the writer joined", lambda: "#w#d1" in farm.members("d1", GROUP + ".writers"))
        farm.publish("d1", ["www [old] GET /", "www [old] PUT /", "../x [old] GET /"])
        until("the hook has all", lambda: len(farm.read("hooked")) == 3)
        until("the files are there", lambda: farm.read("vhosts/www") and farm.read("vhosts/%2E.%2Fx"))
        stream.signal(signal.SIGTERM)
        expect_equal(stream.end(), 0, f"exit code; stderr: {stream.errors()}")
        expect_equal(farm.read("hooked"), [f"pub {GROUP} {line}" for line in
                                           ("www [now] GET /", "www [now] PUT /", "../x [now] GET /")],
                     "the hook's lines")
        expect_equal(farm.read("vhosts/www"), ["[now] GET /"], "lines that match, without their virtual host")


def test_mistakes_have_their_place():
    done = subprocess.run([program("ringlog-write"), "--config", "/dev/null", "--check"], capture_output=True,
                          text=True, check=False)
    expect_equal(done.returncode, 2, "exit code")
    expect_equal(done.stderr, "/dev/null:1:1: there is no group; add [[group]] with a name\n", "what it says")


if __name__ == "__main__":
    run(globals())
