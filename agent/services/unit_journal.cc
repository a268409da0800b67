#include "agent/services/unit_journal.h"

#include "absl/strings/str_cat.h"

namespace slipway::agent {

LogPosition PositionAt(absl::Time time) {
  return {.cursor = absl::StrCat("t=", absl::ToUnixMicros(time))};
}

}  // namespace slipway::agent
