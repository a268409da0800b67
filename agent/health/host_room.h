// What room a host has.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace slipway::agent {

struct DiskRoom {
  std::string path;  // the nearest existing folder of what was asked for
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
  std::uint64_t free_inodes = 0;
};

// Of the file system that `path` is or will be on.
DiskRoom RoomAt(const std::string& path);

// OK or RESOURCE_EXHAUSTED with both figures. 0: nothing is asked for.
absl::Status ProveDiskFree(const std::string& path, std::uint64_t wanted_bytes);

// As in MemTotal and MemAvailable.
std::uint64_t MemoryTotal();
std::uint64_t MemoryAvailable();

// "5.2 GiB"
std::string AsSize(std::uint64_t bytes);

}  // namespace slipway::agent
