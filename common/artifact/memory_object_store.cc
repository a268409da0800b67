#include "common/artifact/memory_object_store.h"

#include "absl/strings/str_cat.h"
#include "common/artifact/limits.h"
#include "common/status_macros.h"

namespace slipway {

class MemoryObjectStore::Writer final : public ObjectWriter {
 public:
  Writer(MemoryObjectStore& store, const Digest& digest, std::uint64_t size, std::string held)
      : store_(store), digest_(digest), size_(size), bytes_(std::move(held)) {}

  ~Writer() override {
    if (finished_) return;
    const MutexLock lock(store_.mu_);
    store_.partial_[digest_] = bytes_;
  }

  std::uint64_t size() const override { return bytes_.size(); }

  absl::Status Append(std::string_view bytes) override {
    if (bytes.size() > size_ - bytes_.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat(digest_.ToString(), " was announced with ", size_, " bytes and has more"));
    }
    bytes_.append(bytes);
    return absl::OkStatus();
  }

  absl::Status Finish() override {
    finished_ = true;
    const MutexLock lock(store_.mu_);
    store_.partial_.erase(digest_);
    if (bytes_.size() != size_ || Digest::Of(bytes_) != digest_) {
      return absl::DataLossError(absl::StrCat("what came is not ", digest_.ToString()));
    }
    store_.objects_[digest_] = bytes_;
    return absl::OkStatus();
  }

 private:
  MemoryObjectStore& store_;
  const Digest digest_;
  const std::uint64_t size_;
  std::string bytes_;
  bool finished_ = false;
};

absl::StatusOr<bool> MemoryObjectStore::Has(const Digest& digest) {
  const MutexLock lock(mu_);
  return objects_.contains(digest);
}

absl::StatusOr<std::uint64_t> MemoryObjectStore::Size(const Digest& digest) {
  const MutexLock lock(mu_);
  const auto it = objects_.find(digest);
  if (it == objects_.end()) return absl::NotFoundError(digest.ToString() + " is not in the store");
  return it->second.size();
}

absl::StatusOr<std::uint64_t> MemoryObjectStore::Held(const Digest& digest) {
  const MutexLock lock(mu_);
  const auto it = partial_.find(digest);
  return it == partial_.end() ? 0 : it->second.size();
}

absl::StatusOr<std::unique_ptr<ObjectWriter>> MemoryObjectStore::Put(const Digest& digest,
                                                                     std::uint64_t size,
                                                                     std::uint64_t offset) {
  const MutexLock lock(mu_);
  std::string held;
  const auto it = partial_.find(digest);
  if (it != partial_.end() && offset > 0) held = it->second;
  if (held.size() != offset || offset > size) {
    return absl::FailedPreconditionError(absl::StrCat("the store holds ", held.size(), " bytes of ",
                                                      digest.ToString(), ", not ", offset,
                                                      ": begin at 0"));
  }
  return std::make_unique<Writer>(*this, digest, size, std::move(held));
}

absl::Status MemoryObjectStore::Get(const Digest& digest, std::uint64_t offset,
                                    const std::function<absl::Status(std::string_view)>& sink) {
  std::string bytes;
  {
    const MutexLock lock(mu_);
    const auto it = objects_.find(digest);
    if (it == objects_.end()) {
      return absl::NotFoundError(digest.ToString() + " is not in the store");
    }
    bytes = it->second;
  }
  if (offset > bytes.size()) return absl::OutOfRangeError("the offset is behind the end");
  for (std::size_t at = offset; at < bytes.size(); at += kTransferBytesMax) {
    SLIPWAY_RETURN_IF_ERROR(sink(std::string_view(bytes).substr(at, kTransferBytesMax)));
  }
  return absl::OkStatus();
}

absl::Status MemoryObjectStore::Remove(const Digest& digest) {
  const MutexLock lock(mu_);
  objects_.erase(digest);
  return absl::OkStatus();
}

}  // namespace slipway
