// How this program reaches a controller, and where each word of it comes from.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/tls/client_config.h"
#include "tools/slipway/command.h"

namespace slipway::cli {

struct ClientSettings {
  Setting address, ca, certificate, key;
  tls::ClientConfig Config() const {
    return {address.value, ca.value, certificate.value, key.value};
  }
};

// The file of --config, --context, SLIPWAY_CONFIG, SLIPWAY_CONTEXT, ./.slipway/client.conf, the
// context that project or person prefer, client.conf beside the preferences, or
// /etc/slipway/client.conf: the first that is there or was asked for.
// --controller, SLIPWAY_CONTROLLER and SLIPWAY_TLS_CA|CERT|KEY go over it. Errors: UNAUTHENTICATED
// without a file; those of ContextFile; those of tls::ReadClientConfig.
absl::StatusOr<ClientSettings> FindClientSettings(const Invocation& invocation);

}  // namespace slipway::cli
