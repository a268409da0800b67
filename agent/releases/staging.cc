#include "agent/releases/staging.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "agent/releases/verified_fetch.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

// Left free for the host's own needs and the agent's records.
constexpr std::uint64_t kReserveBytes = 8 << 20;

std::pair<std::string, std::string> SplitPath(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

class TreeWriter {
 public:
  TreeWriter(StagingPlan plan, ContentSource& content, const StageHooks& hooks)
      : plan_(std::move(plan)),
        content_(content),
        hooks_(hooks),
        staging_name_(kStagingPrefix + plan_.key),
        parts_name_(kPartsPrefix + plan_.key),
        total_(TotalBytes(plan_.files)) {}

  absl::Status Write() {
    SLIPWAY_ASSIGN_OR_RETURN(const Directory tree, plan_.releases.MakeBelow(staging_name_, 0700));
    SLIPWAY_ASSIGN_OR_RETURN(const Directory parts, plan_.releases.MakeBelow(parts_name_, 0700));
    SLIPWAY_RETURN_IF_ERROR(RemoveStrangers(tree, ""));
    SLIPWAY_ASSIGN_OR_RETURN(const std::vector<const FileEntry*> missing, Reuse(tree));
    SLIPWAY_RETURN_IF_ERROR(PredictSpace(missing));
    for (const FileEntry* const file : missing) {
      const absl::Status fetched = Place(tree, parts, *file);
      if (absl::IsResourceExhausted(fetched)) SLIPWAY_RETURN_IF_ERROR(GiveUp());
      SLIPWAY_RETURN_IF_ERROR(fetched);
    }
    return Publish(tree);
  }

 private:
  // What is in the tree and not in the manifest (an edited or damaged leftover). Folders that an
  // earlier try had made read-only are opened again.
  absl::Status RemoveStrangers(const Directory& dir, const std::string& prefix) {
    SLIPWAY_RETURN_IF_ERROR(dir.SetMode(0700));
    SLIPWAY_ASSIGN_OR_RETURN(const std::vector<std::string> names, dir.List());
    for (const std::string& name : names) {
      const std::string path = prefix + name;
      SLIPWAY_ASSIGN_OR_RETURN(const FileInfo info, dir.Stat(name));
      if (info.kind == FileKind::directory && HasBelow(path + "/")) {
        SLIPWAY_ASSIGN_OR_RETURN(const Directory below, dir.Below(name));
        SLIPWAY_RETURN_IF_ERROR(RemoveStrangers(below, path + "/"));
      } else if (info.kind != FileKind::regular || !IsFile(path)) {
        SLIPWAY_RETURN_IF_ERROR(dir.RemoveTree(name));
      }
    }
    return absl::OkStatus();
  }

  std::vector<FileEntry>::const_iterator FirstFrom(const std::string& path) const {
    return std::lower_bound(
        plan_.files.begin(), plan_.files.end(), path,
        [](const FileEntry& file, const std::string& p) { return file.path < p; });
  }
  bool IsFile(const std::string& path) const {
    const auto it = FirstFrom(path);
    return it != plan_.files.end() && it->path == path;
  }
  bool HasBelow(const std::string& folder) const {
    const auto it = FirstFrom(folder);
    return it != plan_.files.end() && it->path.compare(0, folder.size(), folder) == 0;
  }

  absl::StatusOr<Directory> FolderOf(const Directory& tree, const std::string& folder) {
    if (folder.empty()) return plan_.releases.Below(staging_name_);
    return tree.MakeBelow(folder, 0755);
  }

  // Takes what an earlier try or another release of the app has; returns what must be fetched.
  absl::StatusOr<std::vector<const FileEntry*>> Reuse(const Directory& tree) {
    std::vector<const FileEntry*> missing;
    for (const FileEntry& file : plan_.files) {
      SLIPWAY_RETURN_IF_ERROR(CheckStopping());
      if (HasContent(tree, file.path, file) || LinkFromNeighbour(tree, file)) {
        Advance(file.size);
      } else {
        missing.push_back(&file);
      }
    }
    return missing;
  }

  // A neighbour whose content was changed by hand is no source; the file is fetched then.
  bool LinkFromNeighbour(const Directory& tree, const FileEntry& file) {
    const auto known = plan_.known.find({file.digest, file.mode});
    if (known == plan_.known.end()) return false;
    const auto [folder, name] = SplitPath(file.path);
    const auto target = FolderOf(tree, folder);
    if (!target.ok() || !target->RemoveFile(name).ok()) return false;
    if (!plan_.releases.Link(known->second, *target, name).ok()) return false;
    if (HasContent(*target, name, file)) return true;
    (void)target->RemoveFile(name);
    return false;
  }

  absl::Status PredictSpace(const std::vector<const FileEntry*>& missing) {
    std::uint64_t needed = 0;
    for (const FileEntry* const file : missing) needed += file->size;
    SLIPWAY_ASSIGN_OR_RETURN(const std::uint64_t free, plan_.releases.FreeBytes());
    if (needed + kReserveBytes <= free || needed == 0) return absl::OkStatus();
    SLIPWAY_RETURN_IF_ERROR(GiveUp());
    return absl::ResourceExhaustedError(absl::StrCat(
        "not enough space in ", plan_.releases.path(), ": ", SizeText(needed), " and a reserve of ",
        SizeText(kReserveBytes), " needed, ", SizeText(free), " free"));
  }

  absl::Status Place(const Directory& tree, const Directory& parts, const FileEntry& file) {
    const auto [folder, name] = SplitPath(file.path);
    SLIPWAY_ASSIGN_OR_RETURN(const Directory target, FolderOf(tree, folder));
    const std::uint64_t after = done_ + file.size;
    SLIPWAY_RETURN_IF_ERROR(
        FetchFile(content_, file, parts, target, name, [&](std::uint64_t bytes) {
          Advance(bytes);
          return CheckStopping();
        }));
    // Also when a part was there already, or something came twice.
    done_ = after;
    Advance(0);
    return CheckStopping();
  }

  // A full disk helps nobody: what was brought so far is given back.
  absl::Status GiveUp() {
    SLIPWAY_RETURN_IF_ERROR(plan_.releases.RemoveTree(staging_name_));
    return plan_.releases.RemoveTree(parts_name_);
  }

  absl::Status Publish(const Directory& tree) {
    SLIPWAY_RETURN_IF_ERROR(plan_.releases.RemoveTree(parts_name_));
    SLIPWAY_RETURN_IF_ERROR(MakeReadOnly(tree));
    SLIPWAY_RETURN_IF_ERROR(tree.SyncFileSystem());
    SLIPWAY_RETURN_IF_ERROR(plan_.releases.Rename(staging_name_, plan_.folder));
    return plan_.releases.Sync();
  }

  static absl::Status MakeReadOnly(const Directory& dir) {
    SLIPWAY_ASSIGN_OR_RETURN(const std::vector<std::string> names, dir.List());
    for (const std::string& name : names) {
      SLIPWAY_ASSIGN_OR_RETURN(const FileInfo info, dir.Stat(name));
      if (info.kind != FileKind::directory) continue;
      SLIPWAY_ASSIGN_OR_RETURN(const Directory below, dir.Below(name));
      SLIPWAY_RETURN_IF_ERROR(MakeReadOnly(below));
    }
    return dir.SetMode(0555);
  }

  absl::Status CheckStopping() const {
    if (!hooks_.stopping || !hooks_.stopping()) return absl::OkStatus();
    return absl::CancelledError("staging was interrupted; what was verified is kept");
  }

  void Advance(std::uint64_t bytes) {
    done_ = std::min(done_ + bytes, total_);
    if (!hooks_.progress) return;
    const std::uint64_t percent = total_ == 0 ? 100 : done_ * 100 / total_;
    hooks_.progress(
        absl::StrCat("copy ", percent, " %, ", SizeText(done_), " of ", SizeText(total_)), done_,
        total_);
  }

  const StagingPlan plan_;
  ContentSource& content_;
  const StageHooks& hooks_;
  const std::string staging_name_, parts_name_;
  const std::uint64_t total_;
  std::uint64_t done_ = 0;
};

}  // namespace

std::string SizeText(std::uint64_t bytes) {
  static const char* const kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; amount >= 1024 && unit < 4; ++unit) amount /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", amount, kUnits[unit]);
  return text;
}

absl::Status WriteTree(StagingPlan plan, ContentSource& content, const StageHooks& hooks) {
  return TreeWriter(std::move(plan), content, hooks).Write();
}

}  // namespace slipway::agent
