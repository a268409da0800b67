// Settings of one controller: DIR/controller.yaml, overruled by flags.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace slipway::controller {

// Value of `listen_metrics` without a listener.
inline constexpr char kNoMetrics[] = "off";

// All that belongs to a controller lies below one folder:
//
//   controller.yaml             settings
//   ca/                         the authority (common/tls/authority.h)
//   tls/server.{pem,key}        the controller's own certificate
//   operators/NAME/             what that person's command line needs, to be handed over whole
//   endpoints.json              addresses that are listened on, while the controller runs
//   store.db, releases/         the journal and the registry, unless they are kept in PostgreSQL;
//                               content by digest
struct Config {
  std::string dir;
  std::vector<std::string> hosts = {"localhost"};  // names and addresses by which it is reached
  std::string listen_operators = "0.0.0.0:7443";
  std::string listen_agents = "0.0.0.0:7444";
  std::string listen_enrolment = "0.0.0.0:7445";  // port 0: the kernel chooses
  // Plain HTTP, for whoever may know the figures; "off": nobody. A port that is in use costs the
  // figures and not the controller.
  std::string listen_metrics = "127.0.0.1:7446";
  std::string store;                // "": store.db; else postgresql://ROLE@HOST/DATABASE
  std::string store_password_file;  // "": libpq's own ways (pgpass), or systemd's credential
};

// Errors: NOT_FOUND (run `init` first); INVALID_ARGUMENT with file and line.
absl::StatusOr<Config> ReadConfig(const std::string& dir);
absl::Status WriteConfig(const Config& config);

// The port of "host:port"; 0 is one. INVALID_ARGUMENT for anything else.
absl::StatusOr<int> PortOf(const std::string& address);

}  // namespace slipway::controller
