// The hosts of the fleet, as several commands look at them.
#pragma once

#include <string>

#include "absl/status/statusor.h"

namespace slipway::v1 {
class Host;
class ListHostsResponse;
}  // namespace slipway::v1

namespace slipway::cli {

class Controller;

enum class Hosts { all, exceptions };

// All pages of it. The counts are of all hosts that match, whichever are listed.
absl::StatusOr<v1::ListHostsResponse> ListHosts(const Controller& controller,
                                                const std::string& selector,
                                                Hosts wanted = Hosts::all);

// What is wanted, on disk and running is not one and the same.
bool HasDrift(const v1::Host& host);
// Connected, and each of its services is well.
bool IsHealthy(const v1::Host& host);

// "a1b2c3d4", or "nothing".
std::string ShortOrNothing(const std::string& digest);

}  // namespace slipway::cli
