#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The house rules that a compiler does not see, as a test.

    tidy.py [ROOT]

Prints one `file:line: problem` per breach and exits 1 when there is any. Each rule is a
function from the tree to problems; docs/style.md gives the reasons.
"""

import os
import re
import sys

SKIPPED_FOLDERS = {".git", "build", "demo.out", ".cache", "__pycache__"}
CODE = (".cpp", ".hpp")
LINES_MAX = 600

# Who may include whom. First matching prefix of the including file decides; an include of ours
# must start with one of the listed prefixes. Third-party headers: see THIRD_PARTY.
LAYERS = [
    ("include/ringcast/", ["ringcast/"]),
    ("src/protocol/base/", ["ringcast/", "protocol/base/"]),
    ("src/protocol/wire/", ["ringcast/", "protocol/base/", "protocol/wire/"]),
    ("src/protocol/ring/", ["ringcast/", "protocol/base/", "protocol/wire/", "protocol/ring/",
                            "protocol/effects.hpp"]),
    ("src/protocol/groups/", ["ringcast/", "protocol/base/", "protocol/groups/"]),
    ("src/protocol/session/", ["ringcast/", "protocol/base/", "protocol/session/"]),
    ("src/protocol/", ["ringcast/", "protocol/"]),
    ("src/configuration/", ["configuration/"]),
    ("src/local/", ["local/"]),
    ("src/daemon/", ["ringcast/", "protocol/", "configuration/", "local/", "daemon/"]),
    ("src/client/", ["ringcast/", "protocol/session/frames.hpp", "protocol/base/", "local/", "client/"]),
    ("tools/", ["ringcast/", "configuration/", "tools/", "ringlog/", "ringlog-publish/", "ringlog-write/"]),
    ("examples/", ["ringcast/"]),
]

# Third-party and system headers (anything in <> with a dot or a slash) by layer; None: all.
THIRD_PARTY = [
    ("include/ringcast/", []),
    ("src/protocol/", ["xxhash.h", "xxh_x86dispatch.h"]),
    ("src/client/", ["xxhash.h", "sys/", "netinet/", "arpa/", "poll.h", "unistd.h", "fcntl.h", "netdb.h",
                     "signal.h"]),
    ("src/", None),
    ("tools/", None),
    ("tests/", None),
    ("bench/", None),
    ("examples/", None),
]

# What the sans-I/O core must not name (comments and strings excepted).
BANNED_IN_PROTOCOL = [
    (r"\b(?:system|steady|high_resolution|utc)_clock\s*::\s*now\b", "reads a clock; time is an argument"),
    (r"#\s*include\s*<(?:sys/socket|netinet/|arpa/|netdb|poll|sys/epoll|sys/un)", "socket header"),
    (r"#\s*include\s*<(?:thread|mutex|shared_mutex|condition_variable|future|atomic|stop_token)>", "thread header"),
    (r"#\s*include\s*<(?:iostream|fstream|filesystem|random|ctime)>", "header of the outside world"),
    (r"\bstd::(?:thread|jthread|mutex|random_device|cout|cerr|cin|shared_ptr|weak_ptr|make_shared)\b",
     "not in the protocol"),
    (r"\b(?:s?rand|random|getenv|secure_getenv|gettimeofday|clock_gettime|time)\s*\(\s*(?:\)|nullptr|NULL|&|\")",
     "reads the environment"),
    (r"\b(?:printf|fprintf|puts|fputs|fopen|fwrite)\s*\(", "the protocol does not log, it traces"),
    (r"\b(?:spdlog|asio|toml)\s*(?:::|/)", "library of the daemon"),
    (r"\bthrow\b", "we throw nothing"),
]
BANNED_EVERYWHERE = [
    (r"#\s*include\s*<ranges>", "clang-tidy 14 cannot parse views; std::ranges algorithms are in <algorithm>"),
    (r"\bstd::views::", "clang-tidy 14 cannot parse views"),
    (r"#\s*include\s*<(?:format|source_location|expected)>", "not in both compilers"),
    (r"\b(?:sleep_for|sleep_until|usleep|nanosleep)\s*\(", "wait for a condition with a deadline, do not sleep"),
]
# Assertions print before they abort, and that is all the output the core has.
BANNED_EXCEPTIONS = {"src/protocol/base/assert.cpp": {"the protocol does not log, it traces", "thread header"}}

RULE_DOCUMENTS = ["docs/protocol.md", "docs/groups.md", "docs/session.md"]
RULE_CITATION = re.compile(r"\[([A-Z]{2,5}-\d+)\]")
# Families whose rules are not ours to define.
FOREIGN_RULES = ("RFC-", "ISO-", "ADR-", "CVE-")


class Tree:
    """All text files below a root, by path relative to it."""

    def __init__(self, root):
        self.root = root
        self.files = {}
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(f for f in folders if f not in SKIPPED_FOLDERS)
            for name in sorted(names):
                path = os.path.join(folder, name)
                if os.path.islink(path) or not os.path.isfile(path):
                    continue
                relative = os.path.relpath(path, root).replace(os.sep, "/")
                self.files[relative] = path
        self._texts = {}

    def text(self, relative):
        if relative not in self._texts:
            with open(self.files[relative], encoding="utf-8", errors="replace") as file:
                self._texts[relative] = file.read()
        return self._texts[relative]

    def matching(self, prefixes, suffixes):
        return [f for f in self.files if f.startswith(tuple(prefixes)) and f.endswith(tuple(suffixes))]

    def code(self):
        return self.matching(["include/", "src/", "tools/", "tests/", "bench/", "examples/"], CODE)

    def exists(self, relative):
        return os.path.exists(os.path.join(self.root, relative))


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def without_comments(text):
    """The same text with comments and string contents blanked, so that offsets stay."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)

    def blank(match):
        found = match.group(0)
        if found.startswith('"'):
            # An include's path must survive.
            line_start = text.rfind("\n", 0, match.start()) + 1
            if re.match(r"\s*#\s*include\s*$", text[line_start:match.start()]):
                return found
        return re.sub(r"[^\n]", " ", found)

    return pattern.sub(blank, text)


def first_match(table, path):
    for prefix, value in table:
        if path.startswith(prefix):
            return value
    return None


def check_includes(tree):
    for path in tree.code():
        allowed = first_match(LAYERS, path)
        third_party = first_match(THIRD_PARTY, path)
        for match in re.finditer(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', tree.text(path), re.M):
            kind, target = match.groups()
            line = line_of(tree.text(path), match.start())
            if kind == '"':
                if target.startswith("tests/") and not path.startswith("tests/"):
                    yield path, line, f"nothing includes tests ({target})"
                elif allowed is not None and not included_from_layer(tree, path, target, allowed):
                    yield path, line, f'"{target}" is not for this layer (may include: {", ".join(allowed)})'
            elif third_party is not None and ("." in target or "/" in target):
                if not target.startswith(tuple(third_party)) or not third_party:
                    yield path, line, f"<{target}> is not for this layer"


def included_from_layer(tree, path, target, allowed):
    if target.startswith(tuple(allowed)):
        return True
    # A tool's own files are found beside it or below tools/.
    if path.startswith("tools/"):
        beside = os.path.dirname(path) + "/" + target
        return beside in tree.files or "tools/" + target in tree.files
    return False


def check_sizes(tree):
    for path in tree.code() + tree.matching(["tests/", "scripts/"], [".py", ".sh"]):
        lines = tree.text(path).count("\n")
        if lines > LINES_MAX:
            yield path, LINES_MAX, f"{lines} lines, at most {LINES_MAX}: is there a second concept in it?"


def check_head(tree):
    code = tree.code()
    for path in code + tree.matching(["src/", "tools/", "tests/", "cmake/", "CMakeLists.txt"], ["CMakeLists.txt", ".cmake"]):
        mark = "//" if path.endswith(CODE) else "#"
        if not tree.text(path).startswith(f"{mark} SPDX-License-Identifier: Apache-2.0\n"):
            yield path, 1, f"first line is not '{mark} SPDX-License-Identifier: Apache-2.0'"
    for path in code:
        if path.endswith(".hpp") and not re.search(r"^#pragma once$", tree.text(path), re.M):
            yield path, 1, "no #pragma once"


def check_scripts(tree):
    for path in tree.files:
        first = tree.text(path).split("\n", 1)[0] if is_script_name(path) else ""
        if path.endswith(".sh") or re.match(r"#!.*\b(?:ba)?sh\b", first):
            if not re.search(r"^set -eu", tree.text(path), re.M):
                yield path, 1, "a shell script without 'set -eu'"
            if not os.access(tree.files[path], os.X_OK) and first.startswith("#!"):
                yield path, 1, "not executable"


def is_script_name(path):
    return os.path.splitext(path)[1] in ("", ".sh") and os.path.basename(path) != "LICENSE"


def check_banned(tree):
    for path in tree.code():
        text = without_comments(tree.text(path))
        rules = list(BANNED_EVERYWHERE)
        if path.startswith("src/protocol/"):
            rules += BANNED_IN_PROTOCOL
        for pattern, reason in rules:
            if reason in BANNED_EXCEPTIONS.get(path, ()):
                continue
            for match in re.finditer(pattern, text):
                yield path, line_of(text, match.start()), f"'{match.group(0).strip()}': {reason}"


def check_marks(tree):
    """A TODO names an issue, TODO(#12), or is not merged; other marks are not used."""
    for path in tree.code() + tree.matching(["tests/", "scripts/", "cmake/"], [".py", ".sh", ".cmake"]):
        if path.startswith("tests/tidy/"):
            continue
        for match in re.finditer(r"\b(?:TODO(?!\(#\d+\))|FIXME|XXX|HACK)\b", tree.text(path)):
            yield path, line_of(tree.text(path), match.start()), f"{match.group(0)} without an issue"


def defined_rules(tree):
    """Rules are defined where a line of a rule document starts with the bracketed name, after
    list marks and emphasis; anywhere else the name is a citation."""
    rules = {}
    for document in RULE_DOCUMENTS:
        if document not in tree.files:
            continue
        text = tree.text(document)
        for match in re.finditer(r"^[\s>*\-#|]*\[([A-Z]{2,5}-\d+)\]", text, re.M):
            name = match.group(1)
            place = (document, line_of(text, match.start(1)))
            rules.setdefault(name, []).append(place)
    return rules


def check_rules(tree):
    rules = defined_rules(tree)
    for name, places in sorted(rules.items()):
        for document, line in places[1:]:
            yield document, line, f"[{name}] is defined twice (also {places[0][0]}:{places[0][1]})"
    citing = tree.code() + tree.matching(["tests/script/"], [".txt"]) + tree.matching(["docs/"], [".md"])
    for path in citing:
        for match in RULE_CITATION.finditer(tree.text(path)):
            name = match.group(1)
            if name not in rules and not name.startswith(FOREIGN_RULES):
                line = line_of(tree.text(path), match.start())
                yield path, line, f"[{name}] is defined in none of {', '.join(RULE_DOCUMENTS)}"


def anchors_of(text):
    """The anchors a Markdown page offers, by the usual rule for headings."""
    anchors = set()
    for heading in re.findall(r"^#{1,6}\s+(.*?)\s*#*$", strip_fences(text), re.M):
        plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", lambda m: m.group(1) or "", heading).lower()
        anchors.add(re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", plain)))
    return anchors


def strip_fences(text):
    return re.sub(r"^```.*?^```", lambda m: "\n" * m.group(0).count("\n"), text, flags=re.M | re.S)


def check_links(tree):
    for path in tree.files:
        if not path.endswith(".md"):
            continue
        text = re.sub(r"`[^`\n]*`", lambda m: " " * len(m.group(0)), strip_fences(tree.text(path)))
        for match in re.finditer(r"\]\(([^)\s]+)\)", text):
            target, _, anchor = match.group(1).partition("#")
            line = line_of(text, match.start())
            if re.match(r"[a-z]+:", target):
                continue
            page = os.path.normpath(os.path.join(os.path.dirname(path), target)) if target else path
            if not tree.exists(page):
                yield path, line, f"link to {target}: no such file"
            elif anchor and page in tree.files and anchor not in anchors_of(tree.text(page)):
                yield path, line, f"link to {match.group(1)}: no such heading"


def defined_types(text):
    """(qualified name, offset) of the types a file defines at namespace scope, unnamed ones aside."""
    namespaces = []
    for match in re.finditer(r"^(?:inline )?namespace ([\w:]*) ?\{|^\}\s*// namespace|"
                             r"^(?:class|struct|enum(?: class)?) ([\w:]+)(?: final)?(?: : [^;{]*)? \{", text, re.M):
        if match.group(0).startswith("}"):
            del namespaces[-1:]
        elif match.group(2) is None:
            namespaces.append(match.group(1))
        elif "" not in namespaces:
            yield "::".join([*namespaces, match.group(2)]), match.start()


def check_types(tree):
    """Two types of one name in one namespace: no compiler sees both, and one program has both."""
    places = {}
    for path in tree.matching(["include/", "src/", "tools/"], CODE):
        for name, offset in defined_types(tree.text(path)):
            first = places.setdefault(name, path)
            if first != path:
                yield path, line_of(tree.text(path), offset), f"{name} is another type in {first}"


PITFALLS = "docs/pitfalls.md"


def check_pitfalls(tree):
    """Every script and test that the page names is there, so that the page cannot rot."""
    if PITFALLS not in tree.files:
        return
    text = tree.text(PITFALLS)
    units = "".join(tree.text(path) for path in tree.matching(["tests/unit/"], CODE))
    integration = "".join(tree.text(path) for path in tree.matching(["tests/integration/"], [".py"]))
    for match in re.finditer(r"`([a-z-]+/[a-z0-9-]+)`", text):
        if f"tests/script/{match.group(1)}.txt" not in tree.files:
            yield PITFALLS, line_of(text, match.start()), f"no script {match.group(1)}"
    for match in re.finditer(r"`(test_\w+)`", text):
        if f"def {match.group(1)}(" not in integration:
            yield PITFALLS, line_of(text, match.start()), f"no integration test {match.group(1)}"
    for line, cells in enumerate((row.rsplit("|", 2)[-2:] for row in text.split("\n")), start=1):
        for title in re.findall(r'"([^"]+)"', cells[0] if len(cells) == 2 else ""):
            if not re.search(r'"' + re.escape(title) + r'(?: \[[A-Z]+-\d+\])*"', units):
                yield PITFALLS, line, f"no unit test {title!r}"


CHECKS = [check_includes, check_sizes, check_head, check_scripts, check_banned, check_marks, check_rules,
          check_links, check_types, check_pitfalls]


def problems_in(root):
    tree = Tree(root)
    for check in CHECKS:
        yield from check(tree)


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
    found = sorted(set(problems_in(root)))
    for path, line, problem in found:
        print(f"{path}:{line}: {problem}")
    print(f"tidy: {len(found)} problems" if found else "tidy: the house is in order")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
