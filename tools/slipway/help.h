// Help pages, made from the command table.
#pragma once

#include <string>

#include "tools/slipway/command.h"

namespace slipway::cli {

std::string Overview();
std::string HelpOf(const Command& command);

}  // namespace slipway::cli
