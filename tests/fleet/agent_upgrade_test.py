#!/usr/bin/env python3
"""The agent is upgraded by a rollout: what is good stays, what is broken comes back, and what runs on
the host notices neither.

Which program is started when: deploy/debian/start_agent_test.py.
"""

import pathlib
import shutil
import subprocess

from fleet_test_case import SOURCE, main
from packages_test_case import CONFIG, SOON, PackagesTestCase

PROGRAM = "/var/lib/slipway/program"
RELEASE = SOURCE / "deploy/agent-release"
ROLLED_BACK = 11
NEVER_STARTS = "#!/bin/sh\necho this agent is broken >&2\nexit 1\n"


class AgentUpgradeTest(PackagesTestCase):
    def roll_out(self, version, program, expect):
        """Of `program` as the agent; returns what `deploy` said."""
        release = self.one.root / f"root/agent-{version}"
        subprocess.run([RELEASE / "make-release", program, version, release], check=True,
                       stdout=subprocess.DEVNULL)
        shutil.copy2(RELEASE / "plan.yaml", self.one.root / "root/upgrade.yaml")
        self.slipway("release", "push", f"/root/agent-{version}")
        done = self.one.exec("slipway", "--config", CONFIG, "deploy", "/root/upgrade.yaml", "--version",
                             version, expect=None, seconds=6 * SOON)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def running(self):
        """The program of the agent's process."""
        return self.one.exec("readlink", f"/proc/{self.pid('slipway-agent')}/exe").stdout.strip()

    def another(self, name):
        """A program that does the same and has another digest."""
        program = self.ground.directory / name
        shutil.copy2(self.one.root / "usr/bin/slipway-agent", program)
        with open(program, "ab") as out:
            out.write(name.encode())
        return program

    def broken(self):
        return self.write_program("broken", NEVER_STARTS)

    def write_program(self, name, text):
        program = pathlib.Path(self.write(name, text))
        program.chmod(0o755)
        return program

    def test_AgentsAreUpgradedAndBrokenOnesComeBack(self):
        self.begin()
        service = self.deploy()
        self.assertEqual(self.running(), "/usr/bin/slipway-agent")

        # Broken, with nothing but the package to go back to.
        said = self.roll_out("0.2.0", self.broken(), ROLLED_BACK)
        self.assertIn("failed in three starts", said)
        self.assertEqual(self.running(), "/usr/bin/slipway-agent")
        self.assertFalse((self.one.root / PROGRAM.lstrip("/") / "current").is_symlink())

        self.roll_out("0.2.1", self.another("better"), 0)
        better = self.running()
        self.assertTrue(better.startswith(f"{PROGRAM}/releases/0.2.1-"), better)

        # Broken again: back to what the last rollout brought.
        said = self.roll_out("0.2.2", self.broken(), ROLLED_BACK)
        self.assertIn("this agent is broken", said)
        self.assertEqual(self.running(), better)
        self.attached()
        self.assertGoesOn(service)

        self.one.reboot()
        self.one.ready()
        self.attached()
        self.assertEqual(self.running(), better)


if __name__ == "__main__":
    main()
