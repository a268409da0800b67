#include "agent/actions/migration_record.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/database/script.h"
#include "common/fs/directory.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr char kFirstLine[] = "slipway-migration 1";
constexpr char kInplace[] = "inplace";
constexpr char kCopy[] = "copy";
constexpr std::size_t kLines = 4;

absl::StatusOr<std::optional<std::string>> ReadIfThere(const std::string& folder,
                                                       const std::string& name) {
  auto directory = Directory::Open(folder);
  if (absl::IsNotFound(directory.status())) return std::nullopt;
  SLIPWAY_RETURN_IF_ERROR(directory.status());
  SLIPWAY_ASSIGN_OR_RETURN(const bool there, directory->Exists(name));
  if (!there) return std::nullopt;
  SLIPWAY_ASSIGN_OR_RETURN(std::string text, directory->Read(name, kAnswerMax));
  return std::optional<std::string>(std::move(text));
}

absl::Status Write(const std::string& folder, const std::string& name, std::string_view text) {
  SLIPWAY_ASSIGN_OR_RETURN(const Directory directory, Directory::Open(folder));
  return directory.WriteAtomically(name, text, {.mode = 0600});
}

}  // namespace

absl::StatusOr<std::optional<MigrationRecord>> ReadMigrationRecord(const std::string& folder,
                                                                   const std::string& database) {
  const std::string name = database + ".migration";
  SLIPWAY_ASSIGN_OR_RETURN(const auto text, ReadIfThere(folder, name));
  if (!text) return std::nullopt;
  const std::vector<std::string> lines = absl::StrSplit(*text, '\n', absl::SkipEmpty());
  MigrationRecord record;
  if (lines.size() != kLines || lines[0] != kFirstLine ||
      !absl::SimpleAtoi(lines[1], &record.version)) {
    return absl::DataLossError(absl::StrCat(folder, "/", name, " cannot be read"));
  }
  record.backup = lines[2];
  record.inplace = lines[3] == kInplace;
  return std::optional<MigrationRecord>(std::move(record));
}

absl::Status WriteMigrationRecord(const std::string& folder, const std::string& database,
                                  const MigrationRecord& record) {
  return Write(folder, database + ".migration",
               absl::StrCat(kFirstLine, "\n", record.version, "\n", record.backup, "\n",
                            record.inplace ? kInplace : kCopy, "\n"));
}

absl::StatusOr<std::optional<Fingerprint>> ReadMigrated(const std::string& folder,
                                                        const std::string& database) {
  SLIPWAY_ASSIGN_OR_RETURN(const auto text, ReadIfThere(folder, database + ".migrated"));
  if (!text) return std::nullopt;
  SLIPWAY_ASSIGN_OR_RETURN(Fingerprint fingerprint, ParseFingerprint(*text));
  return std::optional<Fingerprint>(std::move(fingerprint));
}

absl::Status WriteMigrated(const std::string& folder, const std::string& database,
                           const Fingerprint& fingerprint) {
  return Write(folder, database + ".migrated", fingerprint.ToText());
}

absl::Status ForgetMigrated(const std::string& folder, const std::string& database) {
  SLIPWAY_ASSIGN_OR_RETURN(const Directory directory, Directory::Open(folder));
  return directory.RemoveFile(database + ".migrated");
}

}  // namespace slipway::agent
