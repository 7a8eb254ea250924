# SPDX-License-Identifier: Apache-2.0
"""What the monitor serves: JSON, events and metrics, to whom, and what bad clients do to it."""

import contextlib
import re
import signal
import socket
import subprocess
import tempfile

from farm import GROUP, Farm
from harness import PATIENCE, expect, expect_equal, program, run, until
from http_client import TOKEN, Events, Served, ask_json, port_of
from monitor_test import SAMPLE, counted_by_awk, expect_counts, sample_lines


def sums_of(metrics):
    """Of each sample, over all of its labels but code."""
    sums = {}
    for line in metrics.splitlines():
        found = re.fullmatch(r"(\w+?)(?:_total)?(?:\{(.*)\})? (\S+)", line)
        if line.startswith("#") or not found:
            continue
        code = re.search(r'code="(\d+)"', found.group(2) or "")
        name = f"code:{code.group(1)}" if code and found.group(1) == "ringlog_responses" else found.group(1)
        sums[name] = sums.get(name, 0) + float(found.group(3))
    return sums


def test_totals_that_are_served_equal_an_awk_count():
    wanted = counted_by_awk(SAMPLE)
    with Served("--file", SAMPLE) as served:
        until("the file is read", lambda: served.json("/api/figures")["lines"] == 10000)
        figures = served.json("/api/figures?top=10000")
        expect_counts(figures, wanted, "counts of the API that differ")
        printed = dict(figures)
        answer = served.ask("/metrics")
        expect_equal(answer.headers["Content-Type"], "application/openmetrics-text; version=1.0.0; charset=utf-8",
                     "type of the metrics")
        expect(answer.text.endswith("\n# EOF\n"), "the metrics have their end")
        sums = sums_of(answer.text)
        for name, metric in (("requests", "ringlog_requests"), ("bytes", "ringlog_response_bytes"),
                             ("errors", "ringlog_errors"), ("unparsed", "ringlog_unparsed_lines")):
            expect_equal(sums[metric], wanted[name], metric)
        codes = {name: count for name, count in sums.items() if name.startswith("code:")}
        expect_equal(codes, {name: count for name, count in wanted.items() if name.startswith("code:")}, "codes")
        table = served.json("/api/table?name=pages&limit=10000")
        expect_equal({f"page:{row['key']}": row["requests"] for row in table["rows"]},
                     {name: count for name, count in wanted.items() if name.startswith("page:")}, "the table of pages")
        history = served.json("/api/history?range=all")
        expect(abs(sum(history["requests"]) * history["step"] - wanted["requests"]) < 0.02 * wanted["requests"],
               "the plot of all time holds all requests")
        served.stream.signal(signal.SIGTERM)
        expect_equal(served.stream.end(), 0, "exit code")
        final = served.stream.events[-1]
        for name in ("pages", "clients", "referrers", "agents", "visits", "final"):
            final.pop(name), printed.pop(name)
        expect_equal(printed, final, "what is served, against what --json prints")


def test_tables_are_filtered_and_sorted():
    with Served("--file", SAMPLE) as served:
        until("the file is read", lambda: served.json("/api/figures")["lines"] == 10000)
        rows = served.json("/api/table?name=pages&text=PUPPET&field=key&limit=3")
        expect_equal(rows["rows"][0]["key"], "/blog/tags/puppet", "the first of those that fit")
        expect_equal(len(rows["rows"]), 3, "rows up to the limit")
        expect(rows["matching"] > 3, "more of them fit")
        found = served.json("/api/table?name=codes&field=code&text=%3E%3D400&sort=code&order=asc")
        codes = [int(name[5:]) for name in counted_by_awk(SAMPLE) if name.startswith("code:4") or name.startswith("code:5")]
        expect_equal([row["code"] for row in found["rows"]], sorted(codes), "codes from 400 on")


def test_events_follow_a_pipe():
    with Served("--file", "-", stdin=subprocess.PIPE) as served:
        events = Events(served.port)
        expect_equal(events.next()["figures"]["requests"], 0, "requests before there are any")
        served.write(sample_lines()[:2000])
        event = events.wait("2000 lines", lambda one: one["figures"]["lines"] == 2000)
        expect_equal(len(event["seconds"]["requests"]), len(event["seconds"]["errors"]), "seconds in all columns")
        tail = served.json("/api/tail?limit=5")
        expect_equal([line["text"] for line in tail["lines"]], sample_lines()[1995:2000], "the last lines")
        events.close()
        served.stream.process.stdin.close()
        expect_equal(served.json("/api/figures")["lines"], 2000, "it goes on to serve when the pipe has ended")


def test_several_groups_stand_each_by_itself():
    with Farm(2) as farm:
        watch = farm.cluster.stream("d1", "--socket", farm.cluster.socket("d1"), "--group", GROUP, "--group", "api",
                                    "--group", GROUP, "--as", "mon", "--json", "--interval", "1h", "--listen", "0", tool="ringlog-monitor")
        port = port_of(watch)
        for group in (GROUP, "api"):
            until(f"the monitor joined {group}", lambda name=group: "#mon#d1" in farm.members("d1", name))
        text = sample_lines()
        farm.publish("d2", text[:3000])
        farm.cluster.run("d2", "--socket", farm.cluster.socket("d2"), "--group", "api",
                         stdin="".join(f"{line}\n" for line in text[3000:4000]).encode(), tool="ringlog-publish").must()

        def lines(query):
            return ask_json(port, f"/api/figures{query}", namespace="d1")["lines"]
        until("all lines came", lambda: lines("") == 4000)
        expect_equal((lines(f"?group={GROUP}"), lines("?group=api")), (3000, 1000), "lines of each group")
        expect_equal([group["name"] for group in ask_json(port, "/api/groups", namespace="d1")["groups"]], [GROUP, "api"],
                     "the groups")
        event = Events(port, "?group=api", namespace="d1").next()
        expect_equal(event["figures"]["lines"], 1000, "lines in an event of one group")
        expect_equal(sorted(event["figures"]["ring"]["daemons"]), ["d1", "d2"], "the ring")


def test_a_visitor_is_followed_across_servers():
    with Served("--file", "-", "--server-by", "vhost", "--format", "vhost-combined", stdin=subprocess.PIPE) as served:
        way = [("www", "/", 200), ("www", "/cart", 200), ("pay", "/pay", 302), ("www", "/thanks", 200)]
        served.write([f'{host}:80 192.0.2.7 - - [17/May/2015:10:05:0{second} +0000] "GET {page} HTTP/1.1" {status} 10 "-" '
                      '"agent"' for second, (host, page, status) in enumerate(way)])
        until("the lines are read", lambda: served.json("/api/figures")["lines"] == 4)
        [visitor] = served.json("/api/table?name=online")["rows"]
        expect_equal((visitor["client"], visitor["page"], visitor["requests"]), ("192.0.2.7", "/thanks", 4), "who is online")
        clicks = served.json(f"/api/clicks?id={visitor['id']}")
        seen = [(click["server"].split(":")[0], click["page"], click["status"]) for click in clicks["clicks"]]
        expect_equal(seen, way, "the way")


def test_a_token_is_asked_for():
    with tempfile.NamedTemporaryFile("w", suffix=".token") as file:
        file.write(TOKEN + "\n")
        file.flush()
        with Served("--file", SAMPLE, "--token-file", file.name) as served:
            for path in ("/api/figures", "/api/events", "/metrics", f"/api/figures?token={TOKEN}"):
                expect_equal(served.ask(path).status, 401, f"status of {path} without a token")
            expect_equal(served.ask("/metrics", Authorization=f"Bearer {TOKEN[:-1]}").status, 401, "a wrong token")
            expect_equal(served.ask("/metrics", Authorization=f"Bearer {TOKEN}").status, 200, "the token")
            page = served.ask("/")
            expect_equal(page.status, 200, "the page, which asks for the token")
            expect("apache_access" not in page.text, "the page holds nothing of the log")
            expect_equal(served.ask("/login", method="POST", body="odd").status, 401, "signing in with a wrong token")
            login = served.ask("/login", method="POST", body=TOKEN)
            cookie = login.headers["Set-Cookie"]
            expect("HttpOnly" in cookie and "SameSite=Strict" in cookie and TOKEN not in cookie, f"the cookie {cookie}")
            expect_equal(served.ask("/api/groups", Cookie=cookie.split(";")[0]).status, 200, "with the cookie")
            expect("Max-Age=0" in served.ask("/logout", method="POST").headers["Set-Cookie"], "the cookie ends")


def test_wrong_requests_have_their_status_and_headers():
    with Served("--file", SAMPLE) as served:
        for path in ("/odd", "/api/odd", "/../../etc/passwd", "/api/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
                     "/index.html", "/api/table?name=../../etc/passwd"):
            served.json(path, status=404)
        for path in ("/api/table?name=pages&sort=odd", "/api/figures?odd=1", "/api/tail?limit=-1"):
            served.json(path, status=400)
        expect_equal(served.ask("/", method="DELETE").headers["Allow"], "GET, HEAD", "what is allowed")
        served.json("/api/figures", method="POST", body="{}", status=405)
        served.json("/login", status=405)
        served.json("/login", method="POST", body="x" * 10000, status=413)
        expect(400 <= served.ask("/", Odd="x" * 100000).status < 500, "a header that is too long")
        served.json("/api/figures", Host="ringlog.evil.example", status=421)
        answer = served.ask("/")
        expect("default-src 'none'" in answer.headers["Content-Security-Policy"], "the page's policy")
        expect("'unsafe" not in answer.headers["Content-Security-Policy"], "nothing unsafe in it")
        for name, value in (("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"),
                            ("Referrer-Policy", "no-referrer"), ("Cross-Origin-Resource-Policy", "same-origin")):
            expect_equal(answer.headers[name], value, name)
        expect_equal(served.ask("/api/groups").headers["Access-Control-Allow-Origin"], None, "for other sites")
        head = served.ask("/api/events", method="HEAD")
        expect_equal((head.status, head.text), (200, ""), "HEAD")


def test_slow_clients_hold_nobody_up():
    with Served("--file", "-", stdin=subprocess.PIPE) as served, contextlib.ExitStack() as stack:
        def hold(text):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", served.port), PATIENCE))
            client.sendall(text.encode())
        for _ in range(60):
            hold("")
            hold("GET /api/figures HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
            hold("GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")  # and never reads
        text = sample_lines()
        for _ in range(5):
            served.write(text)
        until("all lines are counted", lambda: served.json("/api/figures")["lines"] == 50000)
        until("60 streams", lambda: sums_of(served.ask("/metrics").text)["ringlog_http_streams"] == 60)
        for _ in range(10):
            hold("GET /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        until("no more streams than there may be", lambda: served.ask("/api/events").status == 503)


def refused(*words):
    done = subprocess.run([program("ringlog-monitor"), "--file", SAMPLE, *words], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=PATIENCE, check=False)
    expect(done.stderr.strip(), f"{words} says why")
    return done.returncode


def test_what_cannot_be_served_is_refused_at_the_start():
    expect_equal(refused("--listen", "odd"), 2, "an address that is none")
    expect_equal(refused("--listen", ""), 2, "no address at all")
    expect_equal(refused("--listen", "0.0.0.0:0"), 2, "for other hosts, without a token")
    expect_equal(refused("--listen", "no-such-host.invalid:80"), 2, "a host that is not there")
    expect_equal(refused("--token", TOKEN), 2, "a token for nothing")
    expect_equal(refused("--listen", "0", "--token", "short"), 2, "a short token")
    expect_equal(refused("--listen", "0", "--token-file", "/nowhere"), 2, "a file that is not there")
    expect_equal(refused("--listen", "0", "--token", TOKEN, "--no-token"), 2, "a token and none")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        expect_equal(refused("--listen", str(taken.getsockname()[1])), 1, "a port that is taken")
    with Served("--file", SAMPLE, "--listen", "0.0.0.0:0", "--no-token") as served:
        expect_equal(served.ask("/api/groups").status, 200, "for other hosts, as was said")


if __name__ == "__main__":
    run(globals())
