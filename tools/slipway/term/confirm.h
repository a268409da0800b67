// Asking a person before something that cannot be taken back.
#pragma once

#include <string_view>

#include "tools/slipway/command.h"

namespace slipway::cli {

// ExitCode::done when `name` was typed, or --yes was given. Else it is said why not:
// ExitCode::usage where nobody can be asked (--no-input, or no terminal), ExitCode::aborted when
// something else was typed. `what`, as in "web-7 is taken out for good", stands before the
// question.
ExitCode Confirm(const Invocation& invocation, std::string_view what, std::string_view name);

}  // namespace slipway::cli
