#!/usr/bin/env python3
"""Every folder with threads is exercised under the thread sanitizer (tests/sanitized/tsan.txt)."""

import re

import tree

LIST = "tests/sanitized/tsan.txt"
THREADS = re.compile(r"\b(Mutex|CondVar|std::j?thread)\b")
# Where parts become the program that runs as a process, in tests/integration.
PROGRAMS = {"controller"}
TEST = re.compile(r"(^|/)(fake_|test_)|_(test|testbin|fuzz|bench)\.")


def listed(root):
    """{target: [folders]} of the list; a line is `target: folder folder`, # begins a comment."""
    lines = (line.split("#")[0].strip() for line in (root / LIST).read_text().splitlines())
    pairs = (line.partition(":") for line in lines if line)
    return {target.strip(): folders.split() for target, _, folders in pairs}


def check(root):
    covered = PROGRAMS.union(*listed(root).values())
    problems = []
    for path in tree.files(root, ".cc", ".h"):
        if not path.startswith(("agent/", "common/", "controller/")) or TEST.search(path):
            continue
        folder = path.rsplit("/", 1)[0]
        if folder not in covered and THREADS.search((root / path).read_text()):
            problems.append(f"{path}: has threads, and {LIST} names no test of {folder}")
            covered.add(folder)  # once a folder
    return problems


if __name__ == "__main__":
    tree.report(check(tree.root_from_argv()))
