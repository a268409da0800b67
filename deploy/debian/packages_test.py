#!/usr/bin/env python3
"""The packages as they were built: what is in them, what they ask for, how far their units are open,
and what the packaged programs tell the service manager.

Installing, upgrading and removing them on booted hosts: tests/fleet/packages_test.py.
SLIPWAY_REWRITE_GOLDEN=1 writes testdata/ anew, except in CI.
"""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parents[1]
PACKAGES = pathlib.Path(os.environ["SLIPWAY_BINARY_DIR"]) / "packages"
NAMES = ("slipway", "slipway-agent", "slipway-controller")
DAEMONS = {"slipway-controller": 1.3, "slipway-agent": 4.0}  # most exposure that is accepted
WITHIN = 30  # seconds for a program under load to do what it does at once
REWRITE = os.environ.get("SLIPWAY_REWRITE_GOLDEN") == "1" and not os.environ.get("CI")


def run(*argv, **options):
    return subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, check=True,
                          capture_output=True, text=True, **options).stdout


def package(name):
    found = list(PACKAGES.glob(f"{name}_*.deb"))
    assert len(found) == 1, f"{PACKAGES} holds {found}: build the target `packages`"
    return found[0]


def field(name, which):
    return run("dpkg-deb", "--field", package(name), which).strip()


class Extracted(unittest.TestCase):
    """All packages below one root; nothing of them is run as an installation would."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="slipway-packages-")
        cls.root = pathlib.Path(cls.folder.name) / "root"
        (cls.root / "DEBIAN").mkdir(parents=True)
        for name in NAMES:
            run("dpkg-deb", "--extract", package(name), cls.root)
            run("dpkg-deb", "--control", package(name), cls.root / "DEBIAN" / name)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()


class Contents(Extracted):
    def test_PackagesHoldWhatIsListed(self):
        for name in NAMES:
            with self.subTest(name):
                # Without size and time: mode, owner, path.
                lines = [re.sub(r"^(\S+ +\S+) +\d+ \S+ \S+ ", r"\1 ", line)
                         for line in run("dpkg-deb", "--contents", package(name)).splitlines()]
                control = sorted(f"{f.stat().st_mode & 0o7777:04o} {f.name}"
                                 for f in (self.root / "DEBIAN" / name).iterdir())
                text = "\n".join(sorted(lines, key=lambda line: line.split()[2]) + control) + "\n"
                golden = HERE / "testdata" / f"{name}.txt"
                if REWRITE:
                    golden.write_text(text)
                self.assertEqual(text, golden.read_text(), f"{golden} lists something else")

    def test_ConffilesAreWhatPeopleChange(self):
        named = (self.root / "DEBIAN/slipway-controller/conffiles").read_text().split()
        self.assertEqual(named, ["/etc/default/slipway-controller"])
        for conffile in named:
            self.assertTrue((self.root / conffile.lstrip("/")).is_file())

    def test_HostsNeedNoLibraryThatIsLinkedIn(self):
        for name in NAMES:
            depends = field(name, "Depends")
            self.assertRegex(depends, r"libc6 \(>= ")
            self.assertRegex(depends, r"libssl3 \(>= ")
            self.assertNotRegex(depends, r"grpc|protobuf|absl")

    def test_TheAgentNamesTheLibraryThatItLoadsByItself(self):
        self.assertIn("libsystemd0", field("slipway-agent", "Depends"))

    def test_TheControllerNeedsPostgresOnlyWhereItsStoreIs(self):
        self.assertIn("libpq5", field("slipway-controller", "Recommends"))
        self.assertNotRegex(field("slipway-controller", "Depends"), r"libpq|ldap|krb5")

    def test_VersionIsThatOfChangelogAndProgram(self):
        version = run("dpkg-parsechangelog", "--file", HERE / "changelog", "--show-field",
                      "Version").strip()
        for name in NAMES:
            self.assertEqual(field(name, "Version"), version)
            self.assertIn(version.split("-")[0], run(self.root / "usr/bin" / name, "--version"))

    def test_ProgramsAreStrippedAndFindTheirLibrariesThemselves(self):
        for name in NAMES:
            dynamic = run("readelf", "--dynamic", "--sections", self.root / "usr/bin" / name)
            self.assertNotRegex(dynamic, r"RPATH|RUNPATH")
            self.assertNotIn(".debug_info", dynamic)
            self.assertRegex(dynamic, r"FLAGS_1.*\bPIE\b")

    def test_ReleaseAndPlanOfTheAgentAreSound(self):
        parts = self.root / "usr/share/slipway/agent-release"
        slipway = self.root / "usr/bin/slipway"
        self.assertIn(": sound", run(slipway, "plan", "validate", parts / "plan.yaml"))
        release = self.root / "agent-9.9.9"
        run(parts / "make-release", self.root / "usr/bin/slipway-agent", "9.9.9", release)
        self.assertIn("sha256:", run(slipway, "release", "build", release))

    def test_LintianFindsNothing(self):
        done = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning",
                               *map(package, NAMES)], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        said = [line for line in done.stdout.splitlines() if re.match("[EW]:", line)]
        self.assertEqual((done.returncode, said), (0, []), done.stderr)


class Units(Extracted):
    def unit(self, daemon):
        return self.root / "usr/lib/systemd/system" / f"{daemon}.service"

    def test_UnitsAreNoMoreOpenThanAccepted(self):
        for daemon, most in DAEMONS.items():
            with self.subTest(daemon):
                done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                                       f"--threshold={round(most * 10)}", self.unit(daemon)],
                                      stdin=subprocess.DEVNULL, capture_output=True, text=True)
                last = done.stdout.strip().splitlines()[-1]
                self.assertEqual(done.returncode, 0, last)
                self.assertLessEqual(float(re.search(r"service: (\d+\.\d)", last).group(1)), most)

    def test_UnitsHoldWhatSystemdUnderstands(self):
        for daemon in DAEMONS:
            text = self.unit(daemon).read_text()
            here = self.root / f"{daemon}.service"
            here.write_text(text.replace("ExecStart=/", f"ExecStart={self.root}/"))
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", here],
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True)
            # It looks at this machine's other units as well.
            ours = [line for line in done.stderr.splitlines() if daemon in line]
            self.assertEqual(ours, [])

    def test_WhatAnAgentStartedOutlivesIt(self):
        text = self.unit("slipway-agent").read_text()
        for line in ("KillMode=process", "Delegate=yes", "OOMPolicy=continue"):
            self.assertRegex(text, f"(?m)^{line}$")
        # A private /tmp would go with the agent, under the services that use it.
        self.assertNotRegex(text, r"(?m)^(PrivateTmp|RuntimeDirectory)=")

    def test_NoPackageEnablesAUnit(self):
        for daemon in DAEMONS:
            preset = self.root / f"usr/lib/systemd/system-preset/90-{daemon}.preset"
            self.assertRegex(preset.read_text(), f"(?m)^disable {daemon}.service$")
            self.assertFalse((self.root / "etc/systemd").exists())


class ServiceManager:
    """The socket that systemd gives a service, and what was said there."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(WITHIN)
        self.environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "4000000",
                            "PATH": os.environ["PATH"]}

    def close(self):
        self.socket.close()

    def hear(self, beginning):
        """The next message that begins so; others are passed over."""
        deadline = time.monotonic() + WITHIN
        while time.monotonic() < deadline:
            said = self.socket.recv(4096).decode()
            if said.startswith(beginning):
                return said
        raise AssertionError(f"no {beginning} within {WITHIN} s")


class Notifications(Extracted):
    """The packaged programs, with this test as their service manager."""

    def setUp(self):
        self.state = pathlib.Path(tempfile.mkdtemp(prefix="slipway-notify-"))
        self.addCleanup(shutil.rmtree, self.state)
        self.manager = ServiceManager(self.state / "notify")
        self.addCleanup(self.manager.close)

    def program(self, name):
        return self.root / "usr/bin" / name

    def start(self, name, manager, *argv):
        with open(self.state / f"{name}.log", "a") as log:
            child = subprocess.Popen([self.program(name), *map(str, argv)], stderr=log,
                                     stdin=subprocess.DEVNULL, env=manager.environment)
        self.addCleanup(self.end, child)
        return child

    @staticmethod
    def end(child):
        if child.poll() is None:
            child.kill()
        child.wait(timeout=WITHIN)

    def controller(self):
        self.folder = self.state / "controller"
        run(self.program("slipway-controller"), "init", "--dir", self.folder, "--name", "127.0.0.1",
            "--listen-operators", "127.0.0.1:0", "--listen-agents", "127.0.0.1:0",
            "--listen-enrolment", "127.0.0.1:0")
        return self.start("slipway-controller", self.manager, "run", "--dir", self.folder)

    def test_ControllerIsReadyWhenItListensAndSaysWhenItStops(self):
        child = self.controller()
        ready = self.manager.hear("READY=1")
        for address in re.findall(r"127\.0\.0\.1:(\d+)", ready):
            socket.create_connection(("127.0.0.1", int(address)), WITHIN).close()
        self.manager.hear("WATCHDOG=1")
        self.manager.hear("WATCHDOG=1")
        child.send_signal(signal.SIGTERM)
        self.manager.hear("STOPPING=1")
        self.assertEqual(child.wait(timeout=WITHIN), 0)

    def test_AgentIsReadyWithoutItsControllerAndSaysWhenItIsAttached(self):
        controller = self.controller()
        self.manager.hear("READY=1")
        operators = re.search(r'"operators": "([^"]+)"',
                              (self.folder / "endpoints.json").read_text()).group(1)
        token = self.state / "token"
        run(self.program("slipway"), "--config", self.folder / "operators/admin/config.yaml",
            "--controller", operators, "agent", "enroll", "web-1", "--token-file", token)
        agent = self.state / "agent"
        run(self.program("slipway-agent"), "enroll", "--token-file", token, "--dir", agent)
        systemd = ServiceManager(self.state / "agent-notify")
        self.addCleanup(systemd.close)

        child = self.start("slipway-agent", systemd, "run", "--dir", agent)
        systemd.hear("READY=1")
        systemd.hear("STATUS=attached to ")
        systemd.hear("WATCHDOG=1")
        controller.kill()
        systemd.hear("STATUS=not attached")
        systemd.hear("WATCHDOG=1")
        child.send_signal(signal.SIGTERM)
        systemd.hear("STOPPING=1")
        self.assertEqual(child.wait(timeout=WITHIN), 0)

        self.start("slipway-agent", systemd, "run", "--dir", agent)
        systemd.hear("READY=1\nSTATUS=not attached yet")


if __name__ == "__main__":
    unittest.main(verbosity=2)
