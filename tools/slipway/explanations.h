// What a code means and what to do about it, beyond what a message has room for.
#pragma once

#include <string_view>

namespace slipway::cli {

// `code` as in common/plan/plan_errors.h, or an exit code; "" for an unknown one.
std::string_view ExplanationOf(std::string_view code);

}  // namespace slipway::cli
