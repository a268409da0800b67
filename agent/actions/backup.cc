// Dumps a database, and proves that the dump can be restored.
//
// A command takes one backup, whatever crashes: a second call goes on where the first was, or looks
// at the finished one again. There is nothing to undo; backups that are too old go.
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "agent/actions/action_table.h"
#include "agent/actions/database_step.h"
#include "common/fs/directory.h"
#include "common/status_macros.h"
#include "common/wire/proto_time.h"
#include "slipway/v1/action.pb.h"

namespace slipway::agent {
namespace {

// Backups of other rollouts. One whose record cannot be read is nobody's to throw away.
absl::Status RemoveOlder(const BackupOrder& order, absl::Time than) {
  SLIPWAY_ASSIGN_OR_RETURN(const Directory folder, Directory::Open(order.folder));
  SLIPWAY_ASSIGN_OR_RETURN(const std::vector<std::string> files, folder.List());
  const std::string ours = order.name.substr(0, order.name.find('_') + 1);
  for (const std::string& file : files) {
    absl::string_view name = file;
    if (file.starts_with(ours) || !absl::ConsumeSuffix(&name, ".record")) continue;
    const auto record = ReadBackupRecord(order.folder, std::string(name));
    if (!record.ok() || record->taken >= than) continue;
    SLIPWAY_RETURN_IF_ERROR(folder.RemoveFile(absl::StrCat(name, ".dump")));
    SLIPWAY_RETURN_IF_ERROR(folder.RemoveFile(file));
  }
  return folder.Sync();
}

absl::StatusOr<std::string> Take(ActionContext& ctx, const DatabaseStep& step) {
  const v1::Backup& asked = ctx.task.action().backup();
  ctx.progress(absl::StrCat("dump ", asked.database(), " and restore the dump"), 0, 0);
  SLIPWAY_ASSIGN_OR_RETURN(const BackupRecord record,
                           TakeBackup(*step.database, *step.parts, ctx.clock, step.backup));
  SLIPWAY_RETURN_IF_ERROR(DropScratch(*step.database, *step.parts));
  if (asked.has_keep()) {
    SLIPWAY_RETURN_IF_ERROR(RemoveOlder(step.backup, ctx.clock.Now() - FromProto(asked.keep())));
  }
  for (const auto& [table, content] : record.fingerprint.tables) {
    ctx.output.Say(absl::StrCat("table ", table, ": ", content.rows, " rows"));
  }
  return absl::StrCat("backup ", PathOf(step.backup, step.backup.name), ": ", Described(record));
}

class Backup final : public Action {
 public:
  std::string_view Name() const override { return "backup"; }
  AttemptEnd Apply(ActionContext& ctx) const override { return Carry(ctx, NewParts::begin); }
  AttemptEnd Undo(ActionContext&) const override { return Succeeded("a backup needs no undo"); }
  AttemptEnd Probe(ActionContext& ctx) const override {
    return ctx.direction == Direction::undo ? Undo(ctx) : Carry(ctx, NewParts::refuse);
  }

 private:
  static AttemptEnd Carry(ActionContext& ctx, NewParts fresh) {
    const auto step = OpenDatabaseStep(ctx, ctx.task.action().backup().target(), fresh);
    if (!step.ok()) return FromStatus(step.status());
    return EndDatabaseStep(ctx, *step, Take(ctx, *step));
  }
};

}  // namespace

std::unique_ptr<Action> MakeBackup() {
  return std::make_unique<Backup>();
}

}  // namespace slipway::agent
