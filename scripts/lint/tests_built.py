#!/usr/bin/env python3
"""Every test file is known to CTest.

Called with the root and the list that CMake wrote while configuring. A test that is not built is
a test that cannot fail.
"""

import pathlib
import re
import sys

import tree

TEST_FILE = re.compile(r"_(test|fuzz)\.cc$")


def check(root, known):
    problems = []
    for path in tree.files(root, ".cc"):
        if TEST_FILE.search(path) and path not in known:
            problems.append(f"{path}: not in any slipway_test or slipway_fuzz: it is never run")
    return problems


if __name__ == "__main__":
    root = pathlib.Path(sys.argv[1]).resolve()
    listed = pathlib.Path(sys.argv[2]).read_text().split("\n")
    tree.report(check(root, {str(pathlib.Path(p).relative_to(root)) for p in listed if p}))
