// The layout that all plan files share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/plan/source_map.h"

namespace slipway::plan {

// The same file with two blanks for each depth, lists one depth below their key, one blank line in
// a row at the most, none at the ends, and no blanks at the ends of lines. Comments stand with what
// they are about; what is within a line, and the relative indentation within scalars and brackets,
// stays as it was written. Formatting twice changes nothing more.
//
// nullopt: the file cannot be read as strict YAML and `problems` says why, or (no problems then)
// no such layout was found that says the same.
std::optional<std::string> FormatPlan(const SourceMap& source, std::vector<Problem>& problems);

}  // namespace slipway::plan
