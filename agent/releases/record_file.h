// One record on disk: framed, with its digest, replaced as a whole.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "common/fs/directory.h"

namespace google::protobuf {
class MessageLite;
}

namespace slipway::agent {

// Durable on return; mode 0600.
absl::Status WriteRecord(const Directory& dir, const std::string& name,
                         const google::protobuf::MessageLite& record);

// NOT_FOUND when there is none; DATA_LOSS names a file that is damaged.
absl::Status ReadRecord(const Directory& dir, const std::string& name,
                        google::protobuf::MessageLite& record);

}  // namespace slipway::agent
