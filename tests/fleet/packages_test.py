#!/usr/bin/env python3
"""The packages on a booted host: what they install, what goes on through each change, what is left.

What is in them: deploy/debian/packages_test.py.
"""

import json

from fleet_test_case import main
from ground import wait_until
from packages_test_case import AGENT, CONTROLLER, SOON, PackagesTestCase


class PackagesTest(PackagesTestCase):
    def test_WhatTheAgentStartedOutlivesItsEndsAndItsUpgrade(self):
        self.begin()
        service = self.deploy()

        self.one.exec("systemctl", "restart", "slipway-agent")
        self.attached()
        self.assertGoesOn(service)

        before = self.pid("slipway-agent")
        self.one.exec("kill", "-KILL", str(before))
        wait_until("another agent", lambda: self.pid("slipway-agent") not in (0, before), SOON)
        self.attached()
        self.assertGoesOn(service)

        before = self.pid("slipway-agent")
        self.install(self.newer("slipway-agent", "0.1.0-9"))
        self.assertNotIn(self.pid("slipway-agent"), (0, before))
        self.attached()
        self.assertGoesOn(service)
        self.assertIn("role=test", self.slipway("host", "show", "one"))

        before = self.pid("slipway-controller")
        self.install(self.newer("slipway-controller", "0.1.0-9"))
        self.assertNotIn(self.pid("slipway-controller"), (0, before))
        self.attached()
        self.assertIn(self.rollout, self.slipway("history"))
        self.assertGoesOn(service)
        self.assertEqual(self.one.exec("systemctl", "is-enabled", "slipway-agent").stdout.strip(),
                         "enabled")
        self.findsItsLines()

    def findsItsLines(self):
        """By rollout and by host, from both programs."""
        out = self.one.exec("journalctl", "--output=json", f"SLIPWAY_ROLLOUT={self.rollout}").stdout
        lines = [json.loads(line) for line in out.splitlines()]
        self.assertEqual({line["SYSLOG_IDENTIFIER"] for line in lines},
                         {"slipway-agent", "slipway-controller"})
        self.assertEqual({line["PRIORITY"] for line in lines}, {"6"})
        ended = [line for line in lines if line["MESSAGE"].startswith("command ended")]
        self.assertTrue(ended)
        self.assertEqual({(line["SLIPWAY_HOST"], line["SLIPWAY_VERDICT"]) for line in ended},
                         {("one", "succeeded")})

    def test_AgentThatHangsIsStartedAnewByItsWatchdog(self):
        self.begin()
        self.one.copy_in(self.write("watchdog.conf", "[Service]\nWatchdogSec=12\n"),
                         "/etc/systemd/system/slipway-agent.service.d/watchdog.conf")
        self.one.exec("systemctl", "daemon-reload")
        self.one.exec("systemctl", "restart", "slipway-agent")
        self.attached()
        service, before = self.deploy(), self.pid("slipway-agent")
        self.one.exec("kill", "-STOP", str(before))
        wait_until("another agent", lambda: self.pid("slipway-agent") not in (0, before), SOON)
        self.attached()
        self.assertGoesOn(service)

    def test_RemovalKeepsDataAndPurgeRemovesIt(self):
        self.begin()
        service = self.deploy()
        state = self.one.root / AGENT.lstrip("/")

        self.one.exec("dpkg", "--remove", "slipway-agent")
        self.assertGoesOn(service)
        self.assertEqual(self.one.exec("test", "-e", "/usr/bin/slipway-agent", expect=None).returncode, 1)
        self.assertTrue((state / "agent.key").exists())
        self.install(self.built("slipway-agent"))
        self.assertEqual(self.one.exec("systemctl", "is-enabled", "slipway-agent").stdout.strip(),
                         "enabled")
        self.one.exec("systemctl", "start", "slipway-agent")
        self.attached()

        said = self.one.exec("dpkg", "--purge", "slipway-agent").stdout
        self.assertIn("left: application directories", said)
        self.assertRegex(said, r"left: services under the processes \d+")
        self.assertFalse(state.exists())
        self.assertGoesOn(service)
        self.assertTrue((self.one.root / "srv/pulse/current/bin/pulse").exists())
        links = self.one.exec("find", "/etc/systemd/system", "-name", "slipway-agent*").stdout
        self.assertEqual(links, "")

        self.one.exec("dpkg", "--remove", "slipway-controller")
        self.assertTrue((self.one.root / CONTROLLER.lstrip("/") / "store.db").exists())
        self.one.exec("dpkg", "--purge", "slipway-controller")
        self.assertFalse((self.one.root / "var/lib/slipway").exists())
        self.assertFalse((self.one.root / "etc/default/slipway-controller").exists())


if __name__ == "__main__":
    main()
