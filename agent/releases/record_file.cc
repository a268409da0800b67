#include "agent/releases/record_file.h"

#include "absl/strings/str_cat.h"
#include "common/artifact/digest.h"
#include "common/status_macros.h"
#include "google/protobuf/message_lite.h"

namespace slipway::agent {
namespace {

constexpr std::string_view kMagic = "slipway-record 1\n";
constexpr std::size_t kHeaderBytes = kMagic.size() + 64 + 1;
// Manifest and rendered files of one release.
constexpr std::uint64_t kRecordBytesMax = 64 << 20;

}  // namespace

absl::Status WriteRecord(const Directory& dir, const std::string& name,
                         const google::protobuf::MessageLite& record) {
  const std::string body = record.SerializeAsString();
  return dir.WriteAtomically(
      name, absl::StrCat(std::string(kMagic), Digest::Of(body).Hex(), "\n", body), {.mode = 0600});
}

absl::Status ReadRecord(const Directory& dir, const std::string& name,
                        google::protobuf::MessageLite& record) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string bytes, dir.Read(name, kRecordBytesMax));
  const std::string_view view = bytes;
  const bool framed = view.size() >= kHeaderBytes && view.substr(0, kMagic.size()) == kMagic &&
                      view[kHeaderBytes - 1] == '\n';
  const std::string_view body = framed ? view.substr(kHeaderBytes) : std::string_view();
  if (!framed || Digest::Of(body).Hex() != view.substr(kMagic.size(), 64) ||
      !record.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return absl::DataLossError(
        absl::StrCat(dir.path(), "/", name,
                     " is damaged: restore it from a backup of the agent's state, or "
                     "move the folder away and deploy again"));
  }
  return absl::OkStatus();
}

}  // namespace slipway::agent
