// Content from the controller, on a connection of its own: the session is never behind a transfer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/artifact/content_source.h"
#include "common/clock.h"

namespace grpc {
class Channel;
}

namespace slipway::agent {

// Thread-safe. One attempt of a transfer lasts 30 s at most, so that a controller that stalls is
// noticed; the next goes on behind the last byte. Three attempts in a row that bring nothing end
// it with UNAVAILABLE.
class GrpcContentSource final : public ContentSource {
 public:
  // `clock` outlives the source.
  GrpcContentSource(std::shared_ptr<grpc::Channel> channel, const Clock& clock)
      : channel_(std::move(channel)), clock_(clock) {}

  absl::StatusOr<std::string> GetManifest(std::string_view digest) override;
  absl::Status Fetch(std::string_view digest, std::uint64_t offset,
                     const std::function<absl::Status(std::string_view)>& sink) override;

 private:
  struct Progress;
  absl::Status FetchOnce(const std::string& digest, Progress& progress,
                         const std::function<absl::Status(std::string_view)>& sink);
  absl::Status Retrying(const std::function<absl::Status()>& attempt,
                        const std::function<bool()>& moved) const;

  const std::shared_ptr<grpc::Channel> channel_;
  const Clock& clock_;
};

}  // namespace slipway::agent
