#include "common/artifact/seal.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/artifact/limits.h"
#include "common/artifact/release_file.h"
#include "common/artifact/tree_scan.h"
#include "common/fs/directory.h"
#include "common/status_macros.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "slipway/v1/action.pb.h"

namespace slipway {
namespace {

// Maps have no order of their own; the manifest's digest needs one.
std::string Serialized(const v1::Release& release) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  release.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

bool HasFileBelow(const std::vector<FileEntry>& files, const std::string& folder) {
  return std::any_of(files.begin(), files.end(), [&](const FileEntry& file) {
    return file.path.compare(0, folder.size(), folder) == 0;
  });
}

// What release.yaml names must be there.
absl::Status CheckContent(const v1::Release& release, const std::vector<FileEntry>& files) {
  for (const v1::Component& component : release.components()) {
    if (HasFileBelow(files, component.path())) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "component \"", component.name(), "\" has no file: nothing is below ", component.path()));
  }
  for (const v1::Hook& hook : release.hooks()) {
    const auto file = std::find_if(files.begin(), files.end(),
                                   [&](const FileEntry& f) { return f.path == hook.path(); });
    if (file == files.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("hook \"", hook.path(), "\" is not in the release"));
    }
    if (file->mode != 0755) {
      return absl::InvalidArgumentError(
          absl::StrCat("hook \"", hook.path(), "\" is no program: make it executable (chmod +x)"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<ReleaseFileContent> ReadDefinition(const Directory& root, v1::Release& release,
                                                  std::vector<plan::Problem>* problems) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string text,
                           root.Read(kReleaseFileName, kReleaseDefinitionBytesMax));
  const std::string file = absl::StrCat(root.path(), "/", kReleaseFileName);
  ReleaseFileContent content = ReadReleaseFile(file, text, release);
  if (problems != nullptr) {
    problems->insert(problems->end(), content.problems.begin(), content.problems.end());
  }
  for (const plan::Problem& problem : content.problems) {
    if (problem.severity != plan::Problem::Severity::error) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(file, ":", problem.line, ":", problem.column, ": ", problem.message));
  }
  return content;
}

}  // namespace

absl::StatusOr<SealedRelease> SealRelease(const std::string& dir, const SealOptions& options,
                                          std::vector<plan::Problem>* problems) {
  SealedRelease sealed;
  std::error_code failed;
  sealed.dir = std::filesystem::canonical(dir, failed).string();
  if (failed) return SystemError(failed.value(), "open", dir);
  SLIPWAY_ASSIGN_OR_RETURN(const Directory root, Directory::Open(sealed.dir));
  v1::Release release;
  SLIPWAY_ASSIGN_OR_RETURN(const ReleaseFileContent content,
                           ReadDefinition(root, release, problems));
  if (options.build) {
    SLIPWAY_RETURN_IF_ERROR(RunBuildSteps(sealed.dir, content.build, options.begin));
  }
  SLIPWAY_ASSIGN_OR_RETURN(sealed.manifest.files, ScanTree(root));
  SLIPWAY_RETURN_IF_ERROR(CheckContent(release, sealed.manifest.files));
  sealed.manifest.name = release.name();
  sealed.manifest.version = release.version();
  sealed.manifest.release = Serialized(release);
  SLIPWAY_ASSIGN_OR_RETURN(sealed.bytes, EncodeManifest(sealed.manifest));
  sealed.digest = Digest::Of(sealed.bytes);
  return sealed;
}

}  // namespace slipway
