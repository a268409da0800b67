"""What the tests of the API have in common: a fleet of two hosts, and the client that asks it."""

import atexit
import shutil
import sys
import unittest

from small_fleet import PATIENCE, SmallFleet, stubs, wait_until

generated = stubs()
atexit.register(shutil.rmtree, generated)
sys.path.insert(0, str(generated))

import client  # noqa: E402
from slipway.v1 import fleet_pb2  # noqa: E402

HOSTS = ["web-1", "web-2"]
PLAN = """plan: 1
name: nothing
environment: test
groups:
  all: { select: "role=web", exactly: 2 }
phases:
  - phase: first
    hosts: all
    strategy: { canary: { hosts: 0 }, batch: 1, bake: 0s, because: it has no service }
    steps:
      - stage: { component: files, app: "APP" }
      - switch: { app: "APP" }
"""


class ApiTestCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = SmallFleet()
        cls.addClassCleanup(cls.fleet.remove)
        cls.fleet.up()
        cls.client = cls.connect(cls.fleet.operator_files())
        cls.addClassCleanup(cls.client.close)
        for host in HOSTS:
            cls.fleet.start_agent(host, cls.client.token(host, role="web", port="80"))
        wait_until("the agents to attach", cls.all_attached, PATIENCE)

    @classmethod
    def connect(cls, files):
        authority, certificate, key = files
        return client.Client(cls.fleet.operators, authority, certificate, key)

    @classmethod
    def all_attached(cls):
        return [h.state for h in cls.client.hosts()] == [fleet_pb2.Host.CONNECTED] * len(HOSTS)

    def setUp(self):
        # A rollout frees its hosts right after its last event.
        wait_until("the hosts to be free", lambda: not any(h.locked_by for h in self.client.hosts()), PATIENCE)

    def push(self, name, **files):
        self.client.push(name, "1.0.0", {f"files/{path}": text.encode() for path, text in files.items()})

    def plan(self, name):
        return PLAN.replace("APP", str(self.fleet.root / "{{host}}-apps" / name)).replace("nothing", name)
