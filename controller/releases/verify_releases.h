// Whether the content of releases still is what was pushed.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/artifact/object_store.h"
#include "controller/registry/records.h"

namespace slipway::controller {

struct DamagedContent {
  std::string path;    // of a file; "" = the manifest
  std::string digest;  // as it should be
  std::string problem;
  bool operator==(const DamagedContent&) const = default;
};

struct ReleaseCheck {
  ReleaseRecord release;
  std::uint64_t bytes_read = 0;  // content of an earlier release in the list is not read again
  std::vector<DamagedContent> damaged;
};

// Reads all content of `releases`, and calls `each` for one after the other; an error of `each`
// ends it and is returned.
absl::Status VerifyReleases(ObjectStore& objects, const std::vector<ReleaseRecord>& releases,
                            const std::function<absl::Status(const ReleaseCheck&)>& each);

}  // namespace slipway::controller
