#include "controller/releases/collect_releases.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/artifact/manifest.h"
#include "common/status_macros.h"

namespace slipway::controller {
namespace {

using Contents = std::map<Digest, std::uint64_t>;  // bytes

absl::Status AddContents(ReleaseStore& releases, const ReleaseRecord& record, Contents& contents) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string bytes, releases.Manifest(record.digest));
  SLIPWAY_ASSIGN_OR_RETURN(const Manifest manifest, ParseManifest(bytes));
  contents.emplace(Digest::Of(bytes), bytes.size());
  for (const FileEntry& file : manifest.files) {
    for (const Chunk& chunk : file.chunks) contents.emplace(chunk.digest, chunk.size);
  }
  return absl::OkStatus();
}

void Judge(const std::vector<ReleaseRecord>& newest_first, const ReleasesInUse& in_use,
           std::size_t keep, CollectedReleases& judged) {
  std::map<std::string, std::size_t> seen;
  for (const ReleaseRecord& record : newest_first) {
    const std::size_t newer = seen[record.name]++;
    const auto user = in_use.find(record.digest);
    if (user != in_use.end()) {
      judged.kept.push_back({record, user->second});
    } else if (newer < keep) {
      judged.kept.push_back(
          {record, keep == 1 ? "is the newest" : absl::StrCat("is among the newest ", keep)});
    } else {
      judged.removed.push_back({record, ""});
    }
  }
  std::reverse(judged.removed.begin(), judged.removed.end());
}

}  // namespace

absl::StatusOr<CollectedReleases> CollectReleases(ReleaseStore& releases, Registry& registry,
                                                  const ReleasesInUse& in_use, std::size_t keep,
                                                  bool dry_run) {
  CollectedReleases judged;
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<ReleaseRecord> all, releases.Find(""));
  Judge(all, in_use, keep, judged);
  Contents kept, unwanted;
  for (const JudgedRelease& one : judged.kept) {
    SLIPWAY_RETURN_IF_ERROR(AddContents(releases, one.release, kept));
  }
  for (const JudgedRelease& one : judged.removed) {
    // Of a damaged release only the name can be taken away.
    (void)AddContents(releases, one.release, unwanted);
  }
  std::erase_if(unwanted, [&](const auto& content) { return kept.contains(content.first); });
  for (const auto& [digest, bytes] : unwanted) judged.freed_bytes += bytes;
  if (dry_run) return judged;
  for (const JudgedRelease& one : judged.removed) {
    SLIPWAY_RETURN_IF_ERROR(registry.RemoveRelease(one.release.name, one.release.version));
  }
  for (const auto& [digest, bytes] : unwanted) {
    SLIPWAY_RETURN_IF_ERROR(releases.objects().Remove(digest));
  }
  return judged;
}

}  // namespace slipway::controller
