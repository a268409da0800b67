#!/usr/bin/env python3
"""The lints see what they are there to see: each is run on a tree with planted faults."""

import pathlib
import tempfile
import unittest

import bans
import layers
import sizes
import tests_built


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


if __name__ == "__main__":
    unittest.main()
