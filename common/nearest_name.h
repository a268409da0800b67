// "Did you mean …?" for names that a person typed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace slipway {

// The candidate that `name` is most likely a misspelling of; "" when none is near enough
// (more than a third of the letters differ).
std::string NearestName(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace slipway
