// Where a PostgreSQL store lies: postgresql://ROLE@HOST[:PORT]/DATABASE[?setting=value&…].
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace slipway::controller {

struct PostgresUrl {
  std::string conninfo;  // for PostgresAddress
  std::string shown;     // "ROLE at HOST:PORT/DATABASE", for people
  std::string warning;   // "" or what the URL gives up
};

// True for postgresql:// and postgres://.
bool IsPostgresUrl(std::string_view text);

// Settings are libpq's. Unless the URL names another `sslmode`, the server has to prove who it is
// (verify-full); a weaker one gives a warning. Only a server that takes writes will do.
//
// Errors: INVALID_ARGUMENT for what is no such URL and for a password in it: command lines and
// settings are read by others.
absl::StatusOr<PostgresUrl> ParsePostgresUrl(const std::string& url);

}  // namespace slipway::controller
