#include "tools/slipway/client_settings.h"

#include <unistd.h>

#include <cstdlib>

#include "common/status_macros.h"
#include "tools/slipway/preferences.h"

namespace slipway::cli {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool IsThere(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

absl::StatusOr<std::string> FindFile(const Invocation& invocation) {
  const Setting* context = invocation.Default("context");
  const std::string in_environment = Environment("SLIPWAY_CONFIG");
  const std::string project = ".slipway/client.conf";
  if (const std::string typed = invocation.Value("config"); !typed.empty()) return typed;
  if (invocation.Flag("context")) return ContextFile(context->value);
  if (!in_environment.empty()) return in_environment;
  if (context != nullptr && context->origin == "SLIPWAY_CONTEXT") {
    return ContextFile(context->value);
  }
  if (IsThere(project)) return project;
  if (context != nullptr) return ContextFile(context->value);
  for (std::string path :
       {UserFolder() + "/client.conf", std::string("/etc/slipway/client.conf")}) {
    if (IsThere(path)) return path;
  }
  return absl::UnauthenticatedError(
      "no client configuration: name one with --config or SLIPWAY_CONFIG; "
      "`slipway-controller init` writes the first one, `slipway-controller operator add` more");
}

void OverrideByEnvironment(Setting& setting, const char* name) {
  const std::string value = Environment(name);
  if (!value.empty()) setting = {value, name};
}

}  // namespace

absl::StatusOr<ClientSettings> FindClientSettings(const Invocation& invocation) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string path, FindFile(invocation));
  SLIPWAY_ASSIGN_OR_RETURN(const tls::ClientConfig config, tls::ReadClientConfig(path));
  ClientSettings settings{.address = {config.address, path},
                          .ca = {config.ca, path},
                          .certificate = {config.certificate, path},
                          .key = {config.key, path}};
  OverrideByEnvironment(settings.address, "SLIPWAY_CONTROLLER");
  OverrideByEnvironment(settings.ca, "SLIPWAY_TLS_CA");
  OverrideByEnvironment(settings.certificate, "SLIPWAY_TLS_CERT");
  OverrideByEnvironment(settings.key, "SLIPWAY_TLS_KEY");
  const std::string flag = invocation.Value("controller");
  if (!flag.empty()) settings.address = {flag, "--controller"};
  return settings;
}

}  // namespace slipway::cli
