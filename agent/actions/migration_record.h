// What a rollout notes of a migration before it touches the database: the way back needs it.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/database/fingerprint.h"

namespace slipway::agent {

struct MigrationRecord {
  int version = 0;       // of the schema before
  std::string backup;    // name of the proved backup of that
  bool inplace = false;  // the rehearsal takes place on the database itself
  bool operator==(const MigrationRecord&) const = default;
};

// Of one database in one rollout, in the folder of the rollout. DATA_LOSS: it cannot be read.
absl::StatusOr<std::optional<MigrationRecord>> ReadMigrationRecord(const std::string& folder,
                                                                   const std::string& database);
absl::Status WriteMigrationRecord(const std::string& folder, const std::string& database,
                                  const MigrationRecord& record);

// What the database was right after the migration; nullopt: it never came to its end.
absl::StatusOr<std::optional<Fingerprint>> ReadMigrated(const std::string& folder,
                                                        const std::string& database);
absl::Status WriteMigrated(const std::string& folder, const std::string& database,
                           const Fingerprint& fingerprint);
absl::Status ForgetMigrated(const std::string& folder, const std::string& database);

}  // namespace slipway::agent
