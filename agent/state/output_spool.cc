#include "agent/state/output_spool.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

absl::Status MakeFolder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", path));
}

// Ids come over the wire: none of them may name a place outside.
std::string AsName(std::string text) {
  for (char& c : text) {
    if (c == '/' || c == '\0') c = '_';
  }
  return text.empty() || text[0] == '.' ? "_" + text : text;
}

}  // namespace

std::string RolloutFolder(const RolloutId& rollout) {
  return AsName(rollout.text);
}

std::string CommandFolder(const CommandId& id) {
  return AsName(ToString(id).substr(id.rollout.text.size() + 1));
}

void OutputSpool::Write(std::string_view bytes) {
  MutexLock lock(mu_);
  sink_.Write(bytes);
}

void OutputSpool::Say(std::string_view text) {
  Write(std::string(text) + "\n");
}

absl::StatusOr<std::unique_ptr<OutputArchive>> OutputArchive::Open(std::string base) {
  SLIPWAY_RETURN_IF_ERROR(MakeFolder(base));
  return std::unique_ptr<OutputArchive>(new OutputArchive(std::move(base)));
}

absl::StatusOr<std::unique_ptr<OutputSpool>> OutputArchive::SpoolOf(const CommandId& id) const {
  const std::string rollout = absl::StrCat(base_, "/", RolloutFolder(id.rollout));
  const std::string dir = absl::StrCat(rollout, "/", CommandFolder(id));
  SLIPWAY_RETURN_IF_ERROR(MakeFolder(rollout));
  SLIPWAY_RETURN_IF_ERROR(MakeFolder(dir));
  return std::make_unique<OutputSpool>(dir);
}

absl::StatusOr<SpoolPiece> OutputArchive::Read(const CommandId& id, std::uint64_t offset,
                                               std::uint64_t bytes_max) const {
  const std::string dir =
      absl::StrCat(base_, "/", RolloutFolder(id.rollout), "/", CommandFolder(id));
  if (access(dir.c_str(), F_OK) != 0) {
    return absl::NotFoundError(
        absl::StrCat("no output of ", ToString(id), " is kept on this host"));
  }
  return ReadSpool(dir, offset, bytes_max);
}

void OutputArchive::Forget(const RolloutId& rollout) const {
  std::error_code ignored;
  std::filesystem::remove_all(absl::StrCat(base_, "/", RolloutFolder(rollout)), ignored);
}

}  // namespace slipway::agent
