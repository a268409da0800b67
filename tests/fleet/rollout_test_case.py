"""Six booted hosts with the media repository, which a test treats badly in mid-rollout."""

import json
import os
import pathlib
import re
import sys
import time
import unittest

from fleet_test_case import SOURCE
from ground import wait_until
from booted_fleet import BootedFleet

BUILD = pathlib.Path(os.environ.get("SLIPWAY_BINARY_DIR", SOURCE / "build/release"))
RATE = 40  # requests a second
REACHED_WITHIN = 300  # seconds for a rollout on a machine under load to come to a step
SEEN_WITHIN = 180
LADDER = "[TERM, 4m, KILL]"  # for services that are stalled
SUCCEEDED, NEEDS_PERSON, ROLLED_BACK = 0, 10, 11


def say(text):
    print(f"{time.strftime('%H:%M:%S')}  {text}", file=sys.stderr, flush=True)


class RolloutTestCase(unittest.TestCase):
    """What the controller says of every host is what the host itself answers."""

    def begin(self, units=False, drives=False):
        """A fleet on which 1.0.0 runs."""
        self.fleet = BootedFleet(SOURCE, BUILD, BUILD / "fleet" / self.id().rsplit("_", 1)[1], units, drives,
                                 LADDER)
        self.addCleanup(self.fleet.down)
        self.fleet.up(say)
        self.deploy("1.0.0")

    def diagnose(self):
        logs = [self.fleet.root / "controller.log", *self.fleet.root.glob("deploy-*.log")]
        for log in logs:
            print(f"\n--- {log}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-40:]), file=sys.stderr)
        for host in self.fleet.hosts.values():
            print(f"\n--- {host.name}\n{host.says()}", file=sys.stderr)

    def deploy(self, version, *options, expected=SUCCEEDED, during=None):
        code, output = self.fleet.deploy(version, "-v", *options, during=during)
        say(f"{version}: exit code {code}")
        self.assertEqual(code, expected, "\n".join(output.splitlines()[-40:]))
        return output

    def assert_run(self, version, names=None):
        """Asked directly, past agents and controller; and the controller says the same."""
        names = names or self.fleet.names

        def those(hosts):
            return {name: of_host for name, of_host in hosts.items() if name in names}

        wait_until(f"{version} to answer on {', '.join(names)}",
                   lambda: those(self.fleet.versions()) == dict.fromkeys(names, version), SEEN_WITHIN, self.fleet.log)
        wait_until(f"the controller to name {version} on {', '.join(names)}",
                   lambda: those(self.named()) == dict.fromkeys(names, (version, True)), SEEN_WITHIN, self.fleet.log)

    def hosts(self):
        listed = self.fleet.slipway("-o", "json", "fleet", "status", "--all").stdout
        return {host["name"]: host for host in json.loads(listed)["hosts"]}

    def named(self):
        """{host: (version that runs, whether it is the one on the disk)}, as the controller says."""
        apps = {name: host.get("apps", [{}])[0] for name, host in self.hosts().items()}
        return {name: (app.get("label"), app.get("running") == app.get("on_disk") != "") for name, app in apps.items()}

    def seen(self, host, state):
        wait_until(f"{host} to be {state}", lambda: self.hosts()[host]["state"] == state, SEEN_WITHIN, self.fleet.log)

    def deploy_and(self, act, version="2.0.0", step="stop media", **how):
        """Rolls out and acts on the first host that is told to do the step. Services are stalled until
        then, so that no rollout gets further than to stop the first of them; what was to be stopped goes
        on, and ends, when the act is over."""
        for name in self.fleet.names:
            self.fleet.stall(name)

        def during(child):
            told = re.compile(rf"(\S+) {step}: issued")
            wait_until(f"`{step}` to be issued",
                       lambda: told.search(child.log.read_text()) or not child.alive(), REACHED_WITHIN, child.log)
            found = told.search(child.log.read_text())
            self.assertTrue(found and child.alive(), "the rollout was over before the step")
            say(f"{found[1]} is told: {step}")
            act(found[1])
            for name, host in self.fleet.hosts.items():
                if host.running():
                    self.fleet.stall(name, False)

        return self.deploy(version, during=during, **how)
