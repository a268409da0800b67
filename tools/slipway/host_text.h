// One host as a page: services, versions, facts, disks, clock.
#pragma once

#include <string>

#include "absl/time/time.h"

namespace slipway::v1 {
class Host;
}  // namespace slipway::v1

namespace slipway::cli {

struct Stream;

std::string HostText(const Stream& stream, const v1::Host& host, absl::Time now);

}  // namespace slipway::cli
