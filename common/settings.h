// The small configuration files of the programs: one `key: value` a line, which is also YAML.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace slipway {

using Settings = std::map<std::string, std::string, std::less<>>;

// Parses the text of the file `name`. Blank lines and lines that begin with `#` are skipped; a
// value may stand in double quotes, without escapes.
//
// Errors: INVALID_ARGUMENT, naming file and line, for a key that is not in `known` or stands
// twice, and for anything that is not `key: value`.
absl::StatusOr<Settings> ParseSettings(std::string_view name, std::string_view text,
                                       const std::vector<std::string_view>& known);

// The opposite, in the order of the keys, behind `comment` (one line, without `#`).
std::string FormatSettings(std::string_view comment, const Settings& settings);

}  // namespace slipway
