// From a sealed directory to a controller: only what it does not have.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/artifact/seal.h"
#include "common/clock.h"

namespace grpc {
class Channel;
}
namespace slipway::v1 {
class ReleaseInfo;
}

namespace slipway {

struct PushStatistics {
  std::uint64_t objects_sent = 0;
  std::uint64_t bytes_sent = 0;   // of content, before compression
  std::uint64_t bytes_wire = 0;   // after it
  std::uint64_t bytes_there = 0;  // content that the controller had already
};

struct PushOptions {
  const Clock& clock;
  // Content bytes that are there, of all that was missing when the push began.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress = {};
};

// Asks what is missing, sends that (zstd where it pays), then makes the release; `made` describes
// it. Pushing the same release again sends nothing. A connection that breaks is tried again up to
// five times, each time from where the controller says it stopped.
//
// Errors: those of ArtifactService; DATA_LOSS also when a file was changed after sealing.
absl::StatusOr<PushStatistics> PushRelease(const std::shared_ptr<grpc::Channel>& channel,
                                           const SealedRelease& sealed, const PushOptions& options,
                                           v1::ReleaseInfo& made);

}  // namespace slipway
