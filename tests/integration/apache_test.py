# SPDX-License-Identifier: Apache-2.0
"""Requests to a real Apache become lines of a real writer's file: mod_log_ringcast."""

import os
import signal
import threading

from apache import MPM, Apache, asked
from farm import GROUP, Farm, stop
from harness import BIN, PATIENCE, ROOT, expect, expect_equal, run, until


def config(farm, host="d3", more=""):
    return f'RingcastDaemon {farm.cluster.socket(host)}\nCustomLog "${GROUP}" common\nCustomLog access.log common\n{more}'


def names(word, count):
    return [f"{word}{number}" for number in range(count)]


def expect_complete(farm, apache, file, wanted):
    """Each request is in the writer's file once, and the plain log beside it has the same lines."""
    until(f"{len(wanted)} lines in {file}", lambda: len(asked(farm.data(file))) >= len(wanted))
    expect_equal(sorted(asked(farm.data(file))), sorted(wanted), f"requests in {file}")
    expect_equal(sorted(farm.data(file)), sorted(apache.read("access.log")), "lines beside those of the plain log")
    expect_equal(farm.markers(file, "dropped"), [], "drop markers")


def subscribe(farm, group):
    """A writer of another group; its file."""
    file = f"{group}.log"
    farm.cluster.stream("d1", "--socket", farm.cluster.socket("d1"), "--group", group, "--file", farm.path(file),
                        tool="ringlog-write")
    until(f"{group} has a writer", lambda: farm.members("d1", group + ".writers"))
    return file


def test_every_request_is_once_in_the_file_though_daemon_and_publisher_are_killed():
    for mpm in MPM:
        with Farm(3) as farm:
            one = farm.writer("d1", "one.log")
            spool = f"RingcastSpool {farm.path('spool')}"
            with Apache(mpm, config(farm, more=spool)) as apache:
                apache.get(names("a", 300))
                farm.cluster.kill("d3")
                apache.get(names("b", 300))
                farm.cluster.start("d3")
                apache.get(names("c", 300))
                expect_complete(farm, apache, "one.log", names("a", 300) + names("b", 300) + names("c", 300))
                for pid in apache.publishers("fan-out"):
                    os.kill(pid, signal.SIGKILL)
                apache.get(names("d", 300))
                expect_complete(farm, apache, "one.log", [w + str(n) for w in "abcd" for n in range(300)])
                apache.get(names("e", 300))
                apache.stop()
                # A worker can be ended between an answer and its logs, or between the logs, of which this is the first.
                logged = set(apache.read("access.log"))
                until("no line is lost by the stop", lambda: logged <= set(farm.data("one.log")))
            stop(one)


def test_restarts_lose_no_line_and_leave_one_publisher():
    for mpm in MPM:
        with Farm(1) as farm:
            one = farm.writer("d1", "one.log")
            with Apache(mpm, config(farm, "d1")) as apache:
                load = threading.Thread(target=lambda: apache.get(names("a", 1500)))
                load.start()
                apache.graceful()
                apache.configure(config(farm, "d1", "RingcastPublisherOption --memory 32M\nRingcastBuffer 512k"))
                apache.graceful()
                load.join()
                until("one publisher", lambda: len(apache.publishers("fan-out")) == 1)
                expect_complete(farm, apache, "one.log", names("a", 1500))
                apache.configure("CustomLog access.log common")
                apache.graceful()
                until("no publisher", lambda: not apache.publishers("ringlog-publish"))
                apache.configure(config(farm, "d1"))
                apache.graceful()
                apache.get(names("b", 100))
                apache.stop(signal.SIGWINCH)  # graceful-stop
                expect("long lost child" not in apache.errors(), "Apache knows all its processes")
                # The server ended after its publisher had; the writer may be a moment behind.
                until("all lines are there", lambda: len(farm.data("one.log")) >= 1600)
                expect_equal(sorted(asked(farm.data("one.log"))), sorted(names("a", 1500) + names("b", 100)), "requests")
            stop(one)


def test_a_publisher_told_to_stop_as_the_server_ends_leaves_its_lines_to_another():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        with Apache("event", config(farm, "d1")) as apache:
            apache.get(names("a", 50))
            farm.wait_lines("one.log", 50)
            [publisher] = apache.publishers("fan-out")
            os.kill(publisher, signal.SIGSTOP)
            apache.get(names("b", 50))
            until("the lines are on their way", lambda: len(apache.read("access.log")) == 100)
            apache.process.send_signal(signal.SIGTERM)
            until("the children have ended", lambda: not apache.children())
            os.kill(publisher, signal.SIGTERM)
            os.kill(publisher, signal.SIGCONT)
            apache.process.wait(PATIENCE)
            until("all lines are there", lambda: len(farm.data("one.log")) >= 100)
            expect_equal(sorted(farm.data("one.log")), sorted(apache.read("access.log")), "both logs")
        stop(one)


def test_a_stopped_publisher_holds_up_no_request():
    for mpm in MPM:
        with Farm(1) as farm:
            one = farm.writer("d1", "one.log")
            with Apache(mpm, config(farm, "d1", "RingcastBuffer 64k")) as apache:
                apache.get(names("a", 50))
                farm.wait_lines("one.log", 50)
                [publisher] = apache.publishers("fan-out")
                os.kill(publisher, signal.SIGSTOP)
                # More than the pipe and all children's buffers take: every request is answered all the same.
                long = [f"b{number}-{'x' * 7000}" for number in range(3000)]
                apache.get(long)
                expect("RingcastBuffer is full" in apache.errors(), "the error log tells that lines are dropped")
                os.kill(publisher, signal.SIGCONT)

                def counted():
                    return sum(m["lines"] for m in farm.markers("one.log", "dropped"))
                until("all is written or marked", lambda: len(farm.data("one.log")) + counted() >= 3050)
                written = asked(farm.data("one.log"))
                expect(counted() > 0, "some lines were dropped")
                expect_equal(len(written) + counted(), 3050, "lines and dropped lines")
                expect_equal(len(set(written)), len(written), "different requests")
                expect(set(written) <= set(names("a", 50) + long), "whole lines of requests that were made")
                apache.get(names("c", 50))
                until("lines after it", lambda: set(names("c", 50)) <= set(asked(farm.data("one.log"))))
            stop(one)


def test_conditions_formats_and_other_targets_are_those_of_mod_log_config():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        more = f"""BufferedLogs Off
SetEnvIf Request_URI "^/page" page
SetEnvIfExpr "%{{QUERY_STRING}} =~ /^quiet/" quiet
LogFormat "vhost=%v %U%q" short
CustomLog "$env" short env=page
CustomLog "$env" "not quiet: %q" env=!quiet
CustomLog "$expr" short "expr=%{{QUERY_STRING}} =~ /^b/"
CustomLog "|/bin/cat >>{farm.path('piped')}" short
<VirtualHost *:8080>
ServerName inherits.example
</VirtualHost>
<VirtualHost *:8080>
ServerName own.example
TransferLog "$own"
</VirtualHost>
"""
        more = more.replace('"|/bin/cat', '"|$/bin/cat')
        files = {group: subscribe(farm, group) for group in ("env", "expr", "own")}
        with Apache("event", config(farm, "d1", more)) as apache:
            for host, query in (("inherits.example", "quiet1"), ("inherits.example", "b2"), ("own.example", "b3")):
                apache.ask(f"GET /page?{query} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
            wanted = {"env": ["not quiet: ?b2", "vhost=inherits.example /page?b2", "vhost=inherits.example /page?quiet1"],
                      "expr": ["vhost=inherits.example /page?b2"]}
            for group, expected in wanted.items():
                until(f"lines of {group}", lambda g=group, e=expected: sorted(farm.data(files[g])) == e)
            until("lines of own.example", lambda: len(farm.data(files["own"])) == 1)
            expect("?b3" in farm.data(files["own"])[0], "its own log has the line of its virtual host")
            until("lines of the pipe", lambda: len(farm.read("piped")) == 2)
            expect_equal(farm.read("piped"), [f"vhost=inherits.example /page?{q}" for q in ("quiet1", "b2")], "the pipe")
            farm.wait_lines("one.log", 2)
            expect_equal(farm.data("one.log"), apache.read("access.log"), "lines beside those of the plain log")
        stop(one)


def test_buffered_logs_of_mod_log_config_work_beside_it():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        with Apache("prefork", config(farm, "d1", "BufferedLogs On")) as apache:
            apache.get(names("a", 100))
            farm.wait_lines("one.log", 100)
            apache.stop()
            until("both logs are as long", lambda: len(farm.data("one.log")) >= len(apache.read("access.log")))
            expect_equal(sorted(farm.data("one.log")), sorted(apache.read("access.log")), "both logs")
        stop(one)


def test_a_group_for_each_virtual_host_whatever_its_name():
    with Farm(1) as farm:
        hosts = {"WWW.Example.com:80": "vhost.www.example.com", "shop.writers": "vhost.shop.writer_",
                 "under_score": "vhost.under_score", "x" * 200: "vhost." + "x" * 50,
                 "$(reboot)": "vhost.__reboot_", "#vhost": "vhost._vhost"}
        groups = {*hosts.values(), "vhost.test.example", "vhost._other"}
        files = {group: subscribe(farm, group) for group in groups}
        more = ('CustomLog "$#vhost" "%V %U"\nUseCanonicalName Off\nHttpProtocolOptions Unsafe\n'
                f'RingcastGroupsMax {len(hosts) + 1}\nRingcastSpool {farm.path("spool")}')
        with Apache("event", config(farm, "d1", more)) as apache:
            answers = [apache.ask(f"GET /page HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
                       for host in ("test.example", *hosts)]
            bad = apache.ask(b"GET /page HTTP/1.1\r\nHost: ../../etc/passwd\r\nConnection: close\r\n\r\n")
            expect("400" in bad, f"Apache itself refuses a path for a host: {bad}")
            for number in range(200):
                apache.ask(f"GET /page HTTP/1.1\r\nHost: other{number}\r\nConnection: close\r\n\r\n".encode())
            until("lines of all hosts", lambda: len(farm.data(files["vhost._other"])) >= 200)
            expect_equal(sorted(farm.data(files["vhost._other"])), sorted(f"other{n} /page" for n in range(200)),
                         "lines of hosts beyond the limit")
            until("every line", lambda: sum(len(farm.data(file)) for file in files.values()) >= len(answers) + 201)
            expect_equal(sum(len(farm.data(file)) for file in files.values()), len(answers) + 201, "lines of all groups")
            expect("RingcastGroupsMax" in apache.errors() or "--groups-max" in apache.errors(), "it says that there are more")
            expect(len(apache.publishers("--group")) <= len(hosts) + 3, "publishers are bounded in number")
            apache.stop()
        for folder, _, found in os.walk(farm.path("spool")):
            expect(os.path.basename(folder) == "spool" or os.path.basename(folder).startswith(("vhost.", GROUP)), folder)
        expect_equal(sorted(os.listdir(farm.path("spool"))),
                     sorted(g for g in groups | {GROUP} if os.path.isdir(farm.path(f"spool/{g}"))), "spools")


def test_a_killed_child_takes_no_line_with_it():
    for mpm in MPM:
        with Farm(1) as farm:
            one = farm.writer("d1", "one.log")
            with Apache(mpm, config(farm, "d1")) as apache:
                apache.get(names("a", 200))
                until("both logs have them", lambda: len(apache.read("access.log")) == 200)
                for child in apache.children():
                    os.kill(child, signal.SIGKILL)
                until("children again", lambda: set(apache.children()))
                apache.get(names("b", 200))
                expect_complete(farm, apache, "one.log", names("a", 200) + names("b", 200))
            stop(one)


def test_long_lines_are_whole_or_marked():
    with Farm(1) as farm:
        one = farm.writer("d1", "one.log")
        many, more = "%r " * 12, "%r " * 40
        text = (f'RingcastDaemon {farm.cluster.socket("d1")}\nCustomLog "${GROUP}" "{many}" env=!huge\n'
                "RingcastBuffer 64M\n"
                f'SetEnvIfExpr "%{{QUERY_STRING}} =~ /^huge/" huge\nCustomLog "${GROUP}" "{more}" env=huge\n')
        with Apache("event", text) as apache:
            long = [f"a{number}-{'y' * 8000}" for number in range(200)]
            apache.get(long)
            apache.get([f"huge{'z' * 8000}"])
            until("the marker", lambda: farm.markers("one.log", "dropped"))
            farm.wait_lines("one.log", 200)
            wanted = sorted(f"GET /page?{name} HTTP/1.1 " * 12 for name in long)
            expect_equal(sorted(farm.data("one.log")), wanted, "lines of 96 KB")
            expect_equal([m["lines"] for m in farm.markers("one.log", "dropped")], [1], "the marker")
            expect("longer than 256 KiB" in apache.errors(), "the error log says why")
        stop(one)


def test_the_example_configuration_is_right():
    apache = Apache("event", f"Include {ROOT}/conf/apache2/log_ringcast.conf")
    try:
        code, said = apache.check()
        expect_equal(code, 0, f"conf/apache2/log_ringcast.conf: {said}")
        with open(f"{ROOT}/conf/apache2/log_ringcast.conf", encoding="utf-8") as file:
            commented = [line[1:] for line in file.read().splitlines() if line.startswith(("#R", "#C"))]
        expect(len(commented) > 4, "the example has directives in comments")
        apache.configure("LogFormat %h combined\n" + "\n".join(commented).replace("/usr/bin", BIN))
        code, said = apache.check()
        expect_equal(code, 0, f"what is in comments there: {said}")
    finally:
        apache.remove()


def test_mistakes_are_found_by_configtest():
    mistakes = {
        'CustomLog "$no/slash" common': '"$no/slash" names no group',
        'CustomLog "$" common': '"$" names no group',
        'CustomLog "$web.writers" common': "names no group",
        'CustomLog "$web" common env=': "missing environment variable name",
        "RingcastDaemon relative.sock": '"relative.sock" is neither the absolute path',
        "RingcastDaemon /a.sock,host:0": '"host:0" is neither',
        "RingcastBuffer 1k": '"1k" must be a size from 64k to 1024M',
        "RingcastGroupsMax 0": '"0" must be a number from 1 to 4096',
        'CustomLog "$web" common\nRingcastPublisher /no/such': "/no/such cannot be executed; RingcastPublisher names",
    }
    for text, wanted in mistakes.items():
        apache = Apache("event", text)
        try:
            code, said = apache.check()
            expect(code != 0 and wanted in said, f"{text}: exit code {code}, {said}")
        finally:
            apache.remove()
    apache = Apache("event", 'CustomLog "$web" common\nRingcastDaemon /a.sock,host:4914 [::1]:4914')
    try:
        code, said = apache.check()
        expect_equal(code, 0, f"a good one: {said}")
        expect(not os.path.exists(apache.path("error.log")), "configtest starts nothing")
    finally:
        apache.remove()


if __name__ == "__main__":
    run(globals())
