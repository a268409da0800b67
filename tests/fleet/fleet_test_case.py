"""What the tests of booted hosts have in common."""

import pathlib
import sys
import tempfile
import unittest

from ground import Ground, NoGround, require, sweep
from host import Host
from image import NoImage, image
from network import Network

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77  # CTest's SKIP_RETURN_CODE


class HostsTestCase(unittest.TestCase):
    """A ground of its own for each test; removed also when the test fails."""

    def setUp(self):
        self.ground = Ground(tempfile.mkdtemp(prefix="slipway-fleet-", dir="/var/tmp"))
        self.addCleanup(self.ground.remove)
        self.network = Network(self.ground)

        self.hosts = []

    def host(self, name, binds=None, drive=False):
        """A booted host."""
        host = Host(self.ground, name, image(), self.network.attach(name).namespace, binds, drive)
        self.hosts.append(host)
        host.boot()
        host.ready()
        return host

    def diagnose(self):
        """What the hosts of a failed test say, while they are there."""
        for host in self.hosts:
            print(f"\n--- {host.name}\n{host.says()}", file=sys.stderr)


class Result(unittest.TextTestResult):
    """Asks a test that failed before its hosts are removed."""

    def addError(self, test, err):
        super().addError(test, err)
        _diagnose(test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        _diagnose(test)


def _diagnose(test):
    try:
        getattr(test, "diagnose", lambda: None)()
    except Exception as error:  # the failure itself is what counts
        print(f"no diagnosis: {error}", file=sys.stderr)


def hosts_or_skip():
    """The image; removes what killed tests left. Ends the program where hosts cannot be booted."""
    try:
        require()
        sweep()
        return image()
    except (NoGround, NoImage) as error:
        print(f"no test hosts here: {error}")
        sys.exit(SKIPPED)


def main():
    hosts_or_skip()
    unittest.main(testRunner=unittest.TextTestRunner(resultclass=Result, verbosity=2))
