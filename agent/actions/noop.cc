// Does nothing, durably: for measurements.
#include "agent/actions/action_table.h"

namespace slipway::agent {
namespace {

class Noop final : public Action {
 public:
  std::string_view Name() const override { return "noop"; }
  AttemptEnd Apply(ActionContext&) const override { return Succeeded(); }
  AttemptEnd Undo(ActionContext&) const override { return Succeeded(); }
  AttemptEnd Probe(ActionContext&) const override { return Succeeded(); }
};

}  // namespace

std::unique_ptr<Action> MakeNoop() {
  return std::make_unique<Noop>();
}

}  // namespace slipway::agent
