// The list of a release's files: what is signed, stored and compared.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/artifact/digest.h"

namespace slipway {

// Content of one object of the store.
struct Chunk {
  Digest digest;
  std::uint64_t size = 0;  // bytes
  bool operator==(const Chunk&) const = default;
};

struct FileEntry {
  std::string path;           // relative, parts joined by '/'; valid by ValidatePath
  std::uint32_t mode = 0644;  // 0644 or 0755
  std::uint64_t size = 0;     // bytes
  Digest digest = Digest::Of("");
  std::vector<Chunk> chunks;  // in order; for now exactly one, the file itself; none when empty
  bool operator==(const FileEntry&) const = default;
};

// One release. `files` is sorted by the bytes of `path` and unique.
struct Manifest {
  std::string name;     // "unified-media"
  std::string version;  // "2.0.0"
  std::string release;  // serialized slipway.v1.Release (release.yaml, without the digest)
  std::vector<FileEntry> files;
  bool operator==(const Manifest&) const = default;
};

// The canonical bytes, byte by byte in docs/formats/manifest.md. Their digest is the release's.
// INVALID_ARGUMENT when the manifest breaks a rule of the format; the message names the path.
absl::StatusOr<std::string> EncodeManifest(const Manifest& manifest);

// Accepts exactly what EncodeManifest makes, and nothing else: hostile bytes get INVALID_ARGUMENT.
absl::StatusOr<Manifest> ParseManifest(std::string_view bytes);

// Relative, no empty, "." or ".." part, no control character or backslash, UTF-8 not required, at
// most 4096 bytes and 64 parts of at most 255 bytes.
absl::Status ValidatePath(std::string_view path);

// "unified-media", "2.0.0-rc1": 1 to 64 of letters, digits and "._+-", beginning with a letter or
// digit. Safe as part of a file name.
absl::Status ValidateReleaseName(std::string_view name);

// The files below `folder` ("backend/"; "" = all), with paths relative to it.
std::vector<FileEntry> FilesBelow(const Manifest& manifest, std::string_view folder);

// Root of the Merkle tree over `files` (sorted, unique, valid): a directory's digest covers its
// entries' names, modes, sizes and digests. Equal trees have equal digests, wherever they hang.
Digest TreeDigest(const std::vector<FileEntry>& files);

std::uint64_t TotalBytes(const std::vector<FileEntry>& files);

}  // namespace slipway
