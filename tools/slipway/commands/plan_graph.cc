// plan graph: phases and steps in their order, for Graphviz.

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/plan/plan_file.h"
#include "common/plan/plan_step.h"
#include "slipway/v1/plan.pb.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/output.h"
#include "tools/slipway/plan_problems.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

std::string Quoted(const std::string& text) {
  return absl::StrCat(
      "\"", absl::StrReplaceAll(Escape(text, true), {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
}

// One box a step, one frame a phase; arrows say what waits for what.
std::string GraphOf(const v1::Plan& plan) {
  std::string text =
      absl::StrCat("digraph ", Quoted(plan.name()), " {\n  rankdir=LR;\n  node [shape=box];\n");
  std::string before;
  for (int p = 0; p < plan.phases_size(); ++p) {
    const v1::PlanPhase& phase = plan.phases(p);
    const std::string by =
        phase.hosts().empty() ? "" : absl::StrCat(", batches of ", phase.hosts());
    absl::StrAppend(&text, "  subgraph cluster_", p,
                    " {\n    label=", Quoted(absl::StrCat(phase.phase(), by)), ";\n");
    std::string arrows;
    const std::vector<std::string> names = plan::StepNames(phase);
    for (int s = 0; s < phase.steps_size(); ++s) {
      const std::string& hosts = phase.steps(s).options().hosts();
      const std::string node = absl::StrCat("s", p, "_", s);
      absl::StrAppend(&text, "    ", node, " [label=",
                      Quoted(absl::StrCat(names[static_cast<std::size_t>(s)],
                                          hosts.empty() ? "" : absl::StrCat(" on ", hosts))),
                      "];\n");
      if (!before.empty()) absl::StrAppend(&arrows, "  ", before, " -> ", node, ";\n");
      before = node;
    }
    absl::StrAppend(&text, "  }\n", arrows);
  }
  return absl::StrCat(text, "}\n");
}

}  // namespace

ExitCode RunPlanGraph(const Invocation& invocation) {
  const auto loaded = LoadSoundPlan(invocation.Value("PLAN"));
  if (!loaded.ok()) return Fail(loaded.status());
  Print(GraphOf(*loaded->plan));
  return ExitCode::done;
}

}  // namespace slipway::cli
