#include "controller/releases/release_store.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/artifact/limits.h"
#include "common/artifact/manifest.h"
#include "common/nearest_name.h"
#include "common/status_macros.h"
#include "slipway/v1/action.pb.h"

namespace slipway::controller {
namespace {

constexpr std::size_t kDigitsMin = 4;

absl::StatusOr<v1::Release> DefinitionIn(const slipway::Manifest& manifest,
                                         const std::string& digest) {
  v1::Release release;
  if (!release.ParseFromString(manifest.release) || release.name() != manifest.name ||
      release.version() != manifest.version) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the manifest of ", manifest.name, " ", manifest.version, " does not hold its definition"));
  }
  release.set_digest(digest);
  return release;
}

std::string NameAndVersion(const ReleaseRecord& record) {
  return absl::StrCat(record.name, "@", record.version);
}

}  // namespace

absl::StatusOr<std::vector<MissingObject>> ReleaseStore::FindMissing(
    const std::vector<std::string>& digests) {
  if (digests.size() > kFindMissingMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("at most ", kFindMissingMax, " digests in one call"));
  }
  std::vector<MissingObject> missing;
  for (const std::string& text : digests) {
    SLIPWAY_ASSIGN_OR_RETURN(const Digest digest, Digest::Parse(text));
    SLIPWAY_ASSIGN_OR_RETURN(const bool there, objects_.Has(digest));
    if (there) continue;
    SLIPWAY_ASSIGN_OR_RETURN(const std::uint64_t held, objects_.Held(digest));
    missing.push_back({digest, held});
  }
  return missing;
}

absl::StatusOr<ReleaseDetails> ReleaseStore::Create(std::string_view manifest,
                                                    const std::string& pushed_by) {
  SLIPWAY_ASSIGN_OR_RETURN(const slipway::Manifest parsed, ParseManifest(manifest));
  ReleaseRecord record{
      parsed.name, parsed.version, Digest::Of(manifest).ToString(), TotalBytes(parsed.files),
      pushed_by,   clock_.Now()};
  SLIPWAY_RETURN_IF_ERROR(DefinitionIn(parsed, record.digest).status());
  const MutexLock lock(changing_);  // content that is found here stays until it has a name
  for (const FileEntry& file : parsed.files) {
    for (const Chunk& chunk : file.chunks) {
      const auto size = objects_.Size(chunk.digest);
      if (absl::IsNotFound(size.status())) {
        return absl::FailedPreconditionError(absl::StrCat("content ", chunk.digest.ToString(),
                                                          " of ", file.path,
                                                          " is not in the store: put it"));
      }
      SLIPWAY_RETURN_IF_ERROR(size.status());
      if (*size == chunk.size) continue;
      return absl::InvalidArgumentError(
          absl::StrCat(file.path, " has ", *size, " bytes, the manifest says ", chunk.size));
    }
  }
  SLIPWAY_RETURN_IF_ERROR(PutObject(objects_, manifest));
  SLIPWAY_RETURN_IF_ERROR(registry_.AddRelease(record));
  SLIPWAY_ASSIGN_OR_RETURN(record, registry_.GetRelease(record.name, record.version));
  return Describe(record);
}

absl::StatusOr<ReleaseDetails> ReleaseStore::Describe(const ReleaseRecord& record) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string bytes, Manifest(record.digest));
  SLIPWAY_ASSIGN_OR_RETURN(const slipway::Manifest manifest, ParseManifest(bytes));
  SLIPWAY_ASSIGN_OR_RETURN(const v1::Release release, DefinitionIn(manifest, record.digest));
  ReleaseDetails details{record, static_cast<std::uint32_t>(manifest.files.size()), {}, {}};
  for (const v1::Component& c : release.components()) details.components.push_back(c.name());
  for (const v1::Service& s : release.services()) details.services.push_back(s.name());
  return details;
}

absl::StatusOr<std::vector<ReleaseDetails>> ReleaseStore::List(const std::string& name) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<ReleaseRecord> records, Find(""));
  std::vector<ReleaseDetails> releases;
  for (const ReleaseRecord& record : records) {
    if (!name.empty() && record.name != name) continue;
    SLIPWAY_ASSIGN_OR_RETURN(ReleaseDetails details, Describe(record));
    releases.push_back(std::move(details));
  }
  return releases;
}

absl::StatusOr<ReleaseRecord> ReleaseStore::FindByDigits(
    const std::string& text, const std::vector<ReleaseRecord>& all) const {
  const std::string_view algorithm = "sha256:";
  const std::string prefix =
      text.compare(0, algorithm.size(), algorithm) == 0 ? text : std::string(algorithm) + text;
  const ReleaseRecord* found = nullptr;
  std::vector<std::string> names;
  for (const ReleaseRecord& record : all) {
    names.push_back(NameAndVersion(record));
    const bool long_enough = prefix.size() >= algorithm.size() + kDigitsMin;
    if (!long_enough || record.digest.compare(0, prefix.size(), prefix) != 0) continue;
    if (found != nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" names ",
                                                     NameAndVersion(*found), " and ", names.back(),
                                                     ": give more digits"));
    }
    found = &record;
  }
  if (found != nullptr) return *found;
  const std::string near = NearestName(text, names);
  return absl::NotFoundError(absl::StrCat("there is no release \"", text, "\"",
                                          near.empty()
                                              ? "; `slipway release list` shows them"
                                              : absl::StrCat("; did you mean ", near, "?")));
}

absl::StatusOr<std::vector<ReleaseRecord>> ReleaseStore::Find(const std::string& text) {
  SLIPWAY_ASSIGN_OR_RETURN(std::vector<ReleaseRecord> all, registry_.ListReleases());
  if (!text.empty()) {
    for (const ReleaseRecord& record : all) {
      if (NameAndVersion(record) == text) return std::vector{record};
    }
    SLIPWAY_ASSIGN_OR_RETURN(const ReleaseRecord record, FindByDigits(text, all));
    return std::vector{record};
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.pushed_at > b.pushed_at; });
  return all;
}

absl::StatusOr<ReleaseDetails> ReleaseStore::Get(const std::string& text) {
  if (text.empty()) return absl::NotFoundError("no release is named");
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<ReleaseRecord> found, Find(text));
  return Describe(found.front());
}

absl::StatusOr<std::string> ReleaseStore::Manifest(const std::string& digest) {
  SLIPWAY_ASSIGN_OR_RETURN(const Digest parsed, Digest::Parse(digest));
  return ReadObject(objects_, parsed, kManifestBytesMax);
}

absl::StatusOr<v1::Release> ReleaseStore::Definition(const std::string& digest) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string bytes, Manifest(digest));
  SLIPWAY_ASSIGN_OR_RETURN(const slipway::Manifest manifest, ParseManifest(bytes));
  return DefinitionIn(manifest, digest);
}

}  // namespace slipway::controller
