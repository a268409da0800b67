#include "agent/database/migrate.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/status_macros.h"

namespace slipway::agent {
namespace {

std::string FileName(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

std::string FileOf(const Migration& migration, Way way) {
  return FileName(way == Way::up ? migration.up : migration.down);
}

absl::Status Named(absl::string_view file, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(file, ": ", status.message()));
}

// Runs it once. When nobody can say how it ended, the database can: the migration and its row in
// slipway_schema are one transaction, and asking waits for one that is just being committed.
absl::Status StepAndSettle(const Database& database, Parts& parts, const std::string& part,
                           const std::string& on, const Migration& migration, Way way) {
  const absl::Status stepped = database.Step(parts, part, on, migration, way);
  if (stepped.ok() || absl::IsCancelled(stepped)) return stepped;
  const auto applied = database.Applied(parts, part + ".settle", on);
  if (absl::IsCancelled(applied.status())) return applied.status();
  if (!applied.ok()) {
    return absl::UnknownError(absl::StrCat(
        stepped.message(),
        "; and the database cannot tell whether it was applied: ", applied.status().message()));
  }
  const bool is_there =
      std::any_of(applied->begin(), applied->end(),
                  [&](const AppliedMigration& one) { return one.number == migration.number; });
  if (is_there == (way == Way::up)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(stepped.message(), "; it was rolled back, and the schema is as before it"));
}

absl::Status Go(const Database& database, Parts& parts, const std::string& part,
                const std::string& on, const Migration& migration, Way way,
                const MigrationProgress& progress) {
  progress(migration, way);
  const absl::Status stepped = StepAndSettle(database, parts, part, on, migration, way);
  if (stepped.ok()) return stepped;
  return Named(FileOf(migration, way), stepped);
}

// Fails with the first row that `file` returns.
absl::Status ReturnsNoRow(const Database& database, Parts& parts, const std::string& part,
                          const std::string& on, const std::string& file) {
  const auto rows = database.Query(parts, part, on, file);
  if (!rows.ok()) return Named(FileName(file), rows.status());
  if (rows->empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(FileName(file), ": the data is not sound; the first of ",
                   std::count(rows->begin(), rows->end(), '\n'), " rows is \"",
                   rows->substr(0, rows->find('\n')), "\""));
}

absl::Status Invariants(const Database& database, Parts& parts, const std::string& part,
                        const std::string& on, const Soundness& sound) {
  for (std::size_t i = 0; i < sound.invariants.size(); ++i) {
    SLIPWAY_RETURN_IF_ERROR(ReturnsNoRow(database, parts, absl::StrCat(part, ".invariant", i), on,
                                         sound.invariants[i]));
  }
  return absl::OkStatus();
}

std::string PartOf(const std::string& part, const Migration& migration) {
  return absl::StrCat(part, ".", migration.number);
}

absl::Status Equal(const Migration& migration, absl::string_view claim, const Fingerprint& before,
                   const Fingerprint& now) {
  const std::vector<std::string> differences = Differences(before, now);
  if (differences.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(FileOf(migration, Way::down), " ", claim, ": ", Describe(differences)));
}

// Up, verify, down, up again; the fingerprint after it, which becomes `state`.
absl::Status RehearseOne(const Database& database, Parts& parts, const std::string& part,
                         const std::string& on, const Migration& migration,
                         const MigrationProgress& progress, Fingerprint& state) {
  SLIPWAY_RETURN_IF_ERROR(Go(database, parts, part + ".up", on, migration, Way::up, progress));
  SLIPWAY_RETURN_IF_ERROR(ReturnsNoRow(database, parts, part + ".verify", on, migration.verify));
  SLIPWAY_ASSIGN_OR_RETURN(const Fingerprint up,
                           database.TakeFingerprint(parts, part + ".up_state", on));
  SLIPWAY_RETURN_IF_ERROR(Go(database, parts, part + ".down", on, migration, Way::down, progress));
  SLIPWAY_ASSIGN_OR_RETURN(const Fingerprint down,
                           database.TakeFingerprint(parts, part + ".down_state", on));
  SLIPWAY_RETURN_IF_ERROR(
      Equal(migration, "does not lead back to what was there before", state, down));
  SLIPWAY_RETURN_IF_ERROR(Go(database, parts, part + ".again", on, migration, Way::up, progress));
  SLIPWAY_RETURN_IF_ERROR(
      ReturnsNoRow(database, parts, part + ".again_verify", on, migration.verify));
  SLIPWAY_ASSIGN_OR_RETURN(state, database.TakeFingerprint(parts, part + ".again_state", on));
  return Equal(migration, "leaves something that makes the second way up another one", up, state);
}

}  // namespace

absl::Status MigrateUp(const Database& database, Parts& parts, const std::string& part,
                       const std::string& on, const std::vector<Migration>& pending,
                       const Soundness& sound, const MigrationProgress& progress) {
  for (const Migration& migration : pending) {
    const std::string own = PartOf(part, migration);
    SLIPWAY_RETURN_IF_ERROR(Go(database, parts, own + ".up", on, migration, Way::up, progress));
    SLIPWAY_RETURN_IF_ERROR(ReturnsNoRow(database, parts, own + ".verify", on, migration.verify));
  }
  return Invariants(database, parts, part, on, sound);
}

absl::Status Verify(const Database& database, Parts& parts, const std::string& part,
                    const std::string& on, const std::vector<Migration>& applied,
                    const Soundness& sound) {
  for (const Migration& migration : applied) {
    SLIPWAY_RETURN_IF_ERROR(
        ReturnsNoRow(database, parts, PartOf(part, migration) + ".verify", on, migration.verify));
  }
  return Invariants(database, parts, part, on, sound);
}

absl::Status MigrateDown(const Database& database, Parts& parts, const std::string& part,
                         const std::string& on, const std::vector<Migration>& migrations,
                         const MigrationProgress& progress) {
  for (auto migration = migrations.rbegin(); migration != migrations.rend(); ++migration) {
    SLIPWAY_RETURN_IF_ERROR(Go(database, parts, PartOf(part, *migration) + ".down", on, *migration,
                               Way::down, progress));
  }
  return absl::OkStatus();
}

absl::StatusOr<Fingerprint> Rehearse(const Database& database, Parts& parts,
                                     const std::string& part, const std::string& on,
                                     const std::vector<Migration>& pending, const Soundness& sound,
                                     const MigrationProgress& progress) {
  SLIPWAY_ASSIGN_OR_RETURN(Fingerprint state,
                           database.TakeFingerprint(parts, part + ".before", on));
  for (const Migration& migration : pending) {
    SLIPWAY_RETURN_IF_ERROR(
        RehearseOne(database, parts, PartOf(part, migration), on, migration, progress, state));
  }
  SLIPWAY_RETURN_IF_ERROR(Invariants(database, parts, part, on, sound));
  return state;
}

}  // namespace slipway::agent
