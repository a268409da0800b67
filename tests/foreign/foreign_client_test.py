#!/usr/bin/python3
"""What a client that has none of our code finds at the API.

  tests/foreign/foreign_client_test.py ForeignClientTest.test_FleetIsListed      one claim
"""

import subprocess
import unittest

import grpc

from api_test_case import HOSTS, ApiTestCase  # makes the stubs
import client
import health_pb2
from slipway.v1 import artifact_pb2, fleet_pb2, rollout_pb2


class ForeignClientTest(ApiTestCase):
    def refused(self, code, call, *arguments):
        with self.assertRaises(grpc.RpcError) as refused:
            call(*arguments)
        self.assertEqual(refused.exception.code(), code, refused.exception.details())
        return refused.exception

    # --- what there is ------------------------------------------------------------------------

    def test_ServicesAndMethodsAreFoundByReflection(self):
        ours = ["slipway.v1.ArtifactService", "slipway.v1.FleetService", "slipway.v1.RolloutService"]
        self.assertEqual(self.client.services(),
                         {*ours, "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"})
        for name, file in zip(ours, (artifact_pb2, fleet_pb2, rollout_pb2)):
            written = file.DESCRIPTOR.services_by_name[name.rsplit(".", 1)[1]]
            found = self.client.described(name)
            self.assertEqual(
                {m.name: (m.input_type.full_name, m.output_type.full_name) for m in found.methods},
                {m.name: (m.input_type.full_name, m.output_type.full_name) for m in written.methods})
        answer = self.client.call_described("slipway.v1.FleetService", "GetHost", name="web-1")
        self.assertEqual((answer.name, answer.labels["role"]), ("web-1", "web"))

    def test_HealthIsServing(self):
        self.assertEqual(self.client.health(), health_pb2.HealthCheckResponse.SERVING)

    def test_FleetIsListed(self):
        hosts = self.client.hosts(page=1)
        self.assertEqual([h.name for h in hosts], HOSTS, "page by page, in order of names")
        self.assertTrue(all(h.facts.cpus > 0 and h.agent_version for h in hosts))
        self.assertEqual([h.name for h in self.client.hosts("name=web-2")], ["web-2"])
        error = self.refused(grpc.StatusCode.INVALID_ARGUMENT, self.client.hosts, "role=(")
        self.assertIn("role=(", error.details())
        missing = fleet_pb2.GetHostRequest(name="web-3")
        error = self.refused(grpc.StatusCode.NOT_FOUND, self.client.fleet.GetHost, missing)
        self.assertIn("web-", error.details(), "near names are suggested")

    # --- a rollout ----------------------------------------------------------------------------

    def test_RolloutIsStartedOnceAndWatchedToItsEnd(self):
        self.push("watched", note="nothing\n", empty="")
        started = self.client.start(self.plan("watched"), "watched@1.0.0", "the-one")
        again = self.client.start(self.plan("watched"), "watched@1.0.0", "the-one")
        self.assertEqual(again.id, started.id, "a repeated request is answered, not done again")

        sequences, last = [], None
        for update in self.client.watch(started.id):
            sequences += [c.sequence for c in update.changes if c.sequence]
            last = update.rollout if update.HasField("rollout") else last
        self.assertEqual(last.state, rollout_pb2.Rollout.SUCCEEDED, self.fleet.said())
        self.assertEqual({h.name: h.state for h in last.hosts}, dict.fromkeys(HOSTS, rollout_pb2.HostStatus.DONE))
        self.assertEqual(last.created_by, "slipway://localhost/operator/alice")
        self.assertEqual(sequences, sorted(set(sequences)), "each change once, in order")
        for host in HOSTS:
            app = self.fleet.root / f"{host}-apps" / "watched"
            self.assertEqual((app / "current/note").read_text(), "nothing\n")

    def test_WatchGoesOnBehindWhatItHas(self):
        self.push("resumed", note="nothing\n")
        rollout = self.client.start(self.plan("resumed"), "resumed@1.0.0")
        for _ in self.client.watch(rollout.id):
            pass
        end = self.client.rollouts.GetRollout(rollout_pb2.GetRolloutRequest(id=rollout.id)).sequence
        whole = self.changes(rollout.id, after=1)
        self.assertEqual(whole, list(range(2, end + 1)), "nothing is left out")
        middle = end // 2
        self.assertEqual(self.changes(rollout.id, after=middle), list(range(middle + 1, end + 1)))

    def changes(self, rollout, after):
        return [c.sequence for update in self.client.watch(rollout, after) for c in update.changes]

    def test_WatchSurvivesTheControllersDeath(self):
        self.push("survived", note="nothing\n")
        rollout = self.client.start(self.plan("survived"), "survived@1.0.0")
        updates = self.client.watch(rollout.id)
        known = next(updates).rollout.sequence
        self.fleet.controller.kill()
        self.fleet.start_controller()
        rest = list(updates)
        self.assertEqual(rest[-1].rollout.state, rollout_pb2.Rollout.SUCCEEDED, self.fleet.said())
        self.assertEqual([c.sequence for update in rest for c in update.changes],
                         list(range(known + 1, rest[-1].rollout.sequence + 1)))

    def test_BadPlanIsExplainedInTheDetails(self):
        self.push("explained", note="nothing\n")
        bad = self.plan("explained").replace("batch: 1", "bacth: 1")
        error = self.refused(grpc.StatusCode.INVALID_ARGUMENT, self.client.start, bad, "explained@1.0.0")
        found = client.problems(error)
        self.assertEqual([(p.line, "bacth" in p.message) for p in found], [(9, True)])

    def test_OnlyOperatorsAreLetIn(self):
        authority, *_ = self.fleet.operator_files()
        nobody = client.Client(self.fleet.operators, authority)
        self.addCleanup(nobody.close)
        self.refused(grpc.StatusCode.UNAVAILABLE, nobody.hosts)  # no handshake without a certificate

        agent = self.connect(self.fleet.agent_files("web-1"))
        self.addCleanup(agent.close)
        for call in (agent.hosts, agent.services):
            self.refused(grpc.StatusCode.PERMISSION_DENIED, call)

        stranger = self.connect((authority, *self.stranger()))
        self.addCleanup(stranger.close)
        self.refused(grpc.StatusCode.UNAVAILABLE, stranger.hosts)  # of another authority

    def stranger(self):
        """(certificate, key) that say what alice's say, signed by themselves."""
        key, certificate = self.fleet.root / "stranger.key", self.fleet.root / "stranger.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", key, "-out", certificate, "-subj", "/CN=alice", "-addext",
                        "subjectAltName=URI:slipway://localhost/operator/alice"], check=True, capture_output=True)
        return certificate.read_bytes(), key.read_bytes()


if __name__ == "__main__":
    unittest.main(verbosity=2)
