#include "tools/slipway/json_document.h"

#include "tools/slipway/term/terminal.h"

namespace slipway::cli {

ExitCode PrintDocument(const nlohmann::ordered_json& document) {
  // A path may be anything: what is not UTF-8 is replaced.
  Print(document.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
  return ExitCode::done;
}

}  // namespace slipway::cli
