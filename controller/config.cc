#include "controller/config.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/settings.h"
#include "common/status_macros.h"
#include "common/tls/pem_file.h"

namespace slipway::controller {
namespace {

std::string PathIn(const std::string& dir) {
  return absl::StrCat(dir, "/controller.yaml");
}

}  // namespace

absl::StatusOr<Config> ReadConfig(const std::string& dir) {
  const auto text = tls::ReadFile(PathIn(dir));
  if (!text.ok()) {
    return absl::Status(text.status().code(),
                        absl::StrCat(text.status().message(), "; `slipway-controller init --dir ",
                                     dir, "` makes it"));
  }
  SLIPWAY_ASSIGN_OR_RETURN(
      const Settings settings,
      ParseSettings(PathIn(dir), *text,
                    {"hosts", "listen_operators", "listen_agents", "listen_enrolment",
                     "listen_metrics", "store", "store_password_file"}));
  Config config;
  config.dir = dir;
  for (const auto& [key, value] : settings) {
    if (key == "hosts") {
      config.hosts = absl::StrSplit(value, ' ', absl::SkipWhitespace());
      continue;
    }
    if (key == "store") config.store = value;
    if (key == "store_password_file") config.store_password_file = value;
    if (key.starts_with("store")) continue;
    if (key == "listen_metrics" && value == kNoMetrics) {
      config.listen_metrics = value;
      continue;
    }
    SLIPWAY_RETURN_IF_ERROR(PortOf(value).status());
    if (key == "listen_operators") config.listen_operators = value;
    if (key == "listen_agents") config.listen_agents = value;
    if (key == "listen_enrolment") config.listen_enrolment = value;
    if (key == "listen_metrics") config.listen_metrics = value;
  }
  if (config.hosts.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(PathIn(dir), ": `hosts` is empty"));
  }
  return config;
}

absl::Status WriteConfig(const Config& config) {
  Settings settings = {{"hosts", absl::StrJoin(config.hosts, " ")},
                       {"listen_operators", config.listen_operators},
                       {"listen_agents", config.listen_agents},
                       {"listen_enrolment", config.listen_enrolment},
                       {"listen_metrics", config.listen_metrics}};
  if (!config.store.empty()) settings["store"] = config.store;
  if (!config.store_password_file.empty()) {
    settings["store_password_file"] = config.store_password_file;
  }
  return tls::WriteFile(
      PathIn(config.dir),
      FormatSettings("slipway controller; `hosts` are the names in its certificate", settings),
      tls::kPublic);
}

absl::StatusOr<int> PortOf(const std::string& address) {
  const auto colon = address.rfind(':');
  int port = 0;
  if (colon == std::string::npos || colon == 0 ||
      !absl::SimpleAtoi(address.substr(colon + 1), &port) || port < 0 || port > 65535) {
    return absl::InvalidArgumentError(absl::StrCat("not an address with port: \"", address,
                                                   "\"; write 0.0.0.0:7443 or [::]:7443"));
  }
  return port;
}

}  // namespace slipway::controller
