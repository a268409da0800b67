// libpq, loaded when a store in PostgreSQL is first named: with what it pulls in, LDAP and Kerberos
// among it, it is 20 shared libraries, which a controller on SQLite does not pay at its start.
#pragma once

#include "absl/status/status.h"

namespace slipway::controller {

// Before the first call of libpq or libpqxx. FAILED_PRECONDITION: this machine has no libpq5.
// Thread-safe.
absl::Status LoadLibPq();

}  // namespace slipway::controller
