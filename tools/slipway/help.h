// Help pages, made from the command table.
#pragma once

#include <string>
#include <string_view>

#include "tools/slipway/command.h"

namespace slipway::cli {

// "slipway host show HOST [options]"
std::string UsageOf(const Command& command);
// Variables that are looked at, one a line.
std::string_view EnvironmentText();
std::string Overview();
std::string HelpOf(const Command& command);

}  // namespace slipway::cli
