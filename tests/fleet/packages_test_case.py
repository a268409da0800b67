"""A booted host with all three packages, and one service under the agent's own driver."""

import os
import pathlib
import re
import shutil
import subprocess

from fleet_test_case import HostsTestCase
from ground import wait_until

PACKAGES = pathlib.Path(os.environ["SLIPWAY_BINARY_DIR"]) / "packages"
CONTROLLER, AGENT = "/var/lib/slipway/controller", "/var/lib/slipway/agent"
CONFIG = f"{CONTROLLER}/operators/admin/config.yaml"
SOON = 240  # seconds; on a machine under load

RELEASE = """
release: 1
name: pulse
version: 1.0.0
components: { all: { path: files/ } }
services:
  pulse: { component: all, run: [bin/pulse, "1000000"] }
"""
PLAN = """
plan: 1
name: pulse
environment: test
groups: { all: { select: "role=test", exactly: 1 } }
strategy: { canary: { hosts: 1, bake: 1s }, batch: [100%] }
phases:
  - phase: prepare
    steps: [ { stage: { hosts: all, component: all, app: /srv/pulse } } ]
  - phase: go
    hosts: all
    steps:
      - switch: { app: /srv/pulse }
      - start: { service: pulse }
rollback: { triggers: [step_failed, check_failed], strategy: { batch: 100% }, database: keep }
"""


class PackagesTestCase(HostsTestCase):
    # --- what people do on the host -----------------------------------------------------------

    def install(self, *debs):
        for deb in debs:
            self.one.copy_in(deb, f"/root/{deb.name}")
        return self.one.exec("dpkg", "--install", *(f"/root/{deb.name}" for deb in debs),
                             seconds=SOON).stdout

    def built(self, name):
        return next(PACKAGES.glob(f"{name}_*.deb"))

    def newer(self, name, version):
        """The same package with another version."""
        tree = self.ground.directory / f"{name}-{version}"
        subprocess.run(["dpkg-deb", "-R", self.built(name), tree], check=True)
        control = tree / "DEBIAN/control"
        control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {version}", control.read_text()))
        deb = self.ground.directory / f"{name}_{version}_test.deb"
        subprocess.run(["dpkg-deb", "-Znone", "-b", tree, deb], check=True, stdout=subprocess.DEVNULL)
        return deb

    def slipway(self, *argv):
        return self.one.exec("slipway", "--config", CONFIG, *argv, seconds=2 * SOON).stdout

    def property(self, unit, name):
        return self.one.exec("systemctl", "show", "--value", f"--property={name}", unit).stdout.strip()

    def pid(self, unit):
        return int(self.property(unit, "MainPID"))

    def attached(self):
        wait_until("the agent to be attached",
                   lambda: self.property("slipway-agent", "StatusText").startswith("attached to "), SOON)

    def begin(self):
        """Controller and agent on one host, as docs/operations.md says."""
        self.one = self.host("one")
        self.install(*map(self.built, ("slipway", "slipway-controller", "slipway-agent")))
        for unit in ("slipway-controller", "slipway-agent"):
            self.assertEqual(self.one.exec("systemctl", "is-enabled", unit, expect=None).stdout.strip(),
                             "disabled")
            self.assertEqual(self.property(unit, "ActiveState"), "inactive")
        refused = self.one.exec("slipway-controller", "init", "--dir", CONTROLLER, "--name", "127.0.0.1",
                                expect=(1,)).stderr
        self.assertIn("runuser -u slipway", refused)
        self.one.exec("runuser", "-u", "slipway", "--", "slipway-controller", "init", "--dir",
                      CONTROLLER, "--name", "127.0.0.1")
        self.one.exec("systemctl", "enable", "--now", "slipway-controller")
        self.slipway("agent", "enroll", "one", "--label", "role=test", "--token-file", "/root/token")
        self.one.exec("slipway-agent", "enroll", "--token-file", "/root/token", "--dir", AGENT)
        self.one.exec("systemctl", "enable", "--now", "slipway-agent")
        self.attached()

    def deploy(self):
        """Something that runs, started by the agent's own driver. Returns its process."""
        release = self.one.root / "root/release"
        (release / "files/bin").mkdir(parents=True)
        (release / "release.yaml").write_text(RELEASE)
        shutil.copy2(self.one.root / "usr/bin/sleep", release / "files/bin/pulse")
        self.one.copy_in(self.write("plan.yaml", PLAN), "/root/plan.yaml")
        self.slipway("release", "push", "/root/release")
        self.rollout = re.search(r"ro-[0-9A-Z]+", self.slipway(
            "deploy", "/root/plan.yaml", "--version", "1.0.0")).group()
        found = self.one.exec("pgrep", "--full", "bin/pulse 1000000").stdout.split()
        self.assertEqual(len(found), 1)
        return int(found[0])

    def write(self, name, text):
        path = self.ground.directory / name
        path.write_text(text)
        return path

    def assertGoesOn(self, service):
        self.assertEqual(self.one.exec("cat", f"/proc/{service}/comm").stdout.strip(), "pulse")
