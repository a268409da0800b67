// PostgreSQL 14 and newer, by psql, pg_dump and pg_restore.
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "agent/database/database.h"
#include "agent/database/postgres_sql.h"
#include "agent/database/script.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr char kMaintenance[] = "postgres";  // where copies are made, dropped and renamed from
constexpr int kAnswerFields = 2;

class PostgresDatabase final : public Database {
 public:
  explicit PostgresDatabase(PostgresOptions options) : options_(std::move(options)) {}

  std::string_view kind() const override { return "postgres"; }
  std::string ScratchName(const Parts& parts) const override {
    return absl::StrCat(ScratchPrefix(), parts.tag());
  }
  std::string SideName(const Parts& parts) const override {
    return absl::StrCat("slipway_side_", Short(), "_", parts.tag());
  }

  absl::StatusOr<Fingerprint> TakeFingerprint(Parts& parts, const std::string& part,
                                              const std::string& on) const override {
    SLIPWAY_ASSIGN_OR_RETURN(
        const std::string lines,
        Say(parts, part, Named(on),
            absl::StrCat(BeginSnapshot(), FingerprintScript(options_.ignore), "COMMIT;\n")));
    return ParseFingerprintLines(kind(), lines);
  }

  absl::StatusOr<DumpTaken> Dump(Parts& parts, const std::string& part,
                                 const std::string& path) const override;
  absl::Status Load(Parts& parts, const std::string& part, const std::string& path,
                    const std::string& on) const override;

  absl::Status Drop(Parts& parts, const std::string& part, const std::string& on) const override {
    if (on.empty() || on == options_.database) {
      return absl::InternalError("only copies of a database are dropped");
    }
    return Say(parts, part, kMaintenance,
               absl::StrCat("SET client_min_messages = warning;\nDROP DATABASE IF EXISTS ",
                            SqlName(on), " WITH (FORCE);\n"))
        .status();
  }
  absl::Status DropLeftovers(Parts& parts, const std::string& part) const override {
    return Say(parts, part, kMaintenance, DropLeftoversScript(ScratchPrefix(), ScratchName(parts)))
        .status();
  }

  absl::StatusOr<std::vector<AppliedMigration>> Applied(Parts& parts, const std::string& part,
                                                        const std::string& on) const override {
    SLIPWAY_ASSIGN_OR_RETURN(const std::string rows,
                             Say(parts, part, Named(on), AppliedScript(), kSettleOvertime));
    return ReadApplied(rows);
  }
  absl::Status Step(Parts& parts, const std::string& part, const std::string& on,
                    const Migration& migration, Way way) const override {
    return Say(parts, part, Named(on), StepScript(migration, way, options_.limits)).status();
  }
  absl::StatusOr<std::string> Query(Parts& parts, const std::string& part, const std::string& on,
                                    const std::string& file) const override {
    return Say(parts, part, Named(on), QueryScript(file, options_.limits));
  }
  absl::StatusOr<std::string> Swap(Parts& parts, const std::string& part,
                                   const std::string& side) const override;

 private:
  const std::string& Named(const std::string& on) const {
    return on.empty() ? options_.database : on;
  }
  // Part of the names of all copies: two databases on one server do not meet.
  std::string Short() const { return Digest::Of(options_.database).Short(); }
  std::string ScratchPrefix() const { return absl::StrCat("slipway_scratch_", Short(), "_"); }

  std::string Program(absl::string_view name) const {
    return absl::StrCat(options_.programs, "/", name);
  }
  // What a client needs to connect; the password is in the file that the environment names.
  static std::string Connection(const std::string& database) {
    return absl::StrCat("service=slipway dbname='",
                        absl::StrReplaceAll(database, {{"\\", "\\\\"}, {"'", "\\'"}}), "'");
  }
  std::vector<std::string> Environment() const {
    return {"PGSERVICEFILE=" + options_.service_file, "PGCLIENTENCODING=UTF8",
            "PGAPPNAME=slipway-agent", "PGCONNECT_TIMEOUT=20"};
  }

  // What psql answers to `script`.
  absl::StatusOr<std::string> Say(Parts& parts, const std::string& part,
                                  const std::string& database, const std::string& script,
                                  absl::Duration overtime = absl::ZeroDuration()) const;
  absl::StatusOr<DumpTaken> Versions(Parts& parts, const std::string& part) const;

  const PostgresOptions options_;
};

absl::StatusOr<std::string> PostgresDatabase::Say(Parts& parts, const std::string& part,
                                                  const std::string& database,
                                                  const std::string& script,
                                                  absl::Duration overtime) const {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string file, WriteScript(parts, part + ".sql", script));
  const std::string answer = part + ".out";
  SLIPWAY_RETURN_IF_ERROR(parts.Run(
      part,
      {.argv = {Program("psql"), "--no-psqlrc", "--no-password", "--quiet", "--no-align",
                "--tuples-only", "--field-separator=\t", "--set=ON_ERROR_STOP=1", "--file=" + file,
                absl::StrCat("--output=", parts.folder(), "/", answer), Connection(database)},
       .env = Environment(),
       .overtime = overtime}));
  return ReadAnswer(parts, answer);
}

absl::StatusOr<DumpTaken> PostgresDatabase::Versions(Parts& parts, const std::string& part) const {
  SLIPWAY_ASSIGN_OR_RETURN(
      const std::string answer,
      Say(parts, part, options_.database,
          absl::StrCat("\\set slipway_tool `", ShellWord(Program("pg_dump")), " --version`\n",
                       "SELECT current_setting('server_version'), :'slipway_tool';\n")));
  const std::vector<std::string> fields =
      absl::StrSplit(absl::StripTrailingAsciiWhitespace(answer), '\t');
  // "15.14 (Debian 15.14-0+deb12u1)" and "pg_dump (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)".
  if (fields.size() != kAnswerFields) {
    return absl::InternalError(absl::StrCat("psql said \"", answer, "\" about versions"));
  }
  const std::vector<std::string> words = absl::StrSplit(fields[1], ' ');
  DumpTaken versions{.server = fields[0].substr(0, fields[0].find(' ')),
                     .tool = words.size() > 2 ? words[2] : fields[1]};
  const auto major = [](const std::string& version) {
    return version.substr(0, version.find_first_not_of("0123456789"));
  };
  if (major(versions.server).empty() || major(versions.server) != major(versions.tool)) {
    return absl::FailedPreconditionError(
        absl::StrCat("database ", options_.database, " is served by PostgreSQL ", versions.server,
                     ", and ", Program("pg_dump"), " is of ", versions.tool,
                     "; install the client programs of the server's major version"));
  }
  return versions;
}

absl::StatusOr<DumpTaken> PostgresDatabase::Dump(Parts& parts, const std::string& part,
                                                 const std::string& path) const {
  SLIPWAY_ASSIGN_OR_RETURN(DumpTaken taken, Versions(parts, part + ".versions"));
  const std::string complaints = absl::StrCat(parts.folder(), "/", part, ".err");
  // pg_dump is started by psql, whose transaction holds the snapshot that both look at.
  const std::string dump = absl::StrCat(
      "umask 077; ", ShellWord(Program("pg_dump")),
      " --format=custom --no-password --lock-wait-timeout=30s --snapshot=\"$SLIPWAY_SNAPSHOT\"",
      " --file=", ShellWord(path), " ", ShellWord(Connection(options_.database)), " 2>",
      ShellWord(complaints), "; echo $?");
  const auto answer =
      Say(parts, part, options_.database,
          absl::StrCat(BeginSnapshot(), "SELECT pg_export_snapshot() AS slipway_snapshot \\gset\n",
                       "\\setenv SLIPWAY_SNAPSHOT :slipway_snapshot\n", "\\set slipway_dump `",
                       dump, "`\n", "\\qecho :slipway_dump\n", FingerprintScript(options_.ignore),
                       "COMMIT;\n"));
  SLIPWAY_RETURN_IF_ERROR(answer.status());
  const std::size_t end = answer->find('\n');
  if (answer->substr(0, end) != "0") {
    const auto words = ReadAnswer(parts, part + ".err");
    return absl::FailedPreconditionError(absl::StrCat(
        "pg_dump: ", absl::StripAsciiWhitespace(words.ok() ? *words : answer->substr(0, end))));
  }
  SLIPWAY_ASSIGN_OR_RETURN(taken.fingerprint,
                           ParseFingerprintLines(kind(), answer->substr(end + 1)));
  return taken;
}

absl::Status PostgresDatabase::Load(Parts& parts, const std::string& part, const std::string& path,
                                    const std::string& on) const {
  SLIPWAY_RETURN_IF_ERROR(
      Say(parts, part + ".create", kMaintenance, CreateCopyScript(options_.database, on)).status());
  return parts.Run(part + ".load",
                   {.argv = {Program("pg_restore"), "--no-password", "--exit-on-error",
                             "--single-transaction", "--dbname=" + Connection(on), path},
                    .env = Environment()});
}

absl::StatusOr<std::string> PostgresDatabase::Swap(Parts& parts, const std::string& part,
                                                   const std::string& side) const {
  constexpr std::size_t kNameKept = 36;  // bytes; a name has 63
  const std::string aside =
      absl::StrCat(options_.database.substr(0, kNameKept), "_before_", parts.tag());
  const absl::Status swapped =
      Say(parts, part, kMaintenance, SwapScript(options_.database, side, aside)).status();
  if (swapped.ok()) return aside;
  if (!absl::IsFailedPrecondition(swapped)) return swapped;
  // It may have been the answer to COMMIT that was lost.
  SLIPWAY_ASSIGN_OR_RETURN(
      const std::string left,
      Say(parts, part + ".look", kMaintenance,
          absl::StrCat("SELECT count(*) FROM pg_database WHERE datname = ", SqlText(side), ";\n"),
          kSettleOvertime));
  if (absl::StripAsciiWhitespace(left) == "0") return aside;
  SLIPWAY_RETURN_IF_ERROR(Say(parts, part + ".reopen", kMaintenance,
                              absl::StrCat("ALTER DATABASE ", SqlName(options_.database),
                                           " WITH ALLOW_CONNECTIONS true;\n"),
                              kSettleOvertime)
                              .status());
  return swapped;
}

}  // namespace

std::unique_ptr<Database> MakePostgresDatabase(PostgresOptions options) {
  return std::make_unique<PostgresDatabase>(std::move(options));
}

}  // namespace slipway::agent
