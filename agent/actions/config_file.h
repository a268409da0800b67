// A configuration file on the host: its exact state, read and put back.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/releases/host_releases.h"

namespace slipway::agent {

// Where a file stands: below the application's directory when `path` is there, else below /. No
// symbolic link is followed behind that root, since an application may plant one in its folders.
struct ConfigPath {
  std::string root;
  std::string below;
  std::string Full() const { return (root == "/" ? "" : root) + "/" + below; }
};

// INVALID_ARGUMENT unless `path` is absolute and plain.
absl::StatusOr<ConfigPath> ResolveConfigPath(const std::string& app, const std::string& path);

// `exists` is false when there is nothing. FAILED_PRECONDITION for what is no regular file.
absl::StatusOr<FileState> ReadConfig(const ConfigPath& path);

// Makes the file be exactly `state`, bytes, owner, group and mode, in one step; without `exists`
// it is removed. Folders below the application's directory are made, others must be there.
absl::Status WriteConfig(const ConfigPath& path, const FileState& state);

// "user" or "user:group"; empty: this process. NOT_FOUND names who does not exist.
struct Ownership {
  std::uint32_t owner = 0;
  std::uint32_t group = 0;
};
absl::StatusOr<Ownership> ParseOwner(const std::string& text);

// Octal text, "0640" or "640"; empty: 0644. INVALID_ARGUMENT otherwise, also for setuid and the
// like.
absl::StatusOr<std::uint32_t> ParseMode(const std::string& text);

// "3 lines added, 1 removed": never the lines, which may be secret.
std::string DescribeChange(const FileState& before, const FileState& after);

}  // namespace slipway::agent
