"""A client of the controller, of what any language has: gRPC, stubs from proto/, a certificate.

docs/api.md says what it does and why. `stubs()` of small_fleet.py has put the stubs on the path.
"""

import hashlib
import time
import uuid

import grpc
import health_pb2
import health_pb2_grpc
import reflection_pb2
import reflection_pb2_grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from slipway.v1 import (action_pb2, artifact_pb2, artifact_pb2_grpc, fleet_pb2, fleet_pb2_grpc, rollout_pb2,
                        rollout_pb2_grpc)

CALL = 60  # seconds for a call, not counting streams
AGAIN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
PAUSE = 0.2
PIECE = 1 << 20  # bytes of content in one message
DETAILS = "grpc-status-details-bin"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def problems(error):
    """What is wrong with a plan, from the details of an INVALID_ARGUMENT."""
    found = rollout_pb2.PlanProblems()
    for key, value in error.trailing_metadata():
        if key == DETAILS:
            found.ParseFromString(value)
    return list(found.problems)


class Client:
    def __init__(self, address, authority, certificate=None, key=None):
        credentials = grpc.ssl_channel_credentials(authority, key, certificate)
        self.channel = grpc.secure_channel(address, credentials, [("grpc.enable_http_proxy", 0)])
        self.fleet = fleet_pb2_grpc.FleetServiceStub(self.channel)
        self.rollouts = rollout_pb2_grpc.RolloutServiceStub(self.channel)
        self.artifacts = artifact_pb2_grpc.ArtifactServiceStub(self.channel)

    def close(self):
        self.channel.close()

    # --- what the standard services say -------------------------------------------------------

    def health(self):
        stub = health_pb2_grpc.HealthStub(self.channel)
        return stub.Check(health_pb2.HealthCheckRequest(), timeout=CALL).status

    def reflect(self, **question):
        stub = reflection_pb2_grpc.ServerReflectionStub(self.channel)
        asked = iter([reflection_pb2.ServerReflectionRequest(**question)])
        return next(stub.ServerReflectionInfo(asked, timeout=CALL))

    def services(self):
        return {s.name for s in self.reflect(list_services="").list_services_response.service}

    def described(self, service):
        """The service as the server describes it, with all that its messages need."""
        pool = descriptor_pool.DescriptorPool()
        self._add(pool, self.reflect(file_containing_symbol=service), set())
        return pool.FindServiceByName(service)

    def _add(self, pool, answer, seen):
        files = [descriptor_pb2.FileDescriptorProto.FromString(f)
                 for f in answer.file_descriptor_response.file_descriptor_proto]
        for file in files:
            if file.name in seen:
                continue
            seen.add(file.name)
            for needed in file.dependency:
                self._add(pool, self.reflect(file_by_filename=needed), seen)
            pool.Add(file)

    def call_described(self, service, method, **fields):
        """A call for which nothing was known but the names of service and method."""
        described = self.described(service).methods_by_name[method]
        make = message_factory.MessageFactory().GetPrototype
        call = self.channel.unary_unary(f"/{service}/{method}",
                                        request_serializer=lambda m: m.SerializeToString(),
                                        response_deserializer=make(described.output_type).FromString)
        return call(make(described.input_type)(**fields), timeout=CALL)

    # --- fleet --------------------------------------------------------------------------------

    def hosts(self, selector="", page=1000):
        """Every host that the selector means, page by page."""
        found, token = [], ""
        while True:
            answer = self.fleet.ListHosts(
                fleet_pb2.ListHostsRequest(selector=selector, page_size=page, page_token=token), timeout=CALL)
            found += answer.hosts
            token = answer.next_page_token
            if not token:
                return found

    def token(self, host, **labels):
        request = fleet_pb2.CreateEnrolmentTokenRequest(request_id=str(uuid.uuid4()), host=host, labels=labels)
        return self.fleet.CreateEnrolmentToken(request, timeout=CALL).token

    # --- releases: docs/formats/manifest.md ---------------------------------------------------

    def push(self, name, version, files):
        """A release of these files ({path: content}) in one component "files", below files/."""
        definition = action_pb2.Release(
            name=name, version=version, components=[action_pb2.Component(name="files", path="files/")])
        manifest = self._manifest(definition, files)
        wanted = {digest(content): content for content in files.values() if content}
        missing = self.artifacts.FindMissing(
            artifact_pb2.FindMissingRequest(digests=list(wanted)), timeout=CALL).missing
        self.artifacts.Put((piece for d in missing for piece in self._pieces(d, wanted[d])), timeout=CALL)
        request = artifact_pb2.CreateReleaseRequest(request_id=str(uuid.uuid4()), manifest=manifest)
        return self.artifacts.CreateRelease(request, timeout=CALL)

    @staticmethod
    def _pieces(name, content):
        for at in range(0, len(content), PIECE):
            first = {"digest": name, "size": len(content)} if at == 0 else {}
            yield artifact_pb2.PutRequest(data=content[at:at + PIECE], end=at + PIECE >= len(content), **first)

    @staticmethod
    def _manifest(definition, files):
        folders = {}
        for path, content in files.items():
            *parents, leaf = path.split("/")
            folder = folders
            for parent in parents:
                folder = folder.setdefault(parent, {})
            folder[leaf] = f"0644 {len(content)} {digest(content)}"

        def tree(folder):
            lines = [f"file {entry} {name}" if isinstance(entry, str) else f"dir {tree(entry)} {name}"
                     for name, entry in sorted(folder.items())]
            return digest("".join(f"{line}\n" for line in ["slipway-tree 1", *lines]).encode())

        stored = definition.SerializeToString(deterministic=True)
        head = (f"slipway-manifest 1\nname {definition.name}\nversion {definition.version}\n"
                f"tree {tree(folders)}\nrelease {len(stored)}\n").encode()
        listed = [f"file 0644 {len(c)} {digest(c)} {p}" for p, c in sorted(files.items())]
        tail = "".join(f"{line}\n" for line in [f"files {len(files)}", *listed, "end"]).encode()
        return head + stored + b"\n" + tail

    # --- rollouts -----------------------------------------------------------------------------

    def start(self, plan, release, request_id=None, seconds=CALL):
        """Starts it once, however often the answer is lost: each attempt has the same request_id."""
        request = rollout_pb2.CreateRolloutRequest(request_id=request_id or str(uuid.uuid4()), plan=plan.encode(),
                                                   plan_path="plan.yaml", release=release, reason="a test")
        deadline = time.monotonic() + seconds
        while True:
            try:
                return self.rollouts.CreateRollout(request, timeout=CALL)
            except grpc.RpcError as error:
                if error.code() not in AGAIN or time.monotonic() > deadline:
                    raise
                time.sleep(PAUSE)

    def watch(self, rollout, after=0, seconds=120):
        """Yields each update until the rollout is over; after a break it goes on behind what it has."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            request = rollout_pb2.WatchRolloutRequest(id=rollout, after_sequence=after)
            try:
                for update in self.rollouts.WatchRollout(request, timeout=deadline - time.monotonic()):
                    after = max([after or update.rollout.sequence, *(c.sequence for c in update.changes)])
                    yield update
                return  # the server ends the stream when the rollout is over
            except grpc.RpcError as error:
                if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.OUT_OF_RANGE):
                    raise
                time.sleep(PAUSE)
        raise TimeoutError(f"{rollout} is not over within {seconds} s")
