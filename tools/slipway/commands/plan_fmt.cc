// plan fmt: the layout that all plan files share.

#include <sys/stat.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/plan/format_plan.h"
#include "common/tls/pem_file.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/json_document.h"
#include "tools/slipway/output.h"
#include "tools/slipway/plan_problems.h"
#include "tools/slipway/read_file.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

absl::StatusOr<std::string> Formatted(const std::string& path, const std::string& bytes) {
  std::vector<plan::Problem> problems;
  auto text = plan::FormatPlan(plan::SourceMap(path, bytes), problems);
  if (text.has_value()) return *std::move(text);
  if (!problems.empty()) return UnsoundPlan(path, problems);
  return absl::InvalidArgumentError(
      absl::StrCat(path,
                   " was left as it is: no layout was found that surely says the same; "
                   "a text with a fixed indentation may be the cause"));
}

// In one step, with the mode that it has; of a link, the file that it leads to.
absl::Status Replace(const std::string& path, const std::string& text) {
  std::error_code error;
  const std::string real = std::filesystem::canonical(path, error).string();
  struct stat about{};
  if (error || stat(real.c_str(), &about) != 0) {
    return absl::NotFoundError(absl::StrCat("cannot write ", path, ": it has just gone"));
  }
  return tls::WriteFile(real, text, about.st_mode & 07777);
}

}  // namespace

ExitCode RunPlanFmt(const Invocation& invocation) {
  const std::string path = invocation.Value("PLAN");
  const auto bytes = ReadFile(path);
  if (!bytes.ok()) return Fail(bytes.status());
  const auto text = Formatted(path, *bytes);
  if (!text.ok()) return Fail(text.status());
  const bool differs = *text != *bytes;
  const bool check = invocation.Flag("check");
  if (differs && !check) {
    const absl::Status written = Replace(path, *text);
    if (!written.ok()) return Fail(written);
  }
  if (Json(invocation)) {
    nlohmann::ordered_json document;
    document["file"] = path;
    document["differs"] = differs;
    PrintDocument(document);
  } else {
    Print(absl::StrCat(path,
                       !differs ? ": nothing to change"
                       : check  ? ": would be laid out otherwise"
                                : ": laid out",
                       "\n"));
  }
  return differs && check ? ExitCode::differs : ExitCode::done;
}

}  // namespace slipway::cli
