#include "common/artifact/tree_scan.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/artifact/limits.h"
#include "common/status_macros.h"

namespace slipway {
namespace {

constexpr std::uint32_t kSpecialBits = 07000;  // setuid, setgid, sticky

class Scan {
 public:
  absl::Status Folder(const Directory& dir, const std::string& prefix) {
    SLIPWAY_ASSIGN_OR_RETURN(const std::vector<std::string> names, dir.List());
    for (const std::string& name : names) {
      const std::string path = prefix + name;
      SLIPWAY_RETURN_IF_ERROR(ValidatePath(path));
      SLIPWAY_ASSIGN_OR_RETURN(const FileInfo info, dir.Stat(name));
      if (info.kind == FileKind::directory) {
        SLIPWAY_ASSIGN_OR_RETURN(const Directory below, dir.Below(name));
        SLIPWAY_RETURN_IF_ERROR(Folder(below, path + "/"));
        continue;
      }
      SLIPWAY_RETURN_IF_ERROR(RefuseSpecial(path, info));
      SLIPWAY_RETURN_IF_ERROR(OneFile(dir, name, path));
    }
    return absl::OkStatus();
  }

  std::vector<FileEntry> TakeSorted() {
    // Folder by folder is not the order of the full paths: "a-b" stands before "a/x".
    std::sort(files_.begin(), files_.end(),
              [](const FileEntry& a, const FileEntry& b) { return a.path < b.path; });
    return std::move(files_);
  }

 private:
  static absl::Status RefuseSpecial(const std::string& path, const FileInfo& info) {
    const std::string shown = absl::CHexEscape(path);
    if (info.kind == FileKind::symlink) {
      return absl::InvalidArgumentError(absl::StrCat(
          shown, " is a symbolic link; a release holds regular files only: copy what it names"));
    }
    if (info.kind != FileKind::regular) {
      return absl::InvalidArgumentError(
          absl::StrCat(shown, " is a device, fifo or socket; a release holds regular files only"));
    }
    if ((info.mode & kSpecialBits) != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(shown, " has a setuid, setgid or sticky bit; clear it (chmod a-st)"));
    }
    return absl::OkStatus();
  }

  absl::Status OneFile(const Directory& dir, const std::string& name, const std::string& path) {
    if (files_.size() >= kManifestFilesMax) {
      return absl::InvalidArgumentError(
          absl::StrCat(dir.path(), " has more than ", kManifestFilesMax, " files"));
    }
    SLIPWAY_ASSIGN_OR_RETURN(const File file, dir.OpenFile(name));
    SLIPWAY_ASSIGN_OR_RETURN(const FileInfo info, file.Info());
    // Before it is read: a sparse file costs its maker nothing and its reader years.
    total_ += std::min(info.size, kFileBytesMax + 1);
    if (info.size > kFileBytesMax || total_ > kReleaseBytesMax) {
      return absl::InvalidArgumentError(absl::StrCat(absl::CHexEscape(path), " has ", info.size,
                                                     " bytes; a file has at most ", kFileBytesMax,
                                                     " and a release ", kReleaseBytesMax));
    }
    const absl::Status changed =
        absl::AbortedError(absl::StrCat(file.path(), " changed while it was read"));
    Hasher hasher;
    std::uint64_t read = 0;
    SLIPWAY_RETURN_IF_ERROR(ReadPieces(file, 0, [&](std::string_view piece) {
      hasher.Update(piece);
      read += piece.size();
      return read <= info.size ? absl::OkStatus() : changed;
    }));
    if (read != info.size) return changed;
    FileEntry entry{path, (info.mode & 0100) != 0 ? 0755u : 0644u, read, hasher.Finish(), {}};
    if (read > 0) entry.chunks = {{entry.digest, read}};
    files_.push_back(std::move(entry));
    return absl::OkStatus();
  }

  std::vector<FileEntry> files_;
  std::uint64_t total_ = 0;  // bytes
};

}  // namespace

absl::StatusOr<std::vector<FileEntry>> ScanTree(const Directory& root) {
  Scan scan;
  SLIPWAY_RETURN_IF_ERROR(scan.Folder(root, ""));
  return scan.TakeSorted();
}

absl::Status ReadPieces(const File& file, std::uint64_t offset,
                        const std::function<absl::Status(std::string_view)>& sink) {
  while (true) {
    SLIPWAY_ASSIGN_OR_RETURN(const std::string piece, file.ReadAt(offset, kTransferBytesMax));
    if (piece.empty()) return absl::OkStatus();
    SLIPWAY_RETURN_IF_ERROR(sink(piece));
    offset += piece.size();
  }
}

}  // namespace slipway
