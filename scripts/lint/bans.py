#!/usr/bin/env python3
"""What may not be written, where it may after all, and what to write instead."""

import re

import tree

# (pattern, files that may, what instead)
BANS = [
    (r"\babsl::Now\(", ["common/system_clock.cc"], "take a Clock&"),
    (r"\bstd::chrono::(system|steady|high_resolution)_clock\b", ["deploy/media-repository/"],
     "take a Clock&"),
    (r"\b(SleepFor|sleep_for|sleep_until|usleep|nanosleep)\s*\(|(?<![\w.])sleep\(",
     ["deploy/media-repository/"], "wait on a condition with a deadline"),
    (r"\btry\s*\{|\bcatch\s*\(|\bthrow\b(?!\()",
     ["tools/slipway/parse.cc", "controller/journal/postgres_connection.cc",
      "controller/metrics/metrics_listener.cc", "deploy/media-repository/"],
     "absl::Status; exceptions end at the door of the library that throws them"),
    (r"(?<![\w:.])(::|std::)?(system|popen)\s*\(", [], "an argv array through the exec shim"),
    (r"<spdlog/", ["common/log.cc"], "common/log.h"),
    (r"<CLI/CLI.hpp>", ["tools/slipway/parse.cc"], "the command table"),
    (r"<libfyaml.h>", ["common/plan/"], "common/plan"),
    (r"<sqlite3.h>", ["controller/journal/", "controller/registry/", "deploy/media-repository/",
                      "tools/bench/", "tests/"], "the Journal and Registry interfaces"),
    (r"<pqxx/", ["controller/journal/postgres_connection.cc"], "PostgresConnection"),
    (r"<prometheus/", ["controller/metrics/", "controller/server.cc"],
     "Instruments and the gauges beside them"),
    (r"<libpq-fe.h>", ["controller/journal/lib_pq.cc", "controller/journal/postgres_url.cc"],
     "PostgresConnection and ParsePostgresUrl"),
    (r"\babsl::(Mutex|MutexLock|CondVar)\b", [], "common/mutex.h"),
    (r"\bstd::(mutex|lock_guard|unique_lock|condition_variable)\b",
     ["common/mutex.h", "deploy/media-repository/"], "common/mutex.h, which clang can check"),
    (r"\bMOCK_METHOD", [], "a fake that behaves"),
    (r"\bFRIEND_TEST\b", [], "test through the interface"),
    (r"\bGTEST_SKIP\b|\bDISABLED_", [], "a test that runs: a skipped one proves nothing"),
    (r"\bstd::(cout|cerr)\b", ["tools/", "tests/", "deploy/media-repository/", "controller/main",
                               "agent/main", "_test.cc", "_testbin.cc", "_bench.cc"], "common/log.h"),
    (r"\b(rand|srand|random_device)\s*\(|\bstd::random_device\b",
     ["common/random", "deploy/media-repository/", "tests/", "_test.cc"],
     "common/random.h at the edge; a seed in the cores"),
]
# Names that say nothing: the field has a word for what the thing does.
BAD_NAME = re.compile(r"(^|[_/])(manager|utils?|helpers?)(_|\.|$)")
GOOD_NAME = {"agent/services/service_manager.h"}


def code_lines(text):
    """Source lines with comments and string contents blanked."""
    text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m.group().count("\n"), text, flags=re.S)
    for number, line in enumerate(text.splitlines(), 1):
        if not re.match(r"\s*#\s*include", line):
            line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
        yield number, re.sub(r"//.*", "", line)


def check(root):
    problems = []
    for path in tree.files(root, ".cc", ".h"):
        if BAD_NAME.search(path) and "service_manager" not in path:
            problems.append(f"{path}: the name says nothing: call it by what it does")
        bans = [(re.compile(p), instead) for p, may, instead in BANS
                if not any(path.startswith(m) or (m.startswith("_") and path.endswith(m)) for m in may)]
        for number, line in code_lines((root / path).read_text()):
            for pattern, instead in bans:
                found = pattern.search(line)
                if found:
                    problems.append(f"{path}:{number}: `{found.group().strip()}` is banned here: {instead}")
    return problems


if __name__ == "__main__":
    tree.report(check(tree.root_from_argv()))
