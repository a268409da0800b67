"""The demo's fleet on booted hosts: each with its own systemd, address and link.

Controller, nginx and requests live in the hub's namespace; the instances share one folder, as a mount
of network storage would be.
"""

import contextlib
import ctypes
import os
import signal
import threading

from ground import Ground, require, sweep, within
from host import Host
from image import image
from network import HUB, Network

from demo_lib.fleet import HOSTS, Fleet
from demo_lib.processes import DemoError, Process

PORT = 8080  # of the service, on each host
CLONE_NEWNET = 0x40000000


class BootedFleet(Fleet):
    address = HUB
    plan = "tests/fleet/media.yaml"

    def __init__(self, source, build, root):
        super().__init__(source, build, root)
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
            self.hosts[name] = Host(self.ground, name, base, link.namespace, binds)
        super().up(say)

    def _add_hosts(self, say):
        say(f"{HOSTS} hosts boot: Debian with systemd, addresses {HUB.rsplit('.', 1)[0]}.11 and on")
        for host in self.hosts.values():
            host.boot()
        for host in self.hosts.values():
            host.ready()
        self._install()
        say("agents enrol: single-use token, key made on the host, mTLS from then on")
        for name, host in self.hosts.items():
            token = self.token(name)
            host.copy_in(token, "/root/token")
            host.exec("slipway-agent", "enroll", "--token-file", "/root/token", "--dir", "/var/lib/slipway/agent")
            host.exec("rm", "/root/token")
            token.unlink()
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
            if child.wait(timeout=120) != 0:
                raise DemoError(f"{host.name}: dpkg ended with {child.returncode}", host.directory / "install.log")

    # --- processes ----------------------------------------------------------------------------

    def start_agent(self, name):
        self.hosts[name].exec("systemctl", "start", "slipway-agent.service")

    def kill_agent(self, name):
        self.hosts[name].exec("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "slipway-agent.service")

    def stay(self):
        """Hosts do not outlive the program that booted them."""
        first = next(iter(self.hosts.values()))
        print(f"  nsenter --target={first.leader} --all journalctl -u slipway-agent\nCtrl-C stops it.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            signal.pause()
        self.down()

    def down(self):
        for process in (self.load, self.nginx, self.controller):
            if process:
                process.stop()
        if self.ground:
            self.ground.remove()
