// Which enrolled hosts may come in, asked at each call.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "common/model/ids.h"

namespace slipway::controller {

// Thread-safe. Never blocks on a disk.
class HostGate {
 public:
  virtual ~HostGate() = default;

  // `fingerprint` is that of the certificate that was shown. PERMISSION_DENIED, with the reason,
  // for a host that is unknown, retired or quarantined, or that has been enrolled anew with another
  // key.
  virtual absl::Status Admit(const HostId& host, std::string_view fingerprint) = 0;
};

}  // namespace slipway::controller
