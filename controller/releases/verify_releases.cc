#include "controller/releases/verify_releases.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "common/artifact/limits.h"
#include "common/artifact/manifest.h"
#include "common/status_macros.h"

namespace slipway::controller {
namespace {

class Verifier {
 public:
  explicit Verifier(ObjectStore& objects) : objects_(objects) {}

  ReleaseCheck Check(const ReleaseRecord& release) {
    ReleaseCheck check;
    check.release = release;
    const auto manifest = ManifestOf(release, check);
    if (!manifest.ok()) {
      check.damaged.push_back({"", release.digest, std::string(manifest.status().message())});
      return check;
    }
    for (const FileEntry& file : manifest->files) {
      for (const Chunk& chunk : file.chunks) {
        const std::string problem = ProblemOf(chunk.digest, check);
        if (!problem.empty()) {
          check.damaged.push_back({file.path, chunk.digest.ToString(), problem});
        }
      }
    }
    return check;
  }

 private:
  absl::StatusOr<Manifest> ManifestOf(const ReleaseRecord& release, ReleaseCheck& check) {
    SLIPWAY_ASSIGN_OR_RETURN(const Digest digest, Digest::Parse(release.digest));
    const std::string problem = ProblemOf(digest, check);
    if (!problem.empty()) return absl::DataLossError(problem);
    SLIPWAY_ASSIGN_OR_RETURN(const std::string bytes,
                             ReadObject(objects_, digest, kManifestBytesMax));
    return ParseManifest(bytes);
  }

  // "" when the object is what its digest says.
  std::string ProblemOf(const Digest& digest, ReleaseCheck& check) {
    const auto [known, fresh] = known_.try_emplace(digest);
    if (fresh) known->second = Read(digest, check.bytes_read);
    return known->second;
  }

  std::string Read(const Digest& digest, std::uint64_t& bytes_read) {
    Hasher hasher;
    const absl::Status status = objects_.Get(digest, 0, [&](std::string_view piece) {
      hasher.Update(piece);
      bytes_read += piece.size();
      return absl::OkStatus();
    });
    if (absl::IsNotFound(status)) return "is missing";
    if (!status.ok()) return absl::StrCat("cannot be read: ", status.message());
    const Digest found = hasher.Finish();
    return found == digest ? "" : absl::StrCat("was changed: it has ", found.ToString());
  }

  ObjectStore& objects_;
  std::map<Digest, std::string> known_;
};

}  // namespace

absl::Status VerifyReleases(ObjectStore& objects, const std::vector<ReleaseRecord>& releases,
                            const std::function<absl::Status(const ReleaseCheck&)>& each) {
  Verifier verifier(objects);
  for (const ReleaseRecord& release : releases) {
    SLIPWAY_RETURN_IF_ERROR(each(verifier.Check(release)));
  }
  return absl::OkStatus();
}

}  // namespace slipway::controller
