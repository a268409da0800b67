#!/usr/bin/env python3
"""The image is whole or not there, whoever is killed while it is made."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
SOON = 60  # seconds; on a machine under load

# Stands in for mmdebstrap, which takes minutes: writes half of the tree, and the rest when it may.
MAKES = """#!/bin/sh
for argument; do [ -n "${argument##*/root}" ] || root=$argument; done
mkdir "$root"
echo half >"$root/file"
while [ ! -e "$MAY_GO_ON" ]; do sleep 0.05; done
echo whole >"$root/file"
"""


class ImageTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        program = self.folder / "bin/mmdebstrap"
        program.parent.mkdir()
        program.write_text(MAKES)
        program.chmod(0o755)
        self.may_go_on = self.folder / "may-go-on"
        self.images = self.folder / "cache/slipway/images"

    def make(self):
        env = {**os.environ, "PATH": f"{self.folder}/bin:{os.environ['PATH']}", "MAY_GO_ON": str(self.may_go_on),
               "XDG_CACHE_HOME": str(self.folder / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.Popen([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(HERE)!r})\n"
                                 "import image; print(image.image(say=lambda text: None))"],
                                env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)

    def made(self, process):
        """The image's path."""
        self.may_go_on.touch()
        said = process.communicate(timeout=SOON)[0].strip()
        self.assertEqual(process.returncode, 0)
        return pathlib.Path(said)

    def half_made(self):
        deadline = time.monotonic() + SOON
        while time.monotonic() < deadline:
            found = [path for path in self.images.glob("*/root/file") if path.read_text() == "half\n"]
            if found:
                return found[0]
            time.sleep(0.02)
        return self.fail("nothing is being made")

    def test_KilledMakingLeavesNothingThatIsTakenForAnImage(self):
        process = self.make()
        half = self.half_made()
        process.send_signal(signal.SIGKILL)
        process.communicate()
        self.assertFalse([path for path in self.images.iterdir() if path.is_dir() and path.suffix != ".making"])

        # Nobody is left who would write on when it may; the next one begins anew.
        again = self.made(self.make())
        self.assertEqual((again / "file").read_text(), "whole\n")
        self.assertFalse(half.exists())
        self.assertEqual([path.name for path in self.images.iterdir() if path.is_dir()], [again.name])

    def test_WhatAKilledRemovalLeftIsRemoved(self):
        left = self.images / "bookworm-0123456789abcdef.removing/etc"
        left.mkdir(parents=True)
        image = self.made(self.make())
        self.assertEqual([path.name for path in self.images.iterdir() if path.is_dir()], [image.name])

    def test_TwoWhoWantOneMakeItOnce(self):
        first, second = self.make(), self.make()
        self.half_made()
        self.assertEqual(self.made(first), self.made(second))
        self.assertEqual(len([path for path in self.images.iterdir() if path.is_dir()]), 1)


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit(77)  # images are made by root
    unittest.main(verbosity=2)
