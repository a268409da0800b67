// Releases in memory, served like a controller that may misbehave. Test-only; thread-safe.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/artifact/content_source.h"
#include "common/artifact/manifest.h"
#include "common/mutex.h"

namespace slipway::v1 {
class Release;
}

namespace slipway::agent {

class FakeContentSource final : public ContentSource {
 public:
  struct FileSpec {
    std::string path;
    std::string content;
    std::uint32_t mode = 0644;
  };

  // A release with component "backend" (backend/), service "media" and hook hooks/smoke (when among
  // the files); returns its digest.
  std::string AddRelease(const std::string& version, const std::vector<FileSpec>& files);
  // The same with a release.yaml of the caller's.
  std::string AddRelease(const v1::Release& release, const std::vector<FileSpec>& files);
  // Any manifest bytes, also hostile ones.
  std::string AddManifest(const std::string& bytes);
  // Content of an object, right or wrong.
  void SetObject(const std::string& digest, const std::string& content);

  // Called before each piece of at most `piece` bytes is handed out.
  void OnPiece(std::size_t piece, std::function<absl::Status(const std::string& digest)> hook);
  std::uint64_t BytesServed() const;

  absl::StatusOr<std::string> GetManifest(std::string_view digest) override;
  absl::Status Fetch(std::string_view digest, std::uint64_t offset,
                     const std::function<absl::Status(std::string_view)>& sink) override;

 private:
  mutable Mutex mu_;
  std::map<std::string, std::string> manifests_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, std::string> objects_ ABSL_GUARDED_BY(mu_);
  std::size_t piece_ ABSL_GUARDED_BY(mu_) = 64 * 1024;
  std::function<absl::Status(const std::string&)> hook_ ABSL_GUARDED_BY(mu_);
  std::uint64_t served_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace slipway::agent
