# SPDX-License-Identifier: Apache-2.0
"""Which sources scripts/tidy-changed.sh looks at, with a clang-tidy that only says yes."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../scripts/tidy-changed.sh")
PROJECT = {
    "include/ringcast/view.hpp": "",
    "src/protocol/codec.hpp": "",
    "src/protocol/encode.cpp": '#include "protocol/codec.hpp"\n',
    "src/client/client.cpp": '#include "ringcast/view.hpp"\n',
    "src/client/inbox.hpp": "",
    "src/client/inbox.cpp": '#include "client/inbox.hpp"\n',
    "src/client/lonely.hpp": "",
}


class TidyChanged(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        for path, text in PROJECT.items():
            self.write(path, text)
        os.makedirs(self.path("scripts"))
        shutil.copy(SCRIPT, self.path("scripts/tidy-changed.sh"))
        self.write("bin/clang-tidy-14", '#!/bin/sh\nfor last; do :; done\necho "$last" >>"$LOOKED_AT"\n')
        os.chmod(self.path("bin/clang-tidy-14"), 0o755)
        self.write("build/compile_commands.json", json.dumps(
            [{"file": self.path(path)} for path in [*PROJECT, "src/client/new.cpp"] if path.endswith(".cpp")]))
        self.write(".gitignore", "build/\nbin/\nlooked_at\n")
        self.git("init", "-q")
        self.git("add", ".")
        self.git("-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "start")

    def path(self, path):
        return os.path.join(self.folder.name, path)

    def write(self, path, text):
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        with open(self.path(path), "w", encoding="utf-8") as file:
            file.write(text)

    def git(self, *words):
        subprocess.run(["git", "-C", self.folder.name, *words], check=True, capture_output=True)

    def looked_at(self):
        env = dict(os.environ, PATH=f"{self.path('bin')}:{os.environ['PATH']}", LOOKED_AT=self.path("looked_at"),
                   RINGCAST_TIDY_BASE="HEAD")
        done = subprocess.run([self.path("scripts/tidy-changed.sh"), "build"], env=env, capture_output=True, text=True,
                              timeout=30, check=True)
        files = []
        if os.path.exists(self.path("looked_at")):
            with open(self.path("looked_at"), encoding="utf-8") as file:
                files = sorted(file.read().split())
        return files, done.stderr

    def test_nothing_changed(self):
        self.assertEqual(self.looked_at()[0], [])

    def test_a_header_is_looked_at_through_the_source_of_its_name(self):
        self.write("src/client/inbox.hpp", "// changed\n")
        self.assertEqual(self.looked_at()[0], ["src/client/inbox.cpp"])

    def test_a_header_without_one_is_looked_at_through_those_that_include_it(self):
        self.write("include/ringcast/view.hpp", "// changed\n")
        self.write("src/protocol/codec.hpp", "// changed\n")
        self.assertEqual(self.looked_at()[0], ["src/client/client.cpp", "src/protocol/encode.cpp"])

    def test_a_header_that_no_source_includes_is_named(self):
        self.write("src/client/lonely.hpp", "// changed\n")
        files, said = self.looked_at()
        self.assertEqual(files, [])
        self.assertIn("no source for: src/client/lonely.hpp", said)

    def test_new_files_count(self):
        self.write("src/client/new.cpp", "// new\n")
        self.assertEqual(self.looked_at()[0], ["src/client/new.cpp"])


if __name__ == "__main__":
    unittest.main()
