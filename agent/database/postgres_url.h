// postgresql://user:password@host:port/database?sslmode=require, as it stands in a secret file.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace slipway::agent {

struct PostgresAddress {
  std::string database;  // the only one of its fields that may be shown
  std::string service;   // the section [slipway] of a pg_service.conf: all settings, also passwords
};

// INVALID_ARGUMENT says what is wrong and never quotes the URL. libpq itself reads the values; here
// they are only taken apart, so that the agent need not carry it.
absl::StatusOr<PostgresAddress> ReadPostgresUrl(std::string_view url);

}  // namespace slipway::agent
