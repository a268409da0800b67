// The uploaded bytes: one file per asset in a directory that all instances share.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

typedef struct evp_md_ctx_st EVP_MD_CTX;

namespace media {

// An upload on its way to the disk. Nothing is visible before Publish; an upload that is dropped
// before that leaves nothing behind. Not thread-safe.
class BlobWriter {
 public:
  BlobWriter(std::string directory, std::string part, int fd);
  ~BlobWriter();
  BlobWriter(const BlobWriter&) = delete;
  BlobWriter& operator=(const BlobWriter&) = delete;

  // Errors of both: RESOURCE_EXHAUSTED when the disk is full, else UNAVAILABLE or INTERNAL.
  absl::Status Append(absl::string_view bytes);

  // Makes the bytes so far durable under `id`, all at once.
  absl::Status Publish(const std::string& id);

  std::int64_t bytes() const { return bytes_; }

  // Lower-case hex; to be called once, after the last Append.
  std::string Sha256();

 private:
  const std::string directory_;
  std::string part_;  // empty once published
  const int fd_;
  EVP_MD_CTX* const digest_;
  std::int64_t bytes_ = 0;
};

// An open stored file; stays readable when the asset is deleted meanwhile.
class BlobReader {
 public:
  BlobReader(int fd, std::int64_t bytes) : fd_(fd), bytes_(bytes) {}
  ~BlobReader();
  BlobReader(const BlobReader&) = delete;
  BlobReader& operator=(const BlobReader&) = delete;

  std::int64_t bytes() const { return bytes_; }

  // Reads up to `length` bytes at `offset`; 0 on an error or at the end.
  std::size_t Read(std::int64_t offset, char* buffer, std::size_t length) const;

 private:
  const int fd_;
  const std::int64_t bytes_;
};

// Thread-safe.
class BlobStore {
 public:
  // Creates `directory` if it is missing.
  static absl::StatusOr<std::unique_ptr<BlobStore>> Open(const std::string& directory);

  absl::StatusOr<std::unique_ptr<BlobWriter>> Begin();

  // Errors: NOT_FOUND.
  absl::StatusOr<std::shared_ptr<BlobReader>> Read(const std::string& id) const;

  // Removing what is not there succeeds.
  absl::Status Remove(const std::string& id);

  // Removes what instances that were killed left behind: unfinished uploads, and files that
  // `is_known` denies. Only what nobody wrote to for `stale_seconds` is touched, so that uploads of
  // other instances are safe as long as a silent upload is given up earlier. Returns how many.
  int Sweep(int stale_seconds, const std::function<bool(const std::string& id)>& is_known);

 private:
  explicit BlobStore(std::string directory) : directory_(std::move(directory)) {}

  const std::string directory_;
};

}  // namespace media
