// Backups that count: a dump, a record of what is in it, and the proof that it can be restored.
//
//   FOLDER/NAME.dump     pg_dump's custom format, or a database file of SQLite; 0600
//   FOLDER/NAME.record   written last, and only after the proof; 0600
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/database/database.h"
#include "common/clock.h"

namespace slipway::agent {

struct BackupRecord {
  std::string database;  // as the plan calls it
  std::string kind;      // of the engine
  std::string digest;    // of the dump: "sha256:…"
  std::uint64_t bytes = 0;
  std::string server;  // versions
  std::string tool;
  absl::Time taken = {};
  Fingerprint fingerprint = {};  // of what is in the dump
  bool operator==(const BackupRecord&) const = default;

  std::string ToText() const;
};

// DATA_LOSS names what has no meaning.
absl::StatusOr<BackupRecord> ParseBackupRecord(std::string_view text);
absl::StatusOr<BackupRecord> ReadBackupRecord(const std::string& folder, const std::string& name);

struct BackupOrder {
  std::string folder;  // absolute; made (0700) where absent
  std::string name;    // of this backup; one that is there is never written over
  std::string database;
};

// Dumps the database, restores the dump into a scratch copy, compares, and writes the record. A
// backup of that name that has its record is looked at again and taken. The scratch copy stays for
// whoever wants to rehearse on it, until DropScratch; after an error it is gone.
//
// Errors: FAILED_PRECONDITION or DATA_LOSS, there is no backup that counts, and why; errors of
// parts.h.
absl::StatusOr<BackupRecord> TakeBackup(const Database& database, Parts& parts, const Clock& clock,
                                        const BackupOrder& order);

// Size and digest. DATA_LOSS says which of them is another.
absl::Status CheckDump(const BackupRecord& record, const std::string& dump);

// CheckDump, then makes the copy `on` from the dump and compares its fingerprint with the record.
// Parts: `part` and what begins with it. DATA_LOSS names what differs.
absl::Status LoadProved(const Database& database, Parts& parts, const std::string& part,
                        const BackupRecord& record, const std::string& dump, const std::string& on);

absl::Status DropScratch(const Database& database, Parts& parts);

// The dump becomes the database: made as a copy beside it, compared, and swapped in by rename.
// Returns the name under which what was there before is kept. Writers are to be stopped before.
absl::StatusOr<std::string> RestoreBackup(const Database& database, Parts& parts,
                                          const BackupRecord& record, const std::string& dump);

}  // namespace slipway::agent
