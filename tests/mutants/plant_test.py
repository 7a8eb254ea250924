#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""plant.py refuses what would let a mutant rot."""

import os
import tempfile
import unittest

import plant

HEAD = "what: w\npitfall: p\nkilled by: E1\nplan: lossy\nquick: 1 2\n"
PATH = "src/protocol/ring/ring.cpp"


def edit(snippet, replacement, path=PATH):
    return f"@ {path}\n<<<\n{snippet}\n===\n{replacement}\n>>>\n"


class PlantTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = os.path.join(self.folder.name, "root")
        self.mutants = os.path.join(self.folder.name, "mutants")
        os.makedirs(self.mutants)
        self.write(self.root, PATH, "a();\nb();\nb();\nc();\n")
        self.write(self.root, "src/protocol/node.hpp", "x\n")
        self.write(self.mutants, "assertions.edits", "# none\n")

    def tearDown(self):
        self.folder.cleanup()

    @staticmethod
    def write(folder, name, text):
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def mutant(self, name, text):
        self.write(self.mutants, name, text)

    def planted(self):
        return plant.plant(self.root, self.mutants)

    def refused(self, words):
        with self.assertRaises(plant.PlantError) as caught:
            self.planted()
        self.assertIn(words, str(caught.exception))

    def test_plants(self):
        self.mutant("M01-one.mutant", HEAD + edit("a();", "if (!mutant(1)) a();"))
        files = self.planted()
        self.assertEqual(
            files["protocol/ring/ring.cpp"],
            plant.INCLUDE + "if (!mutant(1)) a();\nb();\nb();\nc();\n")
        self.assertIn('.name = "one"', files["catalogue.cpp"])
        self.assertIn(".quick = {1, 2}", files["catalogue.cpp"])

    def test_refuses_a_snippet_that_is_gone(self):
        self.mutant("M01-one.mutant", HEAD + edit("gone();", "mutant(1);"))
        self.refused("0 times")

    def test_refuses_a_snippet_that_is_there_twice(self):
        self.mutant("M01-one.mutant", HEAD + edit("b();", "mutant(1);"))
        self.refused("2 times")

    def test_refuses_two_that_change_one_place(self):
        self.mutant("M01-one.mutant", HEAD + edit("a();", "mutant(1);"))
        self.mutant("M02-two.mutant", HEAD + edit("a();\nb();", "mutant(2);"))
        self.refused("change the same place")

    def test_refuses_an_edit_of_another_mutant(self):
        self.mutant("M01-one.mutant", HEAD + edit("a();", "if (mutant(2)) a();"))
        self.refused("is about mutant(2)")

    def test_refuses_an_edit_that_always_acts(self):
        self.mutant("M01-one.mutant", HEAD + edit("a();", "d();"))
        self.refused("does not ask mutant(1)")

    def test_refuses_a_shared_header(self):
        self.mutant("M01-one.mutant", HEAD + edit("x", "mutant(1)", "src/protocol/node.hpp"))
        self.refused("compiled against")

    def test_refuses_a_file_without_killers(self):
        text = HEAD.replace("killed by: E1\n", "") + edit("a();", "mutant(1);")
        self.mutant("M01-one.mutant", text)
        self.refused("has no 'killed by'")

    def test_refuses_a_number_twice(self):
        self.mutant("M01-one.mutant", HEAD + edit("a();", "mutant(1);"))
        self.mutant("M01-two.mutant", HEAD + edit("c();", "mutant(1);"))
        self.refused("two mutants have the number 1")


if __name__ == "__main__":
    unittest.main()
