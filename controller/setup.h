// What stands before the first start: an authority, certificates, settings.
#pragma once

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/tls/authority.h"
#include "common/tls/client_config.h"
#include "controller/config.h"

namespace slipway::controller {

// Whether `user` should work in the folder, if it is there: what root makes in a folder of user
// slipway, a controller that runs as slipway cannot read. FAILED_PRECONDITION names whose it is.
absl::Status CheckOwner(const std::string& dir, uid_t user);

// Makes the folder, the authority, the settings and the first operator's folder. The first of
// `config.hosts` becomes the trust domain. ALREADY_EXISTS: there is an authority.
absl::Status Initialise(const Config& config, const std::string& operator_name, absl::Time now);

// Makes DIR/operators/NAME with ca.pem, operator.pem, operator.key and config.yaml, and returns
// its path. ALREADY_EXISTS; INVALID_ARGUMENT (name).
absl::StatusOr<std::string> AddOperator(const Config& config, const std::string& name,
                                        absl::Time now);

// The controller's own certificate; made anew when there is none, when it expires within 30 days
// or when `config.hosts` changed.
absl::StatusOr<tls::KeyMaterial> OwnCertificate(const Config& config,
                                                const tls::Authority& authority, absl::Time now);

std::string AuthorityDir(const Config& config);

}  // namespace slipway::controller
