// plan validate, show: without a controller.

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/plan/plan_file.h"
#include "common/plan/render_problems.h"
#include "slipway/v1/plan.pb.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/output.h"
#include "tools/slipway/plan_problems.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

void PrintProblems(const plan::LoadedPlan& loaded) {
  const auto colour = StandardError().colour ? plan::Colour::ansi : plan::Colour::none;
  Write(STDERR_FILENO, plan::RenderProblems(loaded.problems, colour));
}

}  // namespace

ExitCode RunPlanValidate(const Invocation& invocation) {
  const std::string path = invocation.Value("PLAN");
  const auto loaded = LoadPlanFile(path);
  if (!loaded.ok()) return Fail(loaded.status());
  const bool bad = plan::HasErrors(loaded->problems);
  if (Json(invocation)) {
    Print(ProblemsJson(loaded->problems));
  } else {
    if (!loaded->problems.empty()) PrintProblems(*loaded);
    Print(loaded->problems.empty()
              ? absl::StrCat(path, ": sound   ", loaded->digest, "\n")
              : absl::StrCat(plan::CountProblems(path, loaded->problems), "\n"));
  }
  return bad ? ExitCode::invalid : ExitCode::done;
}

ExitCode RunPlanShow(const Invocation& invocation) {
  const auto loaded = LoadSoundPlan(invocation.Value("PLAN"));
  if (!loaded.ok()) return Fail(loaded.status());
  if (Json(invocation)) return PrintJson(*loaded->plan);
  Print(plan::ShowPlan(*loaded->plan));
  return ExitCode::done;
}

}  // namespace slipway::cli
