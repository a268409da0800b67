#include "agent/config.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/settings.h"
#include "common/status_macros.h"
#include "common/tls/identity.h"
#include "common/tls/pem_file.h"

namespace slipway::agent {
namespace {

std::string PathIn(const std::string& dir) {
  return absl::StrCat(dir, "/agent.yaml");
}

}  // namespace

absl::StatusOr<Config> ReadConfig(const std::string& dir) {
  const auto text = tls::ReadFile(PathIn(dir));
  if (!text.ok()) {
    return absl::Status(
        text.status().code(),
        absl::StrCat(text.status().message(), "; `slipway-agent enroll --token-file FILE --dir ",
                     dir, "` makes it"));
  }
  SLIPWAY_ASSIGN_OR_RETURN(
      const Settings settings,
      ParseSettings(PathIn(dir), *text, {"host", "controller", "labels", "secrets"}));
  Config config;
  config.dir = dir;
  for (const char* key : {"host", "controller"}) {
    if (settings.count(key) != 0) continue;
    return absl::InvalidArgumentError(absl::StrCat(PathIn(dir), ": key \"", key, "\" is missing"));
  }
  config.host = settings.at("host");
  config.controller = settings.at("controller");
  if (const auto labels = settings.find("labels"); labels != settings.end()) {
    SLIPWAY_ASSIGN_OR_RETURN(
        config.labels, ParseLabels(absl::StrSplit(labels->second, ' ', absl::SkipWhitespace())));
  }
  if (const auto secrets = settings.find("secrets"); secrets != settings.end()) {
    config.secrets = secrets->second;
  }
  return config;
}

absl::Status WriteConfig(const Config& config) {
  return tls::WriteFile(
      PathIn(config.dir),
      FormatSettings("slipway agent",
                     {{"host", config.host},
                      {"controller", config.controller},
                      {"labels", absl::StrJoin(config.labels, " ", absl::PairFormatter("="))},
                      {"secrets", config.secrets}}),
      tls::kPublic);
}

tls::ClientConfig TrustFiles(const std::string& dir) {
  return {.address = "",
          .ca = dir + "/ca.pem",
          .certificate = dir + "/agent.pem",
          .key = dir + "/agent.key"};
}

absl::StatusOr<std::map<std::string, std::string>> ParseLabels(
    const std::vector<std::string>& words) {
  std::map<std::string, std::string> labels;
  for (const std::string& word : words) {
    const auto equals = word.find('=');
    if (equals == std::string::npos || word.find(' ') != std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("not a label: \"", word, "\"; write key=value"));
    }
    SLIPWAY_RETURN_IF_ERROR(tls::CheckName("label", word.substr(0, equals)));
    labels[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return labels;
}

}  // namespace slipway::agent
