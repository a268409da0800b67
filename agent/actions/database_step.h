// What backup and migrate have in common: a database of this host, and the sequence of parts that
// one attempt is.
//
//   FOLDER/rollouts/ro-M4TZ7K/…     sequences and what a migration notes; gone with the rollout
//   FOLDER/backups/media/…          backups of database `media`; they stay
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/actions/action.h"
#include "agent/database/backup.h"
#include "agent/database/database.h"
#include "agent/database/parts.h"
#include "agent/database/secret.h"

namespace slipway::v1 {
class DatabaseTarget;
}

namespace slipway::agent {

// Where this rollout's steps note things; made when the first of them is opened.
std::string RolloutFolder(const ActionContext& ctx);

struct DatabaseStep {
  std::unique_ptr<Database> database;
  std::unique_ptr<Parts> parts;
  std::optional<TmpfsFile> secret;  // what the database's client programs read
  std::string rollout;              // RolloutFolder
  BackupOrder backup;               // the one that this attempt would take
};

// The database of `target`, its secret written for its clients. Parts that never ran begin, or do
// not: then this only finds out what became of the attempt.
// Errors name the secret or the value that cannot be used.
absl::StatusOr<DatabaseStep> OpenDatabaseStep(ActionContext& ctx, const v1::DatabaseTarget& target,
                                              NewParts fresh);

// What a step answers, after its secret was taken away; that of a step whose children go on stays.
// `done` is for people; CANCELLED while nobody stops the agent: a part never began.
AttemptEnd EndDatabaseStep(const ActionContext& ctx, const DatabaseStep& step,
                           const absl::StatusOr<std::string>& done);

std::string PathOf(const BackupOrder& order, const std::string& name);  // of its dump

// FAILED_PRECONDITION names the table of `target` that is not there.
absl::Status CheckTables(const v1::DatabaseTarget& target, const Fingerprint& fingerprint);

// "3 tables with 1204 rows".
std::string Counted(const Fingerprint& fingerprint);
// "120 kB, sha256:…, PostgreSQL 15.14, 3 tables with 1204 rows, proved by restoring it".
std::string Described(const BackupRecord& record);

// The rollout is forgotten: what its steps left goes, but not the backups.
void ForgetDatabases(const std::string& folder, const RolloutId& rollout);

}  // namespace slipway::agent
