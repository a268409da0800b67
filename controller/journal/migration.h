// One step of a schema: docs/formats/journal.md.
#pragma once

#include <string_view>

namespace slipway::controller {

struct Migration {
  int number = 0;         // from 1, without a gap
  std::string_view text;  // SQL
};

}  // namespace slipway::controller
