#include "agent/session/grpc_content_source.h"

#include <grpcpp/grpcpp.h>

#include <optional>

#include "absl/strings/str_cat.h"
#include "common/artifact/limits.h"
#include "common/artifact/zstd_stream.h"
#include "common/grpc_status.h"
#include "common/status_macros.h"
#include "slipway/v1/artifact.grpc.pb.h"

namespace slipway::agent {
namespace {

constexpr absl::Duration kAttemptWithin = absl::Seconds(30);
constexpr int kFruitlessMax = 3;
constexpr absl::Duration kPause = absl::Milliseconds(500);

bool IsWorthAnotherTry(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

}  // namespace

// What of an object came already, over all attempts.
struct GrpcContentSource::Progress {
  std::uint64_t offset = 0;     // of the next byte
  std::uint64_t last_seen = 0;  // offset when progress was asked for last
  absl::Status sink_error;      // the caller's own: ends everything
};

absl::Status GrpcContentSource::Retrying(const std::function<absl::Status()>& attempt,
                                         const std::function<bool()>& moved) const {
  for (int fruitless = 0;;) {
    const absl::Status status = attempt();
    if (!IsWorthAnotherTry(status)) return status;
    fruitless = moved() ? 0 : fruitless + 1;
    if (fruitless == kFruitlessMax) {
      return absl::UnavailableError(
          absl::StrCat("the controller's content cannot be reached: ", status.message()));
    }
    clock_.Sleep(kPause);
  }
}

absl::StatusOr<std::string> GrpcContentSource::GetManifest(std::string_view digest) {
  const auto stub = v1::ArtifactService::NewStub(channel_);
  v1::GetManifestRequest request;
  request.set_digest(std::string(digest));
  v1::GetManifestResponse response;
  const auto attempt = [&] {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(clock_.Now() + kAttemptWithin));
    return FromGrpc(stub->GetManifest(&context, request, &response));
  };
  SLIPWAY_RETURN_IF_ERROR(Retrying(attempt, [] { return false; }));
  return std::move(*response.mutable_manifest());
}

absl::Status GrpcContentSource::FetchOnce(
    const std::string& digest, Progress& progress,
    const std::function<absl::Status(std::string_view)>& sink) {
  const auto stub = v1::ArtifactService::NewStub(channel_);
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(clock_.Now() + kAttemptWithin));
  v1::FetchRequest request;
  request.set_digest(digest);
  request.set_offset(progress.offset);
  const auto stream = stub->Fetch(&context, request);
  const auto pass = [&](std::string_view bytes) {
    progress.sink_error = sink(bytes);
    if (progress.sink_error.ok()) progress.offset += bytes.size();
    return progress.sink_error;
  };
  std::optional<ZstdDecompressor> unpack;
  absl::Status taken;
  v1::FetchResponse message;
  for (bool first = true; taken.ok() && stream->Read(&message); first = false) {
    if (first && message.zstd()) {
      const bool sane = message.size() <= kFileBytesMax && progress.offset <= message.size();
      unpack.emplace(sane ? message.size() - progress.offset : 0, pass);
    }
    if (!message.data().empty())
      taken = unpack ? unpack->Write(message.data()) : pass(message.data());
  }
  if (!taken.ok()) context.TryCancel();
  const absl::Status finished = FromGrpc(stream->Finish());
  if (!progress.sink_error.ok()) return progress.sink_error;
  if (!taken.ok())
    return absl::DataLossError(absl::StrCat("content of ", digest, ": ", taken.message()));
  SLIPWAY_RETURN_IF_ERROR(finished);
  if (unpack && !unpack->Finish().ok()) return absl::DataLossError("content ends too early");
  return absl::OkStatus();
}

absl::Status GrpcContentSource::Fetch(std::string_view digest, std::uint64_t offset,
                                      const std::function<absl::Status(std::string_view)>& sink) {
  const std::string name(digest);
  Progress progress{offset, offset, absl::OkStatus()};
  const auto moved = [&] {
    return std::exchange(progress.last_seen, progress.offset) != progress.offset;
  };
  // An error of the sink is final, also one that looks like the network's.
  const absl::Status fetched = Retrying(
      [&] {
        const absl::Status status = FetchOnce(name, progress, sink);
        return progress.sink_error.ok() ? status : absl::CancelledError("");
      },
      moved);
  return progress.sink_error.ok() ? fetched : progress.sink_error;
}

}  // namespace slipway::agent
