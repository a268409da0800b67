"""A controller and agents on this machine, an nginx in front of what they run, and requests."""

import json
import os
import pathlib
import shutil
import signal
import socket
import urllib.request

from demo_lib.processes import DemoError, Process, run, wait_until

HOSTS = 6
SERVICE = "unified-media"


def free_ports(count):
    """Ports that nobody listens on; held together, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


class Fleet:
    """Everything lives below `root`; nothing outside of it is touched."""

    def __init__(self, source, build, root):
        self.source, self.build, self.root = map(pathlib.Path, (source, build, root))
        self.bin = self.build / "bin"
        self.log = self.root / "commands.log"
        self.names = [f"media-{i}" for i in range(1, HOSTS + 1)]
        self.controller, self.nginx, self.load = None, None, None
        self.agents = {}
        ports = free_ports(4 + HOSTS)
        self.operators, self.agents_port, self.enrolment, self.proxy = ports[:4]
        self.service_ports = dict(zip(self.names, ports[4:]))

    # --- set-up -------------------------------------------------------------------------------

    def up(self, say):
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)
        say("controller: certificate authority, keys, SQLite journal")
        run([self.bin / "slipway-controller", "init", "--dir", self.root / "controller",
             "--name", "127.0.0.1", "--operator", "demo",
             "--listen-operators", f"127.0.0.1:{self.operators}",
             "--listen-agents", f"127.0.0.1:{self.agents_port}",
             "--listen-enrolment", f"127.0.0.1:{self.enrolment}"], self.log)
        self.start_controller()
        say(f"{HOSTS} agents: single-use token, key made on the host, mTLS from then on")
        shared = self.root / "shared-data"
        shared.mkdir()
        for name in self.names:
            self._enrol(name, shared)
            self.start_agent(name)
        wait_until("the agents to connect", self._all_connected, 30, self.root / "controller.log")
        say("releases: sealed and pushed")
        for version in sorted(p.name for p in (self.build / "releases").iterdir() if p.is_dir()):
            self.slipway("release", "push", self.build / "releases" / version)
        self._start_nginx()

    def _enrol(self, name, shared):
        host = self.root / "hosts" / name
        app = host / "srv" / "media" / "shared"
        app.mkdir(parents=True)
        # One storage behind all instances, as an NFS mount or an object store would be.
        (app / "data").symlink_to(shared)
        token = host / "token"
        self.slipway("agent", "enroll", name, "--label", "role=backend", "--label", f"root={host}",
                     "--label", f"port={self.service_ports[name]}", "--token-file", token)
        run([self.bin / "slipway-agent", "enroll", "--token-file", token, "--dir", host / "agent"], self.log)
        token.unlink()

    def _all_connected(self):
        done = run([self.bin / "slipway", "-o", "json", "fleet", "status", "--all"], self.log, self.env(), None)
        if done.returncode != 0:
            return False
        hosts = json.loads(done.stdout).get("hosts", [])
        return sum(h.get("state") == "CONNECTED" for h in hosts) == HOSTS

    def _start_nginx(self):
        argv = run([self.source / "deploy/media-repository/make-nginx", self.root / "nginx", str(self.proxy),
                    *map(str, self.service_ports.values())], self.log).stdout.decode().split()
        self.nginx = Process("nginx", argv, self.root / "nginx.log")
        wait_until("nginx to listen", lambda: self._listens(self.proxy), 10, self.root / "nginx.log")

    @staticmethod
    def _listens(port):
        with socket.socket() as s:
            s.settimeout(0.2)
            return s.connect_ex(("127.0.0.1", port)) == 0

    # --- processes ----------------------------------------------------------------------------

    def start_controller(self):
        self.controller = Process("controller", [self.bin / "slipway-controller", "run", "--dir",
                                                 self.root / "controller"], self.root / "controller.log")
        wait_until("the controller to listen", lambda: self._controller_up(), 20, self.root / "controller.log")

    def _controller_up(self):
        if not self.controller.alive():
            raise DemoError("the controller ended:\n" + self.controller.last_lines(), self.controller.log)
        return self._listens(self.operators)

    def start_agent(self, name):
        host = self.root / "hosts" / name
        self.agents[name] = Process(name, [self.bin / "slipway-agent", "run", "--dir", host / "agent"],
                                    host / "agent.log")

    def start_load(self, rate):
        summary = self.root / "requests.json"
        self.load = Process("media-load", [self.bin / "media-load", "--url", f"http://127.0.0.1:{self.proxy}",
                                           "--summary", summary, "--rate", str(rate)], self.root / "load.log")
        wait_until("the first requests", lambda: self.requests()[0] > 0, 20, self.root / "load.log")

    def requests(self):
        """(sent, failed) so far."""
        try:
            counts = json.loads((self.root / "requests.json").read_text())
        except (OSError, ValueError):
            return 0, 0
        return counts["requests"], counts["failed"]

    def first_failures(self):
        try:
            return json.loads((self.root / "requests.json").read_text()).get("first_failures", [])
        except (OSError, ValueError):
            return []

    def answers(self):
        """Whether a request through nginx is answered."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.proxy}/api/images?limit=1", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def env(self):
        return {**os.environ, "SLIPWAY_CONFIG": str(self.root / "controller/operators/demo/config.yaml")}

    def slipway(self, *args, expect=(0,), seconds=120):
        return run([self.bin / "slipway", *map(str, args)], self.log, self.env(), expect, seconds)

    def versions(self):
        """{host: version that its service reports}, asked directly, past controller and agents."""
        versions = {}
        for name, port in self.service_ports.items():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
                    versions[name] = json.load(answer)["release"]
            except (OSError, ValueError, KeyError):
                versions[name] = "nothing"
        return versions

    def services(self):
        """Pids of the media repository's processes of this fleet, found by what they run."""
        mine = str(self.root / "hosts") + "/"
        pids = []
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    if os.readlink(f"/proc/{entry}/exe").startswith(mine):
                        pids.append(int(entry))
                except OSError:
                    continue
        return pids

    def down(self):
        """Stops all of it; a service outlives its agent on purpose, so it is stopped by its own id."""
        if self.load:
            self.load.stop()
        if self.nginx:
            self.nginx.stop(signal.SIGQUIT)
        for agent in self.agents.values():
            agent.stop()
        if self.controller:
            self.controller.stop()
        for how in (signal.SIGTERM, signal.SIGKILL):
            for pid in self.services():
                try:
                    os.kill(pid, how)
                except ProcessLookupError:
                    pass
            try:
                wait_until("the services to end", lambda: not self.services(), 8)
                return
            except DemoError:
                continue
