// How a host gets into the fleet: a token from an operator, then a certificate from the authority.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock.h"
#include "common/tls/authority.h"
#include "controller/fleet/host_directory.h"
#include "controller/registry/registry.h"

namespace slipway::controller {

// INVALID_ARGUMENT: too many, or one has a name or value that selectors could not name.
absl::Status CheckLabels(const Labels& labels);

// Thread-safe.
class Enrolment {
 public:
  struct Addresses {
    std::string enrolment;  // host:port that tokens name
    std::string agents;     // host:port that enrolled hosts are told
  };
  // All outlive the object.
  struct Ports {
    const tls::Authority& authority;
    Registry& registry;
    HostDirectory& hosts;
    const Clock& clock;
  };
  Enrolment(const Ports& ports, std::string ca_pin);

  // Before the first call that names an address: where the listeners are, once they are.
  void ReachedAt(Addresses addresses) ABSL_LOCKS_EXCLUDED(mu_);

  struct Token {
    std::string text;
    absl::Time expires;
  };
  struct TokenRequest {
    std::string request_id = {};
    HostId host = {};
    Labels labels = {};
    absl::Duration lifetime = absl::ZeroDuration();  // zero: ten minutes
    std::string who = {};
  };
  // Errors: those of FleetService.CreateEnrolmentToken.
  absl::StatusOr<Token> MakeToken(const TokenRequest& request);

  struct Certified {
    std::string certificate_pem;
    std::string ca_pem;
    std::string controller;
  };
  // Errors: those of EnrolmentService.Enrol.
  absl::StatusOr<Certified> Enrol(std::string_view secret, const HostId& host,
                                  std::string_view request_der);

 private:
  absl::StatusOr<std::string> CertificateFor(const EnrolToken& token, const std::string& public_key,
                                             const std::string& pin);

  Addresses addresses() const ABSL_LOCKS_EXCLUDED(mu_);

  const Ports ports_;
  const std::string ca_pin_;
  mutable Mutex mu_;
  Addresses addresses_ ABSL_GUARDED_BY(mu_);
};

}  // namespace slipway::controller
