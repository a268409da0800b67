// Answers in JSON for which the contract has no message.
#pragma once

#include <nlohmann/json.hpp>

#include "tools/slipway/exit_code.h"

namespace slipway::cli {

// Laid out as PrintJson of a message is; keys in the order in which they were made.
ExitCode PrintDocument(const nlohmann::ordered_json& document);

}  // namespace slipway::cli
