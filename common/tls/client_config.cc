#include "common/tls/client_config.h"

#include "absl/strings/str_cat.h"
#include "common/settings.h"
#include "common/status_macros.h"
#include "common/tls/pem_file.h"

namespace slipway::tls {
namespace {

std::string Beside(const std::string& file, const std::string& path) {
  const auto slash = file.rfind('/');
  if (path.front() == '/' || slash == std::string::npos) return path;
  return absl::StrCat(file.substr(0, slash + 1), path);
}

}  // namespace

absl::StatusOr<ClientConfig> ReadClientConfig(const std::string& path) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  SLIPWAY_ASSIGN_OR_RETURN(const Settings settings,
                           ParseSettings(path, text, {"address", "ca", "certificate", "key"}));
  for (const char* key : {"address", "ca", "certificate", "key"}) {
    const auto it = settings.find(key);
    if (it == settings.end() || it->second.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": key \"", key, "\" is missing"));
    }
  }
  return ClientConfig{.address = settings.at("address"),
                      .ca = Beside(path, settings.at("ca")),
                      .certificate = Beside(path, settings.at("certificate")),
                      .key = Beside(path, settings.at("key"))};
}

absl::Status WriteClientConfig(const std::string& path, const ClientConfig& config) {
  return WriteFile(path,
                   FormatSettings("slipway client configuration; paths are relative to this folder",
                                  {{"address", config.address},
                                   {"ca", config.ca},
                                   {"certificate", config.certificate},
                                   {"key", config.key}}),
                   kPrivate);
}

absl::StatusOr<KeyMaterial> LoadKeyMaterial(const ClientConfig& config) {
  KeyMaterial material;
  SLIPWAY_ASSIGN_OR_RETURN(material.ca_pem, ReadFile(config.ca));
  SLIPWAY_ASSIGN_OR_RETURN(material.certificate_pem, ReadFile(config.certificate));
  SLIPWAY_ASSIGN_OR_RETURN(material.key_pem, ReadPrivateFile(config.key));
  return material;
}

}  // namespace slipway::tls
