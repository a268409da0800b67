// An object store that forgets: for tests.
#pragma once

#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "common/artifact/object_store.h"
#include "common/mutex.h"

namespace slipway {

class MemoryObjectStore final : public ObjectStore {
 public:
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
  Mutex mu_;
  std::map<Digest, std::string> objects_ ABSL_GUARDED_BY(mu_);
  std::map<Digest, std::string> partial_ ABSL_GUARDED_BY(mu_);
};

}  // namespace slipway
