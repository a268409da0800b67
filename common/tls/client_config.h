// How a client reaches a controller: address and certificate. Written by `slipway-controller
// init` and `operator add`, read by the command line.
//
//   # slipway client configuration
//   address: deploy.example.net:7443
//   ca: ca.pem
//   certificate: operator.pem
//   key: operator.key
//
// Paths are relative to the file's own folder, so that the folder can be moved as a whole.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace slipway::tls {

struct ClientConfig {
  std::string address;      // host:port of the operators' listener
  std::string ca;           // path of the root certificate, PEM
  std::string certificate;  // path of leaf and intermediate, PEM
  std::string key;          // path of the private key, PEM
  bool operator==(const ClientConfig&) const = default;
};

// The texts behind the paths; what the TLS library needs.
struct KeyMaterial {
  std::string ca_pem;
  std::string certificate_pem;
  std::string key_pem;
};

// Reads the file; returns absolute or caller-relative paths that can be opened as they are.
// Errors: NOT_FOUND; INVALID_ARGUMENT with file, line and what is wrong or missing.
absl::StatusOr<ClientConfig> ReadClientConfig(const std::string& path);

// Writes the file (mode 0600). Paths are written as they are given.
absl::Status WriteClientConfig(const std::string& path, const ClientConfig& config);

// Reads the three files. The key is refused with PERMISSION_DENIED when others may read it.
absl::StatusOr<KeyMaterial> LoadKeyMaterial(const ClientConfig& config);

}  // namespace slipway::tls
