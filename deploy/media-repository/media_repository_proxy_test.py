#!/usr/bin/env python3
"""media-load and nginx with real instances: what counts as a failed request, and that none fails
while instances are killed, stopped and replaced behind nginx."""

import http.client
import json
import pathlib
import shlex
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

from service_under_test import BUILD, DEADLINE, Answer, Instance, until

HERE = pathlib.Path(__file__).resolve().parent


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Load:
    """media-load against `port`, with its summary."""

    def __init__(self, directory, port, *arguments):
        self.path = pathlib.Path(directory) / "summary.json"
        self.process = subprocess.Popen(
            [BUILD / "bin/media-load", "--url", f"http://127.0.0.1:{port}",
             "--summary", self.path, *arguments])

    def summary(self):
        return json.loads(self.path.read_text()) if self.path.exists() else {"requests": 0}

    def run_for(self, requests):
        goal = self.summary()["requests"] + requests
        until(lambda: self.summary()["requests"] >= goal, f"{requests} more requests")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=DEADLINE)
        return self.summary()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=DEADLINE)


class BrokenServer:
    """Answers every request with the same bytes, or closes the connection without any."""

    def __init__(self, answer):
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client:
                client.settimeout(DEADLINE)
                client.recv(65536)
                if self.answer:
                    client.sendall(self.answer)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class ProxyTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="media-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def start(self, version, name, port=0):
        instance = Instance(version, self.directory / "shared", name, port)
        self.addCleanup(instance.end)
        return instance.listening()

    def load(self, port, *arguments):
        load = Load(self.directory, port, *arguments)
        self.addCleanup(load.end)
        return load

    def start_nginx(self, instances):
        self.prefix = self.directory / "nginx"
        for _ in range(5):  # another process may take the port between the choice and its use
            port = free_port()
            command = subprocess.run(
                [HERE / "make-nginx", self.prefix, str(port), *(str(i.port) for i in instances)],
                capture_output=True, text=True, timeout=DEADLINE, check=True).stdout
            nginx = subprocess.Popen(shlex.split(command))
            self.addCleanup(self.end_nginx, nginx)

            def settled():
                if nginx.poll() is not None:
                    return "ended"
                try:
                    socket.create_connection(("127.0.0.1", port), DEADLINE).close()
                    return "listens"
                except ConnectionRefusedError:
                    return None

            if until(settled, "nginx listens") == "listens":
                return port
        raise AssertionError((self.prefix / "logs/error.log").read_text())

    @staticmethod
    def end_nginx(nginx):
        if nginx.poll() is None:
            nginx.terminate()
        nginx.wait(timeout=DEADLINE)

    def assert_nothing_failed(self, summary):
        log = self.prefix / "logs/error.log"
        self.assertEqual(summary["failed"], 0,
                         json.dumps(summary, indent=2) + log.read_text()[-2000:])
        self.assertGreater(summary["requests"], 100)
        self.assertEqual(set(summary["by_status"]), {"200", "201"})


class MediaLoad(ProxyTest):
    def test_a_healthy_service_fails_no_request(self):
        instance = self.start("1.0.0", "only")
        load = self.load(instance.port, "--rate", "200")
        load.run_for(300)
        self.assertTrue(load.summary()["running"])
        summary = load.stop()
        self.assertEqual(load.process.returncode, 0)
        self.assertFalse(summary["running"])
        self.assertEqual(summary["failed"], 0, summary)
        self.assertGreater(summary["by_status"]["201"], 40)
        self.assertGreater(summary["p99_ms"], summary["p50_ms"])
        stored = instance.request("GET", "/api/images?limit=1000").json()["items"]
        stored += instance.request("GET", "/api/videos?limit=1000").json()["items"]
        self.assertEqual(len(stored), summary["by_status"]["201"])

    def test_the_rate_does_not_depend_on_the_answers(self):
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        load = self.load(silent.getsockname()[1], "--rate", "100", "--seconds", "1",
                         "--users", "4", "--timeout-ms", "50")
        self.assertEqual(load.process.wait(timeout=DEADLINE), 1)
        summary = load.summary()
        self.assertGreaterEqual(summary["requests"], 90)
        self.assertEqual(summary["failed"], summary["requests"])
        # 4 users of 50 ms each serve 80/s: what is due later waits, and that counts.
        self.assertGreater(summary["max_ms"], 150)

    def test_each_kind_of_wrong_answer_is_a_failure(self):
        answers = (
            (b"", "no answer"),
            (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 3\r\n\r\nbad", "status 502"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "not a list"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "no answer"),
            (b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}", "does not describe"),
        )
        for answer, failure in answers:
            server = BrokenServer(answer)
            self.addCleanup(server.close)
            load = self.load(server.port, "--rate", "100", "--seconds", "0.3")
            self.assertEqual(load.process.wait(timeout=DEADLINE), 1)
            summary = load.summary()
            self.assertEqual(summary["failed"], summary["requests"])
            self.assertIn(failure, "\n".join(summary["first_failures"]), answer)

    def test_content_that_changed_on_disk_is_a_failure(self):
        instance = self.start("1.0.0", "only")
        load = self.load(instance.port, "--rate", "100")
        load.run_for(50)
        for path in (self.directory / "shared/data/media").iterdir():
            if path.is_file():
                size = path.stat().st_size
                path.write_bytes(bytes(size))
        until(lambda: load.summary()["failed"] > 0, "a failure")
        self.assertIn("other content than was uploaded",
                      "\n".join(load.stop()["first_failures"]))

    def test_wrong_usage(self):
        for arguments in ([], ["--url", "ftp://x", "--summary", "x"], ["--rate"],
                          ["--url", "http://127.0.0.1:1", "--summary", "/nowhere/x"]):
            run = subprocess.run([BUILD / "bin/media-load", *arguments], capture_output=True,
                                 timeout=DEADLINE, check=False)
            self.assertEqual(run.returncode, 2, arguments)


class BehindNginx(ProxyTest):
    def test_no_request_fails_while_instances_are_killed_and_come_back(self):
        first, second = self.start("1.0.0", "first"), self.start("2.0.0", "second")
        load = self.load(self.start_nginx((first, second)), "--rate", "150")
        load.run_for(100)
        for _ in range(6):
            first.signal(signal.SIGKILL)
            first.exit_status()
            load.run_for(60)
            first = self.start("1.0.0", "first", port=first.port)
            load.run_for(30)
        self.assert_nothing_failed(load.stop())

    def test_no_request_fails_in_a_rolling_update(self):
        instances = [self.start("1.0.0", f"i{number}") for number in range(3)]
        load = self.load(self.start_nginx(instances), "--rate", "150")
        load.run_for(100)
        for number, old in enumerate(instances):
            self.assertEqual(old.stop(), 0)
            load.run_for(30)
            self.start("2.0.0", f"i{number}", port=old.port)
            load.run_for(30)
        self.assert_nothing_failed(load.stop())

    def test_no_request_fails_when_an_instance_dies_by_itself(self):
        first = self.start("1.0.0", "first")
        second = self.start("2.1.0-dies-after-2s", "second")
        load = self.load(self.start_nginx((first, second)), "--rate", "150")
        self.assertEqual(second.exit_status(), 1)
        load.run_for(100)
        self.assert_nothing_failed(load.stop())

    def test_an_upload_without_a_key_is_sent_once(self):
        # One instance breaks off each request: with a key the other one is asked.
        broken, good = BrokenServer(b""), self.start("1.0.0", "good")
        self.addCleanup(broken.close)
        port = self.start_nginx((broken, good))
        png = {"Content-Type": "image/png"}
        with_key = [self.post(port, {**png, "Idempotency-Key": f"key-{n}"}) for n in range(4)]
        self.assertEqual(set(with_key), {201})
        without_key = [self.post(port, png) for _ in range(4)]
        self.assertEqual(sorted(without_key), [201, 201, 502, 502])

    @staticmethod
    def post(port, headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
        try:
            connection.request("POST", "/api/images?title=a", b"content", headers)
            return Answer(connection.getresponse()).status
        finally:
            connection.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
