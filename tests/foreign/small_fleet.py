"""A controller and agents on this machine, started as anybody would: no client of ours is in it."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SLIPWAY_BINARY_DIR", SOURCE / "build/release")).resolve()
sys.path.insert(0, str(SOURCE / "scripts"))

from demo_lib.processes import Process, run, wait_until  # noqa: E402

PATIENCE = 60  # seconds for a process on a machine under load to get somewhere


def stubs():
    """A folder with Python's stubs, made by Debian's plugin from proto/ and the standard services."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="foreign-stubs-", dir=BUILD))
    ours, standard = SOURCE / "proto", SOURCE / "tests/foreign/protos"
    files = [*sorted(ours.glob("slipway/v1/*.proto")), *sorted(standard.glob("*.proto"))]
    plugin = shutil.which("grpc_python_plugin")
    if plugin is None:
        raise FileNotFoundError("grpc_python_plugin: apt-get install protobuf-compiler-grpc")
    subprocess.run(["protoc", "-I", ours, "-I", standard, f"--python_out={folder}",
                    f"--grpc_python_out={folder}", f"--plugin=protoc-gen-grpc_python={plugin}", *files],
                   check=True)
    return folder


class SmallFleet:
    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="foreign-fleet-", dir=BUILD))
        self.log = self.root / "commands.log"
        self.processes = []
        self.controller, self.operators, self.metrics, self.ports = None, None, None, {}

    def up(self):
        run([BUILD / "bin/slipway-controller", "init", "--dir", self.root / "controller", "--name", "localhost",
             "--operator", "alice"], self.log)
        self.start_controller()

    def start_controller(self):
        """On ports that the kernel chooses the first time, and on the same ones after a kill."""
        endpoints = self.root / "controller/endpoints.json"
        endpoints.unlink(missing_ok=True)
        flags = [word for listener in ("operators", "agents", "enrolment", "metrics")
                 for word in (f"--listen-{listener}", f"127.0.0.1:{self.ports.get(listener, 0)}")]
        self.controller = self.start("controller", "slipway-controller", "run", "--dir",
                                      self.root / "controller", *flags)
        wait_until("the controller to listen", endpoints.exists, PATIENCE, self.root / "controller.log")
        found = json.loads(endpoints.read_text())
        self.operators, self.metrics = found["operators"], found["metrics"]
        self.ports = {listener: address.rsplit(":", 1)[1] for listener, address in found.items()}

    def start(self, name, program, *arguments):
        process = Process(name, [BUILD / "bin" / program, *arguments], self.root / f"{name}.log")
        self.processes.append(process)
        return process

    def operator_files(self):
        """(authority, certificate, key) as `init` leaves them for a person."""
        folder = self.root / "controller/operators/alice"
        return tuple((folder / name).read_bytes() for name in ("ca.pem", "operator.pem", "operator.key"))

    def agent_files(self, host):
        folder = self.root / host
        return tuple((folder / name).read_bytes() for name in ("ca.pem", "agent.pem", "agent.key"))

    def start_agent(self, host, token):
        file = self.root / f"{host}.token"
        file.touch(mode=0o600)
        file.write_text(token)
        run([BUILD / "bin/slipway-agent", "enroll", "--token-file", file, "--dir", self.root / host], self.log)
        self.run_agent(host)

    def run_agent(self, host):
        self.start(host, "slipway-agent", "run", "--dir", self.root / host)

    def said(self):
        return "\n".join(f"{p.name}:\n{p.last_lines()}" for p in self.processes)

    def remove(self):
        for process in reversed(self.processes):
            process.stop()
        shutil.rmtree(self.root, ignore_errors=True)
