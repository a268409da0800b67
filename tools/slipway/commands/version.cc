// version: without a word to anybody.

#include "common/version.h"

#include "absl/strings/str_cat.h"
#include "tools/slipway/output.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {

ExitCode RunVersion(const Invocation& invocation) {
  const std::string version(Version());
  Print(Json(invocation) ? absl::StrCat("{\"version\":\"", version, "\"}\n")
                         : absl::StrCat("slipway ", version, "\n"));
  return ExitCode::done;
}

}  // namespace slipway::cli
