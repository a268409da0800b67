#!/usr/bin/env python3
"""Rollouts on six booted hosts; each ends as if nothing had happened to them.

  tests/fleet/rollout_test.py RolloutTest.test_FrozenHostGoesOnWhereItStopped      one scenario
"""

from booted_fleet import UNIT
from fleet_test_case import main
from rollout_test_case import RATE, ROLLED_BACK, RolloutTestCase


class RolloutTest(RolloutTestCase):
    def test_ReleaseReachesSixHostsWithoutAFailedRequest(self):
        self.begin()
        self.assert_run("1.0.0")
        self.fleet.start_load(RATE)
        self.deploy("2.0.0")
        self.assert_run("2.0.0")
        sent, failed = self.fleet.requests()
        self.assertGreater(sent, 100)
        self.assertEqual(failed, 0, self.fleet.first_failures())

    def test_BrokenReleaseGoesBackWithoutAFailedRequest(self):
        self.begin()
        self.fleet.start_load(RATE)
        output = self.deploy("2.1.0-dies-after-2s", expected=ROLLED_BACK)
        self.assertIn("FATAL thumbnail worker", output)
        self.assert_run("1.0.0")
        self.assertEqual(self.fleet.requests()[1], 0, self.fleet.first_failures())

    def test_UnitsOfTheHostsAreRolledOutAndBackLikeChildrenOfTheAgent(self):
        self.begin(units=True)
        self.fleet.start_load(RATE)
        self.deploy("2.0.0")
        self.assert_run("2.0.0")
        output = self.deploy("2.1.0-dies-after-2s", expected=ROLLED_BACK)
        self.assertIn("FATAL thumbnail worker", output)
        self.assert_run("2.0.0")
        self.assertEqual(self.fleet.requests()[1], 0, self.fleet.first_failures())
        for host in self.fleet.hosts.values():
            self.assertEqual(host.exec("systemctl", "is-active", UNIT).stdout.strip(), "active")

    def test_HostWhoseLinkIsCutGoesOnWhenItIsHealed(self):
        def cut(host):
            self.fleet.network.links[host].cut()
            self.seen(host, "SILENT")
            self.fleet.network.links[host].heal()

        self.begin()
        self.deploy_and(cut)
        self.assert_run("2.0.0")

    def test_SlowAndLossyLinksOnlyTakeLonger(self):
        self.begin()
        for name in self.fleet.names[:2]:
            self.fleet.network.links[name].shape("4mbit")
            self.fleet.network.links[name].lose(3)
        self.deploy("2.0.0")
        for name in self.fleet.names[:2]:
            self.fleet.network.links[name].heal()
        self.assert_run("2.0.0")

    def test_HostsThatLosePowerGoOnAfterTheirBootWithWhatWasSynced(self):
        def lose_power(name):
            host = self.fleet.hosts[name]
            host.lose_power()
            self.seen(name, "SILENT")
            host.boot()
            host.ready()

        self.begin(drives=True)
        self.deploy_and(lose_power, "2.0.0", "stage backend")
        self.assert_run("2.0.0")
        self.deploy_and(lose_power, "2.2.0", "stop media")
        self.assert_run("2.2.0")

    def test_FrozenHostGoesOnWhereItStopped(self):
        def freeze(name):
            host = self.fleet.hosts[name]
            host.freeze()
            self.seen(name, "SILENT")
            host.freeze(False)

        self.begin()
        self.deploy_and(freeze)
        self.assert_run("2.0.0")

    def reboot(self, name):
        """In good order, and so with time for a service to end and for nothing else to begin."""
        host, link = self.fleet.hosts[name], self.fleet.network.links[name]
        link.cut()
        host.reboot()
        link.heal()
        host.ready()

    def test_RebootedHostStartsWhatItWasTold(self):
        self.begin()
        self.deploy_and(self.reboot)
        self.assert_run("2.0.0")

    def test_RebootedHostStartsTheUnitItWasTold(self):
        self.begin(units=True)
        self.deploy_and(self.reboot)
        self.assert_run("2.0.0")


if __name__ == "__main__":
    main()
