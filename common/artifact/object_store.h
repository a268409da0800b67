// Content by digest, as the controller keeps it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/artifact/digest.h"

namespace slipway {

// One object on its way into a store. One thread at a time. Destroyed before Finish, it leaves what
// was appended for a later Put to go on from, where the store can.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;

  // Bytes that the store holds of the object so far.
  virtual std::uint64_t size() const = 0;
  // INVALID_ARGUMENT: more than was announced. RESOURCE_EXHAUSTED: the store is full.
  virtual absl::Status Append(std::string_view bytes) = 0;
  // Makes the object durable and visible. DATA_LOSS: what came is not what the digest says, or not
  // all of it; nothing of it is kept.
  virtual absl::Status Finish() = 0;
};

// Thread-safe. An object that is visible is whole: it was verified while it was written.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  virtual absl::StatusOr<bool> Has(const Digest& digest) = 0;
  // Bytes. NOT_FOUND.
  virtual absl::StatusOr<std::uint64_t> Size(const Digest& digest) = 0;
  // Bytes that a broken Put left of an object that is not there; 0: none.
  virtual absl::StatusOr<std::uint64_t> Held(const Digest& digest) = 0;

  // Goes on at `offset`, which is 0 or what Held said. Several Puts of one object do not disturb
  // each other. FAILED_PRECONDITION: another offset is held; begin at 0.
  virtual absl::StatusOr<std::unique_ptr<ObjectWriter>> Put(const Digest& digest,
                                                            std::uint64_t size,
                                                            std::uint64_t offset) = 0;

  // The bytes from `offset` to the end, in pieces. NOT_FOUND; OUT_OF_RANGE: behind the end; an
  // error of `sink` ends it and is returned.
  virtual absl::Status Get(const Digest& digest, std::uint64_t offset,
                           const std::function<absl::Status(std::string_view)>& sink) = 0;

  // Forgets an object; a Get that has begun comes through. One that is not there is no error.
  virtual absl::Status Remove(const Digest& digest) = 0;
};

// The whole object, when it has at most `bytes_max` bytes; else RESOURCE_EXHAUSTED.
absl::StatusOr<std::string> ReadObject(ObjectStore& store, const Digest& digest,
                                       std::uint64_t bytes_max);
// `bytes` under their own digest, when they are not there already.
absl::Status PutObject(ObjectStore& store, std::string_view bytes);

}  // namespace slipway
