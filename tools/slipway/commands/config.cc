// config view, set, path: what is configured here, and where each word of it comes from.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/slipway/client_settings.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/json_document.h"
#include "tools/slipway/output.h"
#include "tools/slipway/preferences.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/table.h"

namespace slipway::cli {

ExitCode RunConfigView(const Invocation& invocation) {
  const auto client = FindClientSettings(invocation);
  std::vector<std::pair<std::string, Setting>> rows;
  if (client.ok()) {
    rows = {{"address", client->address},
            {"ca", client->ca},
            {"certificate", client->certificate},
            {"key", client->key}};
  }
  for (const std::string& name : PreferenceNames()) {
    const Setting* setting = invocation.Default(name);
    rows.emplace_back(name, setting == nullptr ? Setting{"", "default"} : *setting);
  }
  nlohmann::ordered_json document;
  Table table = Table::Of(invocation);
  if (!invocation.Flag("origin") && !invocation.Flag("columns")) table.Show({"SETTING", "VALUE"});
  for (const auto& [name, setting] : rows) {
    table.Add({name, setting.value.empty() ? "-" : Escape(setting.value, true),
               Escape(setting.origin, true)});
    auto& fields = document[name];
    fields["value"] = setting.value;
    fields["origin"] = setting.origin;
  }
  if (Json(invocation)) {
    PrintDocument(document);
  } else {
    Print(table.Text(StandardOutput()));
  }
  return client.ok() ? ExitCode::done : Fail(client.status());
}

ExitCode RunConfigSet(const Invocation& invocation) {
  const std::string name = invocation.Value("NAME"), value = invocation.Value("VALUE");
  const std::vector<std::string>& names = PreferenceNames();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    return Usage(absl::StrCat("no setting is called `", Escape(name, true),
                              "`: ", absl::StrJoin(names, ", ")));
  }
  if (name == "context" && !value.empty()) {
    const auto file = ContextFile(value);
    if (!file.ok()) return Fail(file.status());
  }
  const absl::Status status = SetPreference(name, value);
  if (!status.ok()) return Fail(status);
  Print(absl::StrCat(name, value.empty() ? " removed from " : absl::StrCat(": ", value, " in "),
                     UserFile(), "\n"));
  return ExitCode::done;
}

ExitCode RunConfigPath(const Invocation& invocation) {
  if (Json(invocation)) {
    nlohmann::ordered_json document;
    document["path"] = UserFile();
    return PrintDocument(document);
  }
  Print(absl::StrCat(UserFile(), "\n"));
  return ExitCode::done;
}

}  // namespace slipway::cli
