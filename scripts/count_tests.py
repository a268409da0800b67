#!/usr/bin/env python3
"""Counts test cases of a CTest JUnit file: "passed failed skipped".

A GoogleTest binary is one CTest test; the cases it ran are counted from its own output.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree

PASSED = re.compile(r"^\[  PASSED  \] (\d+) tests?\.", re.M)
FAILED = re.compile(r"^\[  FAILED  \] (\d+) tests?, listed below", re.M)
SKIPPED = re.compile(r"^\[  SKIPPED \] (\d+) tests?, listed below", re.M)


def count(pattern, text):
    return sum(int(n) for n in pattern.findall(text))


def main(path):
    passed = failed = skipped = 0
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        output = "".join(e.text or "" for e in case.iter("system-out"))
        p, f, s = (count(x, output) for x in (PASSED, FAILED, SKIPPED))
        status = case.get("status")
        if status == "run":
            passed += max(p, 1)
            skipped += s
        elif status in ("notrun", "disabled"):
            skipped += 1
        else:
            passed += p
            failed += max(f, 1)
    print(passed, failed, skipped)


if __name__ == "__main__":
    main(sys.argv[1])
