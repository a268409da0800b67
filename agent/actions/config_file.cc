#include "agent/actions/config_file.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <map>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/artifact/manifest.h"
#include "common/fs/directory.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr std::uint64_t kConfigBytesMax = 16 << 20;
constexpr std::size_t kAccountBytes = 16 * 1024;  // what an entry of passwd or group may need

absl::Status NoSuch(const char* what, const std::string& name) {
  return absl::NotFoundError(absl::StrCat("there is no ", what, " \"", name, "\" on this host"));
}

absl::Status LookUpUser(const std::string& name, Ownership& found) {
  std::vector<char> buffer(kAccountBytes);
  passwd entry = {};
  passwd* result = nullptr;
  if (::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &result) != 0 ||
      result == nullptr) {
    return NoSuch("user", name);
  }
  found = {entry.pw_uid, entry.pw_gid};
  return absl::OkStatus();
}

absl::Status LookUpGroup(const std::string& name, std::uint32_t& found) {
  std::vector<char> buffer(kAccountBytes);
  struct group entry = {};
  struct group* result = nullptr;
  if (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &result) != 0 ||
      result == nullptr) {
    return NoSuch("group", name);
  }
  found = entry.gr_gid;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ConfigPath> ResolveConfigPath(const std::string& app, const std::string& path) {
  if (path.empty() || path.front() != '/' || !ValidatePath(path.substr(1)).ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", path, "\" is not a plain absolute path (no \"..\", no empty part)"));
  }
  const std::string prefix = app + "/";
  if (path.compare(0, prefix.size(), prefix) == 0) {
    return ConfigPath{app, path.substr(prefix.size())};
  }
  return ConfigPath{"/", path.substr(1)};
}

absl::StatusOr<FileState> ReadConfig(const ConfigPath& path) {
  const auto root = Directory::Open(path.root);
  if (absl::IsNotFound(root.status())) return FileState{};
  SLIPWAY_RETURN_IF_ERROR(root.status());
  const auto info = root->Stat(path.below);
  if (absl::IsNotFound(info.status())) return FileState{};
  SLIPWAY_RETURN_IF_ERROR(info.status());
  if (info->kind != FileKind::regular) {
    return absl::FailedPreconditionError(
        absl::StrCat(path.Full(), " is not a regular file and is not replaced"));
  }
  FileState state{true, "", info->owner, info->group, info->mode};
  SLIPWAY_ASSIGN_OR_RETURN(state.bytes, root->Read(path.below, kConfigBytesMax));
  return state;
}

absl::Status WriteConfig(const ConfigPath& path, const FileState& state) {
  const auto root = Directory::Open(path.root);
  if (!state.exists && absl::IsNotFound(root.status())) return absl::OkStatus();
  SLIPWAY_RETURN_IF_ERROR(root.status());
  const std::size_t slash = path.below.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : path.below.substr(0, slash);
  if (!state.exists) {
    const absl::Status removed = root->RemoveFile(path.below);
    if (absl::IsNotFound(removed)) return absl::OkStatus();
    SLIPWAY_RETURN_IF_ERROR(removed);
    if (folder.empty()) return root->Sync();
    SLIPWAY_ASSIGN_OR_RETURN(const Directory parent, root->Below(folder));
    return parent.Sync();
  }
  if (path.root != "/" && !folder.empty()) {
    SLIPWAY_RETURN_IF_ERROR(root->MakeBelow(folder, 0755).status());
  }
  return root->WriteAtomically(path.below, state.bytes,
                               {.mode = state.mode, .owner = state.owner, .group = state.group});
}

absl::StatusOr<Ownership> ParseOwner(const std::string& text) {
  if (text.empty()) return Ownership{::geteuid(), ::getegid()};
  const std::vector<std::string> parts = absl::StrSplit(text, absl::MaxSplits(':', 1));
  Ownership found;
  SLIPWAY_RETURN_IF_ERROR(LookUpUser(parts[0], found));
  if (parts.size() == 2) SLIPWAY_RETURN_IF_ERROR(LookUpGroup(parts[1], found.group));
  return found;
}

absl::StatusOr<std::uint32_t> ParseMode(const std::string& text) {
  if (text.empty()) return 0644;
  std::uint32_t mode = 0;
  for (const char c : text) {
    if (c < '0' || c > '7' || mode > 0777) {
      return absl::InvalidArgumentError(absl::StrCat("mode \"", text, "\" is not like \"0640\""));
    }
    mode = mode * 8 + static_cast<std::uint32_t>(c - '0');
  }
  if (mode <= 0777) return mode;
  return absl::InvalidArgumentError(
      absl::StrCat("mode \"", text, "\" sets more than permission bits"));
}

std::string DescribeChange(const FileState& before, const FileState& after) {
  if (!before.exists) return "new file";
  if (before == after) return "unchanged";
  std::map<absl::string_view, int> lines;
  for (const absl::string_view line : absl::StrSplit(before.bytes, '\n')) --lines[line];
  for (const absl::string_view line : absl::StrSplit(after.bytes, '\n')) ++lines[line];
  int added = 0, removed = 0;
  for (const auto& [line, count] : lines) {
    added += count > 0 ? count : 0;
    removed += count < 0 ? -count : 0;
  }
  if (before.bytes == after.bytes) return "owner or mode changed";
  return absl::StrCat(added, added == 1 ? " line" : " lines", " added, ", removed, " removed");
}

}  // namespace slipway::agent
