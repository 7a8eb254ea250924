#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants the mutants: writes a copy of the protocol with every bug of *.mutant in it, each
behind `mutant(NUMBER)`, and the catalogue of them as C++.

    plant.py SOURCE_ROOT MUTANTS_FOLDER OUTPUT_FOLDER
    plant.py --outputs SOURCE_ROOT MUTANTS_FOLDER   # the files it would write, one per line

The protocol's sources stay as they are. A snippet that is not found exactly once, or that two
mutants want to change, is an error: a mutant cannot rot unseen. A file is written only when
its content is new, so that only what changed is compiled again.
"""

import os
import re
import sys

FIELDS = {"what", "pitfall", "here", "killed by", "plan", "quick"}
REQUIRED = {"what", "pitfall", "killed by", "plan", "quick"}
INCLUDE = '#include "mutants/mutant.hpp"\n'


class PlantError(Exception):
    pass


class Edit:
    def __init__(self, owner, path, line, snippet, replacement):
        self.owner = owner  # file name of the mutant
        self.path = path
        self.line = line
        self.snippet = snippet
        self.replacement = replacement

    def where(self):
        return f"{self.owner}:{self.line}"


def parse_edit(owner, lines, first):
    """The edit that begins at that line, and the line behind it."""
    try:
        if lines[first + 1] != "<<<":
            raise ValueError
        middle = lines.index("===", first)
        end = lines.index(">>>", middle)
    except (ValueError, IndexError):
        raise PlantError(f"{owner}:{first + 1}: an edit is @ FILE <<< === >>>") from None
    snippet = "\n".join(lines[first + 2:middle])
    replacement = "\n".join(lines[middle + 1:end])
    return Edit(owner, lines[first][2:].strip(), first + 1, snippet, replacement), end + 1


class Mutant:
    def __init__(self, file_name, text):
        self.file_name = file_name
        found = re.fullmatch(r"M(\d\d)-([a-z0-9-]+)\.mutant", file_name)
        if not found:
            raise PlantError(f"{file_name}: is not named like M08-accept-duplicate-token.mutant")
        self.number = int(found.group(1))
        self.name = found.group(2)
        self.fields = {}
        self.edits = []
        self.parse(text)
        self.check()

    def parse(self, text):
        lines = text.split("\n")
        at = 0
        key = None
        while at < len(lines):
            line = lines[at]
            if line.startswith("@ "):
                edit, at = parse_edit(self.file_name, lines, at)
                self.edits.append(edit)
                continue
            at += 1
            if not line.strip() or line.startswith("#"):
                continue
            if line.startswith(" ") and key:
                self.fields[key] += " " + line.strip()
                continue
            key, colon, value = line.partition(":")
            if not colon or key not in FIELDS or key in self.fields:
                raise PlantError(f"{self.file_name}:{at}: no field, or twice: {line}")
            self.fields[key] = value.strip()

    def check(self):
        missing = REQUIRED - set(self.fields)
        if missing:
            raise PlantError(f"{self.file_name}: has no '{sorted(missing)[0]}'")
        if not self.edits:
            raise PlantError(f"{self.file_name}: changes nothing")
        mark = f"mutant({self.number})"
        for edit in self.edits:
            others = [m for m in re.findall(r"mutant\(\d+\)", edit.replacement) if m != mark]
            if others:
                raise PlantError(f"{edit.where()}: is about {others[0]}")
            if mark not in edit.replacement and not edit.path.endswith(".hpp"):
                raise PlantError(f"{edit.where()}: the replacement does not ask {mark}")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def read_mutants(folder):
    mutants = []
    for file_name in sorted(os.listdir(folder)):
        if file_name.endswith(".mutant"):
            mutants.append(Mutant(file_name, read(os.path.join(folder, file_name))))
    numbers = [m.number for m in mutants]
    for number in numbers:
        if numbers.count(number) > 1:
            raise PlantError(f"two mutants have the number {number}")
    return mutants


def read_assertions(folder):
    """Edits that belong to no mutant: assertions that must not speak before an invariant does."""
    name = "assertions.edits"
    lines = read(os.path.join(folder, name)).split("\n")
    edits = []
    at = 0
    while at < len(lines):
        if not lines[at].startswith("@ "):
            if lines[at] and not lines[at].startswith("#"):
                raise PlantError(f"{name}:{at + 1}: neither an edit nor a comment")
            at += 1
            continue
        edit, at = parse_edit(name, lines, at)
        if "is_mutated()" not in edit.replacement:
            raise PlantError(f"{edit.where()}: the replacement does not ask is_mutated()")
        edits.append(edit)
    return edits


def protocol_sources(root):
    """The files of the library that the mutated one stands for."""
    paths = []
    for folder, folders, names in os.walk(os.path.join(root, "src/protocol")):
        folders.sort()
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")
            is_base = path.startswith(("src/protocol/base/", "src/protocol/session/frames"))
            if path.endswith(".cpp") and not is_base:
                paths.append(path)
    return paths


def apply(path, text, edits):
    """`text` with all edits, each of which is judged by the untouched text."""
    places = []
    for edit in edits:
        count = text.count(edit.snippet) if edit.snippet else 0
        if count != 1:
            raise PlantError(
                f"{edit.where()}: its snippet is {count} times in {path}, not once:\n{edit.snippet}")
        begin = text.index(edit.snippet)
        places.append((begin, begin + len(edit.snippet), edit))
    places.sort(key=lambda place: place[:2])
    result = []
    at = 0
    last = None
    for begin, end, edit in places:
        if begin < at:
            raise PlantError(f"{edit.where()} and {last.where()} change the same place of {path}")
        result += [text[at:begin], edit.replacement]
        at, last = end, edit
    return INCLUDE + "".join(result) + text[at:]


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def catalogue(mutants):
    lines = ["// Written by plant.py.", '#include "mutants/catalogue.hpp"', "",
             "namespace ringcast::mutants {", "", "const std::vector<Mutant>& catalogue() {",
             "  static const std::vector<Mutant> all = {"]
    for mutant in mutants:
        fields = mutant.fields
        killers = ", ".join(quoted(name) for name in fields["killed by"].split())
        quick = ", ".join(seed for seed in fields["quick"].split())
        lines += [f"      {{.number = {mutant.number},", f"       .name = {quoted(mutant.name)},",
                  f"       .what = {quoted(fields['what'])},", f"       .killers = {{{killers}}},",
                  f"       .plan = {quoted(fields['plan'])},", f"       .quick = {{{quick}}}}},"]
    lines += ["  };", "  return all;", "}", "", "}  // namespace ringcast::mutants", ""]
    return "\n".join(lines)


def shared_headers(root):
    """Headers the simulation is compiled against: their layout may not change."""
    include = re.compile(r'#include "(protocol/[^"]+)"')
    waiting = ["protocol/node.hpp"]
    for folder, _, names in os.walk(os.path.join(root, "tests/sim")):
        for name in names:
            if name.endswith((".cpp", ".hpp")):
                waiting += include.findall(read(os.path.join(folder, name)))
    found = set()
    while waiting:
        path = "src/" + waiting.pop()
        if path not in found:
            found.add(path)
            waiting += include.findall(read(os.path.join(root, path)))
    return found


def planted_paths(root, edits):
    paths = protocol_sources(root)
    shared = shared_headers(root)
    for edit in edits:
        if edit.path.endswith(".cpp") and edit.path not in paths:
            raise PlantError(f"{edit.where()}: {edit.path} is not of the mutated library")
        if edit.path in shared:
            raise PlantError(f"{edit.where()}: others are compiled against {edit.path}")
        if edit.path not in paths:
            paths.append(edit.path)
    return paths


def output_of(path):
    return path[len("src/"):]


def plant(root, folder):
    """Output path, relative -> content."""
    mutants = read_mutants(folder)
    edits = [e for m in mutants for e in m.edits] + read_assertions(folder)
    files = {}
    for path in planted_paths(root, edits):
        mine = [e for e in edits if e.path == path]
        files[output_of(path)] = apply(path, read(os.path.join(root, path)), mine)
    files["catalogue.cpp"] = catalogue(mutants)
    return files


def write_if_new(path, content):
    if os.path.exists(path) and read(path) == content:
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(content)


def main(arguments):
    try:
        if arguments[0] == "--outputs":
            files = plant(*arguments[1:])
            print("\n".join(files))
            return 0
        root, folder, output = arguments
        for path, content in plant(root, folder).items():
            write_if_new(os.path.join(output, path), content)
        return 0
    except PlantError as error:
        print(f"plant.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
