// explain: what a code means, and what to do about it.

#include <unistd.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/nearest_name.h"
#include "common/plan/plan_errors.h"
#include "tools/slipway/explanations.h"
#include "tools/slipway/json_document.h"
#include "tools/slipway/output.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/table.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

struct Explained {
  std::string code, title;
};

// Exit codes, then those of messages.
std::vector<Explained> AllCodes() {
  std::vector<Explained> all;
  int rows = 0;
  const ExitCodeRow* table = ExitCodeTable(rows);
  for (int i = 0; i < rows; ++i) {
    all.push_back({absl::StrCat(static_cast<int>(table[i].code)), table[i].meaning});
  }
  for (const plan::ErrorCode& known : plan::kAllErrorCodes) {
    all.push_back({std::string(known.code), std::string(known.title)});
  }
  return all;
}

ExitCode Unknown(const std::string& code) {
  std::vector<std::string> codes;
  for (const Explained& known : AllCodes()) codes.push_back(known.code);
  const std::string near = NearestName(code, codes);
  Write(STDERR_FILENO, absl::StrCat("error: nothing has the code `", Escape(code, true), "`",
                                    near.empty() ? "" : absl::StrCat("; did you mean ", near, "?"),
                                    "\n`slipway explain` lists all\n"));
  return ExitCode::not_found;
}

ExitCode List(const Invocation& invocation) {
  nlohmann::ordered_json document;
  Table table = Table::Of(invocation);
  for (const Explained& known : AllCodes()) {
    table.Add({known.code, known.title});
    document[known.code] = known.title;
  }
  if (Json(invocation)) return PrintDocument(document);
  Print(table.Text(StandardOutput()));
  return ExitCode::done;
}

}  // namespace

ExitCode RunExplain(const Invocation& invocation) {
  const std::string code = absl::AsciiStrToUpper(invocation.Value("CODE"));
  if (code.empty()) return List(invocation);
  const std::vector<Explained> all = AllCodes();
  const auto known = std::find_if(all.begin(), all.end(),
                                  [&](const Explained& each) { return each.code == code; });
  if (known == all.end()) return Unknown(code);
  const std::string text(ExplanationOf(code));
  if (Json(invocation)) {
    nlohmann::ordered_json document;
    document["code"] = code;
    document["title"] = known->title;
    document["text"] = text;
    return PrintDocument(document);
  }
  Print(absl::StrCat(Paint(StandardOutput(), Tone::bold, absl::StrCat(code, ": ")), known->title,
                     "\n\n", text, "\n"));
  return ExitCode::done;
}

}  // namespace slipway::cli
