// Where an agent gets content from: the controller, for now.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace slipway {

// Thread-safe. What comes from here is not trusted: callers verify every byte against a digest
// that they already have.
class ContentSource {
 public:
  virtual ~ContentSource() = default;

  // Canonical bytes of a manifest. NOT_FOUND: the controller does not have it; UNAVAILABLE: try
  // again.
  virtual absl::StatusOr<std::string> GetManifest(std::string_view digest) = 0;

  // Streams the object's uncompressed bytes from `offset` to its end into `sink`, in order.
  // An error of `sink` ends the transfer and is returned. UNAVAILABLE: resume at a later offset.
  virtual absl::Status Fetch(std::string_view digest, std::uint64_t offset,
                             const std::function<absl::Status(std::string_view)>& sink) = 0;
};

}  // namespace slipway
