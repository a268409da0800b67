// One release tree on its way into APP/releases.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/releases/host_releases.h"
#include "common/artifact/content_source.h"
#include "common/artifact/manifest.h"
#include "common/fs/directory.h"

namespace slipway::agent {

inline constexpr char kStagingPrefix[] = ".staging-";
inline constexpr char kPartsPrefix[] = ".parts-";
inline constexpr char kRemovingPrefix[] = ".removing-";

// Files that lie in `releases` already, by content and mode; paths relative to it.
using KnownFiles = std::map<std::pair<Digest, std::uint32_t>, std::string>;

struct StagingPlan {
  const Directory& releases;  // APP/releases
  std::string key;            // distinguishes trees that are being written
  std::string folder;         // final name
  const std::vector<FileEntry>& files;
  KnownFiles known;
};

// Writes the tree beside the others and gives it its final name when every byte of it is verified
// and durable. Goes on from what an earlier try left. Errors as HostReleases::Stage.
absl::Status WriteTree(StagingPlan plan, ContentSource& content, const StageHooks& hooks);

// "11.2 MiB".
std::string SizeText(std::uint64_t bytes);

}  // namespace slipway::agent
