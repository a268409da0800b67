"""What the benchmarks of many agents share: one controller and its agents below one folder, on loopback."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "scripts"))
sys.dont_write_bytecode = True

from demo_lib.fleet import free_ports  # noqa: E402
from demo_lib.processes import DemoError, Process, run, wait_until  # noqa: E402


class Ground:
    """Used with `with`: what was started is stopped, and the folder removed, however it ends."""

    def __init__(self, build, folder):
        self.bin, self.root = pathlib.Path(build) / "bin", pathlib.Path(folder).resolve()
        self.log = self.root / "commands.log"
        self.processes = []
        self.controller = None
        self.ports = dict(zip(("operators", "agents", "enrolment"), free_ports(3)))

    def __enter__(self):
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that __exit__ runs
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir(parents=True)
        flags = [f"--listen-{name}=127.0.0.1:{port}" for name, port in self.ports.items()]
        run([self.bin / "slipway-controller", "init", "--dir", self.root / "controller", "--name", "127.0.0.1",
             "--operator", "bench", *flags], self.log)
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.stop(seconds=20)
        shutil.rmtree(self.root, ignore_errors=True)

    def start(self, name, argv):
        process = Process(name, [str(a) for a in argv], self.root / f"{name}.log")
        self.processes.append(process)
        return process

    def start_controller(self):
        (self.root / "controller/endpoints.json").unlink(missing_ok=True)
        self.controller = self.start("controller", [self.bin / "slipway-controller", "run", "--dir",
                                                    self.root / "controller"])
        wait_until("the controller to listen", (self.root / "controller/endpoints.json").exists, 60,
                   self.controller.log, every=0.01)

    def env(self):
        return {**os.environ, "SLIPWAY_CONFIG": str(self.root / "controller/operators/bench/config.yaml")}

    def slipway(self, *args, seconds=300):
        return run([self.bin / "slipway", *map(str, args)], self.log, self.env(), seconds=seconds)

    def push_release(self):
        """"nothing" 1.0.0, of one small file."""
        release = self.root / "release"
        (release / "files").mkdir(parents=True)
        (release / "files/note").write_text("nothing\n")
        (release / "release.yaml").write_text(
            "release: 1\nname: nothing\nversion: 1.0.0\ncomponents:\n  files: { path: files/ }\n")
        self.slipway("release", "push", release)

    def timed_deploy(self, plan):
        """Seconds from the start of `slipway deploy` to its end, every outcome durable."""
        start = time.perf_counter()
        self.slipway("deploy", plan, "--version", "1.0.0", "--reason", "bench")
        return time.perf_counter() - start

    # --- a swarm ------------------------------------------------------------------------------

    def start_swarm(self, hosts, *flags):
        """Enrols; the swarm dials as soon as something listens in the controller's place."""
        swarm = self.start("swarm", [self.bin / "slipway-swarm", "--controller", self.root / "controller", "--hosts",
                                     hosts, "--label", "role=web", "--for", "15m", *flags])
        wait_until("the swarm to be enrolled", lambda: self._alive(swarm) and "enrolled" in swarm.log.read_text(),
                   300, swarm.log)
        return swarm

    @staticmethod
    def _alive(process):
        if not process.alive():
            raise DemoError(f"{process.name} ended:\n{process.last_lines()}", process.log)
        return True

    @staticmethod
    def tally(swarm):
        """What the swarm said last."""
        lines = [line for line in swarm.log.read_text().splitlines() if line.startswith('{"seconds"')]
        return json.loads(lines[-1]) if lines else {"attached": 0, "beats": 0, "acknowledged": 0}

    def wait_attached(self, swarm, hosts, seconds=300):
        wait_until(f"{hosts} agents", lambda: self._alive(swarm) and self.tally(swarm)["attached"] == hosts, seconds,
                   swarm.log, every=0.02)


def resident(pid):
    """Bytes that are the process's own."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    return 0


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(argv, env=None, seconds=300):
    """(seconds, what it printed); ends the program when the command fails."""
    start = time.perf_counter()
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, capture_output=True, env=env,
                          timeout=seconds)
    took = time.perf_counter() - start
    if done.returncode != 0:
        sys.exit(f"{argv[0]} ended with {done.returncode}:\n{(done.stderr or done.stdout).decode(errors='replace')}")
    return took, done.stdout.decode(errors="replace")
