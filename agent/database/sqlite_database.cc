// SQLite, by the sqlite3 shell.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "agent/database/database.h"
#include "agent/database/script.h"
#include "agent/database/sqlite_schema.h"
#include "common/fs/directory.h"
#include "common/fs/unique_fd.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

// One line and four fields, whatever the text holds.
constexpr char kSchema[] = R"sql(
SELECT 'N', lower(name), '', '' FROM sqlite_schema
UNION SELECT 'N', lower(c.name), '', ''
FROM sqlite_schema AS m JOIN pragma_table_xinfo(m.name) AS c WHERE m.type IN ('table', 'view');
SELECT 'O', type, @name@, @coalesce(sql, '')@ FROM sqlite_schema
WHERE name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name <> 'slipway_schema';
SELECT 'O', 'pragma', 'user_version', user_version FROM pragma_user_version;
SELECT 'O', 'pragma', 'application_id', application_id FROM pragma_application_id;
SELECT 'O', 'pragma', 'encoding', encoding FROM pragma_encoding;
)sql";

// Writes one query a table: rows in the order of all columns, their types too, since 1 and 1.0 are
// equal. The tables behind a virtual table are its own business; what it says is looked at.
constexpr char kTables[] = R"sql(
SELECT printf('SELECT ''T'', %Q, (SELECT count(*) FROM "%w"), lower(hex(sha3_query(%Q, 256)));',
              @name@, name,
              printf('SELECT %s FROM "%w" ORDER BY %s', coalesce(columns, '1'), name,
                     coalesce(columns || ', ' || types, '1')))
FROM (SELECT l.name,
             group_concat(printf('"%w"', c.name), ', ') AS columns,
             group_concat(printf('typeof("%w")', c.name), ', ') AS types
      FROM pragma_table_list AS l
           LEFT JOIN (SELECT t.name AS of, x.name
                      FROM pragma_table_list AS t JOIN pragma_table_xinfo(t.name) AS x
                      WHERE t.schema = 'main' AND x.hidden <> 1
                        AND t.name || '.' || x.name NOT IN (@IGNORE@)
                      ORDER BY t.name, x.name) AS c ON c.of = l.name
      WHERE l.schema = 'main' AND l.type IN ('table', 'virtual')
        AND l.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND l.name <> 'slipway_schema'
      GROUP BY l.name);
)sql";

std::string SqlText(absl::string_view value) {
  return absl::StrCat("'", absl::StrReplaceAll(value, {{"'", "''"}}), "'");
}

std::string Escaped(const char* script) {
  const auto escape = [](absl::string_view what) {
    return absl::StrCat("replace(replace(replace(replace(", what,
                        R"(, '\', '\\'), char(10), '\n'), char(13), '\r'), char(9), '\t'))");
  };
  return absl::StrReplaceAll(
      script, {{"@name@", escape("name")}, {"@coalesce(sql, '')@", escape("coalesce(sql, '')")}});
}

std::string Unescaped(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\\\\", "\\"}, {"\\n", "\n"}, {"\\r", "\r"}, {"\\t", "\t"}});
}

class SqliteDatabase final : public Database {
 public:
  explicit SqliteDatabase(SqliteOptions options) : options_(std::move(options)) {}

  std::string_view kind() const override { return "sqlite"; }
  std::string ScratchName(const Parts& parts) const override {
    return parts.folder() + "/scratch.db";
  }
  // Beside the database, since only a rename on one file system is atomic.
  std::string SideName(const Parts& parts) const override {
    return absl::StrCat(options_.path, ".slipway-side-", parts.tag());
  }

  absl::StatusOr<Fingerprint> TakeFingerprint(Parts& parts, const std::string& part,
                                              const std::string& on) const override {
    SLIPWAY_ASSIGN_OR_RETURN(
        const std::string lines,
        Say(parts, part, on,
            absl::StrCat("BEGIN;\n", FingerprintScript(parts, part), "COMMIT;\n")));
    return Normalised(lines);
  }

  absl::StatusOr<DumpTaken> Dump(Parts& parts, const std::string& part,
                                 const std::string& path) const override;
  absl::Status Load(Parts& parts, const std::string& part, const std::string& path,
                    const std::string& on) const override;
  absl::Status Drop(Parts& parts, const std::string& part, const std::string& on) const override;
  // They lie in the folders of their sequences and go with them.
  absl::Status DropLeftovers(Parts&, const std::string&) const override { return absl::OkStatus(); }

  absl::StatusOr<std::vector<AppliedMigration>> Applied(Parts& parts, const std::string& part,
                                                        const std::string& on) const override {
    SLIPWAY_ASSIGN_OR_RETURN(
        const std::string rows,
        Say(parts, part, on,
            "CREATE TABLE IF NOT EXISTS slipway_schema (number INTEGER PRIMARY KEY, name TEXT NOT "
            "NULL, digest TEXT NOT NULL, applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);\n"
            "BEGIN IMMEDIATE;\n"
            "SELECT number, name, digest FROM slipway_schema ORDER BY number;\nCOMMIT;\n",
            kSettleOvertime));
    return ReadApplied(rows);
  }
  absl::Status Step(Parts& parts, const std::string& part, const std::string& on,
                    const Migration& migration, Way way) const override;
  absl::StatusOr<std::string> Query(Parts& parts, const std::string& part, const std::string& on,
                                    const std::string& file) const override {
    return Say(
        parts, part, on,
        absl::StrCat("PRAGMA query_only = ON;\nBEGIN;\n.read ", ShellText(file), "\nROLLBACK;\n"));
  }
  absl::StatusOr<std::string> Swap(Parts& parts, const std::string& part,
                                   const std::string& side) const override;

 private:
  // A word of a dot-command: the shell knows escapes in double quotes only.
  static std::string ShellText(absl::string_view text) {
    return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
  }
  // What sqlite3 answers to `script`. Never makes the database unless `mode` is "rwc".
  absl::StatusOr<std::string> Say(Parts& parts, const std::string& part, const std::string& on,
                                  const std::string& script,
                                  absl::Duration overtime = absl::ZeroDuration(),
                                  absl::string_view mode = "rw") const;
  std::string FingerprintScript(const Parts& parts, const std::string& part) const;
  absl::StatusOr<Fingerprint> Normalised(const std::string& lines) const;

  const SqliteOptions options_;
};

absl::StatusOr<std::string> SqliteDatabase::Say(Parts& parts, const std::string& part,
                                                const std::string& on, const std::string& script,
                                                absl::Duration overtime,
                                                absl::string_view mode) const {
  const std::string answer = absl::StrCat(parts.folder(), "/", part, ".out");
  SLIPWAY_ASSIGN_OR_RETURN(
      const std::string file,
      WriteScript(parts, part + ".sql",
                  absl::StrCat(".timeout ", absl::ToInt64Milliseconds(options_.limits.lock),
                               "\n.mode list\n.separator \"\\t\" \"\\n\"\n.headers off\n.output ",
                               ShellText(answer), "\n", script, ".output\n")));
  const std::string uri =
      absl::StrCat("file:",
                   absl::StrReplaceAll(on.empty() ? options_.path : on,
                                       {{"%", "%25"}, {"?", "%3f"}, {"#", "%23"}}),
                   "?mode=", mode);
  SLIPWAY_RETURN_IF_ERROR(
      parts.Run(part, {.argv = {options_.programs + "/sqlite3", "-batch", "-bail", "-init",
                                "/dev/null", uri, absl::StrCat(".read ", ShellText(file))},
                       .overtime = overtime}));
  return ReadAnswer(parts, part + ".out");
}

std::string SqliteDatabase::FingerprintScript(const Parts& parts, const std::string& part) const {
  const std::string queries = ShellText(absl::StrCat(parts.folder(), "/", part, ".tables"));
  const std::string answer = ShellText(absl::StrCat(parts.folder(), "/", part, ".out"));
  const std::string tables = absl::StrReplaceAll(
      Escaped(kTables),
      {{"@IGNORE@", absl::StrJoin(options_.ignore, ", ", [](std::string* out, const auto& name) {
          absl::StrAppend(out, SqlText(name));
        })}});
  return absl::StrCat(".output ", queries, "\n", tables, ".output ", answer, "\n", Escaped(kSchema),
                      ".read ", queries, "\n");
}

absl::StatusOr<Fingerprint> SqliteDatabase::Normalised(const std::string& lines) const {
  std::set<std::string> names;
  std::string text;
  std::vector<std::vector<std::string>> rows;
  for (const absl::string_view line : absl::StrSplit(lines, '\n', absl::SkipEmpty())) {
    std::vector<std::string> fields = absl::StrSplit(line, '\t');
    if (fields[0] == "N" && fields.size() > 1) names.insert(fields[1]);
    if (fields[0] != "N") rows.push_back(std::move(fields));
  }
  for (std::vector<std::string>& fields : rows) {
    if (fields[0] == "O" && fields.size() == 4 && fields[1] != "pragma") {
      fields[3] = absl::StrReplaceAll(
          NormalisedDefinition(Unescaped(fields[3]), names, fields[1] == "table"),
          {{"\\", "\\\\"}, {"\n", "\\n"}, {"\r", "\\r"}, {"\t", "\\t"}});
    }
    absl::StrAppend(&text, absl::StrJoin(fields, "\t"), "\n");
  }
  return ParseFingerprintLines(kind(), text);
}

absl::StatusOr<DumpTaken> SqliteDatabase::Dump(Parts& parts, const std::string& part,
                                               const std::string& path) const {
  // The first SELECT begins the snapshot that .backup and the fingerprint look at.
  SLIPWAY_ASSIGN_OR_RETURN(
      const std::string lines,
      Say(parts, part, "",
          absl::StrCat("BEGIN;\nSELECT 'N', '', '', '' FROM sqlite_schema LIMIT 1;\n.backup main ",
                       ShellText(path), "\n", FingerprintScript(parts, part),
                       "SELECT 'V', sqlite_version();\nCOMMIT;\n")));
  const std::size_t versions = lines.rfind("V\t");
  if (versions == std::string::npos) {
    return absl::InternalError("sqlite3 did not say its version");
  }
  DumpTaken taken;
  taken.tool = lines.substr(versions + 2, lines.find('\n', versions) - versions - 2);
  taken.server = taken.tool;
  SLIPWAY_ASSIGN_OR_RETURN(taken.fingerprint, Normalised(lines.substr(0, versions)));
  return taken;
}

absl::Status SqliteDatabase::Load(Parts& parts, const std::string& part, const std::string& path,
                                  const std::string& on) const {
  SLIPWAY_ASSIGN_OR_RETURN(
      const std::string answer,
      Say(parts, part, on,
          absl::StrCat(".restore main ", ShellText(path), "\nPRAGMA integrity_check(1);\n"),
          absl::ZeroDuration(), "rwc"));
  const absl::string_view verdict = absl::StripAsciiWhitespace(answer);
  if (verdict == "ok") return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(path, " is damaged: ", verdict));
}

absl::Status SqliteDatabase::Drop(Parts&, const std::string&, const std::string& on) const {
  if (on.empty() || on == options_.path) {
    return absl::InternalError("only copies of a database are dropped");
  }
  for (const char* end : {"", "-wal", "-shm", "-journal"}) {
    const std::string file = on + end;
    if (::unlink(file.c_str()) != 0 && errno != ENOENT) return SystemError(errno, "remove", file);
  }
  return absl::OkStatus();
}

absl::Status SqliteDatabase::Step(Parts& parts, const std::string& part, const std::string& on,
                                  const Migration& migration, Way way) const {
  const bool up = way == Way::up;
  const int found = up ? migration.number - 1 : migration.number;
  const std::string rule = absl::StrCat("the schema is at version ", found);
  return Say(parts, part, on,
             absl::StrCat(
                 "BEGIN IMMEDIATE;\n", "CREATE TEMP TABLE slipway_sound (sound CONSTRAINT \"", rule,
                 "\" CHECK (sound));\n",
                 "INSERT INTO temp.slipway_sound SELECT coalesce(max(number), 0) = ", found,
                 " FROM slipway_schema;\nDROP TABLE temp.slipway_sound;\n", ".read ",
                 ShellText(up ? migration.up : migration.down), "\n",
                 up ? absl::StrCat("INSERT INTO slipway_schema (number, name, digest) VALUES (",
                                   migration.number, ", ", SqlText(migration.name), ", ",
                                   SqlText(migration.digest), ");\n")
                    : absl::StrCat("DELETE FROM slipway_schema WHERE number = ", migration.number,
                                   ";\n"),
                 "COMMIT;\n"))
      .status();
}

absl::StatusOr<std::string> SqliteDatabase::Swap(Parts& parts, const std::string& part,
                                                 const std::string& side) const {
  namespace fs = std::filesystem;
  const std::string aside = absl::StrCat(options_.path, ".before-", parts.tag());
  std::error_code ignored;
  if (!fs::exists(side, ignored) && fs::exists(aside, ignored)) return aside;  // done before
  // Leaving WAL takes the database for itself alone: whoever still has it open makes this fail.
  SLIPWAY_RETURN_IF_ERROR(Say(parts, part, "",
                              "PRAGMA wal_checkpoint(TRUNCATE);\nPRAGMA journal_mode = DELETE;\n"
                              "BEGIN EXCLUSIVE;\nCOMMIT;\n")
                              .status());
  struct stat live = {};
  if (::stat(options_.path.c_str(), &live) != 0)
    return SystemError(errno, "look at", options_.path);
  const UniqueFd file(::open(side.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file.valid()) return SystemError(errno, "open", side);
  if (::fchown(file.get(), live.st_uid, live.st_gid) != 0 ||
      ::fchmod(file.get(), live.st_mode & 07777) != 0 || ::fsync(file.get()) != 0) {
    return SystemError(errno, "give the database's owner and mode to", side);
  }
  if (::link(options_.path.c_str(), aside.c_str()) != 0 && errno != EEXIST) {
    return SystemError(errno, "keep the old database as", aside);
  }
  if (::rename(side.c_str(), options_.path.c_str()) != 0) {
    return SystemError(errno, "rename", side);
  }
  SLIPWAY_ASSIGN_OR_RETURN(const Directory folder,
                           Directory::Open(fs::path(options_.path).parent_path().string()));
  SLIPWAY_RETURN_IF_ERROR(folder.Sync());
  return aside;
}

}  // namespace

std::unique_ptr<Database> MakeSqliteDatabase(SqliteOptions options) {
  return std::make_unique<SqliteDatabase>(std::move(options));
}

}  // namespace slipway::agent
