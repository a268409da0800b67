#!/usr/bin/env python3
"""The lints see what they are there to see: each is run on a tree with planted faults."""

import pathlib
import re
import shutil
import tempfile
import unittest

import bans
import format
import layers
import sizes
import tests_built
import threads
import tidy
import tree

# One fault for each check of .clang-tidy, all in one file: parsing it takes the time.
FAULTS = {
    "bugprone-assert-side-effect": "void F(int x) { assert(++x > 0); }",
    "bugprone-dangling-handle":
        "std::size_t F() { std::string_view v = std::string(); return v.size(); }",
    "bugprone-inc-dec-in-conditions": "int F(int i) { return (i++ > 0 && i < 9) ? 1 : 2; }",
    "bugprone-infinite-loop":
        "int F(int n) { int i = 0; int j = 0; while (i < n) { ++j; } return j; }",
    "bugprone-misplaced-widening-cast": "long F(int a) { return static_cast<long>(a * 1000); }",
    "bugprone-sizeof-expression": "std::size_t F(const char* p) { return sizeof(sizeof(p)); }",
    "bugprone-string-constructor": "std::string F() { return std::string('x', 50); }",
    "bugprone-suspicious-memset-usage": "void F(int* p) { std::memset(p, '0', 8); }",
    "bugprone-suspicious-string-compare":
        'bool F(const char* a) { return std::strcmp(a, "x") == -1; }',
    "bugprone-unused-raii": "struct L { L(int*); ~L(); }; int G(); int F(int* m) { L{m}; return G(); }",
    "bugprone-use-after-move":
        "void G(std::string); bool F(std::string s) { G(std::move(s)); return s.empty(); }",
    "cppcoreguidelines-slicing":
        "struct B { int a; }; struct D : B { int b; }; void G(B); void F(D d) { G(d); }",
    "google-explicit-constructor": "struct A { A(int x); };",
    "misc-unused-using-decls": "namespace m { class T {}; } using m::T;",
    "modernize-use-override":
        "struct B { virtual void F(); }; struct D : B { virtual void F(); };",
    "performance-for-range-copy":
        "std::size_t F(const std::vector<std::string>& v) "
        "{ std::size_t n = 0; for (const auto s : v) { n += s.size(); } return n; }",
    "performance-unnecessary-copy-initialization":
        "const std::string& G(); std::size_t F() { const std::string s = G(); return s.size(); }",
}
FAULTS_INCLUDE = ["cassert", "cstring", "string", "string_view", "utility", "vector"]


class Planted(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)

    def tearDown(self):
        self.folder.cleanup()

    def plant(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def test_an_engine_that_looks_at_the_clock_is_found(self):
        self.plant("controller/engine/decide.cc", '#include "absl/time/clock.h"\n')
        self.assertIn("is pure", layers.check(self.root)[0])

    def test_an_engine_that_includes_the_journal_is_found(self):
        self.plant("controller/engine/decide.cc", '#include "controller/journal/journal.h"\n')
        self.assertIn("may not include", layers.check(self.root)[0])

    def test_agent_and_controller_do_not_see_each_other(self):
        self.plant("agent/agent.cc", '#include "controller/engine/engine.h"\n')
        self.plant("controller/server.cc", '#include "agent/core/core.h"\n')
        self.assertEqual(len(layers.check(self.root)), 2)

    def test_a_folder_without_arrow_is_found(self):
        self.plant("deploy/other/x.cc", '#include "common/log.h"\n')
        self.assertIn("no arrow", layers.check(self.root)[0])

    def test_the_arrows_that_are_drawn_pass(self):
        self.plant("controller/rpc/a.cc", '#include "controller/engine/engine.h"\n#include <map>\n')
        self.plant("agent/core/a.cc", '#include "common/model/ids.h"\n#include <vector>\n')
        self.assertEqual(layers.check(self.root), [])

    def test_stub_headers_stay_out_of_headers(self):
        self.plant("controller/rpc/a.h", '#include "slipway/v1/fleet.grpc.pb.h"\n')
        self.assertIn("forward-declare", layers.check(self.root)[0])

    def test_banned_words_are_found_and_their_doors_are_open(self):
        self.plant("agent/a.cc", "auto t = absl::Now();\n")
        self.plant("common/system_clock.cc", "auto t = absl::Now();\n")
        self.plant("agent/b.cc", "void F() { try { G(); } catch (...) {} }\n")
        self.plant("agent/c.cc", 'int r = system("ls");\n')
        self.plant("agent/d.cc", "std::this_thread::sleep_for(x);\n")
        found = [line.split(":")[0] for line in bans.check(self.root)]
        self.assertEqual(found, ["agent/a.cc", "agent/b.cc", "agent/c.cc", "agent/d.cc"])

    def test_comments_and_texts_are_not_code(self):
        self.plant("agent/a.cc", '// absl::Now() is banned\nconst char* k = "try {";\n')
        self.assertEqual(bans.check(self.root), [])

    def test_names_that_say_nothing_are_found(self):
        self.plant("agent/rollout_manager.cc", "\n")
        self.plant("common/string_utils.h", "\n")
        self.assertEqual(len(bans.check(self.root)), 2)

    def test_a_long_function_and_a_long_file_are_found(self):
        self.plant("agent/a.cc", "int F(int x) {\n" + "  ++x;\n" * 70 + "  return x;\n}\n")
        self.plant("agent/b.cc", "int x;\n" * 601)
        found = sizes.check(self.root)
        self.assertEqual(len(found), 2)
        self.assertIn("F has 73 lines", found[0])

    def test_classes_and_namespaces_are_not_functions(self):
        body = "  int a = 0;\n" * 80
        self.plant("agent/a.h", "namespace x {\nclass A {\n" + body + "};\n}\n")
        self.assertEqual(sizes.check(self.root), [])

    def test_a_forgotten_test_is_found(self):
        self.plant("agent/a_test.cc", "\n")
        self.plant("agent/b_test.cc", "\n")
        self.assertEqual(len(tests_built.check(self.root, {"agent/a_test.cc"})), 1)

    def test_a_folder_with_threads_that_no_sanitizer_sees_is_found(self):
        self.plant("tests/sanitized/tsan.txt", "# comment\nfleet_test: controller/fleet  # both\n")
        self.plant("controller/fleet/a.h", "Mutex mu_;\n")
        self.plant("agent/session/a.h", "std::thread reader_;\n")
        self.assertIn("agent/session/a.h", "".join(threads.check(self.root)))
        self.assertEqual(len(threads.check(self.root)), 1)

    def test_a_file_in_another_shape_is_found(self):
        shutil.copy(tree.ROOT / ".clang-format", self.root)
        self.plant("agent/a.cc", "int  F( ) { return 1 ; }\n")
        self.plant("agent/b.cc", "int x;\n")
        self.assertEqual([p.split(":")[0] for p in format.check(self.root)], ["agent/a.cc"])

    def test_format_without_its_tool_fails(self):
        self.plant("agent/a.cc", "int x;\n")
        format.TOOL, tool = "clang-format-that-is-not-there", format.TOOL
        self.addCleanup(setattr, format, "TOOL", tool)
        self.assertIn("is missing", format.check(self.root)[0])

    def test_each_check_of_clang_tidy_finds_its_fault(self):
        checks = re.findall(r"^  ([a-z]+-[a-z-]+),?$", (tree.ROOT / ".clang-tidy").read_text(), re.M)
        self.assertEqual(sorted(checks), sorted(FAULTS))
        lines = [f"#include <{header}>" for header in FAULTS_INCLUDE]
        lines += [f"namespace n{i} {{ {text} }}" for i, text in enumerate(FAULTS.values())]
        self.plant("a.cc", "\n".join(lines) + "\n")
        found = tidy.findings(self.root, "a.cc", "--", "-std=c++20")
        for name in FAULTS:
            with self.subTest(name):
                self.assertTrue(any(f"[{name}" in f for f in found), found)

    def test_a_file_that_clang_tidy_cannot_parse_is_found(self):
        self.plant("a.cc", '#include "nowhere.h"\n')
        self.assertTrue(tidy.findings(self.root, "a.cc", "--", "-std=c++20"))


if __name__ == "__main__":
    unittest.main()
