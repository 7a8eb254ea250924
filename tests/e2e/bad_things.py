#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What happens to a log on a bad day, each case against the real programs: nothing is lost, nothing escapes, nothing
is doubled, and somebody is told where and what to do.

    tests/e2e/bad_things.py                      all cases
    tests/e2e/bad_things.py test_NAME...         these; --list names them
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))

import bad_database  # noqa: E402
import bad_disks  # noqa: E402
import bad_lines  # noqa: E402
import bad_names  # noqa: E402
import bad_permissions  # noqa: E402
from harness import run  # noqa: E402

PARTS = (bad_disks, bad_permissions, bad_lines, bad_names, bad_database)


def cases():
    return {name: case for part in PARTS for name, case in vars(part).items()
            if name.startswith("test_") and case.__module__ == part.__name__}


if __name__ == "__main__":
    if sys.argv[1:] == ["--list"]:
        print(*cases(), sep="\n")
    else:
        run(cases())
