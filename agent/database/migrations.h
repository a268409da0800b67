// The migrations of a release: NNNN_name.{up,down,verify}.sql in one folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/database/database.h"

namespace slipway::agent {

// By number. INVALID_ARGUMENT names the file: one that is missing, a number that is there twice or
// left out, a name that is none, or a file that would end the transaction that it runs in.
absl::StatusOr<std::vector<Migration>> ReadMigrations(const std::string& folder);

// Those that the database still lacks. FAILED_PRECONDITION: the database has one that the release
// does not know, or a file was changed after it was applied.
absl::StatusOr<std::vector<Migration>> Pending(const std::vector<Migration>& migrations,
                                               const std::vector<AppliedMigration>& applied);

// The word that ends or begins a transaction at the top level of `sql`; "" where there is none.
std::string TransactionWord(std::string_view sql);

}  // namespace slipway::agent
