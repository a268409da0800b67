#include "agent/database/backup.h"

#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/database/script.h"
#include "common/artifact/digest.h"
#include "common/fs/directory.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

constexpr char kFirstLine[] = "slipway-backup 1\n";
constexpr std::size_t kPiece = 1 << 20;  // bytes read at a time

struct Measured {
  std::uint64_t bytes = 0;
  std::string digest;
};

absl::StatusOr<Measured> Measure(const File& file) {
  Hasher hasher;
  Measured measured;
  while (true) {
    SLIPWAY_ASSIGN_OR_RETURN(const std::string piece, file.ReadAt(measured.bytes, kPiece));
    if (piece.empty()) break;
    hasher.Update(piece);
    measured.bytes += piece.size();
  }
  measured.digest = hasher.Finish().ToString();
  return measured;
}

absl::StatusOr<BackupRecord> Finished(const Directory& folder, const std::string& name) {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string text, folder.Read(name + ".record", kAnswerMax));
  SLIPWAY_ASSIGN_OR_RETURN(BackupRecord record, ParseBackupRecord(text));
  SLIPWAY_RETURN_IF_ERROR(CheckDump(record, absl::StrCat(folder.path(), "/", name, ".dump")));
  return record;
}

absl::StatusOr<BackupRecord> Dumped(const Database& database, Parts& parts, const Clock& clock,
                                    const Directory& folder, const BackupOrder& order) {
  const std::string partial = order.name + ".partial";
  SLIPWAY_ASSIGN_OR_RETURN(const DumpTaken taken,
                           database.Dump(parts, "dump", absl::StrCat(folder.path(), "/", partial)));
  SLIPWAY_ASSIGN_OR_RETURN(File file, folder.OpenFile(partial));
  SLIPWAY_RETURN_IF_ERROR(file.SetMode(0600));
  SLIPWAY_RETURN_IF_ERROR(file.Sync());
  SLIPWAY_ASSIGN_OR_RETURN(const Measured measured, Measure(file));
  return BackupRecord{.database = order.database,
                      .kind = std::string(database.kind()),
                      .digest = measured.digest,
                      .bytes = measured.bytes,
                      .server = taken.server,
                      .tool = taken.tool,
                      .taken = absl::FromUnixSeconds(absl::ToUnixSeconds(clock.Now())),
                      .fingerprint = taken.fingerprint};
}

}  // namespace

std::string BackupRecord::ToText() const {
  return absl::StrCat(kFirstLine, "database ", database, "\nkind ", kind, "\ndigest ", digest,
                      "\nbytes ", bytes, "\nserver ", server, "\ntool ", tool, "\ntaken ",
                      absl::FormatTime(absl::RFC3339_sec, taken, absl::UTCTimeZone()), "\n",
                      fingerprint.ToText());
}

absl::StatusOr<BackupRecord> ParseBackupRecord(std::string_view text) {
  const auto damaged = [](absl::string_view what) {
    return absl::DataLossError(absl::StrCat("the record of a backup ", what));
  };
  constexpr std::string_view kFirst = kFirstLine;
  if (!text.starts_with(kFirst)) return damaged("is not of format 1");
  text.remove_prefix(kFirst.size());
  const std::size_t end = text.find("slipway-fingerprint ");
  if (end == std::string_view::npos) return damaged("has no fingerprint");
  std::map<std::string, std::string> fields;
  for (const absl::string_view line :
       absl::StrSplit(absl::string_view(text.data(), end), '\n', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> field = absl::StrSplit(line, absl::MaxSplits(' ', 1));
    fields.insert(field);
  }
  BackupRecord record{.database = fields["database"],
                      .kind = fields["kind"],
                      .digest = fields["digest"],
                      .server = fields["server"],
                      .tool = fields["tool"]};
  std::string why;
  if (!absl::SimpleAtoi(fields["bytes"], &record.bytes)) return damaged("has no size");
  if (!Digest::Parse(record.digest).ok()) return damaged("has no digest");
  if (!absl::ParseTime(absl::RFC3339_full, fields["taken"], &record.taken, &why)) {
    return damaged("does not tell when it was taken");
  }
  auto fingerprint = ParseFingerprint(text.substr(end));
  if (!fingerprint.ok()) return damaged(fingerprint.status().message());
  if (fingerprint->kind != record.kind) return damaged("is of two kinds");
  record.fingerprint = *std::move(fingerprint);
  return record;
}

absl::StatusOr<BackupRecord> ReadBackupRecord(const std::string& folder, const std::string& name) {
  SLIPWAY_ASSIGN_OR_RETURN(const Directory directory, Directory::Open(folder));
  SLIPWAY_ASSIGN_OR_RETURN(const std::string text, directory.Read(name + ".record", kAnswerMax));
  return ParseBackupRecord(text);
}

absl::Status CheckDump(const BackupRecord& record, const std::string& dump) {
  const std::size_t slash = dump.rfind('/');
  SLIPWAY_ASSIGN_OR_RETURN(const Directory folder, Directory::Open(dump.substr(0, slash)));
  SLIPWAY_ASSIGN_OR_RETURN(const File file, folder.OpenFile(dump.substr(slash + 1)));
  SLIPWAY_ASSIGN_OR_RETURN(const Measured measured, Measure(file));
  if (measured.bytes != record.bytes) {
    return absl::DataLossError(
        absl::StrCat("backup ", dump, " has ", measured.bytes, " bytes instead of ", record.bytes));
  }
  if (measured.digest != record.digest) {
    return absl::DataLossError(
        absl::StrCat("backup ", dump, " is not the file that its record describes: its digest is ",
                     measured.digest, " instead of ", record.digest));
  }
  return absl::OkStatus();
}

absl::Status LoadProved(const Database& database, Parts& parts, const std::string& part,
                        const BackupRecord& record, const std::string& dump,
                        const std::string& on) {
  if (record.kind != database.kind()) {
    return absl::DataLossError(absl::StrCat("backup ", dump, " is of kind ", record.kind,
                                            ", and the database of kind ",
                                            std::string(database.kind())));
  }
  SLIPWAY_RETURN_IF_ERROR(CheckDump(record, dump));
  SLIPWAY_RETURN_IF_ERROR(database.Load(parts, part, dump, on));
  SLIPWAY_ASSIGN_OR_RETURN(const Fingerprint loaded,
                           database.TakeFingerprint(parts, part + ".fingerprint", on));
  const std::vector<std::string> differences = Differences(record.fingerprint, loaded);
  if (differences.empty()) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat("backup ", dump, " does not restore what was dumped: ", Describe(differences)));
}

absl::StatusOr<BackupRecord> TakeBackup(const Database& database, Parts& parts, const Clock& clock,
                                        const BackupOrder& order) {
  SLIPWAY_ASSIGN_OR_RETURN(const Directory folder, Directory::OpenOrMake(order.folder, 0700));
  SLIPWAY_ASSIGN_OR_RETURN(const bool done, folder.Exists(order.name + ".record"));
  if (done) return Finished(folder, order.name);
  SLIPWAY_RETURN_IF_ERROR(database.DropLeftovers(parts, "leftovers"));
  const std::string partial = order.name + ".partial";
  const std::string dump = order.name + ".dump";
  // Killed between the rename and the record: back, and through the same parts again.
  SLIPWAY_ASSIGN_OR_RETURN(const bool renamed, folder.Exists(dump));
  if (renamed) SLIPWAY_RETURN_IF_ERROR(folder.Rename(dump, partial));
  SLIPWAY_ASSIGN_OR_RETURN(const BackupRecord record,
                           Dumped(database, parts, clock, folder, order));
  const absl::Status proved =
      LoadProved(database, parts, "prove", record, absl::StrCat(folder.path(), "/", partial),
                 database.ScratchName(parts));
  if (!proved.ok() && !absl::IsCancelled(proved)) {
    SLIPWAY_RETURN_IF_ERROR(DropScratch(database, parts));
  }
  SLIPWAY_RETURN_IF_ERROR(proved);
  SLIPWAY_RETURN_IF_ERROR(folder.Rename(partial, dump));
  SLIPWAY_RETURN_IF_ERROR(folder.Sync());
  SLIPWAY_RETURN_IF_ERROR(
      folder.WriteAtomically(order.name + ".record", record.ToText(), {.mode = 0600}));
  return record;
}

absl::Status DropScratch(const Database& database, Parts& parts) {
  return database.Drop(parts, "drop_scratch", database.ScratchName(parts));
}

absl::StatusOr<std::string> RestoreBackup(const Database& database, Parts& parts,
                                          const BackupRecord& record, const std::string& dump) {
  const std::string side = database.SideName(parts);
  const absl::Status loaded = LoadProved(database, parts, "side", record, dump, side);
  if (!loaded.ok() && !absl::IsCancelled(loaded)) {
    SLIPWAY_RETURN_IF_ERROR(database.Drop(parts, "drop_side", side));
  }
  SLIPWAY_RETURN_IF_ERROR(loaded);
  return database.Swap(parts, "swap", side);
}

}  // namespace slipway::agent
