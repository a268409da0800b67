// plan diff: what one plan decides otherwise than another, defaults included.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/plan/plan_file.h"
#include "slipway/v1/plan.pb.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/json_document.h"
#include "tools/slipway/line_diff.h"
#include "tools/slipway/output.h"
#include "tools/slipway/plan_problems.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

using Kind = DiffLine::Kind;

std::size_t Indent(const std::string& line) {
  const std::size_t at = line.find_first_not_of(' ');
  return at == std::string::npos ? line.size() : at;
}

// Each change, under the headings that it stands below.
std::string DiffText(const std::vector<DiffLine>& diff) {
  const Stream& out = StandardOutput();
  std::string text;
  std::vector<const DiffLine*> headings;  // by rising indent
  std::vector<const DiffLine*> shown;
  for (const DiffLine& line : diff) {
    while (!headings.empty() && Indent(headings.back()->text) >= Indent(line.text)) {
      headings.pop_back();
    }
    if (line.kind != Kind::same) {
      for (const DiffLine* heading : headings) {
        if (heading->kind != Kind::same ||
            std::find(shown.begin(), shown.end(), heading) != shown.end()) {
          continue;
        }
        absl::StrAppend(
            &text, Paint(out, Tone::dim, absl::StrCat("  ", Escape(heading->text, true))), "\n");
        shown.push_back(heading);
      }
      const bool added = line.kind == Kind::added;
      absl::StrAppend(&text,
                      Paint(out, added ? Tone::good : Tone::bad,
                            absl::StrCat(added ? "+ " : "- ", Escape(line.text, true))),
                      "\n");
    }
    headings.push_back(&line);
  }
  return text;
}

nlohmann::ordered_json Document(const std::vector<DiffLine>& diff) {
  nlohmann::ordered_json document;
  for (const char* name : {"removed", "added"}) {
    auto& list = document[name] = nlohmann::ordered_json::array();
    const Kind wanted = std::string_view(name) == "added" ? Kind::added : Kind::removed;
    for (const DiffLine& line : diff) {
      if (line.kind == wanted) list.push_back(line.text);
    }
  }
  return document;
}

}  // namespace

ExitCode RunPlanDiff(const Invocation& invocation) {
  const auto old_plan = LoadSoundPlan(invocation.Value("OLD"));
  if (!old_plan.ok()) return Fail(old_plan.status());
  const auto new_plan = LoadSoundPlan(invocation.Value("NEW"));
  if (!new_plan.ok()) return Fail(new_plan.status());
  // One line for each decision.
  const std::string before = plan::ShowPlan(*old_plan->plan);
  const std::string after = plan::ShowPlan(*new_plan->plan);
  const std::vector<DiffLine> diff = DiffLines(before, after);
  const bool differs = before != after;
  if (Json(invocation)) {
    PrintDocument(Document(diff));
  } else {
    Print(differs ? DiffText(diff) : "both plans decide the same\n");
  }
  return differs && invocation.Flag("exit-code") ? ExitCode::differs : ExitCode::done;
}

}  // namespace slipway::cli
