# SPDX-License-Identifier: Apache-2.0
"""What has been measured so far: a file of JSON lines, one per finished run, so that a comparison
which was interrupted goes on where it was. The first line says what it is a comparison of; a
file of another commit or plan is not continued."""

import json
import os

from harness import expect


class State:
    def __init__(self, path, identity):
        self.path = path
        self.runs = {}
        if not os.path.exists(path):
            self._append({"identity": identity})
            return
        with open(path, encoding="utf-8") as file:
            lines = [json.loads(line) for line in file if line.endswith("\n")]
        found = lines[0]["identity"] if lines else None
        expect(found == identity, f"{path} is of another comparison ({found}, now {identity}): give another --output,"
                                  " or --fresh to begin anew")
        for line in lines[1:]:
            self.runs[line["key"]] = line["value"]

    def _append(self, line):
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def put(self, key, value):
        self.runs[key] = value
        self._append({"key": key, "value": value})

    def get(self, key):
        return self.runs.get(key)
