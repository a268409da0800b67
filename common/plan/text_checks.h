// Whether bytes are text that a parser may see at all.
#pragma once

#include <vector>

#include "common/plan/source_map.h"

namespace slipway::plan {

// At most one problem of each kind: size, length of a line, encoding, control characters, tabs as
// indentation.
void CheckText(const SourceMap& source, std::vector<Problem>& problems);

}  // namespace slipway::plan
