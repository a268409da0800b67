#!/usr/bin/env python3
"""A test host is a Debian like any other, and can be treated as badly as one."""

import json
import pathlib
import subprocess
import sys

import ground
from fleet_test_case import HostsTestCase, main
from ground import tool, wait_until
from network import HUB

HERE = pathlib.Path(__file__).resolve().parent
REACHES_WITHIN = 120
TURNS = 5  # somebody else on the machine may sync everything in between


def _text(path):
    try:
        return path.read_text()
    except FileNotFoundError:
        return None


class HostTest(HostsTestCase):
    def reaches(self, host):
        return host.exec("/usr/bin/python3", "-c", f"""
import socket
with socket.create_connection(("{HUB}", {self.port}), 3) as s:
    s.settimeout(3)
    s.sendall(b"x" * 10000)
    s.shutdown(socket.SHUT_WR)
    assert s.recv(1) == b"y"
""", expect=None).returncode == 0

    def serve(self):
        """Something in the hub that answers, so that links can be tried."""
        server = self.ground.start(self.network.hub_group, self.network.from_hub(
            [sys.executable, "-u", "-c", f"""
import socket
server = socket.create_server(("{HUB}", 0))
print(server.getsockname()[1])
while True:
    connection = server.accept()[0]
    connection.settimeout(2)
    try:
        while connection.recv(65536): pass
        connection.sendall(b"y")
    except OSError: pass
    connection.close()
"""]), stdout=subprocess.PIPE)
        self.port = int(server.stdout.readline())
        server.stdout.close()

    def test_UnitsRunUnderItsOwnSystemd(self):
        host = self.host("one")
        host.exec("systemctl", "start", "nginx.service")
        self.assertEqual(host.exec("systemctl", "is-active", "nginx.service").stdout.strip(), "active")
        self.assertEqual(host.exec("cat", "/proc/1/comm").stdout.strip(), "systemd")
        self.assertEqual(host.exec("hostname").stdout.strip(), "one")

    def test_DiskOutlivesKillAndReboot(self):
        host = self.host("one")
        host.exec("sh", "-c", "echo kept >/srv/file; sync")
        machine = host.exec("cat", "/etc/machine-id").stdout
        for again in (host.kill, host.stop):
            again()
            self.assertFalse(host.running())
            host.boot()
            host.ready()
            self.assertEqual(host.exec("cat", "/srv/file").stdout.strip(), "kept")
            self.assertEqual(host.exec("cat", "/etc/machine-id").stdout, machine)

    def test_PowerLossKeepsWhatWasSyncedAndForgetsTheRest(self):
        host = self.host("one", drive=True)
        host.exec("sync", "--file-system", "/")
        forgotten = 0
        for turn in range(TURNS):
            host.exec("sh", "-c", f"echo kept >/srv/kept{turn}; sync /srv /srv/kept{turn}")
            host.exec("sh", "-c", f"echo written >/srv/written{turn}")
            host.lose_power()
            self.assertEqual((host.root / f"srv/kept{turn}").read_text(), "kept\n")
            forgotten += "written\n" != _text(host.root / f"srv/written{turn}")
            host.boot()
            host.ready()
            if forgotten:
                return
        self.fail(f"what nobody synced was there after each of {TURNS} losses of power")

    def test_HostsShareOneImageAndNothingElse(self):
        one, two = self.host("one"), self.host("two")
        one.exec("systemd-run", "--unit=only-here", "sleep", "1000")
        one.exec("touch", "/srv/only-here")
        self.assertNotEqual(two.exec("systemctl", "is-active", "only-here", expect=None).returncode, 0)
        self.assertNotEqual(two.exec("test", "-e", "/srv/only-here", expect=None).returncode, 0)
        self.assertNotEqual(one.exec("cat", "/etc/machine-id").stdout, two.exec("cat", "/etc/machine-id").stdout)
        two.kill()
        one.exec("systemctl", "is-active", "only-here")

    def test_FrozenHostDoesNothingUntilItGoesOn(self):
        host = self.host("one")
        host.exec("systemd-run", "--unit=counter", "sh", "-c",
                  "while :; do echo x >>/srv/count; sleep 0.02; done")
        count = host.root / "srv/count"
        wait_until("the count to begin", lambda: count.exists() and count.stat().st_size > 4, REACHES_WITHIN)
        host.freeze()
        before = count.stat().st_size
        tool("sleep", "0.5")  # 25 turns of its loop, were it running
        self.assertEqual(count.stat().st_size, before)
        host.freeze(False)
        wait_until("the count to go on", lambda: count.stat().st_size > before, REACHES_WITHIN)

    def test_LinksAreCutShapedLossyAndHealed(self):
        self.serve()
        host, other = self.host("one"), self.host("two")
        link = self.network.links["one"]
        wait_until("the link", lambda: self.reaches(host), REACHES_WITHIN)
        link.cut()
        self.assertFalse(self.reaches(host))
        wait_until("the other's link", lambda: self.reaches(other), REACHES_WITHIN)
        link.heal()
        wait_until("the healed link", lambda: self.reaches(host), REACHES_WITHIN)
        link.shape("1mbit")
        link.lose(5)
        wait_until("the bad link to let something through", lambda: self.reaches(host), REACHES_WITHIN)
        dropping = tool("nsenter", f"--net=/run/netns/{link.namespace}", "nft", "list", "ruleset")
        self.assertIn("numgen random mod 100 < 5", dropping)
        self.assertIn("tbf", tool("tc", "-n", link.namespace, "qdisc", "show", "dev", "eth0"))
        link.heal()
        self.assertNotIn("tbf", tool("tc", "-n", link.namespace, "qdisc", "show", "dev", "eth0"))
        wait_until("the healed link", lambda: self.reaches(host), REACHES_WITHIN)

    def test_WhatAKilledTestLeftIsSwept(self):
        child = subprocess.Popen([sys.executable, "-c", f"""
import sys
sys.path.insert(0, {str(HERE)!r})
from host_test import HostTest
test = HostTest("test_UnitsRunUnderItsOwnSystemd")
test.setUp()
host = test.host("left")
host.exec("systemd-run", "sleep", "1000")
print(test.ground.id, flush=True)
sys.stdin.read()
"""], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        left = child.stdout.readline().strip()
        child.kill()
        child.communicate()
        record = json.loads((ground.RUN / left).read_text())
        ground.sweep()
        self.assertFalse((ground.RUN / left).exists())
        self.assertFalse(pathlib.Path(record["directory"]).exists())
        self.assertNotIn(left, tool("ip", "netns", "list"))
        self.assertNotIn(record["directory"], pathlib.Path("/proc/self/mountinfo").read_text())
        self.assertTrue((ground.RUN / self.ground.id).exists(), "a living test's ground is left alone")
        for hierarchy in ground.hierarchies():
            self.assertFalse((hierarchy / ground.CGROUP.format(left)).exists())


if __name__ == "__main__":
    main()
