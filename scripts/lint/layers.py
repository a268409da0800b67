#!/usr/bin/env python3
"""Includes follow the arrows, and the two cores stay pure.

proto -> common -> {agent, controller} -> tools; agent and controller never see each other;
controller/engine and agent/core see common/model and a short list of value headers.
Tests may see everything.
"""

import re

import tree

# Longest matching prefix wins; a folder may include itself.
MAY_INCLUDE = {
    "common": ["common"],
    "common/model": [],
    "agent": ["common", "agent"],
    "agent/core": ["common/model", "common/overloaded.h", "common/status_macros.h"],
    "controller": ["common", "controller"],
    "controller/engine": ["common/model", "common/overloaded.h", "common/status_macros.h"],
    "tools/slipway": ["common"],
    "tools/bench": ["common", "agent", "controller", "tests/sim", "tools/swarm"],
    "tools/swarm": ["common", "agent", "controller"],
    "tools": ["common"],
    "deploy/media-repository": [],
}
PURE = ("controller/engine/", "agent/core/", "common/model/")
# Values only: no clock, file, thread, process or source of chance.
PURE_SYSTEM = re.compile(
    r"(algorithm|array|bit|charconv|cmath|compare|concepts|cstddef|cstdint|cstring|deque|functional|"
    r"initializer_list|iterator|limits|list|map|memory|numeric|optional|queue|ranges|set|span|string|"
    r"string_view|tuple|type_traits|unordered_map|unordered_set|utility|variant|vector|"
    r"absl/(time/time|status/status|status/statusor|strings/.*|types/span|container/.*|base/.*|"
    r"functional/function_ref|numeric/.*|hash/hash|algorithm/container)\.h)$")
# Read by the .cc files of one session only.
GRPC_HEADERS = {"agent/session/connection.h"}
TOP = ("common/", "agent/", "controller/", "tools/", "tests/", "deploy/")
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def is_test(path):
    name = path.rsplit("/", 1)[-1]
    return path.startswith("tests/") or re.search(r"_(test|testbin|fuzz|bench)\.(cc|h)$", name) or \
        name.startswith(("fake_", "test_"))


def allowed(path):
    folder = path.rsplit("/", 1)[0]
    while True:
        if folder in MAY_INCLUDE:
            return folder, MAY_INCLUDE[folder]
        if "/" not in folder:
            return folder, None
        folder = folder.rsplit("/", 1)[0]


def check(root):
    problems = []
    for path in tree.files(root, ".cc", ".h"):
        if not path.startswith(TOP) or is_test(path):
            continue
        own, may = allowed(path)
        pure = path.startswith(PURE)
        for number, line in enumerate((root / path).read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            quote, header = match.groups()
            where = f"{path}:{number}"
            if header.startswith(TOP):
                if may is None:
                    problems.append(f"{where}: no arrow is drawn for {own}: add it to {__file__}")
                elif not any(header == m or header.startswith(m + "/") for m in [own, *may]):
                    problems.append(f"{where}: {own} may not include {header}")
            elif quote == '"' and "/" not in header and not header.endswith(".inc"):
                problems.append(f"{where}: name {header} from the root of the repository")
            elif pure and not PURE_SYSTEM.match(header):
                problems.append(f"{where}: {own} is pure and may not include {header}")
            if header.endswith(".grpc.pb.h") and path.endswith(".h") and \
                    path not in GRPC_HEADERS:
                problems.append(f"{where}: .grpc.pb.h costs seconds an include: forward-declare, "
                                "include it in the .cc")
    return problems


if __name__ == "__main__":
    tree.report(check(tree.root_from_argv()))
