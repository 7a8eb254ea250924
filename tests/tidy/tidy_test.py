#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each rule of tidy.py bites: a tree that breaks one is reported, a tree that keeps all is not."""

import os
import tempfile
import unittest

import tidy

SPDX = "// SPDX-License-Identifier: Apache-2.0\n"


class TidyTest(unittest.TestCase):
    def problems(self, files, executable=()):
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full) or root, exist_ok=True)
                with open(full, "w", encoding="utf-8") as file:
                    file.write(text)
                os.chmod(full, 0o755 if path in executable else 0o644)
            return [f"{path}:{line}: {problem}" for path, line, problem in tidy.problems_in(root)]

    def assert_one(self, files, *words, **more):
        found = self.problems(files, **more)
        self.assertEqual(len(found), 1, found)
        for word in words:
            self.assertIn(word, found[0])

    def test_an_orderly_tree_has_no_problems(self):
        self.assertEqual(self.problems({
            "src/protocol/ring/ring.cpp": SPDX + '#include <vector>\n#include "protocol/base/ids.hpp"\n// [ORD-1]\n',
            "src/protocol/ring/ring.hpp": SPDX + "#pragma once\n// steady_clock::now in a comment\n",
            "docs/protocol.md": "# Rules\n\n**[ORD-1]** order.\n\nSee [there](#rules).\n",
            "tools/ringcast/main.cpp": SPDX + '#include "ringcast/client.hpp"\n#include "common.hpp"\n',
            "tools/ringcast/common.hpp": SPDX + "#pragma once\n",
            "run.sh": "#!/bin/sh\nset -eu\n",
        }, executable=("run.sh",)), [])

    def test_what_the_page_of_pitfalls_names_is_there(self):
        page = "| x | y | `ring/a`, `test_it`; \"it holds\" |\n"
        there = {
            "tests/script/ring/a.txt": "",
            "tests/integration/a_test.py": "#!/usr/bin/env python3\n# SPDX-License-Identifier: Apache-2.0\n"
                                           "def test_it():\n",
            "tests/unit/a.cpp": SPDX + 'TEST_CASE("it holds [ORD-1]") {}\n',
            "docs/protocol.md": "**[ORD-1]** order.\n",
        }
        executable = ("tests/integration/a_test.py",)
        self.assertEqual(self.problems({"docs/pitfalls.md": page, **there}, executable), [])
        for gone, word in (("ring/a", "script"), ("test_it", "integration"), ("it holds", "unit")):
            self.assert_one({"docs/pitfalls.md": page.replace(gone, gone + "-not"
                             if gone != "test_it" else "test_not"), **there},
                            "pitfalls.md:1", word, executable=executable)

    def test_groups_may_not_include_the_ring(self):
        self.assert_one({"src/protocol/groups/a.cpp": SPDX + '#include "protocol/ring/ring.hpp"\n'}, "a.cpp:2", "layer")

    def test_the_client_may_include_frames_and_no_other_part_of_sessions(self):
        self.assertEqual(self.problems({
            "src/client/a.cpp": SPDX + '#include "protocol/session/frames.hpp"\n#include <sys/socket.h>\n'}), [])
        self.assert_one({"src/client/a.cpp": SPDX + '#include "protocol/session/session.hpp"\n'}, "layer")
        self.assert_one({"src/client/a.cpp": SPDX + "#include <asio.hpp>\n"}, "asio.hpp")

    def test_tools_see_public_headers_only(self):
        self.assert_one({"tools/ringcast/a.cpp": SPDX + '#include "protocol/base/ids.hpp"\n'}, "layer")

    def test_nothing_includes_tests(self):
        self.assert_one({"bench/a.cpp": SPDX + '#include "tests/sim/cluster.hpp"\n'}, "nothing includes tests")

    def test_the_core_has_no_clock_socket_or_thread(self):
        for line in ("auto t = std::chrono::steady_clock::now();", "#include <thread>", "#include <iostream>",
                     "auto e = getenv(\"HOME\");", "int r = rand();", "spdlog::info(1);", "std::random_device d;"):
            self.assert_one({"src/protocol/ring/a.cpp": SPDX + line + "\n"}, "a.cpp:2")
        found = self.problems({"src/protocol/ring/a.cpp": SPDX + "#include <sys/socket.h>\n"})
        self.assertEqual(len(found), 2, found)  # as a header, and as a layer

    def test_names_that_contain_banned_words_are_fine(self):
        self.assertEqual(self.problems({
            "src/protocol/ring/a.cpp": SPDX + "void operand(); int x = run_time(now); strand(1); auto toml_x = 1;\n"}), [])

    def test_files_have_a_licence_line_and_headers_a_guard(self):
        self.assert_one({"src/daemon/a.cpp": "int x;\n"}, "SPDX")
        self.assert_one({"src/daemon/a.hpp": SPDX}, "#pragma once")

    def test_files_end_at_600_lines(self):
        self.assertEqual(self.problems({"src/daemon/a.cpp": SPDX + "\n" * 599}), [])
        self.assert_one({"src/daemon/a.cpp": SPDX + "\n" * 600}, "601 lines")

    def test_a_cited_rule_exists_and_is_defined_once(self):
        self.assert_one({"src/daemon/a.cpp": SPDX + "// [MBR-9]\n", "docs/protocol.md": "[MBR-1] x\n"}, "[MBR-9]")
        self.assert_one({"docs/protocol.md": "[MBR-1] x\n", "docs/session.md": "[MBR-1] y\n"}, "defined twice")

    def test_links_resolve(self):
        self.assert_one({"README.md": "[x](docs/none.md)\n"}, "no such file")
        self.assert_one({"README.md": "[x](#nowhere)\n# Here\n"}, "no such heading")
        self.assertEqual(self.problems({"README.md": "[x](#a-b-here) `[y](z)` [w](https://x.org)\n# A b, `here`\n"}), [])

    def test_a_todo_names_an_issue(self):
        self.assert_one({"src/daemon/a.cpp": SPDX + "// TODO later\n"}, "without an issue")
        self.assertEqual(self.problems({"src/daemon/a.cpp": SPDX + "// TODO(#12): later\n"}), [])

    def test_shell_scripts_stop_at_errors(self):
        self.assert_one({"a.sh": "#!/bin/sh\necho\n"}, "set -eu", executable=("a.sh",))
        self.assert_one({"tool": "#!/usr/bin/env bash\necho\n"}, "set -eu", executable=("tool",))

    def test_a_type_has_its_name_alone(self):
        named = SPDX + "#pragma once\nnamespace ringcast {\nstruct Run {\n};\n}  // namespace ringcast\n"
        self.assert_one({"src/daemon/a.hpp": named, "src/protocol/b.hpp": named}, "ringcast::Run")
        hidden = SPDX + "namespace ringcast {\nnamespace {\nstruct Run {\n};\n}  // namespace\n}  // namespace ringcast\n"
        self.assertEqual(self.problems({"src/daemon/a.hpp": named, "src/protocol/b.cpp": hidden}), [])
        elsewhere = named.replace("namespace ringcast", "namespace ringcast::tools")
        self.assertEqual(self.problems({"src/daemon/a.hpp": named, "tools/common/b.hpp": elsewhere}), [])

    def test_sleeping_is_not_waiting(self):
        self.assert_one({"tests/unit/a.cpp": SPDX + "std::this_thread::sleep_for(x);\n"}, "do not sleep")


if __name__ == "__main__":
    unittest.main()
