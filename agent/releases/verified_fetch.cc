#include "agent/releases/verified_fetch.h"

#include "absl/strings/str_cat.h"
#include "common/artifact/tree_scan.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

// A part of a file, with the digest of what is in it.
struct Part {
  File file;
  Hasher hasher = Hasher();
  std::uint64_t size = 0;
};

absl::StatusOr<Part> OpenPart(const Directory& parts, const std::string& name,
                              const FileEntry& entry) {
  SLIPWAY_ASSIGN_OR_RETURN(File file, parts.OpenForAppend(name, 0600));
  Part part{std::move(file)};
  SLIPWAY_RETURN_IF_ERROR(ReadPieces(part.file, 0, [&](std::string_view piece) {
    part.hasher.Update(piece);
    part.size += piece.size();
    return absl::OkStatus();
  }));
  if (part.size <= entry.size) return part;
  SLIPWAY_RETURN_IF_ERROR(part.file.Truncate(0));
  part.hasher = Hasher();
  part.size = 0;
  return part;
}

absl::Status Receive(ContentSource& content, const FileEntry& entry, Part& part,
                     const OnBytes& on_bytes) {
  if (part.size == entry.size) return absl::OkStatus();
  SLIPWAY_RETURN_IF_ERROR(content.Fetch(
      entry.digest.ToString(), part.size, [&](std::string_view piece) -> absl::Status {
        if (piece.size() > entry.size - part.size) {
          return absl::DataLossError(
              absl::StrCat("the source sent more than the ", entry.size, " bytes of ", entry.path));
        }
        SLIPWAY_RETURN_IF_ERROR(part.file.Append(piece));
        part.hasher.Update(piece);
        part.size += piece.size();
        return on_bytes(piece.size());
      }));
  if (part.size == entry.size) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the source sent ", part.size, " of the ", entry.size,
                                          " bytes of ", entry.path));
}

absl::StatusOr<File> ReceiveVerified(ContentSource& content, const FileEntry& entry,
                                     const Directory& parts, const std::string& name,
                                     const OnBytes& on_bytes) {
  SLIPWAY_ASSIGN_OR_RETURN(Part part, OpenPart(parts, name, entry));
  SLIPWAY_RETURN_IF_ERROR(Receive(content, entry, part, on_bytes));
  const Digest found = part.hasher.Finish();
  if (found != entry.digest) {
    return absl::DataLossError(absl::StrCat(entry.path, " should have digest ",
                                            entry.digest.ToString(),
                                            " but what the source sent has ", found.ToString()));
  }
  return std::move(part.file);
}

}  // namespace

absl::StatusOr<std::string> FetchManifest(ContentSource& content, const std::string& digest) {
  SLIPWAY_ASSIGN_OR_RETURN(const Digest wanted, Digest::Parse(digest));
  SLIPWAY_ASSIGN_OR_RETURN(std::string bytes, content.GetManifest(digest));
  if (Digest::Of(bytes) != wanted) {
    return absl::DataLossError(
        absl::StrCat("the source sent a manifest that is not that of ", digest));
  }
  return bytes;
}

absl::Status FetchFile(ContentSource& content, const FileEntry& entry, const Directory& parts,
                       const Directory& target, const std::string& target_name,
                       const OnBytes& on_bytes) {
  const std::string name = entry.digest.Hex();
  const auto had_part = parts.Exists(name);
  absl::StatusOr<File> received = ReceiveVerified(content, entry, parts, name, on_bytes);
  if (absl::IsDataLoss(received.status()) && had_part.ok() && *had_part) {
    // The part that a crash left may be what is wrong; the source gets a fair chance.
    SLIPWAY_RETURN_IF_ERROR(parts.RemoveFile(name));
    received = ReceiveVerified(content, entry, parts, name, on_bytes);
  }
  if (absl::IsDataLoss(received.status()) || absl::IsResourceExhausted(received.status())) {
    SLIPWAY_RETURN_IF_ERROR(parts.RemoveFile(name));
  }
  SLIPWAY_RETURN_IF_ERROR(received.status());
  SLIPWAY_RETURN_IF_ERROR(target.RemoveFile(target_name));
  SLIPWAY_RETURN_IF_ERROR(parts.Link(name, target, target_name));
  // Last, so that a part that a crash left can be opened again.
  SLIPWAY_RETURN_IF_ERROR(received->SetMode(ReadOnly(entry.mode)));
  return parts.RemoveFile(name);
}

bool HasContent(const Directory& dir, const std::string& name, const FileEntry& entry) {
  const auto file = dir.OpenFile(name);
  if (!file.ok()) return false;
  const auto info = file->Info();
  if (!info.ok() || info->size != entry.size || info->mode != ReadOnly(entry.mode)) return false;
  Hasher hasher;
  const absl::Status read = ReadPieces(*file, 0, [&](std::string_view piece) {
    hasher.Update(piece);
    return absl::OkStatus();
  });
  return read.ok() && hasher.Finish() == entry.digest;
}

}  // namespace slipway::agent
