#include "agent/releases/fake_content_source.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {

std::string FakeContentSource::AddRelease(const std::string& version,
                                          const std::vector<FileSpec>& files) {
  v1::Release release;
  release.set_name("unified-media");
  release.set_version(version);
  v1::Component& component = *release.add_components();
  component.set_name("backend");
  component.set_path("backend/");
  v1::Service& service = *release.add_services();
  service.set_name("media");
  service.set_component("backend");
  service.add_run("bin/media");
  for (const FileSpec& spec : files) {
    if (spec.path == "hooks/smoke") release.add_hooks()->set_path(spec.path);
    if (spec.path.substr(0, 4) == "web/" && release.components_size() == 1) {
      v1::Component& web = *release.add_components();
      web.set_name("frontend");
      web.set_path("web/");
    }
  }
  return AddRelease(release, files);
}

std::string FakeContentSource::AddRelease(const v1::Release& release,
                                          const std::vector<FileSpec>& files) {
  Manifest manifest{release.name(), release.version(), "", {}};
  for (const FileSpec& spec : files) {
    FileEntry file{spec.path, spec.mode, spec.content.size(), Digest::Of(spec.content), {}};
    if (!spec.content.empty()) file.chunks = {{file.digest, file.size}};
    manifest.files.push_back(file);
    SetObject(file.digest.ToString(), spec.content);
  }
  std::sort(manifest.files.begin(), manifest.files.end(),
            [](const FileEntry& a, const FileEntry& b) { return a.path < b.path; });
  manifest.release = release.SerializeAsString();
  const auto bytes = EncodeManifest(manifest);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return AddManifest(*bytes);
}

std::string FakeContentSource::AddManifest(const std::string& bytes) {
  const std::string digest = Digest::Of(bytes).ToString();
  const MutexLock lock(mu_);
  manifests_[digest] = bytes;
  return digest;
}

void FakeContentSource::SetObject(const std::string& digest, const std::string& content) {
  const MutexLock lock(mu_);
  objects_[digest] = content;
}

void FakeContentSource::OnPiece(std::size_t piece,
                                std::function<absl::Status(const std::string&)> hook) {
  const MutexLock lock(mu_);
  piece_ = piece;
  hook_ = std::move(hook);
}

std::uint64_t FakeContentSource::BytesServed() const {
  const MutexLock lock(mu_);
  return served_;
}

absl::StatusOr<std::string> FakeContentSource::GetManifest(std::string_view digest) {
  const MutexLock lock(mu_);
  const auto it = manifests_.find(std::string(digest));
  if (it == manifests_.end()) return absl::NotFoundError("no such release");
  return it->second;
}

absl::Status FakeContentSource::Fetch(std::string_view digest, std::uint64_t offset,
                                      const std::function<absl::Status(std::string_view)>& sink) {
  std::string content;
  std::size_t piece = 0;
  std::function<absl::Status(const std::string&)> hook;
  {
    const MutexLock lock(mu_);
    const auto it = objects_.find(std::string(digest));
    if (it == objects_.end())
      return absl::NotFoundError(absl::StrCat("no object ", std::string(digest)));
    content = it->second;
    piece = piece_;
    hook = hook_;
  }
  if (offset > content.size()) return absl::OutOfRangeError("behind the end");
  for (std::size_t at = offset; at < content.size(); at += piece) {
    if (hook) SLIPWAY_RETURN_IF_ERROR(hook(std::string(digest)));
    const std::string_view bytes = std::string_view(content).substr(at, piece);
    {
      const MutexLock lock(mu_);
      served_ += bytes.size();
    }
    SLIPWAY_RETURN_IF_ERROR(sink(bytes));
  }
  return absl::OkStatus();
}

}  // namespace slipway::agent
