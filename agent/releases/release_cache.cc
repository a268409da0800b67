#include "agent/releases/release_cache.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/releases/record_file.h"
#include "agent/releases/verified_fetch.h"
#include "common/artifact/limits.h"
#include "common/artifact/manifest.h"
#include "common/status_macros.h"
#include "slipway/agentstate/v1/deployment.pb.h"

namespace slipway::agent {
namespace {

constexpr char kIndex[] = "index";
constexpr int kReleasesMax = 8;  // the ones in use on a host, and some of the past

absl::StatusOr<Manifest> ManifestOf(const Directory& dir, const std::string& digest,
                                    ContentSource& content) {
  auto bytes = dir.Read("manifest", kManifestBytesMax);
  if (!bytes.ok() || Digest::Of(*bytes).ToString() != digest) {
    bytes = FetchManifest(content, digest);
    SLIPWAY_RETURN_IF_ERROR(bytes.status());
    SLIPWAY_RETURN_IF_ERROR(dir.WriteAtomically("manifest", *bytes, {.mode = 0600}));
  }
  return ParseManifest(*bytes);
}

}  // namespace

absl::StatusOr<Directory> ReleaseCache::FolderOf(const std::string& digest) {
  SLIPWAY_ASSIGN_OR_RETURN(const Digest parsed, Digest::Parse(digest));
  // Hooks may run as another user, who must be able to come here.
  return root_.MakeBelow(parsed.Hex(), 0755);
}

absl::Status ReleaseCache::NoteUse(const std::string& digest) {
  agentstate::v1::CacheRecord index;
  const absl::Status read = ReadRecord(root_, kIndex, index);
  // Damaged or not there: the index only tells what is old.
  if (!read.ok()) index.Clear();
  const auto& known = index.digests();
  if (std::find(known.begin(), known.end(), digest) != known.end()) return absl::OkStatus();
  index.add_digests(digest);
  while (index.digests_size() > kReleasesMax) {
    const auto oldest = Digest::Parse(index.digests(0));
    if (oldest.ok()) SLIPWAY_RETURN_IF_ERROR(root_.RemoveTree(oldest->Hex()));
    index.mutable_digests()->erase(index.digests().begin());
  }
  return WriteRecord(root_, kIndex, index);
}

absl::StatusOr<std::string> ReleaseCache::File(const std::string& digest, const std::string& path,
                                               ContentSource& content) {
  const std::size_t slash = path.rfind('/');
  // Of a file at the root only the file itself: its neighbours are the whole release.
  if (slash == std::string::npos) {
    return Bring(digest, path, [&](const std::string& file) { return file == path; }, content);
  }
  const std::string folder = path.substr(0, slash + 1);
  return Bring(
      digest, path, [&](const std::string& file) { return file.starts_with(folder); }, content);
}

absl::StatusOr<std::string> ReleaseCache::Folder(const std::string& digest, const std::string& path,
                                                 ContentSource& content) {
  const std::string folder = path + "/";
  return Bring(
      digest, path, [&](const std::string& file) { return file.starts_with(folder); }, content);
}

absl::StatusOr<std::string> ReleaseCache::Bring(const std::string& digest, const std::string& path,
                                                const Wanted& wanted, ContentSource& content) {
  SLIPWAY_ASSIGN_OR_RETURN(const Directory dir, FolderOf(digest));
  SLIPWAY_RETURN_IF_ERROR(NoteUse(digest));
  SLIPWAY_ASSIGN_OR_RETURN(const Manifest manifest, ManifestOf(dir, digest, content));
  SLIPWAY_ASSIGN_OR_RETURN(const Directory files, dir.MakeBelow("files", 0755));
  SLIPWAY_ASSIGN_OR_RETURN(const Directory parts, dir.MakeBelow("parts", 0700));
  bool found = false;
  for (const FileEntry& file : manifest.files) {
    if (!wanted(file.path)) continue;
    found = found || file.path == path || file.path.starts_with(path + "/");
    if (HasContent(files, file.path, file)) continue;
    const std::size_t end = file.path.rfind('/');
    if (end != std::string::npos) {
      SLIPWAY_RETURN_IF_ERROR(files.MakeBelow(file.path.substr(0, end), 0755).status());
    }
    SLIPWAY_RETURN_IF_ERROR(FetchFile(content, file, parts, files, file.path,
                                      [](std::uint64_t) { return absl::OkStatus(); }));
  }
  if (found) return absl::StrCat(files.path(), "/", path);
  return absl::NotFoundError(
      absl::StrCat("release ", manifest.name, " ", manifest.version, " has no file ", path));
}

}  // namespace slipway::agent
