#!/usr/bin/env python3
"""Rollouts on six booted hosts, which are treated badly in mid-step.

Each ends as it should, and what the controller says of every host is what the host itself answers.

  tests/fleet/rollout_test.py RolloutTest.test_FrozenHostGoesOnWhereItStopped      one scenario
"""

import json
import os
import pathlib
import re
import shutil
import sys
import time
import unittest

from fleet_test_case import SOURCE, main
from ground import wait_until
from booted_fleet import BootedFleet

BUILD = pathlib.Path(os.environ.get("SLIPWAY_BINARY_DIR", SOURCE / "build/release"))
RATE = 40  # requests a second
REACHED_WITHIN = 120  # seconds for a rollout on a machine under load to come to a step
SEEN_WITHIN = 60
SUCCEEDED, ROLLED_BACK = 0, 11
UNIT = "media.service"


def say(text):
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


class RolloutTest(unittest.TestCase):
    def setUp(self):
        self.fleet = BootedFleet(SOURCE, BUILD, BUILD / "fleet" / self.id().rsplit("_", 1)[1])
        self.addCleanup(self.fleet.down)
        self.fleet.up(say)

    # --- what is told apart -------------------------------------------------------------------

    def deploy(self, version, expected=SUCCEEDED, during=None):
        code, output = self.fleet.deploy(version, "-v", during=during)
        say(f"{version}: exit code {code}")
        self.assertEqual(code, expected, "\n".join(output.splitlines()[-40:]))
        return output

    def assert_all_run(self, version):
        """Asked directly, past agents and controller; and the controller says the same."""
        self.assertEqual(self.fleet.versions(), dict.fromkeys(self.fleet.names, version))
        wait_until(f"the controller to name {version} everywhere",
                   lambda: self.named() == dict.fromkeys(self.fleet.names, (version, True)), SEEN_WITHIN,
                   self.fleet.log)

    def hosts(self):
        listed = self.fleet.slipway("-o", "json", "fleet", "status", "--all").stdout
        return {host["name"]: host for host in json.loads(listed)["hosts"]}

    def named(self):
        """{host: (version that runs, whether it is the one on the disk)}, as the controller says."""
        apps = {name: host.get("apps", [{}])[0] for name, host in self.hosts().items()}
        return {name: (app.get("label"), app.get("running") == app.get("on_disk") != "") for name, app in apps.items()}

    def silent(self, host):
        wait_until(f"{host} to be missed", lambda: self.hosts()[host]["state"] == "SILENT", SEEN_WITHIN,
                   self.fleet.log)

    def on(self, step, act):
        """For `during`: acts on the first host that is told to do the step."""
        def during(child):
            told = re.compile(rf"(\S+) {step}: issued")
            wait_until(f"`{step}` to be issued",
                       lambda: told.search(child.log.read_text()) or not child.alive(), REACHED_WITHIN, child.log)
            found = told.search(child.log.read_text())
            self.assertTrue(found and child.alive(), "the rollout was over before the step")
            say(f"{found[1]} is told: {step}")
            act(found[1])
        return during

    def push_as_units(self, *versions):
        """The same releases under another name, with a unit on each host that runs `current`: the plan."""
        def renamed(text):
            return text.replace("name: unified-media", "name: media-units")

        plan = self.fleet.root / "media-units.yaml"
        plan.write_text(renamed((SOURCE / self.fleet.plan).read_text()))
        for version in versions:
            release = self.fleet.root / "units" / version
            shutil.copytree(self.fleet.build / "releases" / version, release)
            description = release / "release.yaml"
            text = renamed(description.read_text())
            description.write_text(re.sub(r"(?m)^    run: .*$", f"    unit: {UNIT}", text))
            self.fleet.slipway("release", "push", release)
        unit = self.fleet.root / UNIT
        unit.write_text("[Service]\nExecStart=/srv/media/current/bin/media-repository "
                        "--config /srv/media/shared/media.toml\n")
        for host in self.fleet.hosts.values():
            host.copy_in(unit, f"/etc/systemd/system/{UNIT}")
        return plan

    # --- scenarios ----------------------------------------------------------------------------

    def test_ReleaseReachesSixHostsWithoutAFailedRequest(self):
        self.deploy("1.0.0")
        self.assert_all_run("1.0.0")
        self.fleet.start_load(RATE)
        self.deploy("2.0.0")
        self.assert_all_run("2.0.0")
        sent, failed = self.fleet.requests()
        self.assertGreater(sent, 100)
        self.assertEqual(failed, 0, self.fleet.first_failures())

    def test_BrokenReleaseGoesBackWithoutAFailedRequest(self):
        self.deploy("1.0.0")
        self.fleet.start_load(RATE)
        output = self.deploy("2.1.0-dies-after-2s", ROLLED_BACK)
        self.assertIn("FATAL thumbnail worker", output)
        self.assert_all_run("1.0.0")
        self.assertEqual(self.fleet.requests()[1], 0, self.fleet.first_failures())

    def test_UnitsOfTheHostsAreRolledOutAndBackLikeChildrenOfTheAgent(self):
        self.fleet.plan = self.push_as_units("1.0.0", "2.0.0", "2.1.0-dies-after-2s")
        self.deploy("1.0.0")
        self.fleet.start_load(RATE)
        self.deploy("2.0.0")
        self.assert_all_run("2.0.0")
        output = self.deploy("2.1.0-dies-after-2s", ROLLED_BACK)
        self.assertIn("FATAL thumbnail worker", output)
        self.assert_all_run("2.0.0")
        self.assertEqual(self.fleet.requests()[1], 0, self.fleet.first_failures())
        for host in self.fleet.hosts.values():
            self.assertEqual(host.exec("systemctl", "is-active", UNIT).stdout.strip(), "active")

    def test_HostWhoseLinkIsCutGoesOnWhenItIsHealed(self):
        def cut(host):
            self.fleet.network.links[host].cut()
            self.silent(host)
            self.fleet.network.links[host].heal()

        self.deploy("1.0.0")
        self.deploy("2.0.0", during=self.on("stop media", cut))
        self.assert_all_run("2.0.0")

    def test_SlowAndLossyLinksOnlyTakeLonger(self):
        self.deploy("1.0.0")
        for name in self.fleet.names[:2]:
            self.fleet.network.links[name].shape("4mbit")
            self.fleet.network.links[name].lose(3)
        self.deploy("2.0.0")
        for name in self.fleet.names[:2]:
            self.fleet.network.links[name].heal()
        self.assert_all_run("2.0.0")

    def test_HostThatLosesPowerGoesOnAfterItsBoot(self):
        def lose_power(name):
            host = self.fleet.hosts[name]
            host.kill()
            self.silent(name)
            host.boot()
            host.ready()

        self.deploy("1.0.0")
        self.deploy("2.0.0", during=self.on("stop media", lose_power))
        self.assert_all_run("2.0.0")

    def test_FrozenHostGoesOnWhereItStopped(self):
        def freeze(name):
            host = self.fleet.hosts[name]
            host.freeze()
            self.silent(name)
            host.freeze(False)

        self.deploy("1.0.0")
        self.deploy("2.0.0", during=self.on("stop media", freeze))
        self.assert_all_run("2.0.0")

    def test_RebootedHostStartsWhatItWasTold(self):
        def reboot(name):
            host = self.fleet.hosts[name]
            host.reboot()
            host.ready()

        self.deploy("1.0.0")
        self.deploy("2.0.0", during=self.on("stop media", reboot))
        self.assert_all_run("2.0.0")


if __name__ == "__main__":
    main()
