// context list, use, add, remove: which of several controllers is meant.

#include "absl/strings/str_cat.h"
#include "common/tls/client_config.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/json_document.h"
#include "tools/slipway/output.h"
#include "tools/slipway/preferences.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/table.h"

namespace slipway::cli {

ExitCode RunContextList(const Invocation& invocation) {
  nlohmann::ordered_json document;
  auto& list = document["contexts"] = nlohmann::ordered_json::array();
  Table table = Table::Of(invocation);
  const std::string current = invocation.Value("context");
  for (const std::string& name : ContextNames()) {
    const auto file = ContextFile(name);
    if (!file.ok()) continue;  // removed a moment ago
    const auto config = tls::ReadClientConfig(*file);
    const std::string address = config.ok() ? config->address : "";
    table.Add({name == current ? "*" : "", name,
               config.ok() ? Escape(address, true) : "its file cannot be read", *file});
    auto& fields = list.emplace_back();
    fields["name"] = name;
    fields["address"] = address;
    fields["file"] = *file;
    fields["current"] = name == current;
  }
  if (Json(invocation)) return PrintDocument(document);
  Print(table.empty() ? "no context yet: slipway context add NAME FILE\n"
                      : table.Text(StandardOutput()));
  return ExitCode::done;
}

ExitCode RunContextUse(const Invocation& invocation) {
  const std::string name = invocation.Value("NAME");
  const auto file = ContextFile(name);
  if (!file.ok()) return Fail(file.status());
  const absl::Status status = SetPreference("context", name);
  if (!status.ok()) return Fail(status);
  Print(absl::StrCat("from now on ", name, " is meant where nothing else is said\n"));
  return ExitCode::done;
}

ExitCode RunContextAdd(const Invocation& invocation) {
  const std::string name = invocation.Value("NAME");
  const absl::Status status = AddContext(name, invocation.Value("FILE"));
  if (!status.ok()) return Fail(status);
  Print(absl::StrCat("context ", name, " added\nslipway context use ", name,
                     "   makes it the usual one, --context ", name, " takes it once\n"));
  return ExitCode::done;
}

ExitCode RunContextRemove(const Invocation& invocation) {
  const std::string name = invocation.Value("NAME");
  const absl::Status status = RemoveContext(name);
  if (!status.ok()) return Fail(status);
  if (invocation.Value("context") == name) {
    const absl::Status unset = SetPreference("context", "");
    if (!unset.ok()) return Fail(unset);
  }
  Print(absl::StrCat("context ", name, " removed; its certificate and key were left alone\n"));
  return ExitCode::done;
}

}  // namespace slipway::cli
