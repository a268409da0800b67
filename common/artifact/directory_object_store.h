// Objects as files: ROOT/objects/ab/cdef…, one for each digest, read-only.
//
//   ROOT/partial/<64 hex>      a Put that is under way or was broken off; locked while written
//   ROOT/partial/<64 hex>.N    a second Put of the same object at the same time; never resumed
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "common/artifact/object_store.h"
#include "common/fs/directory.h"

namespace slipway {

class DirectoryObjectStore final : public ObjectStore {
 public:
  // Makes `root` when absent. Of what earlier processes left, only what can be resumed is kept.
  static absl::StatusOr<std::unique_ptr<DirectoryObjectStore>> Open(const std::string& root);

  absl::StatusOr<bool> Has(const Digest& digest) override;
  absl::StatusOr<std::uint64_t> Size(const Digest& digest) override;
  absl::StatusOr<std::uint64_t> Held(const Digest& digest) override;
  absl::StatusOr<std::unique_ptr<ObjectWriter>> Put(const Digest& digest, std::uint64_t size,
                                                    std::uint64_t offset) override;
  absl::Status Get(const Digest& digest, std::uint64_t offset,
                   const std::function<absl::Status(std::string_view)>& sink) override;
  absl::Status Remove(const Digest& digest) override;

 private:
  class Writer;
  struct Part;
  absl::StatusOr<Part> OpenPart(const Digest& digest);
  DirectoryObjectStore(Directory objects, Directory partial)
      : objects_(std::move(objects)), partial_(std::move(partial)) {}

  const Directory objects_, partial_;
  std::atomic<std::uint64_t> next_private_{1};
};

}  // namespace slipway
