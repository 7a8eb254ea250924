# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL crashes and starts again while rows flow."""

import os

from trouble import Feeder

from farm import Farm, lines
from harness import expect, expect_equal, until
from postgres import Postgres
from sinks_test import FILE, Service


def test_postgresql_crashes_again_and_again_while_rows_flow():
    rounds, piece = 5, 20000
    with Farm(1) as farm, Postgres(farm.folder) as server:
        service = Service(farm, FILE + f'[[sink]]\ntype = "postgresql"\nname = "pg"\nconnection = "{server.connection()}"\n')
        publisher = farm.publisher("d1")
        text = lines("x" * 60, rounds * piece)

        def count():
            found = server.query("SELECT count(*) FROM ringlog", check=False)
            return int(found[0][0]) if found else 0
        for number in range(rounds):
            before = count()
            feeder = Feeder(publisher, text[number * piece:(number + 1) * piece])
            until("rows flow", lambda n=before: count() > n)
            server.stop()  # pg_ctl stop -m immediate: what runs is cut off
            feeder.end()
            server.start()
        publisher.process.stdin.close()
        expect_equal(publisher.end(), 0, f"exit code of the publisher; it said: {publisher.errors()}")
        until("all rows are in", lambda: count() == len(text), 60)
        figures = service.stop()["pg"]
        expect(figures["errors"] >= rounds, f"errors of the sink, one a crash at least: {figures}")
        said = service.stream.errors()
        expect("weblogs/pg: PostgreSQL: " in said and "; nothing is lost, trying again" in said, said)
        expect("weblogs/pg: writing again" in said, said)
        expect_equal([row[0] for row in server.query("SELECT line FROM ringlog ORDER BY position")], text, "the table")
        expect_equal(server.query("SELECT count(DISTINCT (producer, seq)), min(seq), max(seq) FROM ringlog"),
                     [[str(len(text)), "1", str(len(text))]], "names of the lines")
        size = os.path.getsize(farm.path("journal"))
        expect_equal(server.query("SELECT position FROM ringlog_position"), [[str(size)]], "the position")
        expect_equal((figures["position"], figures["lag_bytes"]), (size, 0), "what the sink says of it")
        expect_equal(farm.read("out/access.log"), text, "the file beside it")
