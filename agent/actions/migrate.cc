// Takes a database to the schema version of the release.
//
// Already there: nothing is done. Otherwise: a proved backup, a rehearsal of each migration (up,
// verify, down, up) on the restored copy or on the database itself, and then the migrations, each
// in one transaction with its row in slipway_schema. An attempt that was cut off is not repeated:
// the next one asks the database what was applied and goes on from there. Undo: the way down, or
// the backup restored beside the database and swapped in.
#include "agent/database/migrate.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "agent/actions/action_table.h"
#include "agent/actions/database_step.h"
#include "agent/actions/migration_record.h"
#include "agent/database/migrations.h"
#include "agent/releases/host_releases.h"
#include "common/status_macros.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {
namespace {

constexpr char kSql[] = ".sql";

// The files that "db/invariants/*.sql" or "db/sound.sql" names, by name.
absl::StatusOr<std::vector<std::string>> InvariantsOf(ActionContext& ctx,
                                                      const std::string& pattern) {
  std::vector<std::string> files;
  if (pattern.empty()) return files;
  const std::string& digest = ctx.task.release().digest();
  if (pattern.find('*') == std::string::npos) {
    SLIPWAY_ASSIGN_OR_RETURN(files.emplace_back(),
                             ctx.releases.CachedFile(digest, pattern, ctx.content));
    return files;
  }
  SLIPWAY_ASSIGN_OR_RETURN(
      const std::string folder,
      ctx.releases.CachedFolder(digest, pattern.substr(0, pattern.rfind('/')), ctx.content));
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == kSql) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<Migration> From(const std::vector<Migration>& known, std::size_t first,
                            std::size_t end) {
  return {known.begin() + static_cast<std::ptrdiff_t>(first),
          known.begin() + static_cast<std::ptrdiff_t>(end)};
}

// Of the schema alone: content may have been written meanwhile.
Fingerprint SchemaOf(Fingerprint fingerprint) {
  for (auto& [table, content] : fingerprint.tables) content = {};
  return fingerprint;
}

// One attempt, in either direction.
class Attempt {
 public:
  Attempt(ActionContext& ctx, DatabaseStep& step)
      : ctx_(ctx),
        asked_(ctx.task.action().migrate()),
        name_(asked_.target().name()),
        step_(step),
        database_(*step.database),
        parts_(*step.parts) {}

  absl::StatusOr<std::string> Apply();
  absl::StatusOr<std::string> Undo(const MigrationRecord& record);

 private:
  absl::Status Look();
  absl::Status ResetRehearsal(const MigrationRecord& record);
  absl::StatusOr<Fingerprint> Prepare();
  absl::StatusOr<std::string> Finish(const std::optional<Fingerprint>& expected);
  absl::StatusOr<std::string> Restore(const BackupRecord& backup, const std::string& dump);
  absl::StatusOr<std::string> Back(const BackupRecord& backup, const std::string& dump,
                                   const Fingerprint& now) const;
  absl::Status CheckLoss(const Fingerprint& now) const;

  bool inplace() const { return asked_.rehearse() == v1::Migrate::INPLACE; }
  std::string At(std::size_t version) const {
    return absl::StrCat("database ", name_, " is at schema version ", version);
  }
  MigrationProgress Telling(absl::string_view doing) const {
    return [this, doing = std::string(doing)](const Migration& migration, Way way) {
      const std::string text =
          absl::StrCat(doing, " ", migration.name, way == Way::up ? " up" : " down");
      ctx_.output.Say(text);
      ctx_.progress(text, static_cast<std::uint64_t>(migration.number), known_.size());
    };
  }

  ActionContext& ctx_;
  const v1::Migrate& asked_;
  const std::string name_;
  DatabaseStep& step_;
  const Database& database_;
  Parts& parts_;
  std::vector<Migration> known_, pending_;
  Soundness sound_;
  std::size_t version_ = 0;  // what the database was found at
};

// What the release has, and what the database lacks of it.
absl::Status Attempt::Look() {
  SLIPWAY_ASSIGN_OR_RETURN(const std::string folder,
                           ctx_.releases.CachedFolder(ctx_.task.release().digest(),
                                                      asked_.target().migrations(), ctx_.content));
  SLIPWAY_ASSIGN_OR_RETURN(known_, ReadMigrations(folder));
  SLIPWAY_ASSIGN_OR_RETURN(sound_.invariants, InvariantsOf(ctx_, asked_.target().invariants()));
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<AppliedMigration> applied,
                           database_.Applied(parts_, "applied", ""));
  version_ = applied.size();
  SLIPWAY_ASSIGN_OR_RETURN(pending_, Pending(known_, applied));
  return absl::OkStatus();
}

// An earlier attempt was cut off while it rehearsed on the database itself: back to where it was.
absl::Status Attempt::ResetRehearsal(const MigrationRecord& record) {
  const auto before = static_cast<std::size_t>(record.version);
  SLIPWAY_RETURN_IF_ERROR(MigrateDown(database_, parts_, "reset", "",
                                      From(known_, before, version_),
                                      Telling("rehearsal was cut off;")));
  SLIPWAY_ASSIGN_OR_RETURN(const BackupRecord backup,
                           ReadBackupRecord(step_.backup.folder, record.backup));
  SLIPWAY_ASSIGN_OR_RETURN(const Fingerprint now,
                           database_.TakeFingerprint(parts_, "reset_state", ""));
  const std::vector<std::string> differences = Differences(backup.fingerprint, now);
  if (!differences.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "after a rehearsal that was cut off, ", name_, " is not what it was: ",
        Describe(differences), "; the backup is ", PathOf(step_.backup, record.backup)));
  }
  version_ = before;
  pending_ = From(known_, before, known_.size());
  return absl::OkStatus();
}

// Backup and rehearsal; returns what the database is to be afterwards. The rehearsal on the
// database itself leaves it migrated.
absl::StatusOr<Fingerprint> Attempt::Prepare() {
  ctx_.progress("back up " + name_, 0, known_.size());
  SLIPWAY_ASSIGN_OR_RETURN(const BackupRecord backup,
                           TakeBackup(database_, parts_, ctx_.clock, step_.backup));
  ctx_.output.Say(
      absl::StrCat("backup ", PathOf(step_.backup, step_.backup.name), ": ", Described(backup)));
  const MigrationRecord record{static_cast<int>(version_), step_.backup.name, inplace()};
  SLIPWAY_RETURN_IF_ERROR(ForgetMigrated(step_.rollout, name_));
  if (inplace()) {
    SLIPWAY_RETURN_IF_ERROR(DropScratch(database_, parts_));
    SLIPWAY_RETURN_IF_ERROR(WriteMigrationRecord(step_.rollout, name_, record));
    return Rehearse(database_, parts_, "rehearse", "", pending_, sound_, Telling("rehearse"));
  }
  absl::StatusOr<Fingerprint> rehearsed =
      Rehearse(database_, parts_, "rehearse", database_.ScratchName(parts_), pending_, sound_,
               Telling("rehearse"));
  if (absl::IsCancelled(rehearsed.status())) return rehearsed;
  const absl::Status dropped = DropScratch(database_, parts_);
  SLIPWAY_RETURN_IF_ERROR(rehearsed.status());
  SLIPWAY_RETURN_IF_ERROR(dropped);
  SLIPWAY_RETURN_IF_ERROR(WriteMigrationRecord(step_.rollout, name_, record));
  return rehearsed;
}

absl::StatusOr<std::string> Attempt::Apply() {
  SLIPWAY_ASSIGN_OR_RETURN(const auto record, ReadMigrationRecord(step_.rollout, name_));
  SLIPWAY_RETURN_IF_ERROR(Look());
  SLIPWAY_ASSIGN_OR_RETURN(const auto migrated, ReadMigrated(step_.rollout, name_));
  const bool begun = record && static_cast<std::size_t>(record->version) < version_;
  const bool cut = begun && !migrated;
  if (cut && record->inplace) SLIPWAY_RETURN_IF_ERROR(ResetRehearsal(*record));
  if (pending_.empty() && !cut) return absl::StrCat(At(version_), " already");
  std::optional<Fingerprint> expected;
  if (!cut || record->inplace) {
    SLIPWAY_ASSIGN_OR_RETURN(expected, Prepare());
  } else {
    // Rehearsed before the first attempt was cut off; what it applied was perhaps not looked at.
    const auto before = static_cast<std::size_t>(record->version);
    SLIPWAY_RETURN_IF_ERROR(
        Verify(database_, parts_, "cut", "", From(known_, before, version_), {}));
    version_ = before;
  }
  if (!inplace()) {
    SLIPWAY_RETURN_IF_ERROR(
        MigrateUp(database_, parts_, "live", "", pending_, sound_, Telling("migrate")));
  }
  return Finish(expected);
}

absl::StatusOr<std::string> Attempt::Finish(const std::optional<Fingerprint>& expected) {
  SLIPWAY_ASSIGN_OR_RETURN(const Fingerprint now,
                           database_.TakeFingerprint(parts_, "migrated", ""));
  if (expected) {
    const std::vector<std::string> differences = Differences(SchemaOf(*expected), SchemaOf(now));
    if (!differences.empty()) {
      return absl::FailedPreconditionError(absl::StrCat(
          name_, " is not what the rehearsal made of its copy: ", Describe(differences)));
    }
  }
  SLIPWAY_RETURN_IF_ERROR(CheckTables(asked_.target(), now));
  SLIPWAY_RETURN_IF_ERROR(WriteMigrated(step_.rollout, name_, now));
  return absl::StrCat("database ", name_, " went from schema version ", version_, " to ",
                      known_.size(), ", rehearsed ", inplace() ? "in place" : "on a copy", "; ",
                      Counted(now), ", fingerprint ", now.Hash().ToString());
}

// What was written since the migration ended, and would be lost.
absl::Status Attempt::CheckLoss(const Fingerprint& now) const {
  SLIPWAY_ASSIGN_OR_RETURN(const auto migrated, ReadMigrated(step_.rollout, name_));
  if (!migrated) return absl::OkStatus();  // nobody was let in again
  std::uint64_t lost = 0;
  for (const auto& [table, content] : now.tables) {
    const auto then = migrated->tables.find(table);
    if (then == migrated->tables.end()) {
      lost += content.rows;
    } else if (!(then->second == content)) {
      lost += std::max<std::uint64_t>(1, content.rows > then->second.rows
                                             ? content.rows - then->second.rows
                                             : then->second.rows - content.rows);
    }
  }
  if (lost <= asked_.max_loss()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("restoring ", name_, " would lose what was written to at least ", lost,
                   " rows since the migration, and `max_loss` allows ", asked_.max_loss(), ": ",
                   Describe(Differences(*migrated, now))));
}

absl::StatusOr<std::string> Attempt::Restore(const BackupRecord& backup, const std::string& dump) {
  ctx_.progress("restore " + name_, 0, 0);
  SLIPWAY_ASSIGN_OR_RETURN(const std::string aside, RestoreBackup(database_, parts_, backup, dump));
  SLIPWAY_ASSIGN_OR_RETURN(const Fingerprint now,
                           database_.TakeFingerprint(parts_, "restored", ""));
  const std::vector<std::string> differences = Differences(backup.fingerprint, now);
  if (!differences.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        name_, " was restored from ", dump, " and is not what it was: ", Describe(differences)));
  }
  return absl::StrCat("database ", name_, " was restored from ", dump, "; its fingerprint ",
                      now.Hash().ToString(), " is that of the backup; what was there before is ",
                      aside);
}

absl::StatusOr<std::string> Attempt::Undo(const MigrationRecord& record) {
  SLIPWAY_RETURN_IF_ERROR(Look());
  const auto before = static_cast<std::size_t>(record.version);
  const std::string dump = PathOf(step_.backup, record.backup);
  SLIPWAY_ASSIGN_OR_RETURN(const BackupRecord backup,
                           ReadBackupRecord(step_.backup.folder, record.backup));
  SLIPWAY_ASSIGN_OR_RETURN(const Fingerprint found, database_.TakeFingerprint(parts_, "found", ""));
  if (before == version_ && Differences(SchemaOf(backup.fingerprint), SchemaOf(found)).empty() &&
      (!record.inplace || Differences(backup.fingerprint, found).empty())) {
    return Back(backup, dump, found);
  }
  if (asked_.way_back() == v1::Migrate::RESTORE) {
    SLIPWAY_RETURN_IF_ERROR(CheckLoss(found));
    return Restore(backup, dump);
  }
  SLIPWAY_RETURN_IF_ERROR(MigrateDown(database_, parts_, "down", "", From(known_, before, version_),
                                      Telling("migrate")));
  SLIPWAY_ASSIGN_OR_RETURN(const Fingerprint now, database_.TakeFingerprint(parts_, "undone", ""));
  SLIPWAY_ASSIGN_OR_RETURN(const auto migrated, ReadMigrated(step_.rollout, name_));
  // A rehearsal in place failed: nobody was let in again, and the way down has a fault.
  if (record.inplace && !migrated && !Differences(backup.fingerprint, now).empty()) {
    return Restore(backup, dump);
  }
  version_ = before;
  return Back(backup, dump, now);
}

// The version is that of before; whether the rest is, too. Content may have been written since.
absl::StatusOr<std::string> Attempt::Back(const BackupRecord& backup, const std::string& dump,
                                          const Fingerprint& now) const {
  const std::vector<std::string> schema = Differences(SchemaOf(backup.fingerprint), SchemaOf(now));
  if (!schema.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(name_, " is not what it was before the rollout: ", Describe(schema),
                     "; the backup is ", dump));
  }
  const std::vector<std::string> written = Differences(backup.fingerprint, now);
  if (!written.empty()) {
    return absl::StrCat(At(version_),
                        " as before the rollout; written since the backup: ", Describe(written));
  }
  return absl::StrCat(At(version_), " as before the rollout, and its fingerprint ",
                      now.Hash().ToString(), " is that of the backup");
}

class Migrate final : public Action {
 public:
  std::string_view Name() const override { return "migrate"; }
  AttemptEnd Apply(ActionContext& ctx) const override { return Forth(ctx, NewParts::begin); }
  AttemptEnd Undo(ActionContext& ctx) const override { return Back(ctx, NewParts::begin); }
  AttemptEnd Probe(ActionContext& ctx) const override {
    return ctx.direction == Direction::undo ? Back(ctx, NewParts::refuse)
                                            : Forth(ctx, NewParts::refuse);
  }

 private:
  static AttemptEnd Forth(ActionContext& ctx, NewParts fresh) {
    auto step = OpenDatabaseStep(ctx, ctx.task.action().migrate().target(), fresh);
    if (!step.ok()) return FromStatus(step.status());
    return EndDatabaseStep(ctx, *step, Attempt(ctx, *step).Apply());
  }
  static AttemptEnd Back(ActionContext& ctx, NewParts fresh) {
    const v1::DatabaseTarget& target = ctx.task.action().migrate().target();
    const auto record = ReadMigrationRecord(RolloutFolder(ctx), target.name());
    if (!record.ok()) return FromStatus(record.status());
    if (!*record) return Succeeded(absl::StrCat("database ", target.name(), " was not touched"));
    auto step = OpenDatabaseStep(ctx, target, fresh);
    if (!step.ok()) return FromStatus(step.status());
    return EndDatabaseStep(ctx, *step, Attempt(ctx, *step).Undo(**record));
  }
};

}  // namespace

std::unique_ptr<Action> MakeMigrate() {
  return std::make_unique<Migrate>();
}

}  // namespace slipway::agent
