#!/usr/bin/env python3
"""Counts test cases of a CTest JUnit file: "passed failed skipped".

A GoogleTest binary is one CTest test; the cases it ran are counted from its own output. After the
counts come a few lines of each test that failed: what it said about it.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree

PASSED = re.compile(r"^\[  PASSED  \] (\d+) tests?\.", re.M)
FAILED = re.compile(r"^\[  FAILED  \] (\d+) tests?, listed below", re.M)
SKIPPED = re.compile(r"^\[  SKIPPED \] (\d+) tests?, listed below", re.M)
TELLING = re.compile(r": Failure$|^FAIL:|ERROR: |WARNING: ThreadSanitizer|runtime error:")
AFTER, MOST, LAST, WIDTH = 8, 40, 15, 200


def count(pattern, text):
    return sum(int(n) for n in pattern.findall(text))


def excerpt(output):
    """The lines that tell of a failure and those after them, or else the last ones."""
    lines = output.rstrip().splitlines()
    starts = [i for i, line in enumerate(lines) if TELLING.search(line)]
    chosen = sorted({j for i in starts for j in range(i, min(i + AFTER, len(lines)))})[:MOST]
    return [lines[i][:WIDTH] for i in chosen or range(max(0, len(lines) - LAST), len(lines))]


def main(path):
    passed = failed = skipped = 0
    said = []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        output = "".join(e.text or "" for e in case.iter("system-out"))
        p, f, s = (count(x, output) for x in (PASSED, FAILED, SKIPPED))
        status = case.get("status")
        if status == "run":
            passed += max(p, 0 if s else 1)
            skipped += s
        elif status in ("notrun", "disabled"):
            skipped += 1
        else:
            passed += p
            failed += max(f, 1)
            skipped += s
            said += [f"FAILED {case.get('name')}", *(f"    {line}" for line in excerpt(output))]
    print(passed, failed, skipped)
    for line in said:
        print(line)


if __name__ == "__main__":
    main(sys.argv[1])
