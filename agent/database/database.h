// A database engine, driven by its own client programs. No SQL of an application is written here:
// migrations come from the release, dumps from the engine's own tool.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "agent/database/fingerprint.h"
#include "agent/database/parts.h"

namespace slipway::agent {

// One change of the schema, as a release has it.
struct Migration {
  int number = 0;       // from 1 on, without gaps
  std::string name;     // "0003_media_by_owner"
  std::string up = {};  // absolute paths of the three files
  std::string down = {};
  std::string verify = {};
  std::string digest = {};  // of the bytes of `up`: what was applied is never changed afterwards
  bool operator==(const Migration&) const = default;
};

// What the database itself says was applied; kept in its table slipway_schema.
struct AppliedMigration {
  int number = 0;
  std::string name;
  std::string digest;
  bool operator==(const AppliedMigration&) const = default;
};

enum class Way { up, down };

struct DumpTaken {
  Fingerprint fingerprint = {};  // of exactly what is in the dump: both come from one snapshot
  std::string server = {};       // versions, for people: "15.14"
  std::string tool = {};
};

// The database of the plan and its copies on the same server or disk. `on` names one of them: ""
// is the database itself. Each call is one part of the sequence, or a fixed number of parts whose
// names begin with `part`; errors of parts.h come through.
class Database {
 public:
  virtual ~Database() = default;
  virtual std::string_view kind() const = 0;

  // What a sequence calls its copies: one to try things on, one to become the database.
  virtual std::string ScratchName(const Parts& parts) const = 0;
  virtual std::string SideName(const Parts& parts) const = 0;

  virtual absl::StatusOr<Fingerprint> TakeFingerprint(Parts& parts, const std::string& part,
                                                      const std::string& on) const = 0;

  // Writes a dump of the database itself to `path`, which is not there yet. FAILED_PRECONDITION:
  // also when the tool and the server are of different major versions.
  virtual absl::StatusOr<DumpTaken> Dump(Parts& parts, const std::string& part,
                                         const std::string& path) const = 0;
  // Makes the copy `on` from a dump. The dump is not trusted.
  virtual absl::Status Load(Parts& parts, const std::string& part, const std::string& path,
                            const std::string& on) const = 0;
  // Absent is fine. Never the database itself.
  virtual absl::Status Drop(Parts& parts, const std::string& part, const std::string& on) const = 0;
  // Drops what other sequences left of this database's scratch copies: a database is used by one
  // rollout at a time, so that all but ours are abandoned.
  virtual absl::Status DropLeftovers(Parts& parts, const std::string& part) const = 0;

  // By number. Makes the table slipway_schema where it is missing, and waits for a migration that
  // is just being committed: what is not in the answer was not applied and never will be.
  virtual absl::StatusOr<std::vector<AppliedMigration>> Applied(Parts& parts,
                                                                const std::string& part,
                                                                const std::string& on) const = 0;
  // Runs `up` or `down` and notes it in slipway_schema, in one transaction: both happened, or
  // neither. FAILED_PRECONDITION: the file failed and the transaction was rolled back.
  virtual absl::Status Step(Parts& parts, const std::string& part, const std::string& on,
                            const Migration& migration, Way way) const = 0;
  // What the file's queries return, one line a row; it can change nothing.
  virtual absl::StatusOr<std::string> Query(Parts& parts, const std::string& part,
                                            const std::string& on,
                                            const std::string& file) const = 0;

  // The copy `side` becomes the database, which is kept under the name that is returned. The
  // database refuses connections from before to after. Writers are to be stopped before.
  virtual absl::StatusOr<std::string> Swap(Parts& parts, const std::string& part,
                                           const std::string& side) const = 0;
};

struct DatabaseLimits {
  absl::Duration lock = absl::Seconds(10);              // waiting for one lock of the database
  absl::Duration statement = absl::InfiniteDuration();  // one statement of a migration
};

struct PostgresOptions {
  std::string service_file;  // pg_service.conf with the section [slipway] (postgres_url.h)
  std::string database;      // its name on the server
  std::vector<std::string> ignore = {};  // "table.column": not part of the fingerprint
  DatabaseLimits limits = {};
  std::string programs = "/usr/bin";  // where psql, pg_dump and pg_restore are
};
std::unique_ptr<Database> MakePostgresDatabase(PostgresOptions options);

struct SqliteOptions {
  std::string path;  // absolute
  std::vector<std::string> ignore = {};
  DatabaseLimits limits = {};
  std::string programs = "/usr/bin";  // where sqlite3 is
};
std::unique_ptr<Database> MakeSqliteDatabase(SqliteOptions options);

}  // namespace slipway::agent
