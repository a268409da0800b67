"""A controller and agents on this machine, an nginx in front of what they run, and requests."""

import itertools
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import urllib.request

from demo_lib.processes import DemoError, Process, run, wait_until

HOSTS = 6
SERVICE = "unified-media"
SOON = 90  # seconds; on a machine under load


def free_ports(count):
    """Ports that nobody listens on, below those that outgoing connections take by themselves."""
    low = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    ports = []
    for port in random.sample(range(low // 2, low), 100 * count):
        try:
            with socket.create_server(("127.0.0.1", port)):
                ports.append(port)
        except OSError:
            continue
        if len(ports) == count:
            return ports
    raise DemoError(f"no {count} free ports below {low}")


class Fleet:
    """Everything lives below `root`; nothing outside of it is touched.

    All on this machine, at 127.0.0.1. Where hosts have addresses of their own, `BootedFleet` of
    tests/fleet says what differs.
    """

    address = "127.0.0.1"  # of controller and nginx
    plan = "deploy/media-repository/quickstart.yaml"

    def __init__(self, source, build, root):
        self.source, self.build, self.root = map(pathlib.Path, (source, build, root))
        self.bin = self.build / "bin"
        self.log = self.root / "commands.log"
        self.names = [f"media-{i}" for i in range(1, HOSTS + 1)]
        self.controller, self.nginx, self.load = None, None, None
        self.agents = {}
        self.count = itertools.count(1)
        ports = free_ports(4 + HOSTS)
        self.operators, self.agents_port, self.enrolment, self.proxy = ports[:4]
        self.instances = {name: f"127.0.0.1:{port}" for name, port in zip(self.names, ports[4:])}

    # --- where things are ---------------------------------------------------------------------

    def here(self, argv):
        """The command line that runs a command where controller and nginx are."""
        return argv

    def get(self, url):
        """(status, body); OSError when there is no answer."""
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read()

    def listens(self, port):
        with socket.socket() as s:
            s.settimeout(0.2)
            return s.connect_ex((self.address, port)) == 0

    def process(self, name, argv):
        return Process(name, self.here(argv), self.root / f"{name}.log")

    # --- set-up -------------------------------------------------------------------------------

    def up(self, say):
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)
        say("controller: certificate authority, keys, SQLite journal")
        run([self.bin / "slipway-controller", "init", "--dir", self.root / "controller",
             "--name", self.address, "--operator", "demo",
             "--listen-operators", f"{self.address}:{self.operators}",
             "--listen-agents", f"{self.address}:{self.agents_port}",
             "--listen-enrolment", f"{self.address}:{self.enrolment}"], self.log)
        self.start_controller()
        # One storage behind all instances, as an NFS mount or an object store would be.
        self.shared = self.root / "shared-data"
        self.shared.mkdir()
        self._add_hosts(say)
        wait_until("the agents to connect", self._all_connected, SOON, self.root / "controller.log")
        say("releases: sealed and pushed")
        for version in sorted(p.name for p in (self.build / "releases").iterdir() if p.is_dir()):
            self.slipway("release", "push", self.release(version))
        self._start_nginx()

    def release(self, version):
        """The folder with what is pushed."""
        return self.build / "releases" / version

    def _add_hosts(self, say):
        say(f"{HOSTS} agents: single-use token, key made on the host, mTLS from then on")
        for name in self.names:
            host = self.root / "hosts" / name
            app = host / "srv" / "media" / "shared"
            app.mkdir(parents=True)
            (app / "data").symlink_to(self.shared)
            token = self.token(name, f"root={host}")
            run([self.bin / "slipway-agent", "enroll", "--token-file", token, "--dir", host / "agent"], self.log)
            token.unlink()
            self.start_agent(name)

    def token(self, name, *labels):
        """A file with the token that lets the host `name` enrol once."""
        token = self.root / f"{name}.token"
        port = self.instances[name].rsplit(":", 1)[1]
        chosen = [word for label in ("role=backend", f"port={port}", *labels) for word in ("--label", label)]
        self.slipway("agent", "enroll", name, *chosen, "--token-file", token)
        return token

    def _all_connected(self):
        done = self.slipway("-o", "json", "fleet", "status", "--all", expect=None)
        if done.returncode != 0:
            return False
        hosts = json.loads(done.stdout).get("hosts", [])
        return sum(h.get("state") == "CONNECTED" for h in hosts) == HOSTS

    def _start_nginx(self):
        argv = run([self.source / "deploy/media-repository/make-nginx", self.root / "nginx",
                    f"{self.address}:{self.proxy}", *self.instances.values()], self.log).stdout.decode().split()
        self.nginx = self.process("nginx", argv)
        wait_until("nginx to listen", lambda: self.listens(self.proxy), SOON, self.root / "nginx.log")

    # --- processes ----------------------------------------------------------------------------

    def start_controller(self):
        self.controller = self.process("controller", [self.bin / "slipway-controller", "run", "--dir",
                                                      self.root / "controller"])
        wait_until("the controller to listen", lambda: self._controller_up(), SOON, self.root / "controller.log")

    def _controller_up(self):
        if not self.controller.alive():
            raise DemoError("the controller ended:\n" + self.controller.last_lines(), self.controller.log)
        return self.listens(self.operators)

    def start_agent(self, name):
        host = self.root / "hosts" / name
        self.agents[name] = Process(name, [self.bin / "slipway-agent", "run", "--dir", host / "agent"],
                                    host / "agent.log")

    def kill_agent(self, name):
        self.agents[name].kill()

    def start_load(self, rate):
        summary = self.root / "requests.json"
        self.load = self.process("load", [self.bin / "media-load", "--url", f"http://{self.address}:{self.proxy}",
                                          "--summary", summary, "--rate", str(rate)])
        wait_until("the first requests", lambda: self.requests()[0] > 0, SOON, self.root / "load.log")

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
            return self.get(f"http://{self.address}:{self.proxy}/api/images?limit=1")[0] == 200
        except OSError:
            return False

    def env(self):
        return {**os.environ, "SLIPWAY_CONFIG": str(self.root / "controller/operators/demo/config.yaml")}

    def slipway(self, *args, expect=(0,), seconds=120):
        return run(self.here([self.bin / "slipway", *map(str, args)]), self.log, self.env(), expect, seconds)

    def deploy(self, version, *options, during=None, seconds=660):
        """`slipway deploy` to its end: (exit code, output). `during(process)` runs while it goes on."""
        argv = self.here([self.bin / "slipway", "deploy", self.source / self.plan, "--version", version,
                          "--reason", "demo", "--timeout", "10m", *options])
        child = Process("deploy", argv, self.root / f"deploy-{next(self.count)}.log", self.env())
        try:
            if during:
                during(child)
            child.child.wait(timeout=seconds)
        finally:
            if child.alive():
                child.kill()
        output = child.log.read_text(errors="replace")
        with open(self.log, "a", encoding="utf-8") as log:
            log.write("$ " + " ".join(map(str, argv)) + "\n" + output)
        return child.child.returncode, output

    def versions(self):
        """{host: version that its service reports}, asked directly, past controller and agents."""
        versions = {}
        for name, instance in self.instances.items():
            try:
                versions[name] = json.loads(self.get(f"http://{instance}/health")[1])["release"]
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

    def stay(self):
        """Leaves it running, and says how to stop it."""
        ours = [p.pid for p in (self.load, self.nginx, *self.agents.values(), self.controller) if p]
        print(f"Stop it: kill {' '.join(map(str, ours + self.services()))}")

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
