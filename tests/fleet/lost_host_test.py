#!/usr/bin/env python3
"""A host is lost in mid-rollout and stays so: the rollout ends without it, and names it."""

from fleet_test_case import SOURCE, main
from rollout_test_case import NEEDS_PERSON, RolloutTestCase


class LostHostTest(RolloutTestCase):
    def begin_impatiently(self):
        """A host that was told to stop its service is soon given up."""
        self.begin()
        self.patient = (SOURCE / self.fleet.plan).read_text()
        self.plan_is(self.patient.replace("service: media, timeout: 8m }",
                                          "service: media, timeout: 30s, deadline: 5s }", 1))

    def plan_is(self, text):
        self.fleet.plan = self.fleet.root / "plan.yaml"
        self.fleet.plan.write_text(text)

    def roll_out_and_lose(self, lose):
        """The host that is lost when it is told to stop its service."""
        lost = []

        def act(name):
            lost.append(name)
            lose(name)

        output = self.deploy_and(act, expected=NEEDS_PERSON)
        self.plan_is(self.patient)
        self.assertIn(f"{lost[0]} undo stop media: not attached for 5s", output)
        self.assertIn(f"5 hosts on 1.0.0, 1 host unreachable ({lost[0]})", output)
        self.seen(lost[0], "SILENT")
        self.assert_run("1.0.0", self.others(lost[0]))
        return lost[0]

    def others(self, lost):
        return [name for name in self.fleet.names if name != lost]

    def test_HostWhoseLinkStaysCutIsNamedAndTakesTheNextRollout(self):
        self.begin_impatiently()
        lost = self.roll_out_and_lose(lambda name: self.fleet.network.links[name].cut())
        self.fleet.network.links[lost].heal()
        self.seen(lost, "CONNECTED")
        self.deploy("2.0.0")
        self.assert_run("2.0.0")

    def test_HostThatNeverComesBackIsRetiredAndTheOthersGoOn(self):
        self.begin_impatiently()
        lost = self.roll_out_and_lose(lambda name: self.fleet.hosts[name].kill())
        self.fleet.slipway("host", "retire", lost, "--reason", "its machine burnt down", "--yes")
        self.assertNotIn(lost, self.hosts())
        self.plan_is(self.patient.replace("exactly: 6", "exactly: 5"))
        self.deploy("2.0.0")
        self.assert_run("2.0.0", self.others(lost))


if __name__ == "__main__":
    main()
