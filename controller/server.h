// The controller's composition root: builds all parts in the order of their dependencies.
//
//   authority, store ─► hosts, view, authorizer ─► sessions ◄─► pool ─► services ─► listeners
//
// Three listeners, each a server of its own: operators and agents (mutual TLS), and enrolment,
// the only one that asks for no certificate and serves one method.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/clock.h"
#include "common/supervisor.h"
#include "controller/config.h"

namespace slipway::controller {

// host:port as others reach it.
struct Endpoints {
  std::string operators, agents, enrolment;
  std::string metrics;  // "": nobody listens
};

class Server {
 public:
  // Takes up every open rollout and listens when it returns; DIR/endpoints.json says where.
  // Errors name what is missing, damaged or in use. `clock` and `supervisor`
  // outlive the server; the supervisor is told when it listens, and that its sessions' thread
  // turns.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Config& config, const Clock& clock,
                                                       Supervisor& supervisor);
  // Ends calls and sessions within a few seconds. A kill loses no more than this does.
  ~Server();

  const Endpoints& endpoints() const;

 private:
  class Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  const std::unique_ptr<Parts> parts_;
};

}  // namespace slipway::controller
