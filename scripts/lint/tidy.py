#!/usr/bin/env python3
"""clang-tidy's short fatal list (.clang-tidy) over the pure cores and common/.

Called with the build folder whose compile_commands.json says how each file is compiled; its
libraries must have been built, since generated headers are read. Bounded in what it reads because
it parses each file anew: the rest of the tree is seen by two compilers' warnings.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import tree

TOOL = "clang-tidy-19"
FOLDERS = ("agent/core/", "common/", "controller/engine/")
STATIC_ONLY = {"common/grpc_without_xds.cc"}  # a sanitized build has no archives to leave it out of
INCLUDED = re.compile(r'^#include "(/\S+)"', re.M)
FINDING = re.compile(r"^(\S+?:\d+):\d+: (?:error|warning): (.*)", re.M)


def sources(root):
    return [p for p in tree.files(root, ".cc")
            if p.startswith(FOLDERS) and p not in STATIC_ONLY
            and not re.search(r"_(test|fuzz|testbin|bench)\.cc$", p)]


def commands(build):
    """compile_commands.json, with the files of a unity build in the place of what includes them."""
    apart = []
    for entry in json.loads((build / "compile_commands.json").read_text()):
        together = pathlib.Path(entry["directory"], entry["file"])
        files = [entry["file"]]
        if together.parent.name == "Unity":
            files = INCLUDED.findall(together.read_text())
        apart += [entry | {"file": file, "command": entry["command"].replace(entry["file"], file)}
                  for file in files]
    return apart


def compiled(root, entries):
    """What the commands compile, relative to the root."""
    paths = (pathlib.Path(entry["directory"], entry["file"]) for entry in entries)
    return {str(p.relative_to(root)) for p in paths if p.is_relative_to(root)}


def findings(root, path, *arguments):
    """The findings in one file. A file that cannot be parsed is a finding."""
    try:
        run = subprocess.run([TOOL, "--quiet", f"--config-file={tree.ROOT / '.clang-tidy'}",
                              str(path), *arguments], cwd=root, capture_output=True, text=True)
    except FileNotFoundError:
        return [f"{TOOL} is missing: apt-get install {TOOL}"]
    found = [f"{where.removeprefix(str(root) + '/')}: {what}"
             for where, what in FINDING.findall(run.stdout)]
    if run.returncode != 0 and not found:
        found.append(f"{path}: {TOOL} ended with {run.returncode}: {run.stderr.strip()[-500:]}")
    return found


def check(root, build):
    entries = commands(build)
    known = compiled(root, entries)
    wanted = sources(root)
    problems = [f"{p}: compiled by no target" for p in wanted if p not in known]
    with tempfile.TemporaryDirectory() as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        pathlib.Path(folder, "compile_commands.json").write_text(json.dumps(entries))
        runs = pool.map(lambda p: findings(root, p, "-p", folder),
                        [p for p in wanted if p in known])
        for found in runs:
            problems += found
    return list(dict.fromkeys(problems))  # a header's finding is met in each file that includes it


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: tidy.py BUILD_FOLDER")
    tree.report(check(tree.ROOT, pathlib.Path(sys.argv[1]).resolve()))
