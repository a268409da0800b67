#!/usr/bin/env python3
"""Real instances of 1.0, 2.0 and the broken releases on one database and one directory."""

import concurrent.futures
import hashlib
import http.client
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from service_under_test import DEADLINE, Instance, release_directory, until


def status_of(connection):
    try:
        return connection.getresponse().status
    finally:
        connection.close()


class MediaRepositoryTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="media-")
        self.addCleanup(directory.cleanup)
        self.shared = pathlib.Path(directory.name)
        self.media = self.shared / "data/media"

    def launch(self, version, name="test", port=0):
        instance = Instance(version, self.shared, name, port)
        self.addCleanup(instance.end)
        return instance

    def start(self, version, name="test", port=0):
        return self.launch(version, name, port).listening()

    def start_old_and_new(self):
        return self.start("1.0.0", "old"), self.start("2.0.0", "new")

    def stored_files(self):
        return sorted(path.name for path in self.media.iterdir() if path.is_file())


class SideBySide(MediaRepositoryTest):
    def test_uploads_through_the_old_release_are_served_by_the_new_one(self):
        old, new = self.start_old_and_new()
        content = os.urandom(100_000)
        uploaded = old.upload("videos", content, content_type="video/mp4").json()
        self.assertEqual(uploaded["sha256"], hashlib.sha256(content).hexdigest())
        for collection in ("media", "videos"):
            path = f"/api/{collection}/{uploaded['id']}"
            self.assertEqual(new.request("GET", path).json()["bytes"], len(content))
            self.assertEqual(new.request("GET", path + "/content").body, content)
        self.assertEqual(new.request("GET", "/api/media").json()["items"][0]["kind"], "video")

    def test_uploads_through_the_new_release_are_served_by_the_old_one(self):
        old, new = self.start_old_and_new()
        for kind, collection, content_type in (("image", "images", "image/webp"),
                                               ("video", "videos", "video/webm")):
            content = os.urandom(1000)
            uploaded = new.upload("media", content, content_type=content_type).json()
            self.assertEqual(uploaded["kind"], kind)
            answer = old.request("GET", f"/api/{collection}/{uploaded['id']}/content")
            self.assertEqual(answer.body, content)
            self.assertEqual(answer.headers["Content-Type"], content_type)

    def test_only_the_new_release_has_the_unified_api(self):
        old, new = self.start_old_and_new()
        self.assertEqual(old.request("GET", "/api/media").status, 404)
        self.assertEqual(new.request("GET", "/api/media").status, 200)
        self.assertEqual(new.request("GET", "/api/images").status, 200)

    def test_a_deletion_through_one_is_seen_by_the_other(self):
        old, new = self.start_old_and_new()
        asset = old.upload("images", b"content").json()["id"]
        self.assertEqual(new.request("DELETE", f"/api/media/{asset}").status, 204)
        self.assertEqual(old.request("GET", f"/api/images/{asset}").status, 404)
        self.assertEqual(old.request("DELETE", f"/api/images/{asset}").status, 404)
        self.assertEqual(self.stored_files(), [])

    def test_a_repeated_upload_gets_the_first_answer_from_either_instance(self):
        old, new = self.start_old_and_new()
        first = old.upload("images", b"content", key="k-1")
        for instance in (old, new):
            again = instance.upload("images", b"content", key="k-1")
            self.assertEqual(again.status, 201)
            self.assertEqual(again.body, first.body)
            self.assertEqual(again.headers["Idempotent-Replay"], "true")
        self.assertEqual(len(old.request("GET", "/api/images").json()["items"]), 1)
        self.assertEqual(len(self.stored_files()), 1)

    def test_a_key_cannot_be_used_for_another_upload(self):
        old, new = self.start_old_and_new()
        self.assertEqual(old.upload("images", b"content", key="k-1").status, 201)
        self.assertEqual(new.upload("images", b"other", key="k-1").status, 422)
        self.assertEqual(new.upload("images", b"content", title="b", key="k-1").status, 422)
        self.assertEqual(len(self.stored_files()), 1)

    def test_one_key_sent_to_both_at_once_stores_one_asset(self):
        instances = self.start_old_and_new()
        for attempt in range(10):
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                answers = [pool.submit(instances[i % 2].upload, "images", b"content",
                                       key=f"race-{attempt}") for i in range(8)]
                bodies = {answer.result().body for answer in answers}
            self.assertEqual(len(bodies), 1)
        self.assertEqual(len(self.stored_files()), 10)

    def test_concurrent_uploads_through_both_all_arrive(self):
        instances = self.start_old_and_new()
        contents = [os.urandom(2000) for _ in range(120)]

        def upload(number):
            return instances[number % 2].upload("images", contents[number]).json()["id"]

        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            ids = list(pool.map(upload, range(len(contents))))
        for number, asset in enumerate(ids):
            other = instances[(number + 1) % 2]
            self.assertEqual(other.request("GET", f"/api/images/{asset}/content").body,
                             contents[number])
        listed = instances[1].request("GET", "/api/media?limit=1000").json()["items"]
        self.assertEqual({item["id"] for item in listed}, set(ids))

    def test_many_instances_starting_at_once_create_one_schema(self):
        instances = [self.launch(version, f"i{number}") for number, version
                     in enumerate(("1.0.0", "2.0.0") * 4)]
        for instance in instances:
            self.assertEqual(instance.listening().request("GET", "/health").status, 200)

    def test_the_old_release_refuses_the_configuration_of_the_new_one(self):
        new = self.start("2.0.0")
        program = release_directory("1.0.0") / "backend/bin/media-repository"
        run = subprocess.run([program, "--config", new.config], capture_output=True, text=True,
                             timeout=DEADLINE, check=False)
        self.assertEqual(run.returncode, 1)
        self.assertRegex(run.stdout, r"FATAL .*:\d+: unknown key api\.legacy")


class OneInstance(MediaRepositoryTest):
    def test_health_names_what_runs(self):
        answer = self.start("2.0.0", "backend-3").request("GET", "/health")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.json(), {"status": "ok", "version": "2.0.0", "release": "2.0.0",
                                         "instance": "backend-3", "schema": 1})

    def test_pages_of_a_list_join_up(self):
        instance = self.start("2.0.0")
        ids = [instance.upload("media", b"x", content_type=content_type).json()["id"]
               for content_type in ("image/png", "video/mp4") * 5]
        seen, query = [], "limit=3"
        while query:
            page = instance.request("GET", f"/api/media?{query}").json()
            seen += [item["id"] for item in page["items"]]
            query = page["next"] and f"limit=3&after={page['next']}"
        self.assertEqual(sorted(seen), sorted(ids))
        only = instance.request("GET", "/api/media?kind=video").json()["items"]
        self.assertEqual({item["kind"] for item in only}, {"video"})

    def test_ranges_of_a_video_are_sent(self):
        instance = self.start("1.0.0")
        content = os.urandom(300_000)
        asset = instance.upload("videos", content, content_type="video/mp4").json()
        path = f"/api/videos/{asset['id']}/content"
        for header, begin, end in (("bytes=0-0", 0, 1), ("bytes=100000-250000", 100000, 250001),
                                   ("bytes=299990-400000", 299990, 300000),
                                   ("bytes=-5", 299995, 300000)):
            answer = instance.request("GET", path, headers={"Range": header})
            self.assertEqual(answer.status, 206, header)
            self.assertEqual(answer.body, content[begin:end], header)
            self.assertEqual(answer.headers["Content-Range"], f"bytes {begin}-{end - 1}/300000")
        self.assertEqual(instance.request("GET", path, headers={"Range": "bytes=300000-"}).status,
                         416)
        etag = instance.request("HEAD", path).headers["ETag"]
        self.assertEqual(instance.request("GET", path, headers={"If-None-Match": etag}).status, 304)

    def test_bad_requests_get_their_status_and_a_json_error(self):
        instance = self.start("2.0.0")
        png = {"Content-Type": "image/png"}
        cases = (
            ("GET", "/nothing", None, {}, 404),
            ("GET", "/api/images/" + "0" * 32, None, {}, 404),
            ("GET", "/api/images/xyz", None, {}, 400),
            ("GET", "/api/images/..%2F..%2Fdata%2Fmedia.db", None, {}, 400),
            ("GET", "/api/images/../../../../etc/passwd/content", None, {}, 400),
            ("GET", "/api/images?limit=0", None, {}, 400),
            ("GET", "/api/images?after=yesterday", None, {}, 400),
            ("GET", "/api/media?kind=audio", None, {}, 400),
            ("GET", "/" + "a" * 5000, None, {}, 414),
            ("PUT", "/api/images", b"x", png, 405),
            ("POST", "/health", b"x", png, 404),
            ("DELETE", "/api/images", None, {}, 405),
            ("POST", "/api/images", b"x", png, 400),
            ("POST", "/api/images?title=a%0Ab", b"x", png, 400),
            ("POST", "/api/images?title=%ff", b"x", png, 400),
            ("POST", "/api/images?title=a", b"", png, 400),
            ("POST", "/api/images?title=a", b"x", {}, 415),
            ("POST", "/api/images?title=a", b"x", {"Content-Type": "image/svg+xml"}, 415),
            ("POST", "/api/images?title=a", b"x", {"Content-Type": "video/mp4"}, 415),
            ("POST", "/api/images?title=a", b"x", {**png, "Idempotency-Key": "a b"}, 400),
            ("POST", "/api/images?title=a", b"x", {"Content-Type": "multipart/form-data"}, 415),
        )
        for method, path, body, headers, status in cases:
            answer = instance.request(method, path, body, headers)
            self.assertEqual(answer.status, status, (method, path, answer.body))
            self.assertEqual(answer.json()["error"]["status"], status, (method, path))
        self.assertEqual(self.stored_files(), [])

    def test_an_upload_beyond_the_limit_is_refused_with_and_without_a_length(self):
        instance = self.start("1.0.0")
        limit = 64 << 20
        connection = instance.connect()
        connection.putrequest("POST", "/api/images?title=a")
        connection.putheader("Content-Type", "image/png")
        connection.putheader("Content-Length", str(limit + 1))
        connection.endheaders()
        self.assertEqual(status_of(connection), 413)

        def chunks():
            for _ in range(limit // (1 << 20) + 1):
                yield bytes(1 << 20)

        connection = instance.connect()
        try:
            connection.request("POST", "/api/images?title=a", body=chunks(), encode_chunked=True,
                               headers={"Content-Type": "image/png",
                                        "Transfer-Encoding": "chunked"})
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before the last chunk was sent
        else:
            self.assertEqual(status_of(connection), 413)
        self.assertEqual(self.stored_files(), [])
        self.assertEqual(list((self.media / "incoming").iterdir()), [])

    def test_a_chunked_upload_is_stored_whole(self):
        instance = self.start("1.0.0")
        connection = instance.connect()
        self.addCleanup(connection.close)
        connection.request("POST", "/api/images?title=a", body=iter([b"one", b"two"]),
                           headers={"Content-Type": "image/png", "Transfer-Encoding": "chunked"},
                           encode_chunked=True)
        response = connection.getresponse()
        self.assertEqual(response.status, 201)
        self.assertIn(hashlib.sha256(b"onetwo").hexdigest(), response.read().decode())

    def test_a_refused_body_is_never_taken_for_the_next_request(self):
        instance = self.start("1.0.0")
        smuggled = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
        for method, path in (("GET", "/api/images"), ("POST", "/nothing"), ("PUT", "/api/images")):
            with socket.create_connection(("127.0.0.1", instance.port), DEADLINE) as client:
                client.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\n"
                               f"Content-Length: {len(smuggled)}\r\n\r\n".encode() + smuggled)
                received = b""
                while part := client.recv(65536):
                    received += part
            self.assertEqual(received.count(b"HTTP/1.1 "), 1, received)

    def test_pipelined_requests_are_all_answered(self):
        instance = self.start("1.0.0")
        with socket.create_connection(("127.0.0.1", instance.port), DEADLINE) as client:
            client.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 2 +
                           b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            received = b""
            while part := client.recv(65536):
                received += part
        self.assertEqual(received.count(b"HTTP/1.1 200 OK"), 3)

    def test_two_instances_cannot_share_a_port(self):
        first = self.start("1.0.0", "first")
        second = self.launch("1.0.0", "second", port=first.port)
        self.assertEqual(second.exit_status(), 1)
        self.assertRegex(second.log(), rf"FATAL cannot listen on 127.0.0.1:{first.port}: Address")

    def test_the_port_on_the_command_line_wins(self):
        first = self.start("1.0.0", "first")
        program = release_directory("1.0.0") / "backend/bin/media-repository"
        run = subprocess.run([program, "--config", first.config, "--port", str(first.port)],
                             capture_output=True, text=True, timeout=DEADLINE, check=False)
        self.assertIn(f"FATAL cannot listen on 127.0.0.1:{first.port}", run.stdout)

    def test_wrong_usage_and_version(self):
        program = release_directory("2.0.0") / "backend/bin/media-repository"
        for arguments, status in ((["--version"], 0), ([], 2), (["--port", "x"], 2),
                                  (["--config"], 2), (["--config", "/nowhere"], 1)):
            run = subprocess.run([program, *arguments], capture_output=True, text=True,
                                 timeout=DEADLINE, check=False)
            self.assertEqual(run.returncode, status, arguments)


class Stopping(MediaRepositoryTest):
    def begin_upload(self, instance, size):
        """Sends the header and one byte; returns once the instance writes the upload down."""
        connection = instance.connect()
        self.addCleanup(connection.close)
        connection.putrequest("POST", "/api/videos?title=slow")
        connection.putheader("Content-Type", "video/mp4")
        connection.putheader("Content-Length", str(size))
        connection.endheaders()
        connection.send(b"x")
        incoming = self.media / "incoming"
        until(lambda: any(path.stat().st_size for path in incoming.iterdir()), "upload began")
        return connection

    @staticmethod
    def wait_until_refused(instance):
        def refused():
            try:
                socket.create_connection(("127.0.0.1", instance.port), DEADLINE).close()
                return False
            except ConnectionResetError:
                return False  # the port was closed in the middle of the handshake
            except ConnectionRefusedError:
                return True

        until(refused, "new connections are refused")

    def test_a_slow_upload_is_finished_before_the_exit(self):
        instance = self.start("1.0.0")
        connection = self.begin_upload(instance, 1000)
        instance.signal(signal.SIGTERM)
        self.wait_until_refused(instance)
        connection.send(b"x" * 999)
        response = connection.getresponse()
        self.assertEqual(response.status, 201)
        self.assertEqual(response.headers["Connection"], "close")
        response.read()
        self.assertEqual(instance.exit_status(), 0)
        again = self.start("1.0.0", "again")
        self.assertEqual(again.request("GET", "/api/videos").json()["items"][0]["bytes"], 1000)

    def test_slow_readers_get_the_whole_content_before_the_exit(self):
        instance = self.start("1.0.0")
        content = os.urandom(24 << 20)  # far more than the sockets' buffers hold
        asset = instance.upload("videos", content, content_type="video/mp4").json()["id"]
        responses = []
        for _ in range(3):
            connection = instance.connect()
            self.addCleanup(connection.close)
            connection.request("GET", f"/api/videos/{asset}/content")
            responses.append(connection.getresponse())
        instance.signal(signal.SIGTERM)
        self.wait_until_refused(instance)
        for response in responses:
            self.assertEqual(response.status, 200)
            self.assertTrue(response.read() == content, "the content was cut or changed")
        self.assertEqual(instance.exit_status(), 0)

    def test_requests_that_wait_for_a_thread_are_answered_whole_or_not_at_all(self):
        instance = self.start("1.0.0")
        content = os.urandom(30_000)
        asset = instance.upload("videos", content, content_type="video/mp4").json()["id"]
        begun = []
        for _ in range(32):  # as many as the server has threads
            connection = socket.create_connection(("127.0.0.1", instance.port), DEADLINE)
            self.addCleanup(connection.close)
            connection.sendall(b"GET /health HTTP/1.1\r\n")
            begun.append(connection)
        waiting = []
        for _ in range(20):
            connection = instance.connect()
            self.addCleanup(connection.close)
            connection.request("GET", f"/api/videos/{asset}/content")
            waiting.append(connection)
        instance.signal(signal.SIGTERM)
        self.wait_until_refused(instance)
        for connection in begun:
            connection.sendall(b"Host: x\r\n\r\n")
        answered = 0
        for connection in waiting:
            try:
                response = connection.getresponse()
            except (ConnectionResetError, http.client.RemoteDisconnected):
                continue  # not accepted any more: a proxy asks another instance
            self.assertEqual(response.status, 200)
            self.assertTrue(response.read() == content, "the content was cut or changed")
            answered += 1
        self.assertGreater(answered, 0)
        self.assertEqual(instance.exit_status(), 0)

    def test_health_turns_unavailable_while_stopping(self):
        instance = self.start("1.0.0")
        connection = instance.connect()
        self.addCleanup(connection.close)
        connection.request("GET", "/health")
        connection.getresponse().read()
        instance.signal(signal.SIGTERM)
        instance.line_with("draining")
        connection.request("GET", "/health")
        response = connection.getresponse()
        self.assertEqual(response.status, 503)
        self.assertIn('"reason":"stopping"', response.read().decode())
        self.assertEqual(instance.exit_status(), 0)

    def test_idle_connections_do_not_delay_the_exit(self):
        instance = self.start("1.0.0")
        connections = [instance.connect() for _ in range(5)]
        for connection in connections:
            self.addCleanup(connection.close)
            connection.request("GET", "/health")
            connection.getresponse().read()
        began = time.monotonic()
        self.assertEqual(instance.stop(), 0)
        self.assertLess(time.monotonic() - began, 3.0)
        self.assertIn("stopped", instance.log())

    def test_a_request_that_does_not_end_is_cut_off_at_the_limit(self):
        instance = self.start("1.0.0")
        self.begin_upload(instance, 1000)
        self.assertEqual(instance.stop(), 1)
        self.assertIn("ERROR stopped with requests under way after 4 s", instance.log())

    def test_a_kill_in_the_middle_of_an_upload_leaves_nothing_visible(self):
        victim, witness = self.start("1.0.0", "victim"), self.start("2.0.0", "witness")
        kept = witness.upload("media", b"kept", content_type="video/mp4").json()["id"]
        self.begin_upload(victim, 100_000)
        victim.signal(signal.SIGKILL)
        victim.exit_status()
        self.assertEqual(self.stored_files(), [kept])
        for instance in (witness, self.start("1.0.0", "next")):
            items = instance.request("GET", "/api/videos").json()["items"]
            self.assertEqual([item["id"] for item in items], [kept])
        unfinished = list((self.media / "incoming").iterdir())
        self.assertEqual(len(unfinished), 1, "it may belong to a living instance: left alone")
        os.utime(unfinished[0], (0, 0))
        sweeper = self.start("2.0.0", "sweeper")
        self.assertIn("swept 1 unfinished uploads", sweeper.log())
        self.assertEqual(list((self.media / "incoming").iterdir()), [])

    def test_kills_at_any_moment_leave_every_answered_upload_whole(self):
        witness = self.start("2.0.0", "witness")
        answered = {}
        for round_number in range(5):
            victim = self.start("1.0.0", f"victim-{round_number}")

            def send_until_killed():
                while True:
                    content = os.urandom(50_000)
                    try:
                        answer = victim.upload("images", content)
                    except (OSError, http.client.HTTPException):
                        return
                    answered[answer.json()["id"]] = content

            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                senders = [pool.submit(send_until_killed) for _ in range(4)]
                seen = len(answered)
                until(lambda: len(answered) >= seen + 10 + 3 * round_number, "uploads")
                victim.signal(signal.SIGKILL)
                for sender in senders:
                    sender.result()
            victim.exit_status()
        for item in witness.request("GET", "/api/media?limit=1000").json()["items"]:
            content = witness.request("GET", f"/api/media/{item['id']}/content").body
            self.assertEqual(hashlib.sha256(content).hexdigest(), item["sha256"])
        for asset, content in answered.items():
            self.assertEqual(witness.request("GET", f"/api/media/{asset}/content").body, content)


class BrokenReleases(MediaRepositoryTest):
    def test_dies_at_start(self):
        instance = self.launch("2.1.0-dies-at-start")
        self.assertEqual(instance.exit_status(), 1)
        self.assertRegex(instance.log(), "FATAL cannot open .*/thumbnails/index: No such file")
        self.assertNotIn("listening", instance.log())

    def test_dies_after_2s(self):
        instance = self.start("2.1.0-dies-after-2s")
        began = time.monotonic()
        self.assertEqual(instance.request("GET", "/health").status, 200)
        self.assertNotIn("FATAL", instance.log())
        self.assertEqual(instance.exit_status(), 1)
        self.assertGreater(time.monotonic() - began, 1.5)
        self.assertRegex(instance.log(), "FATAL thumbnail worker: cannot open .*/thumbnails/index")

    def test_dies_after_2s_can_be_stopped_before(self):
        self.assertEqual(self.start("2.1.0-dies-after-2s").stop(), 0)

    def test_never_healthy(self):
        instance = self.start("2.1.0-never-healthy")
        answer = instance.request("GET", "/health")
        self.assertEqual(answer.status, 503)
        self.assertEqual(answer.json()["status"], "unavailable")
        self.assertRegex(answer.json()["reason"], "cannot open .*/thumbnails/index: No such file")
        instance.line_with("not healthy: cannot open")
        self.assertEqual(instance.stop(), 0)

    def test_logs_fatal(self):
        instance = self.start("2.1.0-logs-fatal")
        instance.line_with("FATAL thumbnail worker: cannot open")
        self.assertEqual(instance.request("GET", "/health").status, 200)
        self.assertEqual(instance.upload("media", b"x").status, 201)
        self.assertEqual(instance.stop(), 0)

    def test_ignores_term(self):
        instance = self.start("2.1.0-ignores-term")
        health = instance.request("GET", "/health").json()
        self.assertEqual((health["status"], health["version"]), ("ok", "2.0.0"))
        self.assertEqual(health["release"], "2.1.0-ignores-term")
        instance.signal(signal.SIGTERM)
        instance.line_with("SIGTERM: not stopping, the thumbnail queue is not empty")
        self.assertEqual(instance.request("GET", "/health").status, 200)
        instance.signal(signal.SIGKILL)
        self.assertEqual(instance.exit_status(), -signal.SIGKILL)


class ReleaseDirectories(MediaRepositoryTest):
    def smoke(self, instance, **environment):
        hook = release_directory(instance.version) / "hooks/smoke"
        return subprocess.run([hook], capture_output=True, text=True, timeout=60, check=False,
                              env={"PATH": os.environ["PATH"], **environment})

    def test_the_smoke_hook_passes_on_both_versions_and_leaves_nothing(self):
        for instance in self.start_old_and_new():
            run = self.smoke(instance, SLIPWAY_PORT=str(instance.port),
                             SLIPWAY_VERSION=instance.version)
            self.assertEqual(run.returncode, 0, run.stderr)
        self.assertEqual(self.stored_files(), [])

    def test_the_smoke_hook_finds_the_port_in_the_configuration(self):
        first = self.start("1.0.0", "media")
        config = first.config.read_text().replace("port = 0", f"port = {first.port}")
        first.config.write_text(config)
        run = self.smoke(first, SLIPWAY_SHARED_DIR=str(self.shared))
        self.assertEqual(run.returncode, 0, run.stderr)

    def test_the_smoke_hook_asks_for_another_try_while_nothing_listens(self):
        instance = self.start("1.0.0")
        self.assertEqual(instance.stop(), 0)
        self.assertEqual(self.smoke(instance, SLIPWAY_PORT=str(instance.port)).returncode, 75)

    def test_the_smoke_hook_fails_on_a_release_that_lacks_its_api(self):
        old, new = self.start_old_and_new()
        run = self.smoke(new, SLIPWAY_PORT=str(old.port), SLIPWAY_VERSION="2.0.0")
        self.assertEqual(run.returncode, 1)
        self.assertIn("status 404 instead of 201", run.stderr)

    def test_each_release_directory_is_complete(self):
        for version in ("1.0.0", "2.0.0", "2.2.0", "2.1.0-dies-at-start", "2.1.0-dies-after-2s",
                        "2.1.0-never-healthy", "2.1.0-logs-fatal", "2.1.0-ignores-term"):
            directory = release_directory(version)
            self.assertIn(f"version: {version}\n", (directory / "release.yaml").read_text())
            for program in ("backend/bin/media-repository", "hooks/smoke"):
                self.assertTrue(os.access(directory / program, os.X_OK), program)
            template = (directory / "backend/config/media.toml.tmpl").read_text()
            self.assertEqual("[api]" in template, not version.startswith("1."))


if __name__ == "__main__":
    unittest.main(verbosity=2)
