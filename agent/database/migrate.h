// Takes a database from one schema version to another, and proves first that the way back works.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/database/database.h"

namespace slipway::agent {

// What is asked of the data after each way up: each returns no row when the data is sound.
struct Soundness {
  std::vector<std::string> invariants = {};  // absolute paths
};

// Called before each migration, in either direction.
using MigrationProgress = std::function<void(const Migration& migration, Way way)>;

// `pending` in order on `on`, each followed by its verify file, all by the invariants. Stops at the
// first that fails and names it; what was applied before it stays.
//
// FAILED_PRECONDITION: it failed, and the transaction of the one that failed was rolled back, which
// slipway_schema proves. UNKNOWN: even the database could not tell.
absl::Status MigrateUp(const Database& database, Parts& parts, const std::string& part,
                       const std::string& on, const std::vector<Migration>& pending,
                       const Soundness& sound, const MigrationProgress& progress);

// The verify files of `applied`, and the invariants: FAILED_PRECONDITION names the first that
// returns a row.
absl::Status Verify(const Database& database, Parts& parts, const std::string& part,
                    const std::string& on, const std::vector<Migration>& applied,
                    const Soundness& sound);

// The way back from `migrations`, last first. Errors as MigrateUp.
absl::Status MigrateDown(const Database& database, Parts& parts, const std::string& part,
                         const std::string& on, const std::vector<Migration>& migrations,
                         const MigrationProgress& progress);

// Each of `pending`: up, verify, down, compare with before, up, compare with the first up. Leaves
// `on` migrated, and returns its fingerprint. FAILED_PRECONDITION names the migration and what its
// way back leaves different: "index media_items_by_owner is missing".
absl::StatusOr<Fingerprint> Rehearse(const Database& database, Parts& parts,
                                     const std::string& part, const std::string& on,
                                     const std::vector<Migration>& pending, const Soundness& sound,
                                     const MigrationProgress& progress);

}  // namespace slipway::agent
