#!/usr/bin/env python3
"""deploy/systemd/start-agent: which program becomes the agent. Programs here are scripts that say who
they are."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

START = pathlib.Path(__file__).resolve().parents[1] / "systemd/start-agent"


class StartAgentTest(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="slipway-start-")).resolve()
        self.addCleanup(shutil.rmtree, self.root)
        self.state = self.root / "state"
        self.state.mkdir()
        self.packaged = self.program("packaged")

    def program(self, name):
        path = self.root / name / "bin/slipway-agent"
        path.parent.mkdir(parents=True)
        path.write_text(f'#!/bin/sh\necho {name} "$@"\n')
        path.chmod(0o755)
        return path

    def switch_to(self, name):
        """As the action `switch` does."""
        current = self.root / "current"
        current.unlink(missing_ok=True)
        current.symlink_to(name)

    def prove(self, program):
        (self.state / "program").mkdir(exist_ok=True)
        (self.state / "program/proven").write_text(f"{program}\n")

    def start(self):
        """Who the agent became."""
        done = subprocess.run([START], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env={"PATH": os.environ["PATH"],
                                   "SLIPWAY_AGENT_STATE": str(self.state),
                                   "SLIPWAY_AGENT_PACKAGED": str(self.packaged),
                                   "SLIPWAY_AGENT_PROGRAM": str(self.root)})
        self.assertEqual(done.returncode, 0, done.stderr)
        who, *arguments = done.stdout.split()
        self.assertEqual(arguments, ["run", "--dir", str(self.state)])
        return who

    def test_WithoutARolloutItIsThePackagedOneForEver(self):
        self.assertEqual([self.start() for _ in range(5)], ["packaged"] * 5)
        self.assertFalse((self.state / "program").exists())

    def test_ANewOneHasThreeStartsThenTheProvenOneGoesOn(self):
        old = self.program("old")
        self.program("new")
        self.prove(old)
        self.switch_to("new")
        self.assertEqual([self.start() for _ in range(5)], ["new", "new", "new", "old", "old"])

    def test_WithoutAProvenOneThePackagedOneGoesOn(self):
        self.program("new")
        self.switch_to("new")
        self.assertEqual([self.start() for _ in range(4)], ["new"] * 3 + ["packaged"])
        self.prove(self.root / "removed/bin/slipway-agent")
        self.assertEqual(self.start(), "packaged")

    def test_AProvenOneIsStartedForEver(self):
        new = self.program("new")
        self.switch_to("new")
        self.assertEqual(self.start(), "new")
        self.prove(new)
        self.assertEqual([self.start() for _ in range(5)], ["new"] * 5)

    def test_EachNewOneHasStartsOfItsOwn(self):
        old = self.program("old")
        self.prove(old)
        for name in ("new", "newer"):
            self.program(name)
            self.switch_to(name)
            self.assertEqual([self.start() for _ in range(4)], [name] * 3 + ["old"])

    def test_SwitchingBackNeedsNoProof(self):
        old = self.program("old")
        self.program("new")
        self.prove(old)
        self.switch_to("new")
        self.start()
        self.switch_to("old")
        self.assertEqual([self.start() for _ in range(5)], ["old"] * 5)

    def test_AReleaseWithoutAProgramIsNotStarted(self):
        (self.root / "empty").mkdir()
        self.switch_to("empty")
        self.assertEqual(self.start(), "packaged")

    def test_DamagedCountsGiveThreeStarts(self):
        new = self.program("new")
        self.switch_to("new")
        for text in ("", "x", f"many {new}\n", f"-1 {new}\n"):
            (self.state / "program").mkdir(exist_ok=True)
            (self.state / "program/tries").write_text(text)
            with self.subTest(text):
                self.assertEqual(self.start(), "new")

    def test_WhatCannotBeCountedIsNotTried(self):
        old = self.program("old")
        self.program("new")
        self.prove(old)
        self.switch_to("new")
        (self.state / "program/tries.new").mkdir()  # in the way of what is written
        self.assertEqual([self.start() for _ in range(4)], ["old"] * 4)


if __name__ == "__main__":
    unittest.main(verbosity=2)
