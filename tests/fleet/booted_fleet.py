"""The demo's fleet on booted hosts: each with its own systemd, address and link.

The service is a unit of each host, or with `units=False` a child of its agent. Controller, nginx and
requests live beside the hosts, in the hub's namespace; the instances share one folder, as a mount of
network storage would be.
"""

import contextlib
import ctypes
import os
import re
import shutil
import signal
import threading

from ground import Ground, require, sweep, within
from host import Host
from image import image
from network import HUB, Network

from demo_lib.fleet import HOSTS, Fleet
from demo_lib.processes import DemoError, Process

PORT = 8080  # of the service, on each host
UNIT = "media.service"
UNIT_FILE = """[Service]
ExecStart=/srv/media/current/bin/media-repository --config /srv/media/shared/media.toml
"""
INSTALLS_WITHIN = 300  # seconds, six at once
CLONE_NEWNET = 0x40000000


class BootedFleet(Fleet):
    address = HUB
    plan = "tests/fleet/media.yaml"

    def __init__(self, source, build, root, units=True, drives=False, ladder=None):
        """`drives`: each host has its own, and can lose its power. `ladder`: how a service is stopped
        instead of what its release says."""
        super().__init__(source, build, root)
        self.units, self.drives, self.ladder = units, drives, ladder
        self.operators, self.agents_port, self.enrolment, self.proxy = 7001, 7002, 7003, 8000
        self.ground, self.network, self.hosts = None, None, {}

    # --- where things are ---------------------------------------------------------------------

    def here(self, argv):
        return self.network.from_hub(argv)

    def process(self, name, argv):
        argv = within(self.network.hub_group, self.here(argv))
        return Process(name, argv, self.root / f"{name}.log")

    def get(self, url):
        return self._in_hub(lambda: Fleet.get(self, url))

    def listens(self, port):
        return self._in_hub(lambda: Fleet.listens(self, port))

    def _in_hub(self, function):
        """What the function returns or raises, on a thread whose sockets are in the hub's namespace."""
        result = []

        def enter_and_run():
            try:
                with open(f"/run/netns/{self.network.hub}", "rb") as namespace:
                    if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET) != 0:
                        raise OSError(ctypes.get_errno(), "setns")
                result.extend((function(), None))
            except Exception as error:  # raised again below, on the caller's thread
                result.extend((None, error))

        thread = threading.Thread(target=enter_and_run)
        thread.start()
        thread.join()
        if result[1]:
            raise result[1]
        return result[0]

    # --- set-up -------------------------------------------------------------------------------

    def up(self, say):
        require()
        sweep()
        base = image(say)
        self.ground = Ground(self.root.parent / f"{self.root.name}-disks")
        self.network = Network(self.ground)
        links = {name: self.network.attach(name) for name in self.names}
        self.instances = {name: f"{link.address}:{PORT}" for name, link in links.items()}
        for name, link in links.items():
            binds = {"/srv/media/shared/data": self.root / "shared-data"}
            self.hosts[name] = Host(self.ground, name, base, link.namespace, binds, self.drives)
        super().up(say)

    def release(self, version):
        described = self.root / "releases" / version
        shutil.copytree(super().release(version), described)
        description = described / "release.yaml"
        text = description.read_text()
        if self.units:
            text = re.sub(r"(?m)^    run: .*$", f"    unit: {UNIT}", text)
        if self.ladder:
            text = re.sub(r"ladder: \[.*?\]", f"ladder: {self.ladder}", text)
        description.write_text(text)
        return described

    def _add_hosts(self, say):
        say(f"{HOSTS} hosts boot: Debian with systemd, addresses {HUB.rsplit('.', 1)[0]}.11 and on")
        for host in self.hosts.values():
            host.boot()
        for host in self.hosts.values():
            host.ready()
        self._install()
        unit = self.root / UNIT
        unit.write_text(UNIT_FILE)
        say("agents enrol: single-use token, key made on the host, mTLS from then on")
        for name, host in self.hosts.items():
            token = self.token(name)
            host.copy_in(token, "/root/token")
            host.exec("slipway-agent", "enroll", "--token-file", "/root/token", "--dir", "/var/lib/slipway/agent")
            host.exec("rm", "/root/token")
            token.unlink()
            if self.units:
                host.copy_in(unit, f"/etc/systemd/system/{UNIT}")
            if self.drives:
                host.exec("sync", "--file-system", "/")  # all this was long ago
            host.exec("systemctl", "enable", "--quiet", "--now", "slipway-agent.service")

    def _install(self):
        """The agent's package, as people would; on all hosts at once."""
        packages = list((self.build / "packages").glob("slipway-agent_*.deb"))
        if len(packages) != 1:
            raise DemoError(f"{self.build}/packages has no package of the agent: "
                            "cmake --build --preset release --target packages")
        children = []
        for host in self.hosts.values():
            host.copy_in(packages[0], "/root/slipway-agent.deb")
            with open(host.directory / "install.log", "wb") as log:
                # Six at once: their disks may be synced later.
                argv = host.inside("dpkg", "--force-unsafe-io", "--install", "/root/slipway-agent.deb")
                children.append((host, self.ground.start([], argv, stdout=log, stderr=log)))
        for host, child in children:
            if child.wait(timeout=INSTALLS_WITHIN) != 0:
                raise DemoError(f"{host.name}: dpkg ended with {child.returncode}", host.directory / "install.log")

    # --- processes ----------------------------------------------------------------------------

    def start_agent(self, name):
        self.hosts[name].exec("systemctl", "start", "slipway-agent.service")

    def kill_agent(self, name):
        self.hosts[name].exec("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "slipway-agent.service")

    def stall(self, name, stalled=True):
        """The service of a host does nothing, not even end, or goes on; there may be none."""
        self.hosts[name].exec("pkill", "--signal", "STOP" if stalled else "CONT", "--full",
                              "^/srv/media/", expect=None)

    def stay(self):
        """Hosts do not outlive the program that booted them."""
        first = next(iter(self.hosts.values()))
        print(f"  nsenter --target={first.leader} --all journalctl -u slipway-agent\nCtrl-C stops it.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
        self.down()

    def down(self):
        try:
            for process in (self.load, self.nginx, self.controller):
                if process:
                    process.stop()
        finally:
            if self.ground:
                self.ground.remove()
