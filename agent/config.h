// What an enrolled agent knows of itself: DIR/agent.yaml and the files beside it.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/tls/client_config.h"

namespace slipway::agent {

inline constexpr char kSecrets[] = "/etc/slipway/secrets";

// All that belongs to an agent lies below one folder:
//
//   agent.yaml            this configuration
//   ca.pem agent.pem agent.key    trust; the key was made here and never left
//   agent_id              random; made when the host was enrolled
//   commands.log          what it was told and what it answered (docs/formats/agent_state.md)
//   hooks/ services/ units/ output/ releases/    children, their output, deployment records
//   databases/            migrations under way, and backups, which stay
struct Config {
  std::string dir;
  std::string host;                           // the host's name, as in the certificate
  std::string controller;                     // host:port of the agents' listener
  std::map<std::string, std::string> labels;  // the agent's own; the controller's win
  std::string secrets = kSecrets;  // folder of the files that plans name as "secret:NAME"
};

// Errors: NOT_FOUND (run `slipway-agent enroll` first); INVALID_ARGUMENT with file and line.
absl::StatusOr<Config> ReadConfig(const std::string& dir);
absl::Status WriteConfig(const Config& config);

// Paths of the files of trust below `dir`.
tls::ClientConfig TrustFiles(const std::string& dir);

// "k=v" -> labels. INVALID_ARGUMENT names the one that is not.
absl::StatusOr<std::map<std::string, std::string>> ParseLabels(
    const std::vector<std::string>& words);

}  // namespace slipway::agent
