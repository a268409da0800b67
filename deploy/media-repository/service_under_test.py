"""Starts real instances of the media repository for the black-box tests and talks to them.

Everything runs on loopback with ports that the kernel chooses; each process is ended by its own
id; every wait has a deadline.
"""

import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

DEADLINE = 20.0
BUILD = pathlib.Path(os.environ["SLIPWAY_BINARY_DIR"])


def release_directory(version):
    return BUILD / "releases" / version


def until(condition, what, deadline=DEADLINE):
    """The first true value of `condition()`; fails after `deadline` seconds."""
    give_up_at = time.monotonic() + deadline
    pause = threading.Event()
    while time.monotonic() < give_up_at:
        value = condition()
        if value:
            return value
        pause.wait(0.01)
    raise AssertionError(f"not within {deadline} s: {what}")


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


class Instance:
    """One process of one release, with the configuration that its template renders to."""

    def __init__(self, version, shared, name="test", port=0):
        self.version = version
        directory = release_directory(version)
        template = (directory / "backend/config/media.toml.tmpl").read_text()
        values = {"host": name, "port": str(port), "shared": str(shared), "listen": "127.0.0.1",
                  "release.version": version}
        config = re.sub(r"\{\{([^}]*)\}\}", lambda match: values[match[1].strip()], template)
        self.config = pathlib.Path(shared) / f"{name}.toml"
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(config)
        self.lines = []
        self.process = subprocess.Popen(
            [directory / "backend/bin/media-repository", "--config", self.config],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def log(self):
        return "\n".join(self.lines)

    def line_with(self, text):
        return until(lambda: next((line for line in self.lines if text in line), None),
                     f"'{text}' in the log:\n{self.log()}")

    def listening(self):
        line = self.line_with("listening on ")
        self.port = int(line.rsplit(":", 1)[1])
        return self

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)

    def request(self, method, path, body=None, headers=None):
        connection = self.connect()
        try:
            connection.request(method, path, body=body, headers=headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def upload(self, collection, content, title="test", content_type="image/png", key=None):
        headers = {"Content-Type": content_type}
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.request("POST", f"/api/{collection}?title={title}", content, headers)

    def signal(self, number):
        self.process.send_signal(number)

    def exit_status(self, deadline=DEADLINE):
        status = self.process.wait(timeout=deadline)
        self.reader.join(timeout=deadline)
        return status

    def stop(self):
        self.signal(signal.SIGTERM)
        return self.exit_status()

    def end(self):
        """Whatever state it is in."""
        if self.process.poll() is None:
            self.process.kill()
        self.exit_status()
        self.process.stdout.close()
