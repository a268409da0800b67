#!/usr/bin/env python3
"""Every source looks as clang-format-19 writes it (.clang-format)."""

import re
import subprocess

import tree

TOOL = "clang-format-19"
OFF = re.compile(r"^(\S+?):(\d+):\d+: error: code should be clang-formatted", re.M)


def check(root):
    names = tree.files(root, ".cc", ".h", ".c")
    try:
        run = subprocess.run([TOOL, "--dry-run", "-Werror", "--style=file", *names], cwd=root,
                             capture_output=True, text=True)
    except FileNotFoundError:
        return [f"{TOOL} is missing: apt-get install {TOOL}"]
    first = {}
    for path, line in OFF.findall(run.stderr):
        first.setdefault(path, line)
    problems = [f"{path}:{line}: not formatted: {TOOL} -i {path}" for path, line in first.items()]
    if run.returncode != 0 and not problems:
        problems.append(f"{TOOL} failed: {run.stderr.strip()[:500]}")
    return problems


if __name__ == "__main__":
    tree.report(check(tree.root_from_argv()))
