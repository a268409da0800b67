#include "agent/actions/action.h"

namespace slipway::agent {

AttemptEnd FromStatus(const absl::Status& status) {
  if (status.ok()) return Succeeded();
  std::string message(status.message());
  if (absl::IsDeadlineExceeded(status)) return {Verdict::timed_out, std::move(message)};
  return Failed(std::move(message));
}

}  // namespace slipway::agent
