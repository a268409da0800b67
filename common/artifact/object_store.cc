#include "common/artifact/object_store.h"

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace slipway {

absl::StatusOr<std::string> ReadObject(ObjectStore& store, const Digest& digest,
                                       std::uint64_t bytes_max) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::uint64_t size, store.Size(digest));
  if (size > bytes_max) {
    return absl::ResourceExhaustedError(
        absl::StrCat(digest.ToString(), " has ", size, " bytes, at most ", bytes_max, " are read"));
  }
  std::string bytes;
  SLIPWAY_RETURN_IF_ERROR(store.Get(digest, 0, [&](std::string_view piece) {
    bytes.append(piece);
    return absl::OkStatus();
  }));
  return bytes;
}

absl::Status PutObject(ObjectStore& store, std::string_view bytes) {
  const Digest digest = Digest::Of(bytes);
  SLIPWAY_ASSIGN_OR_RETURN(const bool there, store.Has(digest));
  if (there) return absl::OkStatus();
  SLIPWAY_ASSIGN_OR_RETURN(const auto writer, store.Put(digest, bytes.size(), 0));
  SLIPWAY_RETURN_IF_ERROR(writer->Append(bytes));
  return writer->Finish();
}

}  // namespace slipway
