"""What the tests of booted hosts have in common."""

import os
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

    def host(self, name, binds=None):
        """A booted host."""
        host = Host(self.ground, name, image(), self.network.attach(name).namespace, binds)
        host.boot()
        host.ready()
        return host


def hosts_or_skip():
    """The image; removes what killed tests left. Ends the program where hosts cannot be booted."""
    try:
        require()
        sweep()
        return image()
    except (NoGround, NoImage) as error:
        print(f"no test hosts here: {error}")
        sys.exit(1 if os.environ.get("CI") else SKIPPED)


def main():
    hosts_or_skip()
    unittest.main(verbosity=2)
