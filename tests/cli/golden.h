// Recorded output, one file for each claim.
#pragma once

#include <string>

namespace slipway::cli {

// Compares with tests/cli/testdata/NAME.golden. SLIPWAY_REWRITE_GOLDEN=1 records a new one (refused
// when CI is set); commit only what you can explain.
void ExpectGolden(const std::string& name, const std::string& output);

}  // namespace slipway::cli
