// plan schema: the plan language for editors.

#include "common/plan/json_schema.h"
#include "tools/slipway/output.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {

ExitCode RunPlanSchema(const Invocation&) {
  Print(plan::PlanJsonSchema());
  return ExitCode::done;
}

}  // namespace slipway::cli
